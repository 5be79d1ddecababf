//! Bytes that are lent, and states that are moved as C moves them, by copying their bytes.
//!
//! Every buffer is as long as its bytes, and memory that is given to a state is not initialised: Miri
//! (`make miri`) sees a read beyond the one or before a write to the other.

use super::*;

impl<T> State<T> {
    /// The state in other memory; the old one is gone.
    fn moved(mut self) -> State<T> {
        let moved = State::<T>::zeroed();
        unsafe { moved.0.write(self.get().read()) };
        moved
    }
}

/// Memory that is given to a state, as `malloc` returns it.
struct Memory(*mut [MaybeUninit<u8>]);

impl Memory {
    fn new(len: usize) -> Memory {
        Memory(Box::into_raw(Box::new_uninit_slice(len)))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        drop(unsafe { Box::from_raw(self.0) });
    }
}

const TEXT: &[u8] = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|M1|P|2.5\rOBX|1|TX|||a~b^c";

fn exact(payload: &[u8]) -> Box<[u8]> {
    payload.into()
}

/// What the chunks hold, with the state moved between any two of them.
fn payloads(chunks: &[&[u8]], memory: &Memory) -> Vec<Vec<u8>> {
    let config = mllp_config_default();
    let mut buffer = State::<mllp_receive_buffer_t>::zeroed();
    let (at, len) = (memory.0.cast(), memory.0.len());
    let status = unsafe { mllp_receive_buffer_init(buffer.get(), &config, at, len) };
    assert_eq!(status, MLLP_OK);
    let mut found = Vec::new();
    for chunk in chunks {
        buffer = buffer.moved();
        let chunk = exact(chunk);
        let mut rest = &chunk[..];
        loop {
            let (status, decoded): (_, mllp_decoded_t) =
                out!(mllp_receive_buffer_feed(buffer.get(), rest.as_ptr(), rest.len()));
            rest = &rest[decoded.consumed..];
            if decoded.event.kind == MLLP_EVENT_FRAME {
                found.push(bytes(decoded.event.payload).to_vec());
            }
            if status == MLLP_PARTIAL {
                break;
            }
        }
    }
    found
}

#[test]
fn frames_are_found_at_every_split() {
    let memory = Memory::new(32);
    let stream = [frame(b"first"), frame(b"2")].concat();
    for at in 0..=stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(payloads(&[head, tail], &memory), [&b"first"[..], b"2"], "{at}");
    }
    let single: Vec<_> = stream.chunks(1).collect();
    assert_eq!(payloads(&single, &memory), [&b"first"[..], b"2"]);
}

#[test]
fn room_is_filled_and_read() {
    let memory = Memory::new(32);
    let config = mllp_config_default();
    let mut buffer = State::<mllp_receive_buffer_t>::zeroed();
    let (at, len) = (memory.0.cast(), memory.0.len());
    let get = buffer.get();
    unsafe {
        assert_eq!(mllp_receive_buffer_init(get, &config, at, len), MLLP_OK);
        for payload in [&b"one"[..], b"another", b"third one", b""] {
            let framed = frame(payload);
            let (status, room): (_, mllp_room_t) =
                out!(mllp_receive_buffer_spare(get, framed.len()));
            assert!(status == MLLP_OK && room.len >= framed.len());
            room.data.copy_from_nonoverlapping(framed.as_ptr(), framed.len());
            assert_eq!(mllp_receive_buffer_commit(get, framed.len()), MLLP_OK);
            let mut kinds = 0;
            while let (MLLP_OK, event) = out!(mllp_receive_buffer_next_event(get)) {
                let event: mllp_event_t = event;
                // A look at the state leaves what it has lent.
                let (status, _): (_, mllp_counters_t) = out!(mllp_receive_buffer_counters(get));
                assert_eq!(status, MLLP_OK);
                if event.kind == MLLP_EVENT_FRAME {
                    assert_eq!(bytes(event.payload), payload);
                }
                kinds |= 1 << event.kind;
            }
            assert!(kinds & 1 << MLLP_EVENT_FRAME != 0);
        }
    }
}

