//! The broken variants of a sender.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use mllp_link::{Action, Fate, Handle, Initiator, InitiatorEvent, Verdict};

use super::Sabotage;
use crate::memory::Memory;

/// An initiator between its host and a saboteur: what is not defined here goes straight through.
pub struct Sabotaged<const W: usize> {
    initiator: Initiator<Memory, W, 64>,
    sabotage: Sabotage,
    /// The names of the messages in flight, in the order in which they were sent.
    flying: Vec<(Handle, Vec<u8>)>,
    /// The bytes since the last end block.
    half: Vec<u8>,
    /// Such bytes of the connection before.
    kept: Vec<u8>,
    again: VecDeque<InitiatorEvent>,
    verdicts: usize,
}

impl<const W: usize> Deref for Sabotaged<W> {
    type Target = Initiator<Memory, W, 64>;

    fn deref(&self) -> &Self::Target {
        &self.initiator
    }
}

impl<const W: usize> DerefMut for Sabotaged<W> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.initiator
    }
}

impl<const W: usize> Sabotaged<W> {
    pub fn new(initiator: Initiator<Memory, W, 64>, sabotage: Sabotage) -> Self {
        Sabotaged {
            initiator,
            sabotage,
            flying: Vec::new(),
            half: Vec::new(),
            kept: Vec::new(),
            again: VecDeque::new(),
            verdicts: 0,
        }
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == sabotage
    }

    /// The host has begun to write this message.
    pub fn sends(&mut self, handle: Handle, id: &[u8]) {
        self.flying.retain(|(it, _)| *it != handle);
        self.flying.push((handle, id.to_vec()));
    }

    /// Whether the host says that nothing has left when so many bytes have.
    pub fn denies(&self, written: usize) -> bool {
        written == 0 || self.is(Sabotage::NothingLeft)
    }

    pub fn connected(&mut self) {
        self.initiator.connected();
        self.kept = std::mem::take(&mut self.half);
    }

    pub fn receive(&mut self, bytes: &[u8], now: u64) -> usize {
        if self.is(Sabotage::MatchedByOrder) {
            self.half.extend(bytes);
            return bytes.len();
        }
        if self.is(Sabotage::KeptReply) && !bytes.is_empty() {
            self.initiator.receive(&std::mem::take(&mut self.kept), now);
        }
        let taken = self.initiator.receive(bytes, now);
        self.half.extend(&bytes[..taken]);
        if let Some(end) = self.half.iter().rposition(|byte| *byte == 0x1C) {
            self.half.drain(..=end);
        }
        taken
    }

    /// Hands on the next reply that has come whole, with the name of the oldest message in flight
    /// in MSA-2.
    fn name_by_order(&mut self, now: u64) -> bool {
        let Some(end) = self.half.windows(2).position(|it| it == b"\x1c\r") else { return false };
        let frame: Vec<u8> = self.half.drain(..end + 2).collect();
        let msa = frame.windows(4).position(|it| it == b"MSA|");
        let frame = match (msa, self.flying.first()) {
            (Some(msa), Some((_, id))) => {
                [&frame[..msa + b"MSA|AA|".len()], id, b"\r\x1c\r"].concat()
            }
            _ => frame,
        };
        self.initiator.receive(&frame, now);
        true
    }

    pub fn next_event(&mut self, now: u64) -> Option<InitiatorEvent> {
        let event = loop {
            match self.again.pop_front().or_else(|| self.initiator.next_event(now)) {
                Some(event) => break event,
                None if self.is(Sabotage::MatchedByOrder) && self.name_by_order(now) => {}
                None => return None,
            }
        };
        match event {
            InitiatorEvent::Verdict { handle, verdict, fate: Fate::Uncertain }
                if self.is(Sabotage::SilenceAccepted) =>
            {
                let verdict = Verdict { action: Action::Accept, ..verdict };
                return Some(InitiatorEvent::Verdict { handle, verdict, fate: Fate::Unasked });
            }
            InitiatorEvent::Verdict { handle, .. } => {
                self.flying.retain(|(it, _)| *it != handle);
                self.verdicts += 1;
                match self.sabotage {
                    Sabotage::VerdictTwice if self.verdicts == 3 => self.again.push_back(event),
                    Sabotage::VerdictSwallowed if self.verdicts == 3 => return None,
                    _ => {}
                }
            }
            InitiatorEvent::Retry { handle, .. } => self.flying.retain(|(it, _)| *it != handle),
            _ => {}
        }
        Some(event)
    }

    pub fn resume(&mut self) {
        if !self.is(Sabotage::ResumeIgnored) {
            self.initiator.resume();
        }
    }

    pub fn next_deadline(&self) -> Option<u64> {
        self.initiator.next_deadline().filter(|_| !self.is(Sabotage::DroppedReplyDeadline))
    }

    pub fn on_time(&mut self, now: u64) {
        if !self.is(Sabotage::DroppedReplyDeadline) {
            self.initiator.on_time(now);
        }
    }
}
