//! The crates of this project, used as their documentation says: calls are repeated until the event
//! is `None`, and one frame is in each read.

use std::hint::black_box;

use ack_gen::{Ack, AckCode};
use hl7_peek::{Message, MessageHeader, Path};
use mllp_core::{Config, Decoder, Event, Profile, ReceiveBuffer, Received, Scanner};

use crate::{REPLY_ID, Reply, Run, TIME};

/// 16 MiB, so that the largest message passes the limit; the limit is on in every scenario.
pub fn config(profile: Profile) -> Config {
    Config { profile, max_payload_len: 16 << 20, ..Config::DEFAULT }
}

enum Refused {
    Frame,
    Ack,
}

impl From<mllp_core::Error> for Refused {
    fn from(_: mllp_core::Error) -> Refused {
        Refused::Frame
    }
}

/// The framed acknowledgment by the policy `always`.
fn answer(payload: &[u8], out: &mut Reply) {
    let framed = mllp_core::encode_with(&mut out.bytes, |room| {
        let header = MessageHeader::parse_lenient(payload);
        let ack = Ack::always(AckCode::AA, header.as_ref(), REPLY_ID.as_bytes(), TIME.as_bytes());
        ack.encode(room).map_err(|_| Refused::Ack)
    });
    out.len = framed.unwrap_or(0);
}

/// Decode, header and framed acknowledgment, with a [`ReceiveBuffer`].
pub struct Answer {
    wire: Vec<u8>,
    buffer: ReceiveBuffer<[u8; 8192]>,
    reply: Reply,
}

impl Answer {
    pub fn new(wire: Vec<u8>) -> Answer {
        let buffer = ReceiveBuffer::new([0; 8192], Config::DEFAULT);
        Answer { wire, buffer, reply: Reply::EMPTY }
    }
}

impl Run for Answer {
    fn run(&mut self) -> u64 {
        let mut read = black_box(&self.wire[..]);
        let mut payload_len = 0;
        loop {
            let fed = self.buffer.feed(read);
            read = &read[fed.consumed..];
            match fed.event {
                Some(Received::Frame(frame)) => {
                    payload_len += frame.payload.len() as u64;
                    answer(frame.payload, &mut self.reply);
                }
                Some(_) => return 0,
                None => return payload_len,
            }
        }
    }

    fn reply(&self) -> Option<&[u8]> {
        Some(self.reply.written())
    }
}

/// Decoding with the [`Scanner`]: spans.
pub fn scan(wire: Vec<u8>, read_len: usize, profile: Profile) -> impl FnMut() -> u64 {
    let mut scanner = Scanner::new(config(profile));
    move || {
        let (mut spans, mut payload_len) = (0, 0);
        for mut read in black_box(&wire[..]).chunks(read_len) {
            loop {
                let step = scanner.step(read);
                read = &read[step.consumed..];
                match step.event {
                    Some(Event::Payload { bytes, .. }) => spans += bytes.len() as u64,
                    Some(Event::FrameEnd(end)) => payload_len += end.payload_len,
                    Some(Event::FrameStart { .. }) => {}
                    Some(_) => return 0,
                    None => break,
                }
            }
        }
        if spans == payload_len { payload_len } else { 0 }
    }
}

/// Decoding with the [`Decoder`], over a buffer of the caller that grows by one read at a time.
pub fn decode(wire: Vec<u8>, read_len: usize, profile: Profile) -> impl FnMut() -> u64 {
    let mut decoder = Decoder::new(config(profile));
    move || {
        let wire = black_box(&wire[..]);
        let (mut seen, mut start, mut payload_len) = (0, 0, 0);
        while seen < wire.len() {
            seen = wire.len().min(seen + read_len);
            loop {
                let decoded = decoder.decode(&wire[start..seen]);
                start += decoded.consumed;
                match decoded.event {
                    Some(Received::Frame(frame)) => payload_len += frame.payload.len() as u64,
                    Some(_) => return 0,
                    None => break,
                }
            }
        }
        payload_len
    }
}

/// Decoding with the [`ReceiveBuffer`], which copies what is split between reads.
pub fn feed(wire: Vec<u8>, read_len: usize, profile: Profile) -> impl FnMut() -> u64 {
    let storage: &'static mut [u8] = vec![0; wire.len() + 16].leak();
    let mut buffer = ReceiveBuffer::new(storage, config(profile));
    move || {
        let mut payload_len = 0;
        for mut read in black_box(&wire[..]).chunks(read_len) {
            loop {
                let fed = buffer.feed(read);
                read = &read[fed.consumed..];
                match fed.event {
                    Some(Received::Frame(frame)) => payload_len += frame.payload.len() as u64,
                    Some(_) => return 0,
                    None => break,
                }
            }
        }
        payload_len
    }
}

/// One value of a message that has been parsed before.
pub fn get(payload: Vec<u8>, path: &str) -> impl FnMut() -> u64 {
    let path = Path::parse(path).unwrap();
    move || {
        let message = Message::parse(black_box(&payload)).unwrap();
        message.get(black_box(path)).map_or(0, |value| value.len() as u64)
    }
}
