//! What was framed comes back, alone and unharmed, in every profile and chunking; what cannot be framed is refused.

#![no_main]

mod input;

use ack_gen::{Ack, AckCode};
use hl7_peek::{Message, MessageHeader, Path};
use input::{Input, cuts};
use libfuzzer_sys::fuzz_target;
use mllp_core::{Config, Error, Profile, ReceiveBuffer, Received};

/// More than any input here needs.
const STORAGE: usize = 16 * 1024;
type Buffer = ReceiveBuffer<[u8; STORAGE]>;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (seed, code) = (input.byte(), input.choose(&AckCode::ALL));
    let any = input.rest();

    let reserved = |byte: &u8| matches!(byte, 0x0B | 0x1C);
    if let Some(index) = any.iter().position(reserved) {
        let mut out = vec![0xEE; any.len() + 3];
        assert_eq!(mllp_core::encode(any, &mut out), Err(Error::ReservedByte { index }));
        assert!(out.iter().all(|byte| *byte == 0xEE), "something was written");
        assert_eq!(mllp_core::encode_slices(any), Err(Error::ReservedByte { index }));
    }
    let payload: Vec<u8> = any.iter().copied().filter(|byte| !reserved(byte)).collect();
    let frame = framed(&payload);
    // Another frame right behind it: neither may touch the other.
    let twice = [&frame[..], &frame].concat();
    for profile in [Profile::Permissive, Profile::Resync, Profile::Strict] {
        if profile == Profile::Strict && !is_legal(&payload) {
            continue;
        }
        for seed in [0, seed] {
            // The limit is not in the way of a payload that just fits.
            let mut buffer = buffer(profile, payload.len());
            assert_eq!(payloads(&mut buffer, &twice, seed), [&payload[..], &payload]);
        }
    }
    check_answer(&payload, code, seed);
});

/// The three ways to a frame agree.
fn framed(payload: &[u8]) -> Vec<u8> {
    let len = mllp_core::encoded_len(payload.len());
    let (mut frame, mut in_place) = (vec![0; len], vec![0; len]);
    assert_eq!(mllp_core::encode(payload, &mut frame[..len - 1]), Err(Error::BufferTooSmall));
    assert_eq!(mllp_core::encode(payload, &mut frame), Ok(len));
    let written = mllp_core::encode_with(&mut in_place, |room| {
        room.copy_from_slice(payload);
        Ok::<usize, Error>(payload.len())
    });
    assert_eq!((written, &in_place), (Ok(len), &frame));
    assert_eq!(mllp_core::encode_slices(payload).unwrap().concat(), frame);
    frame
}

/// Bytes that the grammar of `strict` knows, or a commit block.
fn is_legal(payload: &[u8]) -> bool {
    matches!(payload, [0x06 | 0x15]) || payload.iter().all(|&byte| byte >= 0x20 || byte == b'\r')
}

fn buffer(profile: Profile, max_payload_len: usize) -> Buffer {
    let config = Config { profile, max_payload_len, ..Config::DEFAULT };
    ReceiveBuffer::new([0; STORAGE], config)
}

/// The payloads of a stream that reports nothing else. A seed of 0 leaves it whole.
fn payloads(buffer: &mut Buffer, stream: &[u8], seed: u8) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut note = |received: Received<'_>| match received {
        Received::Frame(frame) => {
            assert!(frame.deviations.is_empty(), "{frame:?}");
            payloads.push(frame.payload.to_vec());
        }
        other => panic!("{other:?}"),
    };
    let cuts = if seed == 0 { vec![false; stream.len() + 1] } else { cuts(stream.len(), seed) };
    let mut from = 0;
    for to in 0..=stream.len() {
        if !cuts[to] && to < stream.len() {
            continue;
        }
        let mut chunk = &stream[from..to];
        from = to;
        loop {
            let fed = buffer.feed(chunk);
            chunk = &chunk[fed.consumed..];
            match fed.event {
                Some(received) => note(received),
                None => break,
            }
        }
    }
    while let Some(received) = buffer.finish() {
        note(received);
    }
    payloads
}

/// The answer to the payload makes the way back.
fn check_answer(payload: &[u8], code: AckCode, seed: u8) {
    let header = MessageHeader::parse_lenient(payload);
    let ack = Ack::always(code, header.as_ref(), b"4711", b"20260102030405");
    let mut out = vec![0; mllp_core::encoded_len(ack.encoded_len().unwrap())];
    let len = mllp_core::encode_with(&mut out, |room| {
        ack.encode(room).map_err(|_| Error::BufferTooSmall)
    });
    assert_eq!(len, Ok(out.len()));
    let mut buffer = buffer(Profile::Resync, Config::UNLIMITED);
    let answers = payloads(&mut buffer, &out, seed);
    let [answer] = &answers[..] else { panic!("{} answers", answers.len()) };
    let message = Message::parse(answer).unwrap();
    assert_eq!(message.header().message_control_id(), b"4711");
    assert_eq!(message.header().message_code(), b"ACK");
    let find = |path| message.get(Path::parse(path).unwrap());
    assert_eq!(find("MSA-1"), Some(code.as_str().as_bytes()));
    let field = message.delimiters().field;
    let control_id = header.map(|header| header.message_control_id()).unwrap_or_default();
    if control_id.is_empty() {
        assert_eq!(find("MSA-2"), Some(&b"4711"[..]));
    } else if !control_id.iter().any(|byte| *byte == b'\n' || *byte == field) {
        assert_eq!(find("MSA-2"), Some(control_id));
    }
}
