//! The broken variants of a receiver.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use ack_gen::Ack;
use mllp_core::{Config, Profile};
use mllp_link::ResponderConfig;

use super::Sabotage;
use crate::receiving::{Place, Receiving, Told, receiver};
use crate::scenario::Scenario;

/// What the receivers of one line have in common.
pub type Line = Rc<RefCell<Vec<u8>>>;

/// A receiver between its host and a saboteur.
pub struct Sabotaged {
    receiver: Box<dyn Receiving>,
    sabotage: Sabotage,
    unanswered: BTreeSet<Place>,
    ending: bool,
    /// The bytes since the last end block.
    line: Line,
    hoard: VecDeque<u8>,
    /// What is sent in place of the receiver's own bytes.
    out: Vec<u8>,
}

impl Sabotaged {
    pub fn new(scenario: &Scenario, sabotage: Sabotage, line: Line, now: u64) -> Sabotaged {
        let mut config = scenario.responder;
        if sabotage == Sabotage::FusedRestart {
            let decoder = Config { profile: Profile::Permissive, ..config.decoder };
            config = ResponderConfig { decoder, ..config };
        }
        let mut receiver = receiver(scenario, config, now);
        if sabotage == Sabotage::KeptBytes {
            receiver.receive(&line.take(), now);
        }
        Sabotaged {
            receiver,
            sabotage,
            unanswered: BTreeSet::new(),
            ending: false,
            line,
            hoard: VecDeque::new(),
            out: Vec::new(),
        }
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == sabotage
    }

    /// Takes the receiver's bytes and writes each frame twice.
    fn echo(&mut self, now: u64) {
        if !self.is(Sabotage::AnsweredTwice) {
            return;
        }
        let bytes = self.receiver.outgoing();
        let whole = bytes.windows(2).rposition(|pair| pair == b"\x1c\r").map_or(0, |at| at + 2);
        self.out.extend([&bytes[..whole], &bytes[..whole]].concat());
        self.receiver.sent(whole, now);
    }
}

impl Receiving for Sabotaged {
    fn wants_input(&self) -> bool {
        self.receiver.wants_input() || (self.is(Sabotage::Hoarding) && !self.ending)
    }

    fn receive(&mut self, bytes: &[u8], now: u64) -> usize {
        if self.is(Sabotage::Hoarding) {
            self.hoard.extend(bytes);
            let taken = self.receiver.receive(self.hoard.make_contiguous(), now);
            self.hoard.drain(..taken);
            return bytes.len();
        }
        let taken = self.receiver.receive(bytes, now);
        let mut line = self.line.borrow_mut();
        line.extend(&bytes[..taken]);
        if let Some(end) = line.iter().rposition(|byte| *byte == 0x1C) {
            line.drain(..=end);
        }
        taken
    }

    fn next_event(&mut self, now: u64) -> Option<Told> {
        loop {
            let told = self.receiver.next_event(now)?;
            match told {
                Told::Message(place) if self.is(Sabotage::UnreadForgotten) && self.ending => {
                    self.receiver.leave_unanswered(place, now);
                }
                Told::Message(place) => {
                    self.unanswered.insert(place);
                    return Some(told);
                }
                _ => return Some(told),
            }
        }
    }

    fn payload(&self) -> &[u8] {
        self.receiver.payload()
    }

    fn looked_at(&self) -> u64 {
        self.receiver.looked_at()
    }

    fn answer(&mut self, place: Place, kept: Option<&[u8]>, ack: &Ack<'_>, now: u64) -> bool {
        let place = match self.sabotage {
            Sabotage::OrderOfFinishing => self.unanswered.first().copied().unwrap_or(place),
            _ => place,
        };
        if !self.unanswered.remove(&place) && self.is(Sabotage::OwedForgotten) {
            return true;
        }
        let payload = self.receiver.payload().to_vec();
        let kept = if self.is(Sabotage::OrderOfFinishing) { kept.or(Some(&payload)) } else { kept };
        let answered = self.receiver.answer(place, kept, ack, now);
        self.echo(now);
        answered
    }

    fn leave_unanswered(&mut self, place: Place, now: u64) {
        if self.unanswered.remove(&place) {
            self.receiver.leave_unanswered(place, now);
        }
    }

    fn refuse(&mut self, place: Place, ack: &Ack<'_>, now: u64) -> bool {
        self.receiver.refuse(place, ack, now)
    }

    fn leave_unrefused(&mut self, place: Place, now: u64) {
        self.receiver.leave_unrefused(place, now);
    }

    fn commit(&mut self, place: Place, now: u64) {
        if self.unanswered.contains(&place) {
            self.receiver.commit(place, now);
        }
    }

    fn refuse_commit(&mut self, place: Place, now: u64) {
        if self.unanswered.remove(&place) {
            self.receiver.refuse_commit(place, now);
        }
    }

    fn outgoing(&self) -> &[u8] {
        if self.is(Sabotage::AnsweredTwice) { &self.out } else { self.receiver.outgoing() }
    }

    fn sent(&mut self, len: usize, now: u64) {
        if self.is(Sabotage::AnsweredTwice) {
            self.out.drain(..len);
            self.echo(now);
        } else {
            self.receiver.sent(len, now);
        }
    }

    fn next_deadline(&self) -> Option<u64> {
        self.receiver.next_deadline().filter(|_| !self.is(Sabotage::DroppedDeadline))
    }

    fn on_time(&mut self, now: u64) {
        let due = self.receiver.next_deadline().is_some_and(|at| at <= now);
        if self.is(Sabotage::DroppedDeadline) || !due {
            return;
        }
        if self.is(Sabotage::OwedForgotten) {
            for place in std::mem::take(&mut self.unanswered) {
                self.receiver.leave_unanswered(place, now);
            }
        }
        self.ending = true;
        self.receiver.on_time(now);
    }

    fn peer_closed(&mut self, now: u64) {
        if self.is(Sabotage::TruncatedCompleted) {
            self.receiver.receive(b"\x1c\r", now);
        }
        self.ending = true;
        self.receiver.peer_closed(now);
    }

    fn close(&mut self, now: u64) {
        self.ending = true;
        self.receiver.close(now);
    }

    fn is_finished(&self) -> bool {
        self.receiver.is_finished() && self.out.is_empty()
    }

    fn waiting(&self) -> usize {
        self.receiver.waiting()
    }
}
