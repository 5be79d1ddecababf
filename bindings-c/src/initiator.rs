//! The sending end of a link: messages out, one verdict for each.

use core::mem::ManuallyDrop;
use core::mem::MaybeUninit;

use hl7_peek::Scan;
use mllp_link::{Handle, Initiator};

use crate::code::Numbered;
use crate::delimiters::mllp_scan_t;
use crate::initiator_config::mllp_initiator_config_t;
use crate::initiator_event::{mllp_handle_t, mllp_initiator_event_t};
use crate::responder_config::MLLP_NEVER;
use crate::slice::{Memory, bytes, mllp_room_t, place, value};
use crate::state::{State, clear, init, state, state_mut};
use crate::status::{
    Failure, MLLP_ERR_BUFFER_TOO_SMALL, MLLP_ERR_INVALID_ARGUMENT, MLLP_NOT_FOUND, MLLP_OK,
    MLLP_PARTIAL, mllp_status_t, status,
};

/// How many messages of a link can be without a verdict at a time.
pub const MLLP_INITIATOR_WINDOW: usize = 16;
/// The longest MSH-10 of a message that is sent, in bytes: as long as HL7 v2.7 and later allow it.
pub const MLLP_INITIATOR_ID: usize = 199;

/// One link, seen from the end that sends messages and gives each one verdict.
///
/// The payloads stay with the caller. The loop: take every event; connect when it
/// `_wants_connection`, and say what came of it; write the message that is `_next_to_send`, framed
/// and whole, and say so with `_sent`; read replies into its `_spare` room and say so with
/// `_commit_read`; wait for the socket until `_next_deadline`, then call `_on_time`.
#[repr(C)]
pub struct mllp_initiator_t {
    _state: [MaybeUninit<u64>; 732],
}

type Core = Initiator<Memory, MLLP_INITIATOR_WINDOW, MLLP_INITIATOR_ID>;

impl State for mllp_initiator_t {
    // Nothing in it has anything to drop, but its lists say so by dropping each.
    type Inner = ManuallyDrop<Core>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpINI2");
}

/// Prepares a link without a connection and without messages. It keeps `incoming` for replies, until
/// it is not used any more.
///
/// The longest reply is `max_payload_len` or three bytes less than `incoming`, whichever is smaller.
/// `MLLP_ERR_BUFFER_TOO_SMALL`: `incoming` is empty; the initiator is not prepared then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_init(
    initiator: *mut mllp_initiator_t,
    config: *const mllp_initiator_config_t,
    incoming: *mut u8,
    incoming_len: usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 3, 6 and 7.
        let (config, incoming) =
            unsafe { (value(config)?.read()?, Memory::new(incoming, incoming_len)?) };
        // SAFETY: rules 2 and 7.
        let core = unsafe {
            init(initiator, ManuallyDrop::new(Initiator::new(incoming, config)))?;
            state_mut(initiator)?
        };
        if core.spare_mut(1).is_empty() {
            // SAFETY: it has just been written to.
            unsafe { clear(initiator) };
            return Err(Failure(MLLP_ERR_BUFFER_TOO_SMALL));
        }
        Ok(MLLP_OK)
    })
}

/// Takes a message and writes its name to `handle`. The caller keeps the payload until the verdict.
///
/// `MLLP_ERR_FULL`: as many messages as `MLLP_INITIATOR_WINDOW` are without a verdict.
/// `MLLP_ERR_ID_IN_USE`: one of them has this MSH-10. `MLLP_ERR_ID_TOO_LONG`: MSH-10 is longer than
/// `MLLP_INITIATOR_ID`. `MLLP_ERR_RESERVED_BYTE`: the payload holds a framing byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_submit(
    initiator: *mut mllp_initiator_t,
    payload: *const u8,
    payload_len: usize,
    now: u64,
    handle: *mut mllp_handle_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (core, payload, handle) =
            unsafe { (state_mut(initiator)?, bytes(payload, payload_len)?, place(handle)?) };
        handle.write(core.submit(payload, now)?.number());
        Ok(MLLP_OK)
    })
}

