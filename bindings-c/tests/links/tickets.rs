//! Whatever the caller does with its tickets, no message is answered twice and nothing that was lost
//! positively.

use std::mem;

use super::*;

/// What a ticket and a refusal are made of; C can make one of its own.
fn forged<T, U>(number: U) -> T {
    assert_eq!(size_of::<T>(), size_of::<U>());
    unsafe { mem::transmute_copy(&number) }
}

#[test]
fn ticket_is_good_for_one_answer() {
    let mut responder = Responder::new(|_| ());
    responder.receive(&frame(&message("M1")));
    let ticket = responder.message();
    assert_eq!(responder.answer(ticket, &ack(MLLP_ACK_AA)), MLLP_OK);
    let now = 0;
    unsafe {
        let responder = responder.get();
        let (payload, ack) = (b"MSH|^~\\&|", ack(MLLP_ACK_AA));
        let (at, len) = (payload.as_ptr(), payload.len());
        for status in [
            mllp_responder_answer(responder, ticket, &ack, now),
            mllp_responder_answer_later(responder, ticket, at, len, &ack, now),
            mllp_responder_answer_with(responder, ticket, at, len, now),
            mllp_responder_leave_unanswered(responder, ticket, now),
            mllp_responder_commit(responder, ticket, now),
            mllp_responder_refuse_commit(responder, ticket, now),
        ] {
            assert_eq!(status, MLLP_ERR_NO_TICKET);
        }
    }
    assert!(responder.send_all().ends_with(b"MSA|AA|M1\r\x1c\r"));
}

#[test]
fn no_ticket_is_found_that_was_not_given() {
    let mut responder = Responder::new(|_| ());
    responder.receive(&frame(&message("M1")));
    let ticket = responder.message();
    assert_eq!(ticket.number, 0);
    // A zeroed event has no ticket, although 0 is a number of one.
    assert_eq!(responder.answer(forged([0u32; 2]), &ack(MLLP_ACK_AA)), MLLP_ERR_NO_TICKET);
    // The next that will have this place among those that are kept.
    let next = forged([MLLP_RESPONDER_WINDOW as u32, 1]);
    assert_eq!(responder.answer(next, &ack(MLLP_ACK_AA)), MLLP_ERR_NO_TICKET);
    assert_eq!(responder.answer(ticket, &ack(MLLP_ACK_AA)), MLLP_OK);
}

#[test]
fn answers_leave_in_order_from_every_place() {
    let mut responder = Responder::new(|_| ());
    // More than the window, so that every place is used again.
    for round in 0..3 {
        let mut tickets = Vec::new();
        for at in 0..MLLP_RESPONDER_WINDOW {
            responder.receive(&frame(&message(&format!("M{round}.{at}"))));
            tickets.push(responder.message());
        }
        let get = responder.get();
        assert_eq!(unsafe { mllp_responder_wants_input(get) }, 0);
        assert_eq!(unsafe { mllp_responder_waiting(get) }, MLLP_RESPONDER_WINDOW);
        for (at, ticket) in tickets.iter().enumerate().rev() {
            let payload = message(&format!("M{round}.{at}"));
            let (data, len, ack) = (payload.as_ptr(), payload.len(), ack(MLLP_ACK_AA));
            let answer =
                || unsafe { mllp_responder_answer_later(get, *ticket, data, len, &ack, 0) };
            assert_eq!((answer(), answer()), (MLLP_OK, MLLP_ERR_NO_TICKET));
        }
        let sent = String::from_utf8(responder.send_all()).unwrap();
        let ids: Vec<_> = sent.split("MSA|AA|").skip(1).map(|it| it.split('\r').next()).collect();
        assert_eq!(ids.len(), MLLP_RESPONDER_WINDOW);
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(*id, Some(&format!("M{round}.{at}")[..]));
        }
    }
}

#[test]
fn failed_answer_leaves_its_ticket_good() {
    let mut responder = Responder::new(|config| config.policy = MLLP_POLICY_CONFORMANT);
    responder.receive(&frame(b"not HL7"));
    responder.receive(&frame(&message("")));
    let (garbage, nameless) = (responder.message(), responder.message());
    let accept = ack(MLLP_ACK_AA);
    assert_eq!(responder.answer(garbage, &accept), MLLP_ERR_NOT_AT_HAND);
    let get = responder.get();
    let later = |payload: &[u8]| unsafe {
        mllp_responder_answer_later(get, garbage, payload.as_ptr(), payload.len(), &accept, 0)
    };
    assert_eq!(later(b"not HL7"), MLLP_ERR_NO_HEADER);
    assert_eq!(later(b"BHS|^~\\&|\rMSH|^~\\&|\r"), MLLP_ERR_BATCH);
    let with = |payload: &[u8]| unsafe {
        mllp_responder_answer_with(get, garbage, payload.as_ptr(), payload.len(), 0)
    };
    assert_eq!(with(b"\x1c\r"), MLLP_ERR_RESERVED_BYTE);
    assert_eq!(with(&[b'A'; 2000]), MLLP_ERR_BUFFER_TOO_SMALL);
    assert_eq!((with(b"own words"), with(b"own words")), (MLLP_OK, MLLP_ERR_NO_TICKET));

    assert_eq!(responder.answer(nameless, &accept), MLLP_ERR_NO_CONTROL_ID);
    assert_eq!(responder.answer(nameless, &ack(99)), MLLP_ERR_INVALID_ARGUMENT);
    let get = responder.get();
    assert_eq!(unsafe { mllp_responder_leave_unanswered(get, nameless, 0) }, MLLP_OK);
    assert_eq!(responder.send_all(), frame(b"own words"));
    assert_eq!(unsafe { mllp_responder_waiting(responder.get()) }, 0);
}

