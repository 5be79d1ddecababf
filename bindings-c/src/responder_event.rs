//! What both kinds of responder report.

use core::ffi::c_char;

use mllp_core::{Deviation, Discard, Fault};
use mllp_link::{
    Arrived, CloseReason, Expired, Protocol, ProtocolVerdict, ResponderEvent, StreamEvent,
};

use crate::code::{Numbered, name, numbered};
use crate::detect::mllp_protocol_t;
use crate::event::{
    mllp_deviations_t, mllp_discard_reason_t, mllp_fault_t, mllp_frame_kind_t, set,
};
use crate::link_event::*;
use crate::slice::mllp_slice_t;
use crate::ticket::{Tickets, mllp_refusal_t, mllp_ticket_t};

/// Why a connection ends: `MLLP_CLOSE_*`.
pub type mllp_close_reason_t = u32;

/// Nothing came between frames for as long as `idle`.
pub const MLLP_CLOSE_IDLE_TIMEOUT: mllp_close_reason_t = 1;
/// Nothing came inside a frame for as long as `byte`.
pub const MLLP_CLOSE_BYTE_TIMEOUT: mllp_close_reason_t = 2;
/// A frame took longer than `frame`.
pub const MLLP_CLOSE_FRAME_TIMEOUT: mllp_close_reason_t = 3;
/// No byte of an answer was taken for as long as `send`.
pub const MLLP_CLOSE_SEND_TIMEOUT: mllp_close_reason_t = 4;
/// The caller wants it.
pub const MLLP_CLOSE_CLOSED: mllp_close_reason_t = 5;
/// The peer closed its side.
pub const MLLP_CLOSE_END_OF_STREAM: mllp_close_reason_t = 6;
/// A message was over the limit.
pub const MLLP_CLOSE_TOO_LARGE: mllp_close_reason_t = 7;

numbered!(CloseReason {
    CloseReason::Expired: Expired::Idle = MLLP_CLOSE_IDLE_TIMEOUT, c"idle_timeout";
    CloseReason::Expired: Expired::Byte = MLLP_CLOSE_BYTE_TIMEOUT, c"byte_timeout";
    CloseReason::Expired: Expired::Frame = MLLP_CLOSE_FRAME_TIMEOUT, c"frame_timeout";
    CloseReason::Expired: Expired::Send = MLLP_CLOSE_SEND_TIMEOUT, c"send_timeout";
    CloseReason::Host = MLLP_CLOSE_CLOSED, c"closed";
    CloseReason::PeerClosed = MLLP_CLOSE_END_OF_STREAM, c"end_of_stream";
    CloseReason::TooLarge = MLLP_CLOSE_TOO_LARGE, c"too_large";
});

/// What happened on a connection. Which members say something depends on `kind`; the others are 0.
/// Offsets count bytes from 0 over the whole stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_responder_event_t {
    /// What it is.
    pub kind: mllp_link_event_kind_t,
    /// What the payload is.
    pub frame_kind: mllp_frame_kind_t,
    /// Where the sender left the grammar.
    pub deviations: mllp_deviations_t,
    /// Why a message was lost.
    pub fault: mllp_fault_t,
    /// Why bytes are in no frame.
    pub discard_reason: mllp_discard_reason_t,
    /// 1: the bytes are only NUL, tab, line feed, carriage return and space: padding, not data.
    pub blank: u32,
    /// 1: the commit block is positive.
    pub positive: u32,
    /// Which other protocol it is.
    pub protocol: mllp_protocol_t,
    /// Why the connection ends.
    pub close_reason: mllp_close_reason_t,
    /// How many answers were given up; with commit blocks a message has two places.
    pub answers: u32,
    /// For the answer. It may be kept until the message is stored.
    pub ticket: mllp_ticket_t,
    /// For the refusal.
    pub refusal: mllp_refusal_t,
    /// Where in the stream.
    pub offset: u64,
    /// How many bytes are in no frame.
    pub len: u64,
    /// Where the first of the deviations was seen.
    pub deviation_offset: u64,
    /// The bytes: until the next event is taken, or bytes of the peer.
    pub payload: mllp_slice_t,
}

impl mllp_responder_event_t {
    pub(crate) const NONE: mllp_responder_event_t = mllp_responder_event_t {
        kind: MLLP_LINK_NONE,
        frame_kind: 0,
        deviations: 0,
        fault: 0,
        discard_reason: 0,
        blank: 0,
        positive: 0,
        protocol: 0,
        close_reason: 0,
        answers: 0,
        ticket: mllp_ticket_t::NONE,
        refusal: mllp_refusal_t::NONE,
        offset: 0,
        len: 0,
        deviation_offset: 0,
        payload: mllp_slice_t::NONE,
    };

