//! What the decoders report.

use core::ffi::c_char;

use hl7_peek::whole_fields;
use mllp_core::{Deviation, Deviations, Discard, DiscardReason, Event, Fault, FrameKind, Received};

use crate::code::{Numbered, name, numbered};
use crate::slice::mllp_slice_t;

/// What an event is: `MLLP_EVENT_*`.
pub type mllp_event_kind_t = u32;

/// Nothing has happened.
pub const MLLP_EVENT_NONE: mllp_event_kind_t = 0;
/// Scanner: a start block opened a frame, at `offset`.
pub const MLLP_EVENT_FRAME_START: mllp_event_kind_t = 1;
/// Scanner: the next bytes of the payload are `payload`; the first is at `offset`.
pub const MLLP_EVENT_PAYLOAD: mllp_event_kind_t = 2;
/// A complete frame: `offset` of its start block, `len` of its payload, `frame_kind`, `deviations`.
/// Except from a scanner, `payload` is the payload.
pub const MLLP_EVENT_FRAME: mllp_event_kind_t = 3;
/// The sender left the grammar behind a frame that was delivered: `deviations` has what it did,
/// `offset` the byte that showed it.
pub const MLLP_EVENT_WARNING: mllp_event_kind_t = 4;
/// A frame was lost: `fault`, `offset` of the byte that showed it. Except from a scanner, `payload`
/// has the first bytes of it, up to its last whole field: for a refusal that quotes MSH-10, never for
/// a positive answer.
pub const MLLP_EVENT_FAULT: mllp_event_kind_t = 5;
/// Bytes in no frame: `offset`, `len`, `discard_reason`, `blank`.
pub const MLLP_EVENT_DISCARD: mllp_event_kind_t = 6;

/// What a payload is, as far as framing can tell: `MLLP_FRAME_*`.
pub type mllp_frame_kind_t = u32;

/// A message.
pub const MLLP_FRAME_CONTENT: mllp_frame_kind_t = 0;
/// No payload at all: some senders' heartbeat.
pub const MLLP_FRAME_EMPTY: mllp_frame_kind_t = 1;
/// The commit acknowledgment block `<SB> 06 <EB><CR>` of MLLP release 2.
pub const MLLP_FRAME_COMMIT_ACK: mllp_frame_kind_t = 2;
/// The negative commit acknowledgment block `<SB> 15 <EB><CR>` of MLLP release 2.
pub const MLLP_FRAME_COMMIT_NAK: mllp_frame_kind_t = 3;

numbered!(FrameKind {
    FrameKind::Content = MLLP_FRAME_CONTENT, c"content";
    FrameKind::Empty = MLLP_FRAME_EMPTY, c"empty";
    FrameKind::CommitAck = MLLP_FRAME_COMMIT_ACK, c"commit_ack";
    FrameKind::CommitNak = MLLP_FRAME_COMMIT_NAK, c"commit_nak";
});

/// A set of `MLLP_DEVIATION_*`: what a sender did that the grammar does not allow and that cost no
/// message.
pub type mllp_deviations_t = u32;

/// An end block inside a payload, taken as data.
pub const MLLP_DEVIATION_FS_IN_PAYLOAD: mllp_deviations_t = 1;
/// A line feed where the trailer belongs.
pub const MLLP_DEVIATION_LF_FOR_CR: mllp_deviations_t = 2;
/// No trailer behind the end block.
pub const MLLP_DEVIATION_MISSING_CR: mllp_deviations_t = 4;
/// A start block inside a payload, taken as data: perhaps two messages fused.
pub const MLLP_DEVIATION_SB_IN_PAYLOAD: mllp_deviations_t = 8;

numbered!(Deviation {
    Deviation::FsInPayload = MLLP_DEVIATION_FS_IN_PAYLOAD, c"fs_in_payload";
    Deviation::LfForCr = MLLP_DEVIATION_LF_FOR_CR, c"lf_for_cr";
    Deviation::MissingCr = MLLP_DEVIATION_MISSING_CR, c"missing_cr";
    Deviation::SbInPayload = MLLP_DEVIATION_SB_IN_PAYLOAD, c"sb_in_payload";
});

/// Why a frame was lost: `MLLP_FAULT_*`.
pub type mllp_fault_t = u32;

/// Profile `strict`: a payload byte outside `20`..`FF` and carriage return.
pub const MLLP_FAULT_ILLEGAL_BYTE: mllp_fault_t = 1;
/// Profile `strict`: no trailer behind the end block.
pub const MLLP_FAULT_MISSING_CR: mllp_fault_t = 2;
/// A start block inside a frame: the sender began again without ending the frame.
pub const MLLP_FAULT_SB_IN_BLOCK: mllp_fault_t = 3;
/// The payload is longer than the limit.
pub const MLLP_FAULT_TOO_LARGE: mllp_fault_t = 4;
/// The stream ended inside the frame.
pub const MLLP_FAULT_TRUNCATED: mllp_fault_t = 5;

numbered!(Fault {
    Fault::IllegalByte = MLLP_FAULT_ILLEGAL_BYTE, c"illegal_byte";
    Fault::MissingCr = MLLP_FAULT_MISSING_CR, c"missing_cr";
    Fault::SbInBlock = MLLP_FAULT_SB_IN_BLOCK, c"sb_in_block";
    Fault::TooLarge = MLLP_FAULT_TOO_LARGE, c"too_large";
    Fault::Truncated = MLLP_FAULT_TRUNCATED, c"truncated";
});

/// Why bytes are in no frame: `MLLP_DISCARD_*`.
pub type mllp_discard_reason_t = u32;

