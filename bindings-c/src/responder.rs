//! The receiving end of a link: messages in, answers out.

mod answers;
mod passing;
mod stored;

use core::mem::{ManuallyDrop, MaybeUninit};

use mllp_link::{Responder, StreamResponder};

use crate::responder_config::MLLP_NEVER;
use crate::scanner::mllp_counters_t;
use crate::slice::{Memory, mllp_slice_t, place};
use crate::state::{State, init_in_place, state, state_mut};
use crate::status::{Failure, MLLP_ERR_INVALID_ARGUMENT, MLLP_OK, mllp_status_t, status};
use crate::ticket::{Tickets, is_settled};

pub use answers::*;
pub use passing::*;
pub use stored::*;

/// How many messages of a connection can be without an answer at a time; with commit blocks half as
/// many.
pub const MLLP_RESPONDER_WINDOW: usize = 64;
/// How many bytes of a header are kept of a message that passes by.
pub const MLLP_RESPONDER_HEADER: usize = 512;

/// One connection, seen from the end that receives messages and answers them.
///
/// There are two ways of receiving. `mllp_responder_init` prepares a responder that stores messages
/// until they are whole. `mllp_responder_init_stream` prepares one for messages larger than memory:
/// their bytes pass by, and the header is kept for the answer. A function of the other way is
/// answered with `MLLP_ERR_INVALID_ARGUMENT`. Answers, times and the end of the connection are the
/// same for both.
///
/// Answers leave in the order of the messages, in whatever order they are given. The loop: take every
/// event; send what is `_outgoing` and say so with `_sent`; while it `_wants_input`, read; wait for
/// the socket until `_next_deadline`, then call `_on_time`; until it `_is_finished`. What was read
/// goes into the `_spare` room, with `_commit_read`, and `_next_event` gives the events; those of a
/// stream are given by `_step` over it, until that returns `MLLP_PARTIAL`. While the responder wants
/// no input, too much is unanswered or unsent: the caller does not read, and the peer feels it.
#[repr(C)]
pub struct mllp_responder_t {
    _state: [MaybeUninit<u64>; 284],
}

pub(crate) struct Link {
    responder: Either,
    tickets: Tickets<MLLP_RESPONDER_WINDOW>,
}

// Nothing in them has anything to drop, but their lists of answers say so by dropping each.
#[expect(clippy::large_enum_variant, reason = "the memory is the caller's, for either")]
enum Either {
    Stored(ManuallyDrop<Stored>),
    Passing(ManuallyDrop<Passing>),
}

type Stored = Responder<Memory, Memory, MLLP_RESPONDER_WINDOW>;
type Passing = StreamResponder<Memory, MLLP_RESPONDER_HEADER, MLLP_RESPONDER_WINDOW>;

impl Link {
    /// # Safety
    ///
    /// Rules 2 and 7.
    #[inline(always)]
    unsafe fn prepare<'a>(
        responder: *mut mllp_responder_t,
        now: u64,
        receiving: impl FnOnce() -> Either,
    ) -> Result<&'a mut Link, Failure> {
        // SAFETY: the caller's promise; a link has these two parts.
        unsafe {
            init_in_place(responder, |link| {
                let link = link.as_mut_ptr();
                Tickets::prepare(&raw mut (*link).tickets, responder.addr(), now);
                (&raw mut (*link).responder).write(receiving());
            })?;
            state_mut(responder)
        }
    }

    fn stored(&mut self) -> Result<(&mut Stored, &mut Tickets<MLLP_RESPONDER_WINDOW>), Failure> {
        match &mut self.responder {
            Either::Stored(stored) => Ok((stored, &mut self.tickets)),
            Either::Passing(_) => Err(Failure(MLLP_ERR_INVALID_ARGUMENT)),
        }
    }

    fn passing(&mut self) -> Result<(&mut Passing, &mut Tickets<MLLP_RESPONDER_WINDOW>), Failure> {
        match &mut self.responder {
            Either::Passing(passing) => Ok((passing, &mut self.tickets)),
            Either::Stored(_) => Err(Failure(MLLP_ERR_INVALID_ARGUMENT)),
        }
    }
}

