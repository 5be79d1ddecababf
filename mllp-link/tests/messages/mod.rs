//! Messages, frames and acknowledgments, as short as they can be.

#![allow(dead_code, reason = "each test binary uses its part")]

use ack_gen::{Ack, AckCode};

pub fn message(id: &str, fill: usize) -> Vec<u8> {
    format!("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|{id}|P|2.5\rPID|{}\r", "0".repeat(fill)).into()
}

pub fn frame(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

pub const fn ack(code: AckCode) -> Ack<'static> {
    Ack::always(code, None, b"1", b"20260101")
}

/// What a peer was sent: MSA-1 and MSA-2 of each answer, or the commit byte.
pub fn answers(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let answers = text.split_terminator("\x1c\r").map(|it| match it.split_once("MSA|") {
        Some((_, msa)) => msa.split(['\r']).next().unwrap_or_default().to_string(),
        None => it.trim_start_matches('\x0b').to_string(),
    });
    answers.collect()
}
