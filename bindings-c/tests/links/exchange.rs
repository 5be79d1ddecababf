//! Messages from an initiator to both kinds of responder, and the answers back.

use std::ptr;

use super::*;

struct Initiator {
    state: State<mllp_initiator_t>,
    _memory: Vec<u8>,
}

impl Initiator {
    fn connected() -> Initiator {
        let config = mllp_initiator_config_default();
        let (mut state, mut memory) = (State::zeroed(), vec![0xA5; 4096]);
        let (at, len) = (memory.as_mut_ptr(), memory.len());
        unsafe {
            assert_eq!(mllp_initiator_init(state.get(), &config, at, len), MLLP_OK);
            assert_eq!(mllp_initiator_wants_connection(state.get(), 0), 0);
        }
        Initiator { state, _memory: memory }
    }

    /// Submits a message and hands out its frame, once connected.
    fn send(&mut self, payload: &[u8]) -> (mllp_handle_t, Vec<u8>) {
        let initiator = self.state.get();
        let (status, handle) =
            out!(mllp_initiator_submit(initiator, payload.as_ptr(), payload.len(), 0));
        assert_eq!(status, MLLP_OK);
        unsafe {
            if mllp_initiator_wants_connection(initiator, 0) == 1 {
                assert_eq!(mllp_initiator_connected(initiator), MLLP_OK);
            }
            assert_eq!(out!(mllp_initiator_next_to_send(initiator, 0)), (MLLP_OK, handle));
            assert_eq!(mllp_initiator_sent(initiator, handle, 0), MLLP_OK);
            assert_eq!(mllp_initiator_open_messages(initiator), 1);
        }
        (handle, frame(payload))
    }

    fn verdict(&mut self, reply: &[u8]) -> mllp_initiator_event_t {
        let initiator = self.state.get();
        let (status, room): (_, mllp_room_t) = out!(mllp_initiator_spare(initiator, reply.len()));
        assert!(status == MLLP_OK && room.len >= reply.len());
        unsafe {
            ptr::copy_nonoverlapping(reply.as_ptr(), room.data, reply.len());
            assert_eq!(mllp_initiator_commit_read(initiator, reply.len(), 0), MLLP_OK);
        }
        let (status, event): (_, mllp_initiator_event_t) =
            out!(mllp_initiator_next_event(initiator, 0));
        assert_eq!((status, event.kind), (MLLP_OK, MLLP_LINK_VERDICT));
        event
    }
}

#[test]
fn responder_answers_initiator() {
    let mut initiator = Initiator::connected();
    let mut responder = Responder::new(|_| ());
    for (code, action) in [(MLLP_ACK_AA, MLLP_ACTION_ACCEPT), (MLLP_ACK_AE, MLLP_ACTION_FAIL)] {
        let payload = message(&format!("M{code}"));
        let (handle, framed) = initiator.send(&payload);
        responder.receive(&framed);
        let event = responder.event();
        assert_eq!(event.kind, MLLP_LINK_MESSAGE);
        assert_eq!(bytes(event.payload), payload);
        assert_eq!(bytes(unsafe { mllp_responder_payload(responder.get()) }), payload);
        assert_eq!(responder.answer(event.ticket, &ack(code)), MLLP_OK);
        let number = event.ticket.number;
        assert_eq!(unsafe { mllp_responder_is_settled(responder.get(), number) }, 0);
        let reply = responder.send_all();
        assert_eq!(unsafe { mllp_responder_is_settled(responder.get(), number) }, 1);

        let event = initiator.verdict(&reply);
        let verdict = event.verdict;
        assert_eq!((event.handle, verdict.reply, verdict.action), (handle, code, action));
        assert_eq!(frame(bytes(event.reply)), reply);
    }
    let responder = responder.get();
    unsafe {
        assert_eq!(mllp_responder_peer_closed(responder, 0), MLLP_OK);
        assert_eq!(mllp_responder_is_finished(responder), 0);
        let (_, event): (_, mllp_responder_event_t) = out!(mllp_responder_next_event(responder, 0));
        let closing = (MLLP_LINK_CLOSING, MLLP_CLOSE_END_OF_STREAM);
        assert_eq!((event.kind, event.close_reason), closing);
        assert_eq!(mllp_responder_is_finished(responder), 1);
        assert_eq!(mllp_responder_next_deadline(responder), MLLP_NEVER);
        let (status, counters): (_, mllp_counters_t) = out!(mllp_responder_counters(responder));
        assert_eq!((status, counters.frames), (MLLP_OK, 2));
    }
}