#[test]
fn what_was_lost_is_only_refused() {
    let mut responder = Responder::new(|config| {
        config.decoder.max_payload_len = 80;
        config.over_limit = MLLP_OVER_LIMIT_REFUSE;
    });
    let long = [&message("M1")[..], &[b'x'; 100]].concat();
    responder.receive(&frame(&long));
    let event = responder.event();
    assert_eq!((event.kind, event.fault), (MLLP_LINK_TOO_LARGE, MLLP_FAULT_TOO_LARGE));
    assert!(long.starts_with(bytes(event.payload)) && !bytes(event.payload).is_empty());
    let refusal = event.refusal;
    assert_eq!(responder.answer(event.ticket, &ack(MLLP_ACK_AA)), MLLP_ERR_NO_TICKET);
    // What the types of C do not allow.
    assert_eq!(responder.answer(forged(refusal), &ack(MLLP_ACK_AA)), MLLP_ERR_LOST);
    let get = responder.get();
    let accept = ack(MLLP_ACK_AA);
    let refuse = |how| unsafe { mllp_responder_refuse(get, refusal, how, &accept, 0) };
    assert_eq!(refuse(0), MLLP_ERR_INVALID_ARGUMENT);
    assert_eq!(refuse(MLLP_REFUSE_REJECT), MLLP_OK);
    assert_eq!(refuse(MLLP_REFUSE_REJECT), MLLP_ERR_NO_TICKET);
    let left = unsafe { mllp_responder_leave_unrefused(get, refusal, 0) };
    assert_eq!(left, MLLP_ERR_NO_TICKET);
    while responder.event().kind != MLLP_LINK_NONE {}
    assert!(responder.send_all().ends_with(b"MSA|AR|M1\r\x1c\r"));

    // Nor is a message refused that is complete.
    responder.receive(&frame(b"MSH|^~\\&|"));
    let ticket = responder.message();
    let get = responder.get();
    let left = unsafe { mllp_responder_leave_unrefused(get, forged(ticket), 0) };
    assert_eq!(left, MLLP_ERR_NO_TICKET);
    assert_eq!(responder.answer(ticket, &ack(MLLP_ACK_AA)), MLLP_OK);
}

#[test]
fn message_is_committed_before_its_answer() {
    let mut responder = Responder::new(|config| config.commit_blocks = 1);
    responder.receive(&frame(&message("M1")));
    responder.receive(&frame(&message("M2")));
    let (first, second) = (responder.message(), responder.message());
    let get = responder.get();
    let commit = || unsafe { mllp_responder_commit(get, first, 0) };
    assert_eq!((commit(), commit()), (MLLP_OK, MLLP_OK));
    assert_eq!(responder.send_all(), frame(b"\x06"));
    let get = responder.get();
    unsafe {
        assert_eq!(mllp_responder_leave_unanswered(get, first, 0), MLLP_OK);
        assert_eq!(mllp_responder_refuse_commit(get, second, 0), MLLP_OK);
    }
    assert_eq!(responder.send_all(), frame(b"\x15"));
    responder.receive(&frame(b"\x06"));
    let event = responder.event();
    assert_eq!((event.kind, event.positive), (MLLP_LINK_COMMIT, 1));
}

#[test]
fn link_that_was_given_up_takes_no_answer() {
    let mut responder = Responder::new(|config| config.times.send = 100);
    responder.receive(&frame(&message("M1")));
    responder.receive(&frame(&message("M2")));
    let first = responder.message();
    assert_eq!(responder.answer(first, &ack(MLLP_ACK_AA)), MLLP_OK);
    let second = responder.message();
    let get = responder.get();
    assert_eq!(unsafe { mllp_responder_next_deadline(get) }, 100);
    assert_eq!(unsafe { mllp_responder_on_time(get, 100) }, MLLP_OK);
    let event = responder.event();
    assert_eq!((event.kind, event.answers), (MLLP_LINK_ANSWERS_LOST, 2));
    let event = responder.event();
    assert_eq!((event.kind, event.close_reason), (MLLP_LINK_CLOSING, MLLP_CLOSE_SEND_TIMEOUT));
    let payload = message("M2");
    let (at, len, ack) = (payload.as_ptr(), payload.len(), ack(MLLP_ACK_AA));
    let get = responder.get();
    let later = unsafe { mllp_responder_answer_later(get, second, at, len, &ack, 0) };
    assert_eq!(later, MLLP_ERR_CLOSED);
    assert_eq!(unsafe { mllp_responder_is_settled(get, second.number) }, 0);
    assert_eq!(unsafe { mllp_responder_is_finished(get) }, 1);
}
