//! What becomes of a message when a reply came for it, or none.

use ack_gen::{AckCode, Condition, Outcome, Request};
use mllp_core::Storage;

use super::Initiator;
use super::entry::{News, Stage};
use super::matching::Found;
use crate::recent::Fate;
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
                // wait for a better one.
                if self.config.rules.judge(kind).action == Action::Accept {
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
            Stray::CommitBlock | Stray::Early => None,
        };
        if instead.is_some() {
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
            && entry.request.application == Condition::Always;
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

    /// No reply came, or only replies that were not its own.
    pub(super) fn judge_absence(&mut self, at: usize, now: Millis) {
        let instead = self.entries.get(at).and_then(|entry| entry.instead);
        let verdict = self.config.rules.judge(instead.unwrap_or(ReplyKind::NoReply));
        // A rule may take such a reply for a receipt, but not its connection's end for one.
        let verdict = match verdict.action {
            Action::Accept => self.config.rules.judge(ReplyKind::NoReply),
            _ => verdict,
        };
        self.apply(at, verdict, Fate::GivenUp, now);
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
        // Who asks for no answer may well have been heard: sending again would deliver twice.
        let unasked = verdict.reply == ReplyKind::NoReply && !asks_for_reply(entry.request);
        let exhausted = attempts >= self.config.max_attempts || unasked;
        self.recent.remember(&entry.id, fate);
        entry.instead = None;
        if verdict.action == Action::Retry && !exhausted {
            let from = now.saturating_add(delay);
            entry.stage = Stage::Queued(from);
            entry.news = Some(News::Retry(from, verdict));
            return;
        }
        entry.stage = Stage::Done;
        entry.news = Some(News::Verdict(verdict));
        self.suspended |= verdict.action == Action::Suspend;
    }

    /// The time after this many failures: it doubles, up to its limit.
    pub(super) fn back_off(&self, failures: u32) -> Millis {
        let doublings = failures.saturating_sub(1).min(32);
        let time = self.config.back_off.saturating_mul(1 << doublings);
        time.min(self.config.max_back_off)
    }
}

/// Whether a receiver that takes the message says so (2.8.3, MSH-15 and MSH-16).
fn asks_for_reply(request: Request) -> bool {
    let decision = request.decide(Outcome::Accept, Outcome::Accept);
    decision.accept.is_some() || decision.application.is_some()
}