/// Takes back a message that waits: before it was written, between two attempts, or after CA for its
/// application acknowledgment. It then has no verdict. `MLLP_NOT_FOUND`: it could not be taken back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_withdraw(
    initiator: *mut mllp_initiator_t,
    handle: mllp_handle_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let withdrawn = unsafe { state_mut(initiator) }?.withdraw(Handle::from_number(handle));
        Ok(if withdrawn { MLLP_OK } else { MLLP_NOT_FOUND })
    })
}

/// 1: connect now. Take every event of the last connection first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_wants_connection(
    initiator: *const mllp_initiator_t,
    now: u64,
) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(initiator) }.map_or(0, |core| u32::from(core.wants_connection(now)))
}

/// A connection is open. What was received on an earlier one is forgotten.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_connected(
    initiator: *mut mllp_initiator_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.connected()) }
}

/// No connection could be opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_connect_failed(
    initiator: *mut mllp_initiator_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.connect_failed(now)) }
}

/// The connection was lost or its stream has ended. Replies that had come are still credited; what
/// it means that the others will not come, the rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_disconnected(
    initiator: *mut mllp_initiator_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.disconnected(now)) }
}

/// The message to write now, whole and framed, and nothing else before `mllp_initiator_sent`. Read
/// what has come and take every event first. `MLLP_NOT_FOUND`: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_next_to_send(
    initiator: *mut mllp_initiator_t,
    now: u64,
    handle: *mut mllp_handle_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { give(initiator, handle, |core| core.next_to_send(now)) }
}

/// A further message for the same write, behind the one that `mllp_initiator_next_to_send` gave.
/// `MLLP_NOT_FOUND`: none. For a caller that knows how much of what it has written is still on this
/// side: it calls `mllp_initiator_sent` for each of them when its last byte has left, before it takes
/// in what was read after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_next_to_send_along(
    initiator: *mut mllp_initiator_t,
    now: u64,
    handle: *mut mllp_handle_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { give(initiator, handle, |core| core.next_to_send_along(now)) }
}

/// The last byte of the message has been written. One that asks for no answer in any case (MSH-15 and
/// MSH-16) has its verdict now: take the events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_sent(
    initiator: *mut mllp_initiator_t,
    handle: mllp_handle_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.sent(Handle::from_number(handle), now)) }
}

/// No byte of the message being written has left this host, so no receiver can have it.
///
/// Without this, every message that was to be written counts as possibly received. Say it right
/// before `mllp_initiator_disconnected` or `mllp_initiator_on_time`, for each message that it is true
/// of: it counts for that call. A message that ends there, and of which nothing left in an earlier
/// attempt either, has the fate `MLLP_FATE_NOT_SENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_not_sent(
    initiator: *mut mllp_initiator_t,
    handle: mllp_handle_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.not_sent(Handle::from_number(handle))) }
}

/// Room for the socket to read replies into: `want` bytes as long as there are so many. Take every
/// event first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_spare(
    initiator: *mut mllp_initiator_t,
    want: usize,
    out: *mut mllp_room_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (core, out) = unsafe { (state_mut(initiator)?, place(out)?) };
        out.write(mllp_room_t::lend(core.spare_mut(want)));
        Ok(MLLP_OK)
    })
}

/// The socket has read `len` bytes into the spare room. `MLLP_ERR_INVALID_ARGUMENT`: there is no such
/// room; `len` is what a failed read returned, perhaps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_commit_read(
    initiator: *mut mllp_initiator_t,
    len: usize,
    now: u64,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let core = unsafe { state_mut(initiator) }?;
        if len > core.spare_mut(0).len() {
            return Err(Failure(MLLP_ERR_INVALID_ARGUMENT));
        }
        core.commit_read(len, now);
        Ok(MLLP_OK)
    })
}

/// Takes bytes from a buffer of the caller's, as many as there is room for, and writes how many to
/// `taken`. Take every event first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_receive(
    initiator: *mut mllp_initiator_t,
    chunk: *const u8,
    chunk_len: usize,
    now: u64,
    taken: *mut usize,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (core, chunk, taken) =
            unsafe { (state_mut(initiator)?, bytes(chunk, chunk_len)?, place(taken)?) };
        taken.write(core.receive(chunk, now));
        Ok(MLLP_OK)
    })
}