    /// `payload` is what is at hand.
    pub(crate) fn of<const WINDOW: usize>(
        event: ResponderEvent,
        payload: &[u8],
        tickets: &mut Tickets<WINDOW>,
    ) -> mllp_responder_event_t {
        let payload = mllp_slice_t::lend(payload);
        match event {
            ResponderEvent::Message(ticket, arrived) => {
                let ticket = tickets.keep(ticket);
                mllp_responder_event_t { ticket, payload, ..Self::arrived(arrived) }
            }
            ResponderEvent::TooLarge(refusal, offset) => {
                let refusal = tickets.keep_refusal(refusal);
                mllp_responder_event_t { refusal, payload, ..Self::too_large(offset) }
            }
            ResponderEvent::Commit { positive } => Self::commit(positive),
            ResponderEvent::Warning { deviation, offset } => Self::warning(deviation, offset),
            ResponderEvent::Fault { fault, offset } => Self::fault(fault, offset),
            ResponderEvent::Discard(discard) => Self::discard(discard),
            ResponderEvent::Protocol(protocol) => Self::protocol(protocol),
            ResponderEvent::AnswersLost { answers } => Self::answers_lost(answers),
            ResponderEvent::Closing(reason) => Self::closing(reason),
        }
    }

    pub(crate) fn of_stream<const WINDOW: usize>(
        event: StreamEvent<'_>,
        tickets: &mut Tickets<WINDOW>,
    ) -> mllp_responder_event_t {
        match event {
            StreamEvent::Start { offset } => {
                mllp_responder_event_t { kind: MLLP_LINK_START, offset, ..Self::NONE }
            }
            StreamEvent::Header => mllp_responder_event_t { kind: MLLP_LINK_HEADER, ..Self::NONE },
            StreamEvent::Span(bytes) => {
                let payload = mllp_slice_t::lend(bytes);
                mllp_responder_event_t { kind: MLLP_LINK_SPAN, payload, ..Self::NONE }
            }
            StreamEvent::End(ticket, arrived) => {
                mllp_responder_event_t { ticket: tickets.keep(ticket), ..Self::arrived(arrived) }
            }
            StreamEvent::Lost { refusal: Some(refusal), offset, .. } => {
                let refusal = tickets.keep_refusal(refusal);
                mllp_responder_event_t { refusal, ..Self::too_large(offset) }
            }
            StreamEvent::Lost { refusal: None, fault, offset } => Self::fault(fault, offset),
            StreamEvent::Commit { positive } => Self::commit(positive),
            StreamEvent::Warning { deviation, offset } => Self::warning(deviation, offset),
            StreamEvent::Discard(discard) => Self::discard(discard),
            StreamEvent::Protocol(protocol) => Self::protocol(protocol),
            StreamEvent::AnswersLost { answers } => Self::answers_lost(answers),
            StreamEvent::Closing(reason) => Self::closing(reason),
        }
    }

    fn arrived(arrived: Arrived) -> Self {
        mllp_responder_event_t {
            kind: MLLP_LINK_MESSAGE,
            frame_kind: arrived.kind.number(),
            deviations: set(arrived.deviations),
            offset: arrived.offset,
            deviation_offset: arrived.deviations.first_offset().unwrap_or_default(),
            ..Self::NONE
        }
    }

    fn too_large(offset: u64) -> Self {
        let fault = Fault::TooLarge.number();
        mllp_responder_event_t { kind: MLLP_LINK_TOO_LARGE, fault, offset, ..Self::NONE }
    }

    fn commit(positive: bool) -> Self {
        let positive = u32::from(positive);
        mllp_responder_event_t { kind: MLLP_LINK_COMMIT, positive, ..Self::NONE }
    }

    fn warning(deviation: Deviation, offset: u64) -> Self {
        mllp_responder_event_t {
            kind: MLLP_LINK_WARNING,
            deviations: deviation.number(),
            offset,
            deviation_offset: offset,
            ..Self::NONE
        }
    }

    fn fault(fault: Fault, offset: u64) -> Self {
        let fault = fault.number();
        mllp_responder_event_t { kind: MLLP_LINK_FAULT, fault, offset, ..Self::NONE }
    }

    fn discard(discard: Discard) -> Self {
        mllp_responder_event_t {
            kind: MLLP_LINK_DISCARD,
            discard_reason: discard.why.number(),
            blank: u32::from(discard.blank),
            offset: discard.offset,
            len: discard.len,
            ..Self::NONE
        }
    }

    fn protocol(protocol: Protocol) -> Self {
        let protocol = ProtocolVerdict::Decided(protocol).number();
        mllp_responder_event_t { kind: MLLP_LINK_PROTOCOL, protocol, ..Self::NONE }
    }

    fn answers_lost(answers: u32) -> Self {
        mllp_responder_event_t { kind: MLLP_LINK_ANSWERS_LOST, answers, ..Self::NONE }
    }

    fn closing(reason: CloseReason) -> Self {
        let close_reason = reason.number();
        mllp_responder_event_t { kind: MLLP_LINK_CLOSING, close_reason, ..Self::NONE }
    }
}

/// The stable name of a reason, such as `idle_timeout`; `unknown` for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_close_reason_name(close_reason: mllp_close_reason_t) -> *const c_char {
    name::<CloseReason>(close_reason)
}
