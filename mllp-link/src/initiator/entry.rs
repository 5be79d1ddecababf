//! A message between its submission and its verdict.

use core::fmt;

use ack_gen::{Condition, Outcome, Request};
use heapless::Vec;

use super::spans::Spans;
use crate::fate::Fate;
use crate::rules::{ReplyKind, Verdict};
use crate::submission::{Handle, InitiatorConfig};
use crate::timer::Millis;

pub(super) struct Entry<const ID: usize> {
    pub(super) handle: Handle,
    pub(super) id: Vec<u8, ID>,
    pub(super) request: Request,
    /// The host shows the payload in spans.
    pub(super) spans: Option<Spans>,
    pub(super) attempts: u32,
    pub(super) stage: Stage,
    /// What came instead of its reply while it waited. Without a reply, the last of that is judged.
    pub(super) instead: Option<ReplyKind>,
    /// Some byte of it may have left in an attempt that is over.
    pub(super) left: bool,
    /// The host says that no byte has left in this attempt.
    pub(super) untouched: bool,
    /// A reply or its absence was judged and has not been reported.
    pub(super) news: Option<News>,
}

// A control ID is a piece of a payload: it stays out.
impl<const ID: usize> fmt::Debug for Entry<ID> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entry = f.debug_struct("Entry");
        entry.field("handle", &self.handle).field("attempts", &self.attempts);
        entry.field("stage", &self.stage).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Queued(Millis),
    /// On its way into the socket since then.
    Writing(Millis),
    /// Waiting for the reply since then.
    Sent(Millis),
    /// CA came then; waiting for the application acknowledgment.
    Stored(Millis),
    /// It has its verdict.
    Done,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    Verdict(Verdict, Fate),
    Retry(Millis, Verdict),
    Stored,
}

impl<const ID: usize> Entry<ID> {
    pub(super) const fn is_queued(&self) -> bool {
        matches!(self.stage, Stage::Queued(_))
    }

    pub(super) const fn is_being_written(&self) -> bool {
        matches!(self.stage, Stage::Writing(_))
    }

    /// Whether the peer has said nothing to it yet.
    pub(super) const fn is_unanswered(&self) -> bool {
        matches!(self.stage, Stage::Writing(_) | Stage::Sent(_))
    }

    /// Whether a reply to it may come.
    pub(super) const fn in_flight(&self) -> bool {
        matches!(self.stage, Stage::Writing(_) | Stage::Sent(_) | Stage::Stored(_))
    }

    /// Whether a receiver that takes the message says so (2.8.3, MSH-15 and MSH-16). Otherwise
    /// silence is the success that was asked for.
    pub(super) fn asks_for_receipt(&self) -> bool {
        self.is_answered_on(Outcome::Accept)
    }

    /// Whether no answer is asked for, whatever becomes of the message.
    pub(super) fn asks_for_nothing(&self) -> bool {
        ![Outcome::Accept, Outcome::Error, Outcome::Reject]
            .into_iter()
            .any(|outcome| self.is_answered_on(outcome))
    }

    fn is_answered_on(&self, outcome: Outcome) -> bool {
        let decision = self.request.decide(outcome, outcome);
        decision.accept.is_some() || decision.application.is_some()
    }

    /// Whether an application acknowledgment of the success is to follow CA.
    pub(super) fn asks_for_application(&self) -> bool {
        matches!(self.request.application, Condition::Always | Condition::SuccessOnly)
    }

    /// Whether nothing came that may have been its own: what names another message was not.
    pub(super) fn heard_nothing(&self) -> bool {
        matches!(self.instead, None | Some(ReplyKind::WrongId))
    }

    /// What is known of it when no reply came.
    pub(super) fn fate_unanswered(&self) -> Fate {
        let leaves = !self.is_queued() && !self.untouched;
        if self.left || leaves { Fate::Uncertain } else { Fate::NotSent }
    }

    /// When what it waits for is given up.
    pub(super) fn deadline(&self, config: &InitiatorConfig) -> Option<Millis> {
        let (since, time) = match self.stage {
            Stage::Writing(_) if self.spans.is_some_and(|spans| spans.waits) => return None,
            Stage::Writing(since) => (since, config.send),
            Stage::Sent(since) => (since, config.reply),
            Stage::Stored(since) => (since, config.application),
            Stage::Queued(_) | Stage::Done => return None,
        };
        (time > 0).then(|| since.saturating_add(time))
    }
}
