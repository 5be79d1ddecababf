//! What an initiator reports.

use core::ffi::c_char;

use mllp_link::{Fate, Handle, InitiatorEvent, Stray, Verdict};

use crate::code::{Numbered, name, numbered};
use crate::event::{mllp_deviations_t, mllp_discard_reason_t, mllp_fault_t};
use crate::link_event::*;
use crate::rules::mllp_verdict_t;
use crate::slice::mllp_slice_t;

/// The name of a message that was submitted: a number that no other message of this link has.
pub type mllp_handle_t = u32;

/// What is known of a reply that belongs to no message in flight: `MLLP_STRAY_*`.
pub type mllp_stray_t = u32;

/// A commit block of MLLP release 2 on a link of release 1.
pub const MLLP_STRAY_COMMIT_BLOCK: mllp_stray_t = 1;
/// A second reply to a message that has its verdict.
pub const MLLP_STRAY_DOUBLED: mllp_stray_t = 2;
/// A positive reply to a message that has not been written to its end: nobody can have it.
pub const MLLP_STRAY_EARLY: mllp_stray_t = 3;
/// Its MSA-2 is of no message that was sent lately.
pub const MLLP_STRAY_FOREIGN: mllp_stray_t = 4;
/// It comes after its message was given up.
pub const MLLP_STRAY_LATE: mllp_stray_t = 5;
/// It has no MSA with a code of table 0008, and no rule takes that for a receipt.
pub const MLLP_STRAY_NO_MSA: mllp_stray_t = 6;
/// It is not HL7.
pub const MLLP_STRAY_NOT_HL7: mllp_stray_t = 7;
/// The answer to a message that asked for none: its verdict did not wait for it.
pub const MLLP_STRAY_UNASKED: mllp_stray_t = 8;

numbered!(Stray {
    Stray::CommitBlock = MLLP_STRAY_COMMIT_BLOCK, c"commit_block";
    Stray::Doubled = MLLP_STRAY_DOUBLED, c"doubled";
    Stray::Early = MLLP_STRAY_EARLY, c"early";
    Stray::Foreign = MLLP_STRAY_FOREIGN, c"foreign";
    Stray::Late = MLLP_STRAY_LATE, c"late";
    Stray::NoMsa = MLLP_STRAY_NO_MSA, c"no_msa";
    Stray::NotHl7 = MLLP_STRAY_NOT_HL7, c"not_hl7";
    Stray::Unasked = MLLP_STRAY_UNASKED, c"unasked";
});

/// What is known of a message at its verdict, whatever the rules are: `MLLP_FATE_*`.
pub type mllp_fate_t = u32;

/// A reply of its own decided, positive or negative.
pub const MLLP_FATE_ANSWERED: mllp_fate_t = 1;
/// The receiver has stored the message (CA), and the application acknowledgment did not come in its
/// time. It is accepted, and need not be sent again.
pub const MLLP_FATE_STORED: mllp_fate_t = 2;
/// MSH-15 and MSH-16 ask for no answer to a message that is accepted, and none came: the success
/// that was asked for.
pub const MLLP_FATE_UNASKED: mllp_fate_t = 3;
/// No byte of it has left, in any attempt: sending it again cannot deliver it twice.
pub const MLLP_FATE_NOT_SENT: mllp_fate_t = 4;
/// Everything else: some byte may have left, so the receiver may have the message.
pub const MLLP_FATE_UNCERTAIN: mllp_fate_t = 5;

numbered!(Fate {
    Fate::Answered = MLLP_FATE_ANSWERED, c"answered";
    Fate::Stored = MLLP_FATE_STORED, c"stored";
    Fate::Unasked = MLLP_FATE_UNASKED, c"unasked";
    Fate::NotSent = MLLP_FATE_NOT_SENT, c"not_sent";
    Fate::Uncertain = MLLP_FATE_UNCERTAIN, c"uncertain";
});

