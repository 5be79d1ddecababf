//! Peers doing the same work: decode, parse, build an acknowledgment, frame it. Each with its own
//! builder for the acknowledgment; where it has none, the fields are formatted.

use std::hint::black_box;

use bytes::BytesMut;
use tokio_util::codec::{Decoder as _, Encoder as _};

use crate::{REPLY_ID, Reply, Run, TIME};

/// A peer: from the bytes of one read to the payload length and the framed reply.
pub struct Peer<F> {
    wire: Vec<u8>,
    answer: F,
    reply: Reply,
}

impl<F: FnMut(&[u8], &mut Reply) -> Option<u64>> Run for Peer<F> {
    fn run(&mut self) -> u64 {
        (self.answer)(black_box(&self.wire), &mut self.reply).unwrap_or(0)
    }

    fn reply(&self) -> Option<&[u8]> {
        Some(self.reply.written())
    }
}

fn send(frame: &[u8], reply: &mut Reply) {
    reply.bytes[..frame.len()].copy_from_slice(frame);
    reply.len = frame.len();
}

/// `mllp`: decoder, parser and acknowledgment are its own.
pub fn mllp(wire: Vec<u8>) -> impl Run {
    let mut decoder = mllp::Decoder::new();
    let answer = move |read: &[u8], reply: &mut Reply| {
        decoder.push(read);
        let payload = decoder.next_frame()?.ok()?;
        let message = mllp::Message::parse(std::str::from_utf8(&payload).ok()?).ok()?;
        let context = mllp::AckContext::from_message(&message);
        let separators = mllp::Separators::default();
        let ack = mllp::build_ack(&context, mllp::AckCode::Accept, REPLY_ID, "", separators);
        send(&mllp::frame(ack.as_bytes()), reply);
        Some(payload.len() as u64)
    };
    Peer { wire, answer, reply: Reply::EMPTY }
}

/// `hl7-mllp-codec` for the frames, a parser for the fields of MSH that an acknowledgment needs.
fn codec(wire: Vec<u8>, msh: impl Fn(&str) -> Option<[String; 8]>) -> impl Run {
    let mut codec = hl7_mllp_codec::MllpCodec::new();
    let (mut inbound, mut outbound) = (BytesMut::new(), BytesMut::new());
    let answer = move |read: &[u8], reply: &mut Reply| {
        inbound.extend_from_slice(read);
        let payload = codec.decode(&mut inbound).ok()??;
        let [from, from_site, to, to_site, trigger, id, mode, version] =
            msh(std::str::from_utf8(&payload).ok()?)?;
        let ack = format!(
            "MSH|^~\\&|{to}|{to_site}|{from}|{from_site}|{TIME}||ACK^{trigger}|{REPLY_ID}|{mode}|\
            {version}\rMSA|AA|{id}\r"
        );
        outbound.clear();
        codec.encode(BytesMut::from(ack.as_str()), &mut outbound).ok()?;
        send(&outbound, reply);
        Some(payload.len() as u64)
    };
    Peer { wire, answer, reply: Reply::EMPTY }
}

/// `hl7-mllp-codec` with `rust-hl7`, of the same author.
pub fn codec_rust_hl7(wire: Vec<u8>) -> impl Run {
    codec(wire, |text| {
        // It takes the end of the last segment for one more, and panics on it.
        let message = rusthl7::message::Message::new(text.trim_end_matches('\r'));
        // It counts the fields of MSH from the field after MSH-1.
        let paths = [
            "MSH.F2",
            "MSH.F3",
            "MSH.F4",
            "MSH.F5",
            "MSH.F8.R1.C2",
            "MSH.F9",
            "MSH.F10",
            "MSH.F11",
        ];
        Some(paths.map(|path| message.query(path).to_owned()))
    })
}

/// `hl7-mllp-codec` with `hl7-parser`.
pub fn codec_hl7_parser(wire: Vec<u8>) -> impl Run {
    codec(wire, |text| {
        let message = hl7_parser::Message::parse(text).ok()?;
        let msh = message.segment("MSH")?;
        let field = |number| Some(msh.field(number)?.raw_value().to_owned());
        let trigger = msh.field(9)?.component(2)?.raw_value().to_owned();
        Some([
            field(3)?,
            field(4)?,
            field(5)?,
            field(6)?,
            trigger,
            field(10)?,
            field(11)?,
            field(12)?,
        ])
    })
}

/// Decoding alone, with `mllp`.
pub fn decode_mllp(wire: Vec<u8>, read_len: usize) -> impl FnMut() -> u64 {
    let mut decoder = mllp::Decoder::new();
    move || {
        let mut payload_len = 0;
        for read in black_box(&wire[..]).chunks(read_len) {
            decoder.push(read);
            while let Some(Ok(payload)) = decoder.next_frame() {
                payload_len += payload.len() as u64;
            }
        }
        payload_len
    }
}

/// Decoding alone, with `hl7-mllp-codec`.
pub fn decode_codec(wire: Vec<u8>, read_len: usize) -> impl FnMut() -> u64 {
    let mut codec = hl7_mllp_codec::MllpCodec::new();
    let mut inbound = BytesMut::new();
    move || {
        let mut payload_len = 0;
        for read in black_box(&wire[..]).chunks(read_len) {
            inbound.extend_from_slice(read);
            while let Ok(Some(payload)) = codec.decode(&mut inbound) {
                payload_len += payload.len() as u64;
            }
        }
        payload_len
    }
}
