//! How frames begin and end, and what is said about it: what the states of the scanner share.

use super::{Scanner, State};
use crate::Profile;
use crate::bytes::{ACK, NAK};
use crate::event::{
    Deviation, Deviations, Discard, DiscardReason, Event, Fault, FrameEnd, FrameKind,
};

impl Scanner {
    /// Opens a frame at the byte that comes next.
    pub(super) fn start_frame<'a>(&mut self) -> Event<'a> {
        let offset = self.offset;
        self.state = State::Payload;
        self.frame = offset;
        self.payload_len = 0;
        self.deviations = Deviations::NONE;
        Event::FrameStart { offset }
    }

    pub(super) fn end_frame<'a>(&mut self) -> Event<'a> {
        self.state = self.after_frame();
        self.counters.frame();
        let kind = match (self.payload_len, self.first) {
            (0, _) => FrameKind::Empty,
            (1, ACK) => FrameKind::CommitAck,
            (1, NAK) => FrameKind::CommitNak,
            _ => FrameKind::Content,
        };
        Event::FrameEnd(FrameEnd {
            offset: self.frame,
            payload_len: self.payload_len,
            kind,
            deviations: self.deviations,
        })
    }

    /// Only `permissive` delivers a frame before its trailer has been seen.
    pub(super) const fn after_frame(&self) -> State {
        match (self.config.profile, self.config.framing.trailer()) {
            (Profile::Permissive, Some(_)) => State::Trailer,
            _ => State::Outside,
        }
    }

    pub(super) fn missing_trailer<'a>(&mut self) -> Event<'a> {
        self.counters.deviation(Deviation::MissingCr);
        Event::Warning { deviation: Deviation::MissingCr, offset: self.offset }
    }

    /// Ends the open frame at the byte that comes next, which is not part of it.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn fault<'a>(&mut self, fault: Fault) -> Event<'a> {
        // `permissive` ends a frame at its end block, also one that is too long.
        let skip = fault == Fault::TooLarge && self.config.profile == Profile::Permissive;
        self.state = if skip { State::Skip } else { State::Dropped };
        self.counters.fault(fault);
        Event::Fault { fault, offset: self.offset }
    }

    pub(super) fn drop_frame<'a>(&mut self) -> Event<'a> {
        self.state = State::Outside;
        let len = self.offset.wrapping_sub(self.frame);
        self.discard(self.frame, len, DiscardReason::Dropped, false)
    }

    pub(super) fn end_run<'a>(&mut self, end: u64) -> Option<Event<'a>> {
        let run = self.run.take()?;
        let len = end.wrapping_sub(run.offset);
        Some(self.discard(run.offset, len, DiscardReason::Outside, run.blank))
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn discard<'a>(
        &mut self,
        offset: u64,
        len: u64,
        why: DiscardReason,
        blank: bool,
    ) -> Event<'a> {
        let discard = Discard { offset, len, why, blank };
        self.counters.discard(&discard);
        Event::Discard(discard)
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn note(&mut self, deviation: Deviation, offset: u64) {
        if self.deviations.insert(deviation, offset) {
            self.counters.deviation(deviation);
        }
    }
}