/// What has happened. `MLLP_PARTIAL`: nothing; write, read, or wait for the deadline. It writes `out`
/// too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_next_event(
    initiator: *mut mllp_initiator_t,
    now: u64,
    out: *mut mllp_initiator_event_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (core, out) = unsafe { (state_mut(initiator)?, place(out)?) };
        let Some(event) = core.next_event(now) else {
            out.write(mllp_initiator_event_t::NONE);
            return Ok(MLLP_PARTIAL);
        };
        out.write(mllp_initiator_event_t::of(event, core.reply()));
        Ok(MLLP_OK)
    })
}

/// When to call `mllp_initiator_on_time`, unless something else happens first; `MLLP_NEVER`
/// for never, and of an initiator that was never prepared.
///
/// A time in the past while it wants a connection means just that: a caller that is connecting waits
/// for its connection instead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_next_deadline(initiator: *const mllp_initiator_t) -> u64 {
    // SAFETY: rules 2 and 7.
    let core = unsafe { state(initiator) }.ok();
    core.and_then(|core| core.next_deadline()).unwrap_or(MLLP_NEVER)
}

/// Time has passed; read what has come first. A reply that has not come is judged by the rules, and
/// its connection given up, because the reply may still come. Both are different where its absence
/// was to be expected: a message that asks for no receipt has succeeded, and one that was stored is
/// accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_on_time(
    initiator: *mut mllp_initiator_t,
    now: u64,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.on_time(now)) }
}

/// 1: a rule has suspended the link, and nothing is sent until `mllp_initiator_resume`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_is_suspended(initiator: *const mllp_initiator_t) -> u32 {
    // SAFETY: rules 2 and 7.
    unsafe { state(initiator) }.map_or(0, |core| u32::from(core.is_suspended()))
}

/// Goes on after a suspension.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_resume(initiator: *mut mllp_initiator_t) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { change(initiator, |core| core.resume()) }
}

/// How many messages have no verdict yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_initiator_open_messages(initiator: *const mllp_initiator_t) -> usize {
    // SAFETY: rules 2 and 7.
    unsafe { state(initiator) }.map_or(0, |core| core.open_messages())
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn change(
    initiator: *mut mllp_initiator_t,
    change: impl FnOnce(&mut Core),
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        change(unsafe { state_mut(initiator) }?);
        Ok(MLLP_OK)
    })
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn give(
    initiator: *mut mllp_initiator_t,
    handle: *mut mllp_handle_t,
    next: impl FnOnce(&mut Core) -> Option<Handle>,
) -> mllp_status_t {
    status(|| {
        // SAFETY: the caller's promise is the same.
        let (core, handle) = unsafe { (state_mut(initiator)?, place(handle)?) };
        let Some(next) = next(core) else { return Ok(MLLP_NOT_FOUND) };
        handle.write(next.number());
        Ok(MLLP_OK)
    })
}

/// Whether the payload of a reply answers the message with this MSH-10: its MSA-2 repeats it byte for
/// byte, or escaped where the reply has other delimiters or MSH-10 holds a framing byte. Trailing
/// blanks do not count on either side. `MLLP_OK`: it does. `MLLP_NOT_FOUND`: it does not.
///
/// A message without a control ID, which is an empty one, takes any reply. Of one above 256 bytes, an
/// escaped MSA-2 is not recognised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_answers(
    reply: *const u8,
    reply_len: usize,
    control_id: *const u8,
    control_id_len: usize,
    scan: mllp_scan_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (reply, control_id) =
            unsafe { (bytes(reply, reply_len)?, bytes(control_id, control_id_len)?) };
        let scan = Scan::from_number(scan)?;
        let answers = mllp_link::answers(reply, control_id, scan, &mut [0; 256]);
        Ok(if answers { MLLP_OK } else { MLLP_NOT_FOUND })
    })
}