#[test]
fn stream_responder_answers_initiator() {
    let mut initiator = Initiator::connected();
    let config = mllp_responder_config_default();
    let (mut state, mut memory) = (State::zeroed(), vec![0xA5; 4096]);
    let responder: *mut mllp_responder_t = state.get();
    let (at, len) = (memory.as_mut_ptr(), memory.len());
    let status = unsafe { mllp_responder_init_stream(responder, &config, at, len, 0) };
    assert_eq!(status, MLLP_OK);

    let payload = message("M1");
    let (handle, framed) = initiator.send(&payload);
    let (mut seen, mut passed, mut reply) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = &framed[..];
    loop {
        let (mut consumed, len) = (0, rest.len().min(7));
        let (status, event): (_, mllp_responder_event_t) =
            out!(mllp_responder_step(responder, rest.as_ptr(), len, 0, &mut consumed));
        rest = &rest[consumed..];
        match event.kind {
            MLLP_LINK_NONE if rest.is_empty() => break assert_eq!(status, MLLP_PARTIAL),
            MLLP_LINK_NONE => continue,
            MLLP_LINK_SPAN => passed.extend_from_slice(bytes(event.payload)),
            MLLP_LINK_HEADER => {
                let kept = unsafe { mllp_responder_header_bytes(responder) };
                let (status, header): (_, mllp_message_header_t) =
                    out!(mllp_message_header_parse_lenient(kept.data, kept.len));
                assert_eq!(status, MLLP_OK);
                let field = MLLP_MSH_MESSAGE_CONTROL_ID;
                let id = unsafe { mllp_message_header_field(&header, field) };
                assert_eq!(bytes(id), b"M1");
            }
            MLLP_LINK_MESSAGE => unsafe {
                let ack = ack(MLLP_ACK_AA);
                let answer = || mllp_responder_answer(responder, event.ticket, &ack, 0);
                assert_eq!(answer(), MLLP_OK);
                assert_eq!(answer(), MLLP_ERR_NO_TICKET);
                let outgoing = mllp_responder_outgoing(responder);
                reply.extend_from_slice(bytes(outgoing));
                assert_eq!(mllp_responder_sent(responder, outgoing.len, 0), MLLP_OK);
                assert_eq!(mllp_responder_is_settled(responder, event.ticket.number), 1);
            },
            _ => {}
        }
        if seen.last() != Some(&event.kind) {
            seen.push(event.kind);
        }
    }
    let kinds =
        [MLLP_LINK_START, MLLP_LINK_SPAN, MLLP_LINK_HEADER, MLLP_LINK_SPAN, MLLP_LINK_MESSAGE];
    assert_eq!((&seen[..], &passed), (&kinds[..], &payload));
    let verdict = initiator.verdict(&reply);
    assert_eq!((verdict.handle, verdict.verdict.action), (handle, MLLP_ACTION_ACCEPT));
    let header = unsafe { mllp_responder_header_bytes(responder) };
    assert!(payload.starts_with(bytes(header)) && bytes(header).ends_with(b"2.5\r"));
}

#[test]
fn reply_answers_its_message() {
    let reply = b"MSH|^~\\&|LAB\rMSA|AA|A\\F\\B\r";
    let answers = |id: &[u8], scan| unsafe {
        mllp_answers(reply.as_ptr(), reply.len(), id.as_ptr(), id.len(), scan)
    };
    assert_eq!(answers(b"A|B", MLLP_SCAN_SINGLE_BYTE), MLLP_OK);
    assert_eq!(answers(b"A\\F\\B", MLLP_SCAN_SINGLE_BYTE), MLLP_OK);
    assert_eq!(answers(b"A", MLLP_SCAN_SINGLE_BYTE), MLLP_NOT_FOUND);
    assert_eq!(answers(b"", MLLP_SCAN_SINGLE_BYTE), MLLP_OK);
    assert_eq!(answers(b"A", 99), MLLP_ERR_INVALID_ARGUMENT);
}
