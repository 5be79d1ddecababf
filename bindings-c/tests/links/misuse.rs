//! States that are NULL, zeroed or another's, and memory that is too small.

use super::*;

/// Every function of a type, called with a state that is none.
macro_rules! refused {
    ($state:expr, $status:expr; $($function:ident($($argument:expr),*);)+) => {
        $(assert_eq!(unsafe { $function($state $(, $argument)*) }, $status, stringify!($function));)+
    };
}

/// The answers of a state that is none.
macro_rules! answers {
    ($state:expr; $($function:ident($($argument:expr),*) == $expected:expr;)+) => {
        $(assert_eq!(unsafe { $function($state $(, $argument)*) }, $expected, stringify!($function));)+
    };
}

fn none_of_all() -> (mllp_ticket_t, mllp_refusal_t, mllp_ack_t) {
    let event: mllp_responder_event_t = unsafe { std::mem::zeroed() };
    (event.ticket, event.refusal, ack(MLLP_ACK_AA))
}

#[test]
fn responder_that_is_none() {
    let mut zeroed = State::zeroed();
    for (state, status) in [(none(), MLLP_ERR_NULL), (zeroed.get(), MLLP_ERR_NOT_INITIALISED)] {
        let (ticket, refusal, ack) = none_of_all();
        let (byte, mut event, mut room, mut taken, mut counters) = (
            MLLP_START_BLOCK,
            MaybeUninit::uninit(),
            MaybeUninit::uninit(),
            MaybeUninit::uninit(),
            MaybeUninit::uninit(),
        );
        refused!(state, status;
            mllp_responder_spare(1, room.as_mut_ptr());
            mllp_responder_commit_read(1, 0);
            mllp_responder_receive(&byte, 1, 0, taken.as_mut_ptr());
            mllp_responder_next_event(0, event.as_mut_ptr());
            mllp_responder_answer(ticket, &ack, 0);
            mllp_responder_answer_later(ticket, &byte, 1, &ack, 0);
            mllp_responder_answer_with(ticket, &byte, 1, 0);
            mllp_responder_leave_unanswered(ticket, 0);
            mllp_responder_commit(ticket, 0);
            mllp_responder_refuse_commit(ticket, 0);
            mllp_responder_refuse(refusal, MLLP_REFUSE_ERROR, &ack, 0);
            mllp_responder_leave_unrefused(refusal, 0);
            mllp_responder_sent(0, 0);
            mllp_responder_on_time(0);
            mllp_responder_peer_closed(0);
            mllp_responder_close(0);
            mllp_responder_counters(counters.as_mut_ptr());
        );
        answers!(state;
            mllp_responder_wants_input() == 0;
            mllp_responder_next_deadline() == MLLP_NEVER;
            mllp_responder_is_finished() == 1;
            mllp_responder_waiting() == 0;
            mllp_responder_is_settled(0) == 0;
            mllp_responder_pending() == 0;
        );
        let slices = [mllp_responder_payload, mllp_responder_header_bytes, mllp_responder_outgoing];
        for slice in slices.map(|slice| unsafe { slice(state) }) {
            assert!(slice.data.is_null() && slice.len == 0);
        }
    }
}

