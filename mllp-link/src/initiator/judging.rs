//! What becomes of a message when a reply came for it, or none.

use ack_gen::AckCode;
use mllp_core::Storage;

use super::Initiator;
use super::entry::{News, Stage};
use super::matching::Found;
use crate::fate::Fate;
use crate::rules::{Action, ReplyKind, Verdict};
use crate::submission::{InitiatorEvent, Stray};
use crate::timer::Millis;

impl<S: Storage, const WINDOW: usize, const ID: usize> Initiator<S, WINDOW, ID> {
    /// One frame came.
    pub(super) fn on_reply(&mut self, found: Found, now: Millis) -> Option<InitiatorEvent> {
        match found {
            Found::Reply(at, kind) => self.on_own_reply(at, kind, now),
            Found::Anonymous(at, kind) => {
                // It names no message. Only a rule that takes such a reply for a receipt ends the
                // wait for a better one, and only where no other message's answer may still come.
                let accepted = self.config.rules.judge(kind).action == Action::Accept;
                if accepted && !self.recent.owes_any() {
                    return self.on_own_reply(at, kind, now);
                }
                Some(self.stray(if kind == ReplyKind::NoMsa {
                    Stray::NoMsa
                } else {
                    Stray::NotHl7
                }))
            }
            Found::Stray(stray) => Some(self.stray(stray)),
        }
    }

    fn stray(&mut self, stray: Stray) -> InitiatorEvent {
        let instead = match stray {
            Stray::Late | Stray::Foreign | Stray::Doubled => Some(ReplyKind::WrongId),
            Stray::NoMsa => Some(ReplyKind::NoMsa),
            Stray::NotHl7 => Some(ReplyKind::NotHl7),
            Stray::CommitBlock | Stray::Early | Stray::Unasked => None,
        };
        // Where an answer is owed that no message waits for, this may be it: it says nothing about
        // those that do wait.
        if instead.is_some() && !self.recent.owes_any() {
            let waiting = self.entries.iter_mut().filter(|entry| entry.in_flight());
            waiting.for_each(|entry| entry.instead = instead);
        }
        InitiatorEvent::Stray(stray)
    }

    fn on_own_reply(&mut self, at: usize, kind: ReplyKind, now: Millis) -> Option<InitiatorEvent> {
        let entry = self.entries.get_mut(at)?;
        let verdict = self.config.rules.judge(kind);
        if entry.is_being_written() {
            // Nobody has seen the whole message yet. A refusal counts all the same, and the rest of
            // the message is in the way of the next one.
            if verdict.action == Action::Accept {
                return Some(self.stray(Stray::Early));
            }
            self.reconnect = true;
        }
        let stored = kind == ReplyKind::Code(AckCode::CA)
            && verdict.action == Action::Accept
            && entry.asks_for_application();
        if !stored {
            self.apply(at, verdict, Fate::Answered, now);
            return None;
        }
        if matches!(entry.stage, Stage::Stored(_)) {
            return Some(InitiatorEvent::Stray(Stray::Doubled));
        }
        entry.stage = Stage::Stored(now);
        entry.news = Some(News::Stored);
        None
    }

    /// The last byte of a message has left, and it asks for no answer, or its time for a refusal is
    /// over. Its connection is kept; what may come all the same, [`Recent`](crate::recent::Recent)
    /// knows.
    pub(super) fn end_unasked(&mut self, at: usize, now: Millis) {
        self.apply(at, Verdict::UNASKED, Fate::Unasked, now);
    }

    /// The time of a message has run out. Returns whether its connection can be kept.
    ///
    /// It can where the absence says nothing about the peer: the success was to be silent, or the
    /// application acknowledgment of a stored message comes by another way, as the standard has it
    /// (2.8.3.2). Giving the connection up would cost the other messages on it their replies, and
    /// a reply that is late all the same finds its name in [`Recent`](crate::recent::Recent).
    /// Nothing without a name, or with the same one, is sent on this connection any more.
    pub(super) fn judge_expired(&mut self, at: usize, now: Millis) -> bool {
        let Some(entry) = self.entries.get(at) else { return true };
        match entry.stage {
            Stage::Stored(_) => {
                let verdict = self.config.rules.judge(ReplyKind::Code(AckCode::CA));
                self.apply(at, verdict, Fate::Stored, now);
                true
            }
            Stage::Sent(_) if !entry.asks_for_receipt() && entry.heard_nothing() => {
                self.end_unasked(at, now);
                true
            }
            _ => {
                self.judge_absence(at, now);
                false
            }
        }
    }

    /// No reply came, or only replies that were not its own.
    fn judge_absence(&mut self, at: usize, now: Millis) {
        let Some(entry) = self.entries.get(at) else { return };
        let fate = entry.fate_unanswered();
        let verdict = self.config.rules.judge(entry.instead.unwrap_or(ReplyKind::NoReply));
        // A rule may take such a reply for a receipt, but not its connection's end for one.
        let verdict = match verdict.action {
            Action::Accept => self.config.rules.judge(ReplyKind::NoReply),
            _ => verdict,
        };
        self.apply(at, verdict, fate, now);
    }

    /// The connection is gone, and with it the replies that would have come on it.
    pub(super) fn give_up_replies(&mut self, now: Millis) {
        for at in 0..self.entries.len() {
            // An application acknowledgment may come on another connection.
            let lost = self.entries.get(at).map(|entry| entry.stage);
            if let Some(Stage::Writing(_) | Stage::Sent(_)) = lost {
                self.judge_absence(at, now);
            }
        }
    }

    fn apply(&mut self, at: usize, verdict: Verdict, fate: Fate, now: Millis) {
        let attempts = self.entries.get(at).map_or(0, |entry| entry.attempts);
        let delay = self.back_off(attempts);
        let Some(entry) = self.entries.get_mut(at) else { return };
        let again = match entry.stage {
            // CA relieves the sender of sending again (2.8.3).
            Stage::Stored(_) => false,
            // A message that asks for no receipt may well have arrived: sending again would deliver
            // twice.
            Stage::Sent(_) if fate != Fate::Answered => entry.asks_for_receipt(),
            _ => true,
        };
        let again = again && attempts < self.config.max_attempts;
        self.recent.remember(&entry.id, fate);
        entry.left |= !entry.untouched;
        entry.untouched = false;
        entry.instead = None;
        if verdict.action == Action::Retry && again {
            let from = now.saturating_add(delay);
            entry.stage = Stage::Queued(from);
            entry.news = Some(News::Retry(from, verdict));
            return;
        }
        entry.stage = Stage::Done;
        entry.news = Some(News::Verdict(verdict, fate));
        self.suspended |= verdict.action == Action::Suspend;
    }

    /// The time after this many failures: it doubles, up to its limit.
    pub(super) fn back_off(&self, failures: u32) -> Millis {
        let doublings = failures.saturating_sub(1).min(32);
        let time = self.config.back_off.saturating_mul(1 << doublings);
        time.min(self.config.max_back_off)
    }
}
