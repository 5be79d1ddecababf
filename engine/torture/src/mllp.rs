//! Frames and answers, by hand: the engine's own code judges nothing here.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;

pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

pub(crate) fn answer(code: &str, control_id: &str) -> Vec<u8> {
    let text = format!(
        "MSH|^~\\&|HIS|H|LAB|L|20260101||ACK|R{control_id}|P|2.5\rMSA|{code}|{control_id}\r"
    );
    framed(text.as_bytes())
}

/// Takes frames out of what a connection gives.
#[derive(Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// No frame ends before this.
    searched: usize,
}

/// What a read of a connection has come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Bytes,
    /// Nothing within the connection's timeout.
    Nothing,
    End,
}

impl Frames {
    pub(crate) fn read(&mut self, stream: &mut TcpStream) -> Came {
        let mut part = [0; 64 * 1024];
        match stream.read(&mut part) {
            Ok(0) => Came::End,
            Ok(len) => {
                self.bytes.extend_from_slice(&part[..len]);
                Came::Bytes
            }
            Err(error) if is_timeout(&error) => Came::Nothing,
            Err(_) => Came::End,
        }
    }

    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let rest = &self.bytes[self.searched..];
        let Some(end) = rest.windows(2).position(|pair| pair == b"\x1c\r") else {
            self.searched = self.bytes.len().saturating_sub(1);
            return None;
        };
        let end = self.searched + end;
        self.searched = 0;
        let mut frame: Vec<u8> = self.bytes.drain(..end + 2).collect();
        frame.truncate(end);
        Some(frame.split_off(usize::from(frame.first() == Some(&0x0b))))
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// A field of a segment, counted from the segment's name, which is 0.
pub(crate) fn field(message: &[u8], segment: &str, number: usize) -> String {
    let lines = message.split(|byte| *byte == b'\r');
    let found = lines.map(String::from_utf8_lossy).find(|line| line.starts_with(segment));
    found.and_then(|line| line.split('|').nth(number).map(str::to_owned)).unwrap_or_default()
}

/// MSH-10.
pub(crate) fn control_id(message: &[u8]) -> String {
    field(message, "MSH", 9)
}
