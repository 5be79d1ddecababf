//! Both ends of a link through the functions that C calls: against each other, misused, and moved. With
//! Miri too, `make miri`: what is lent, where states are, and tickets.

// Every call keeps the rules of the header, or breaks one that is answered.
#![allow(clippy::undocumented_unsafe_blocks, unused_unsafe)]

mod exchange;
mod initiator;
mod misuse;
mod rules;
mod slices;
mod tickets;

use std::mem::MaybeUninit;

use mllp::*;

/// A state, as C would declare it: in memory of its own, zeroed. It is a pointer and not a `Box`, which
/// would claim the memory for itself each time a test asks for the address.
struct State<T>(*mut T);

impl<T> State<T> {
    fn zeroed() -> State<T> {
        State(Box::into_raw(Box::new(MaybeUninit::<T>::zeroed())).cast())
    }

    fn get(&mut self) -> *mut T {
        self.0
    }
}

impl<T> Drop for State<T> {
    fn drop(&mut self) {
        drop(unsafe { Box::from_raw(self.0.cast::<MaybeUninit<T>>()) });
    }
}

/// Calls a function that writes to its last argument.
macro_rules! out {
    ($function:ident($($argument:expr),*)) => {{
        let mut out = std::mem::MaybeUninit::zeroed();
        let status = unsafe { $function($($argument,)* out.as_mut_ptr()) };
        (status, unsafe { out.assume_init() })
    }};
}
use out;

struct Responder {
    state: State<mllp_responder_t>,
    _memory: [Vec<u8>; 2],
}

impl Responder {
    fn new(change: impl FnOnce(&mut mllp_responder_config_t)) -> Responder {
        let mut config = mllp_responder_config_default();
        change(&mut config);
        let (mut state, mut incoming, mut answers) =
            (State::zeroed(), vec![0xA5; 4096], vec![0xA5; 1 << 17]);
        let (incoming_at, answers_at) = (incoming.as_mut_ptr(), answers.as_mut_ptr());
        let lens = (incoming.len(), answers.len());
        let status = unsafe {
            mllp_responder_init(state.get(), &config, incoming_at, lens.0, answers_at, lens.1, 0)
        };
        assert_eq!(status, MLLP_OK);
        Responder { state, _memory: [incoming, answers] }
    }

    fn get(&mut self) -> *mut mllp_responder_t {
        self.state.get()
    }

    /// Bytes come, all of them.
    fn receive(&mut self, bytes: &[u8]) {
        let (status, taken) =
            out!(mllp_responder_receive(self.get(), bytes.as_ptr(), bytes.len(), 0));
        assert_eq!((status, taken), (MLLP_OK, bytes.len()));
    }

    fn event(&mut self) -> mllp_responder_event_t {
        let (status, event): (_, mllp_responder_event_t) =
            out!(mllp_responder_next_event(self.get(), 0));
        assert_eq!(status == MLLP_OK, event.kind != MLLP_LINK_NONE);
        event
    }

    /// The next event, which is a message.
    fn message(&mut self) -> mllp_ticket_t {
        let event = self.event();
        assert_eq!(event.kind, MLLP_LINK_MESSAGE);
        event.ticket
    }

    fn answer(&mut self, ticket: mllp_ticket_t, ack: &mllp_ack_t) -> mllp_status_t {
        unsafe { mllp_responder_answer(self.get(), ticket, ack, 0) }
    }

    fn send_all(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            let outgoing = unsafe { mllp_responder_outgoing(self.get()) };
            if outgoing.len == 0 {
                return sent;
            }
            sent.extend_from_slice(bytes(outgoing));
            assert_eq!(unsafe { mllp_responder_sent(self.get(), outgoing.len, 0) }, MLLP_OK);
        }
    }
}

fn bytes<'a>(slice: mllp_slice_t) -> &'a [u8] {
    if slice.len == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(slice.data, slice.len) }
}

fn ack(code: mllp_ack_code_t) -> mllp_ack_t {
    mllp_ack_always(code, std::ptr::null(), b"4711".as_ptr(), 4, b"20260101".as_ptr(), 8)
}

fn message(id: &str) -> Vec<u8> {
    format!("MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|{id}|P|2.5\rOBX|1\r").into_bytes()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

fn none<T>() -> *mut T {
    std::ptr::null_mut()
}