#[test]
fn initiator_that_is_none() {
    let mut zeroed = State::zeroed();
    for (state, status) in [(none(), MLLP_ERR_NULL), (zeroed.get(), MLLP_ERR_NOT_INITIALISED)] {
        let (byte, mut handle, mut room, mut taken, mut event) = (
            MLLP_START_BLOCK,
            MaybeUninit::uninit(),
            MaybeUninit::uninit(),
            MaybeUninit::uninit(),
            MaybeUninit::uninit(),
        );
        refused!(state, status;
            mllp_initiator_submit(&byte, 1, 0, handle.as_mut_ptr());
            mllp_initiator_withdraw(0);
            mllp_initiator_connected();
            mllp_initiator_connect_failed(0);
            mllp_initiator_disconnected(0);
            mllp_initiator_next_to_send(0, handle.as_mut_ptr());
            mllp_initiator_next_to_send_along(0, handle.as_mut_ptr());
            mllp_initiator_sent(0, 0);
            mllp_initiator_spare(1, room.as_mut_ptr());
            mllp_initiator_commit_read(1, 0);
            mllp_initiator_receive(&byte, 1, 0, taken.as_mut_ptr());
            mllp_initiator_next_event(0, event.as_mut_ptr());
            mllp_initiator_on_time(0);
            mllp_initiator_resume();
        );
        answers!(state;
            mllp_initiator_wants_connection(0) == 0;
            mllp_initiator_next_deadline() == MLLP_NEVER;
            mllp_initiator_is_suspended() == 0;
            mllp_initiator_open_messages() == 0;
        );
    }
}

#[test]
fn states_are_told_apart() {
    let mut responder = Responder::new(|_| ());
    let state = responder.get();
    unsafe {
        assert_eq!(mllp_initiator_resume(state.cast()), MLLP_ERR_NOT_INITIALISED);
        let config = mllp_initiator_config_t {
            rules: state.cast_const().cast(),
            ..mllp_initiator_config_default()
        };
        let (mut initiator, mut memory) = (State::zeroed(), [0; 64]);
        let init = mllp_initiator_init(initiator.get(), &config, memory.as_mut_ptr(), 64);
        assert_eq!(init, MLLP_ERR_NOT_INITIALISED);
        assert_eq!(mllp_responder_close(state, 0), MLLP_OK);
    }
}

#[test]
fn memory_for_no_message_is_refused() {
    let mut config = mllp_responder_config_default();
    let (mut small, mut large) = ([0; 1023], [0; 2048]);
    let mut state: State<mllp_responder_t> = State::zeroed();
    let mut init = |config: &_, incoming_len, answers: &mut [u8]| unsafe {
        let (at, len) = (answers.as_mut_ptr(), answers.len());
        let init = mllp_responder_init_stream(state.get(), config, at, len, 0);
        let streamed = (init, mllp_responder_is_finished(state.get()));
        let mut incoming = [0; 64];
        let room = incoming.as_mut_ptr();
        let init = mllp_responder_init(state.get(), config, room, incoming_len, at, len, 0);
        (streamed, (init, mllp_responder_is_finished(state.get())))
    };
    // One that is not prepared says that it is finished.
    let (good, bad) = ((MLLP_OK, 0), (MLLP_ERR_BUFFER_TOO_SMALL, 1));
    assert_eq!(init(&config, 64, &mut small), (bad, bad));
    assert_eq!(init(&config, 64, &mut large), (good, good));
    assert_eq!(init(&config, 0, &mut large), (good, bad));
    config.commit_blocks = 1;
    assert_eq!(init(&config, 64, &mut large), (good, good));
    assert_eq!(init(&config, 64, &mut large[..2047]), (bad, bad));
    config.over_limit = 2;
    let invalid = (MLLP_ERR_INVALID_ARGUMENT, 1);
    assert_eq!(init(&config, 64, &mut large), (invalid, invalid));
}

#[test]
fn more_is_not_sent_than_there_is() {
    let mut responder = Responder::new(|_| ());
    assert_eq!(unsafe { mllp_responder_sent(responder.get(), 1, 0) }, MLLP_ERR_INVALID_ARGUMENT);
    responder.receive(&frame(&message("M1")));
    let ticket = responder.message();
    assert_eq!(responder.answer(ticket, &ack(MLLP_ACK_AA)), MLLP_OK);
    let get = responder.get();
    unsafe {
        let len = mllp_responder_outgoing(get).len;
        assert_eq!(mllp_responder_sent(get, len + 1, 0), MLLP_ERR_INVALID_ARGUMENT);
        assert_eq!(mllp_responder_outgoing(get).len, len);
    }
}
