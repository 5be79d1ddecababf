//! How often a stream did what.

use crate::{Deviation, Discard, DiscardReason, Fault};

/// Totals of one stream since its decoder was made or reset. They wrap at `u64::MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Complete frames.
    pub frames: u64,
    /// Frames with [`Deviation::FsInPayload`].
    pub fs_in_payload: u64,
    /// Frames with [`Deviation::LfForCr`].
    pub lf_for_cr: u64,
    /// Frames without their trailer, lost ones of the profile `strict` included.
    pub missing_cr: u64,
    /// Frames with [`Deviation::SbInPayload`].
    pub sb_in_payload: u64,
    /// Frames lost to [`Fault::IllegalByte`].
    pub illegal_byte: u64,
    /// Frames lost to [`Fault::SbInBlock`].
    pub sb_in_block: u64,
    /// Frames lost to [`Fault::TooLarge`].
    pub too_large: u64,
    /// Frames lost to [`Fault::Truncated`].
    pub truncated: u64,
    /// Bytes of lost frames.
    pub bytes_dropped: u64,
    /// Bytes between frames.
    pub bytes_outside: u64,
}

impl Counters {
    pub(crate) const NONE: Counters = Counters {
        frames: 0,
        fs_in_payload: 0,
        lf_for_cr: 0,
        missing_cr: 0,
        sb_in_payload: 0,
        illegal_byte: 0,
        sb_in_block: 0,
        too_large: 0,
        truncated: 0,
        bytes_dropped: 0,
        bytes_outside: 0,
    };

    /// Every counter with its name, the same in every language.
    pub const fn entries(&self) -> [(&'static str, u64); 11] {
        [
            ("frames", self.frames),
            ("fs_in_payload", self.fs_in_payload),
            ("lf_for_cr", self.lf_for_cr),
            ("missing_cr", self.missing_cr),
            ("sb_in_payload", self.sb_in_payload),
            ("illegal_byte", self.illegal_byte),
            ("sb_in_block", self.sb_in_block),
            ("too_large", self.too_large),
            ("truncated", self.truncated),
            ("bytes_dropped", self.bytes_dropped),
            ("bytes_outside", self.bytes_outside),
        ]
    }

    pub(crate) fn frame(&mut self) {
        self.frames = self.frames.wrapping_add(1);
    }

    pub(crate) fn deviation(&mut self, deviation: Deviation) {
        let counter = match deviation {
            Deviation::FsInPayload => &mut self.fs_in_payload,
            Deviation::LfForCr => &mut self.lf_for_cr,
            Deviation::MissingCr => &mut self.missing_cr,
            Deviation::SbInPayload => &mut self.sb_in_payload,
        };
        *counter = counter.wrapping_add(1);
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        let counter = match fault {
            Fault::IllegalByte => &mut self.illegal_byte,
            Fault::MissingCr => &mut self.missing_cr,
            Fault::SbInBlock => &mut self.sb_in_block,
            Fault::TooLarge => &mut self.too_large,
            Fault::Truncated => &mut self.truncated,
        };
        *counter = counter.wrapping_add(1);
    }

    pub(crate) fn discard(&mut self, discard: &Discard) {
        let counter = match discard.why {
            DiscardReason::Dropped => &mut self.bytes_dropped,
            DiscardReason::Outside => &mut self.bytes_outside,
        };
        *counter = counter.wrapping_add(discard.len);
    }
}
