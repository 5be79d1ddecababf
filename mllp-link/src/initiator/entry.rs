//! A message between its submission and its verdict.

use core::fmt;

use ack_gen::Request;
use heapless::Vec;

use crate::rules::{ReplyKind, Verdict};
use crate::submission::{Handle, InitiatorConfig};
use crate::timer::Millis;

pub(super) struct Entry<const ID: usize> {
    pub(super) handle: Handle,
    pub(super) id: Vec<u8, ID>,
    pub(super) request: Request,
    pub(super) attempts: u32,
    pub(super) stage: Stage,
    /// What came instead of its reply while it waited. Without a reply, the last of that is judged.
    pub(super) instead: Option<ReplyKind>,
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
    Verdict(Verdict),
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

    /// When what it waits for is given up.
    pub(super) fn deadline(&self, config: &InitiatorConfig) -> Option<Millis> {
        let (since, time) = match self.stage {
            Stage::Writing(since) => (since, config.send),
            Stage::Sent(since) => (since, config.reply),
            Stage::Stored(since) => (since, config.application),
            Stage::Queued(_) | Stage::Done => return None,
        };
        (time > 0).then(|| since.saturating_add(time))
    }
}