/// The bytes of a frame that a fault has ended.
pub const MLLP_DISCARD_DROPPED: mllp_discard_reason_t = 1;
/// They came between frames; reported once for each run, when it ends.
pub const MLLP_DISCARD_OUTSIDE: mllp_discard_reason_t = 2;

numbered!(DiscardReason {
    DiscardReason::Dropped = MLLP_DISCARD_DROPPED, c"dropped";
    DiscardReason::Outside = MLLP_DISCARD_OUTSIDE, c"outside";
});

/// What happened in a stream. Which members say something depends on `kind`; the others are 0.
/// Offsets count bytes from 0 over the whole stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_event_t {
    /// What it is.
    pub kind: mllp_event_kind_t,
    /// What the payload is.
    pub frame_kind: mllp_frame_kind_t,
    /// Where the sender left the grammar.
    pub deviations: mllp_deviations_t,
    /// Why a frame was lost.
    pub fault: mllp_fault_t,
    /// Why bytes are in no frame.
    pub discard_reason: mllp_discard_reason_t,
    /// 1: the bytes are only NUL, tab, line feed, carriage return and space: padding, not data.
    pub blank: u32,
    /// Where in the stream.
    pub offset: u64,
    /// How many bytes.
    pub len: u64,
    /// Where the first of the deviations was seen.
    pub deviation_offset: u64,
    /// The bytes, borrowed from what the decoder was shown.
    pub payload: mllp_slice_t,
}

impl mllp_event_t {
    pub(crate) const NONE: mllp_event_t = mllp_event_t {
        kind: MLLP_EVENT_NONE,
        frame_kind: 0,
        deviations: 0,
        fault: 0,
        discard_reason: 0,
        blank: 0,
        offset: 0,
        len: 0,
        deviation_offset: 0,
        payload: mllp_slice_t::NONE,
    };

    pub(crate) fn of(event: Event<'_>) -> mllp_event_t {
        match event {
            Event::FrameStart { offset } => {
                mllp_event_t { kind: MLLP_EVENT_FRAME_START, offset, ..mllp_event_t::NONE }
            }
            Event::Payload { offset, bytes } => mllp_event_t {
                kind: MLLP_EVENT_PAYLOAD,
                offset,
                len: bytes.len() as u64,
                payload: mllp_slice_t::lend(bytes),
                ..mllp_event_t::NONE
            },
            Event::FrameEnd(end) => {
                mllp_event_t::frame(end.offset, end.payload_len, end.kind, end.deviations)
            }
            Event::Warning { deviation, offset } => mllp_event_t::warning(deviation, offset),
            Event::Fault { fault, offset } => mllp_event_t::fault(fault, offset),
            Event::Discard(discard) => mllp_event_t::discard(discard),
        }
    }

    pub(crate) fn received(received: Received<'_>) -> mllp_event_t {
        match received {
            Received::Frame(frame) => mllp_event_t {
                payload: mllp_slice_t::lend(frame.payload),
                ..mllp_event_t::frame(
                    frame.offset,
                    frame.payload.len() as u64,
                    frame.kind,
                    frame.deviations,
                )
            },
            Received::Warning { deviation, offset } => mllp_event_t::warning(deviation, offset),
            Received::Fault { fault, offset, prefix } => mllp_event_t {
                payload: mllp_slice_t::lend(whole_fields(prefix)),
                ..mllp_event_t::fault(fault, offset)
            },
            Received::Discard(discard) => mllp_event_t::discard(discard),
        }
    }

    pub(crate) fn frame(
        offset: u64,
        len: u64,
        kind: FrameKind,
        deviations: Deviations,
    ) -> mllp_event_t {
        mllp_event_t {
            kind: MLLP_EVENT_FRAME,
            frame_kind: kind.number(),
            deviations: set(deviations),
            offset,
            len,
            deviation_offset: deviations.first_offset().unwrap_or_default(),
            ..mllp_event_t::NONE
        }
    }

    pub(crate) fn warning(deviation: Deviation, offset: u64) -> mllp_event_t {
        mllp_event_t {
            kind: MLLP_EVENT_WARNING,
            deviations: deviation.number(),
            offset,
            deviation_offset: offset,
            ..mllp_event_t::NONE
        }
    }

    pub(crate) fn fault(fault: Fault, offset: u64) -> mllp_event_t {
        let fault = fault.number();
        mllp_event_t { kind: MLLP_EVENT_FAULT, fault, offset, ..mllp_event_t::NONE }
    }

    pub(crate) fn discard(discard: Discard) -> mllp_event_t {
        mllp_event_t {
            kind: MLLP_EVENT_DISCARD,
            discard_reason: discard.why.number(),
            blank: u32::from(discard.blank),
            offset: discard.offset,
            len: discard.len,
            ..mllp_event_t::NONE
        }
    }
}

pub(crate) fn set(deviations: Deviations) -> mllp_deviations_t {
    Deviation::ALL
        .into_iter()
        .filter(|deviation| deviations.contains(*deviation))
        .fold(0, |set, deviation| set | deviation.number())
}

/// The stable name of what a payload is, such as `commit_ack`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_frame_kind_name(frame_kind: mllp_frame_kind_t) -> *const c_char {
    name::<FrameKind>(frame_kind)
}

/// The stable name of one deviation, such as `missing_cr`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_deviation_name(deviation: mllp_deviations_t) -> *const c_char {
    name::<Deviation>(deviation)
}

/// The stable name of a fault, such as `too_large`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_fault_name(fault: mllp_fault_t) -> *const c_char {
    name::<Fault>(fault)
}

/// The stable name of a reason, such as `outside`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_discard_reason_name(discard_reason: mllp_discard_reason_t) -> *const c_char {
    name::<DiscardReason>(discard_reason)
}