#[test]
fn message_is_read_after_it_has_moved() {
    let payload = exact(TEXT);
    let mut message = State::<mllp_message_t>::zeroed();
    let status = unsafe { mllp_message_parse(payload.as_ptr(), payload.len(), message.get()) };
    assert_eq!(status, MLLP_OK);
    let mut message = message.moved();
    for (path, expected) in [("MSH-10", &b"M1"[..]), ("OBX-5", b"a~b^c"), ("OBX-5[2].2", b"c")] {
        let path = exact(path.as_bytes());
        let mut address = State::<mllp_path_t>::zeroed();
        let status = unsafe { mllp_path_parse(path.as_ptr(), path.len(), address.get()) };
        assert_eq!(status, MLLP_OK);
        drop(path);
        let mut address = address.moved();
        let (status, found): (_, mllp_slice_t) =
            out!(mllp_message_get(message.get(), address.get()));
        assert_eq!((status, bytes(found)), (MLLP_OK, expected));
    }
    let mut header = State::<mllp_message_header_t>::zeroed();
    assert_eq!(unsafe { mllp_message_header(message.get(), header.get()) }, MLLP_OK);
    drop(message);
    let mut header = header.moved();
    assert_eq!(bytes(unsafe { mllp_message_header_field(header.get(), 10) }), b"M1");
    assert_eq!(bytes(unsafe { mllp_message_header_field(header.get(), 12) }), b"2.5");
}

#[test]
fn responder_is_moved_between_a_message_and_its_answer() {
    let (incoming, answers) = (Memory::new(1 << 10), Memory::new(1 << 17));
    let config = mllp_responder_config_default();
    let mut state = State::<mllp_responder_t>::zeroed();
    let (incoming_at, answers_at) = (incoming.0.cast(), answers.0.cast());
    let lens = (incoming.0.len(), answers.0.len());
    let status = unsafe {
        mllp_responder_init(state.get(), &config, incoming_at, lens.0, answers_at, lens.1, 0)
    };
    assert_eq!(status, MLLP_OK);
    let framed: Box<[u8]> = frame(TEXT).into();
    let mut ticket = None;
    for half in framed.chunks(framed.len() / 2 + 1) {
        state = state.moved();
        let get = state.get();
        let (status, taken) = out!(mllp_responder_receive(get, half.as_ptr(), half.len(), 0));
        assert_eq!((status, taken), (MLLP_OK, half.len()));
        let (status, event): (_, mllp_responder_event_t) = out!(mllp_responder_next_event(get, 0));
        if status == MLLP_OK {
            assert_eq!(event.kind, MLLP_LINK_MESSAGE);
            assert_eq!(bytes(event.payload), TEXT);
            ticket = Some(event.ticket);
        }
    }
    let mut state = state.moved();
    let get = state.get();
    unsafe {
        let ticket = ticket.expect("a message");
        assert_eq!(mllp_responder_answer(get, ticket, &ack(MLLP_ACK_AA), 0), MLLP_OK);
        assert_eq!(mllp_responder_answer(get, ticket, &ack(MLLP_ACK_AA), 0), MLLP_ERR_NO_TICKET);
        let outgoing = mllp_responder_outgoing(get);
        assert!(bytes(outgoing).ends_with(b"MSA|AA|M1\r\x1c\r"));
        assert_eq!(mllp_responder_sent(get, outgoing.len, 0), MLLP_OK);
        assert_eq!(mllp_responder_is_settled(get, ticket.number), 1);
    }
}

#[test]
fn frame_fits_its_buffer_exactly() {
    let payload = exact(b"MSH|");
    let mut framed = vec![MaybeUninit::<u8>::uninit(); mllp_encoded_len(payload.len())];
    let (status, len) = out!(mllp_encode(
        payload.as_ptr(),
        payload.len(),
        framed.as_mut_ptr().cast(),
        framed.len()
    ));
    assert_eq!((status, len), (MLLP_OK, framed.len()));
    let framed = bytes(mllp_slice_t { data: framed.as_ptr().cast(), len });
    assert_eq!(framed, frame(&payload));
}
