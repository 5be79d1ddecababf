//! Writing: whole messages, in whatever pieces the network takes, and noise between them.

use std::ops::DerefMut;

use mllp_core::Profile;

use super::{Client, Stage};
use crate::hl7::frame;
use crate::invariant::Invariant::Verdict;
use crate::network::Pipe;
use crate::world::World;

/// The message that is being written. The host has bytes of its own: a verdict may come before the
/// last of them.
pub struct Writing {
    number: usize,
    frame: Vec<u8>,
    /// Behind its end block.
    end: usize,
    from: usize,
    /// Where the next span begins, if the link sees the payload in spans.
    shown: Option<usize>,
}

impl<const W: usize> Client<W> {
    pub(super) fn write(&mut self, pipe: &mut Pipe, world: &mut World) {
        loop {
            if self.writing.is_none() {
                self.disturb(pipe, world);
                self.writing = self.next(world);
            }
            self.show(world);
            let Some(writing) = &mut self.writing else { return };
            let shown = writing.shown.filter(|shown| *shown < writing.end - 1);
            let left = shown.unwrap_or(writing.frame.len()) - writing.from;
            let mut len = world.part(left.min(pipe.room(if world.calm { 10_000 } else { 300 })));
            if world.scenario.slow && !world.calm {
                len = len.min(3);
            }
            if len == 0 {
                return;
            }
            let at = world.arrival();
            let until = writing.from + len;
            world.ledger.messages[writing.number].left = true;
            pipe.write(&writing.frame[writing.from..until], at);
            // Nobody but `strict` needs more than the end block.
            let strict = world.scenario.profile() == Profile::Strict;
            let end = writing.end + usize::from(strict);
            if writing.from < end && until >= end {
                world.ledger.messages[writing.number].whole += 1;
            }
            writing.from = until;
            self.tell_progress(world);
            let Some(writing) = &self.writing else { return };
            if until == writing.frame.len() {
                self.written(world);
            } else if !world.calm && (world.scenario.slow || world.rng.one_in(2)) {
                return;
            }
        }
    }

    /// Of a message that was handed out, perhaps nothing was written.
    pub(super) fn say_what_has_not_left(&mut self) {
        let untouched = self.writing.as_ref().filter(|writing| self.link.denies(writing.from));
        if let Some((handle, _)) = untouched.and_then(|writing| self.open.get(&writing.number)) {
            self.link.not_sent(*handle);
        }
    }

    fn next(&mut self, world: &World) -> Option<Writing> {
        let suspended = self.link.is_suspended();
        let handle = self.link.deref_mut().next_to_send(world.now)?;
        Verdict.check(!suspended, "sent while suspended");
        let number = self.number(handle);
        Verdict.check(number.is_some(), "to be sent behind its verdict");
        let number = number.unwrap_or_default();
        let message = &world.ledger.messages[number];
        world.tell(format_args!("sender: writes message {number}, {handle:?}"));
        self.link.sends(handle, &message.id);
        self.open.insert(number, (handle, Stage::Writing(world.now)));
        let mut frame = frame(&message.payload);
        let end = frame.len() - 1;
        if world.scenario.bare {
            frame.truncate(end);
        }
        let shown = self.in_spans.contains(&number).then_some(1);
        Some(Writing { number, frame, end, from: 0, shown })
    }

    /// Shows the next span of the payload, if all that was shown is written.
    fn show(&mut self, world: &mut World) {
        let Some(Writing { number, frame, end, from, shown: Some(shown) }) = &mut self.writing
        else {
            return;
        };
        // The payload stands between the start block and the end block.
        let left = (*end - 1).saturating_sub(*shown);
        if left == 0 || *from < *shown && *from > 0 {
            return;
        }
        let span = 1 + world.rng.below(left as u64) as usize;
        let Some((handle, Stage::Writing(_))) = self.open.get(number).copied() else { return };
        let told = self.link.span(handle, &frame[*shown..*shown + span], world.now);
        Verdict.check(
            told == Ok((left - span) as u64),
            format_args!("span of message {number}: {told:?}"),
        );
        *shown += span;
        self.open.insert(*number, (handle, Stage::Writing(world.now)));
    }

    /// The network has taken some of what was shown.
    fn tell_progress(&mut self, world: &World) {
        let Some(Writing { number, from, shown: Some(shown), .. }) = &self.writing else { return };
        let Some((handle, Stage::Writing(_))) = self.open.get(number).copied() else { return };
        match *from >= *shown {
            true => self.link.span_left(handle, world.now),
            false => self.link.span_advanced(handle, world.now),
        }
        self.open.insert(*number, (handle, Stage::Writing(world.now)));
    }

    fn written(&mut self, world: &World) {
        let Some(Writing { number, .. }) = self.writing.take() else { return };
        // A reply to an earlier attempt may have come in the meantime.
        if let Some((handle, stage)) = self.open.get_mut(&number) {
            if matches!(stage, Stage::Writing(_)) {
                *stage = Stage::Sent(world.now);
            }
            let handle = *handle;
            self.link.sent(handle, world.now);
        }
    }

    /// What else comes over a line: padding, noise, commit blocks, and beginnings of messages whose
    /// sender has died.
    fn disturb(&mut self, pipe: &mut Pipe, world: &mut World) {
        if !world.scenario.noise || world.calm || !world.rng.one_in(10) {
            return;
        }
        let at = world.arrival();
        let resyncs = world.scenario.profile() != Profile::Permissive;
        let payloads = &world.ledger.messages;
        match world.rng.below(4) {
            0 => pipe.write(b"\r\n", at),
            // Behind an end block without its trailer, that would be payload.
            1 if !world.scenario.bare => pipe.write(b"\0 noise \r", at),
            2 if world.scenario.responder.commit_blocks => {
                pipe.write(&frame(world.rng.pick(&[b"\x06", b"\x15"])), at);
            }
            3 if resyncs && !payloads.is_empty() => {
                let number = world.rng.below(payloads.len() as u64) as usize;
                // A refusal of one without a name could be for any such message.
                if payloads[number].id.is_empty() {
                    return;
                }
                let whole = frame(&payloads[number].payload);
                let len = 1 + world.rng.below(whole.len() as u64 - 2) as usize;
                pipe.write(&whole[..len], at);
            }
            _ => {}
        }
    }
}