/// What both ways of receiving have: the answering half.
macro_rules! either {
    ($either:expr, $responder:ident => $call:expr) => {
        match $either {
            Either::Stored($responder) => $call,
            Either::Passing($responder) => $call,
        }
    };
}

use either;

impl State for mllp_responder_t {
    type Inner = Link;
    const MARK: u64 = u64::from_le_bytes(*b"mllpRSP2");
}

/// 1: read from the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_wants_input(responder: *const mllp_responder_t) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }
        .map_or(0, |link| u32::from(either!(&link.responder, it => it.wants_input())))
}

/// Bytes for the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_outgoing(
    responder: *const mllp_responder_t,
) -> mllp_slice_t {
    // SAFETY: rules 2 and 7.
    mllp_slice_t::found(
        unsafe { state(responder) }.map(|link| either!(&link.responder, it => it.outgoing())),
    )
}

/// The socket has taken `len` of the outgoing bytes. `MLLP_ERR_INVALID_ARGUMENT`: there were not so
/// many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_sent(
    responder: *mut mllp_responder_t,
    len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let link = unsafe { state_mut(responder) }?;
        if len > either!(&link.responder, it => it.outgoing()).len() {
            return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
        }
        either!(&mut link.responder, it => it.sent(len, now));
        Ok(MLLP_OK)
    })
}

/// When to call `mllp_responder_on_time`, unless something else happens first; `MLLP_NEVER`
/// for never, and of a responder that was never prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_next_deadline(responder: *const mllp_responder_t) -> u64 {
    // SAFETY: rules 2 and 7.
    let link = unsafe { state(responder) }.ok();
    link.and_then(|link| either!(&link.responder, it => it.next_deadline())).unwrap_or(MLLP_NEVER)
}

/// Time has passed. A time that has run out ends the connection: what was received whole is still
/// answered, an open frame is reported as lost. Only the time for a trailer ends nothing: the next
/// event then is the message.
///
/// A caller that comes late reads what has come before it calls this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_on_time(
    responder: *mut mllp_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| either!(&mut link.responder, it => it.on_time(now))) }
}

/// The peer will send nothing more. It may still take answers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_peer_closed(
    responder: *mut mllp_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| either!(&mut link.responder, it => it.peer_closed(now))) }
}

/// The caller wants to end the connection: what has been received is answered first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_close(
    responder: *mut mllp_responder_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(responder, |link| either!(&mut link.responder, it => it.close(now))) }
}

/// 1: the connection can be closed, because everything is reported, answered and sent; also of a
/// responder that was never prepared.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_is_finished(responder: *const mllp_responder_t) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }
        .map_or(1, |link| u32::from(either!(&link.responder, it => it.is_finished())))
}

/// How many places wait for an answer; with commit blocks a message has two.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_waiting(responder: *const mllp_responder_t) -> usize {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| either!(&link.responder, it => it.waiting()))
}

/// 1: the place with this number, of a ticket or a refusal, is done. Its answer has been taken by the
/// socket, or there is none to be sent. What was lost with `MLLP_LINK_ANSWERS_LOST` never is done.
/// Numbers begin anew after 2^32 messages: ask within half of that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_is_settled(
    responder: *const mllp_responder_t,
    number: u32,
) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }.map_or(0, |link| {
        u32::from(is_settled(either!(&link.responder, it => it.settled()), number))
    })
}

/// Bytes taken of an unfinished frame, counted from its start block; 0 between frames.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_pending(responder: *const mllp_responder_t) -> u64 {
    // SAFETY: rules 2 and 7.
    unsafe { state(responder) }
        .map_or(0, |link| either!(&link.responder, it => it.scanner().pending()))
}

/// Totals of the stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_responder_counters(
    responder: *const mllp_responder_t,
    out: *mut mllp_counters_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (link, out) = unsafe { (state(responder)?, place(out)?) };
        out.write(mllp_counters_t::of(either!(&link.responder, it => it.scanner().counters())));
        Ok(MLLP_OK)
    })
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn change(
    responder: *mut mllp_responder_t,
    change: impl FnOnce(&mut Link),
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        change(unsafe { state_mut(responder) }?);
        Ok(MLLP_OK)
    })
}