/// What happened on a link. Which members say something depends on `kind`; the others are 0. Offsets
/// count bytes from 0 over the whole stream of the connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_initiator_event_t {
    /// What it is.
    pub kind: mllp_link_event_kind_t,
    /// Which message.
    pub handle: mllp_handle_t,
    /// What the rules say about the reply, or its absence.
    pub verdict: mllp_verdict_t,
    /// At a verdict: what became of the message.
    pub fate: mllp_fate_t,
    /// What is known of a reply that is nobody's.
    pub stray: mllp_stray_t,
    /// Where the peer left the grammar.
    pub deviations: mllp_deviations_t,
    /// Why a reply was lost.
    pub fault: mllp_fault_t,
    /// Why bytes are in no frame.
    pub discard_reason: mllp_discard_reason_t,
    /// 1: the bytes are only NUL, tab, line feed, carriage return and space: padding, not data.
    pub blank: u32,
    /// When the message will be sent again, at the earliest.
    pub at: u64,
    /// Where in the stream.
    pub offset: u64,
    /// How many bytes are in no frame.
    pub len: u64,
    /// The payload of the reply, until the next event is taken or bytes of the peer. Without `data`
    /// when it was no reply that gave the event.
    pub reply: mllp_slice_t,
}

impl mllp_initiator_event_t {
    pub(crate) const NONE: mllp_initiator_event_t = mllp_initiator_event_t {
        kind: MLLP_LINK_NONE,
        handle: 0,
        verdict: mllp_verdict_t::NONE,
        fate: 0,
        stray: 0,
        deviations: 0,
        fault: 0,
        discard_reason: 0,
        blank: 0,
        at: 0,
        offset: 0,
        len: 0,
        reply: mllp_slice_t::NONE,
    };

    /// `reply` is what is at hand.
    pub(crate) fn of(event: InitiatorEvent, reply: Option<&[u8]>) -> mllp_initiator_event_t {
        let reply = reply.map_or(mllp_slice_t::NONE, mllp_slice_t::lend);
        let event = match event {
            InitiatorEvent::Verdict { handle, verdict, fate } => mllp_initiator_event_t {
                fate: fate.number(),
                ..Self::message(MLLP_LINK_VERDICT, handle, Some(verdict))
            },
            InitiatorEvent::Stored { handle } => Self::message(MLLP_LINK_STORED, handle, None),
            InitiatorEvent::Retry { handle, at, verdict } => mllp_initiator_event_t {
                at,
                ..Self::message(MLLP_LINK_RETRY, handle, Some(verdict))
            },
            InitiatorEvent::Stray(stray) => {
                let stray = stray.number();
                mllp_initiator_event_t { kind: MLLP_LINK_STRAY, stray, ..Self::NONE }
            }
            InitiatorEvent::Reconnect => {
                mllp_initiator_event_t { kind: MLLP_LINK_RECONNECT, ..Self::NONE }
            }
            InitiatorEvent::Warning { deviation, offset } => {
                let deviations = deviation.number();
                mllp_initiator_event_t { kind: MLLP_LINK_WARNING, deviations, offset, ..Self::NONE }
            }
            InitiatorEvent::Fault { fault, offset } => {
                let fault = fault.number();
                mllp_initiator_event_t { kind: MLLP_LINK_FAULT, fault, offset, ..Self::NONE }
            }
            InitiatorEvent::Discard(discard) => mllp_initiator_event_t {
                kind: MLLP_LINK_DISCARD,
                discard_reason: discard.why.number(),
                blank: u32::from(discard.blank),
                offset: discard.offset,
                len: discard.len,
                ..Self::NONE
            },
        };
        mllp_initiator_event_t { reply, ..event }
    }

    fn message(kind: mllp_link_event_kind_t, handle: Handle, verdict: Option<Verdict>) -> Self {
        mllp_initiator_event_t {
            kind,
            handle: handle.number(),
            verdict: verdict.as_ref().map_or(mllp_verdict_t::NONE, mllp_verdict_t::of),
            ..Self::NONE
        }
    }
}

/// The stable name of a stray reply, such as `late`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_stray_name(stray: mllp_stray_t) -> *const c_char {
    name::<Stray>(stray)
}

/// The stable name of a fate, such as `not_sent`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_fate_name(fate: mllp_fate_t) -> *const c_char {
    name::<Fate>(fate)
}
