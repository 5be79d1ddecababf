//! The message that is sent, each time with another MSH-10.

use std::io;

use fastmllp_benches::messages::{self, Message};

/// What an MSH-10 begins with; a number of `DIGITS` digits follows.
const PREFIX: &[u8] = b"MSG";
const DIGITS: usize = messages::CONTROL_ID.len() - PREFIX.len();

pub struct Template {
    frame: Vec<u8>,
    digits_at: usize,
}

impl Template {
    /// The message of this name: `250B`, `ADT` or `ORU`.
    pub fn new(name: &str) -> io::Result<Self> {
        let known = [messages::small(), messages::adt(), messages::oru()];
        let found = known.iter().find(|message| message.name == name);
        let frame = found.map(Message::frame).ok_or_else(|| io::Error::other("no such message"))?;
        let control_id = memchr::memmem::find(&frame, messages::CONTROL_ID.as_bytes());
        let digits_at = control_id.ok_or_else(|| io::Error::other("no MSH-10"))? + PREFIX.len();
        Ok(Self { frame, digits_at })
    }

    pub fn frame(&self) -> &[u8] {
        &self.frame
    }

    pub fn write(&self, id: u64, out: &mut Vec<u8>) {
        let start = out.len() + self.digits_at;
        out.extend_from_slice(&self.frame);
        write_digits(id, &mut out[start..start + DIGITS]);
    }

    /// Whether this frame accepts the message with this number: MSA-1 is AA or CA, MSA-2 its MSH-10.
    pub fn accepts(frame: &[u8], id: u64) -> bool {
        let mut segments = memchr::memchr_iter(b'\r', frame).map(|at| &frame[at + 1..]);
        let Some(segment) = segments.find(|segment| segment.starts_with(b"MSA")) else {
            return false;
        };
        let mut expected = [0; PREFIX.len() + DIGITS];
        expected[..PREFIX.len()].copy_from_slice(PREFIX);
        write_digits(id, &mut expected[PREFIX.len()..]);
        let separator = *segment.get(3).unwrap_or(&b'\r');
        let mut fields = segment.split(|&byte| byte == separator || byte == b'\r').skip(1);
        matches!(fields.next(), Some(b"AA" | b"CA")) && fields.next() == Some(&expected[..])
    }
}

fn write_digits(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let mut sent = Vec::new();
        Template::new("ADT").unwrap().write(7, &mut sent);
        let header = sent[1..].split(|&byte| byte == b'\r').next().unwrap();
        let id = header.split(|&byte| byte == b'|').nth(9).unwrap();
        assert_eq!(id, b"MSG00000000000007");
        let answer = |code: &str, id: &str| format!("\x0bMSH|x\rMSA|{code}|{id}\r\x1c\r");
        let accepts = |answer: String| Template::accepts(answer.as_bytes(), 7);
        assert!(accepts(answer("AA", "MSG00000000000007")));
        assert!(accepts(answer("CA", "MSG00000000000007|text")));
        assert!(!accepts(answer("AE", "MSG00000000000007")));
        assert!(!accepts(answer("AA", "MSG00000000000008")));
        assert!(!accepts(answer("AA", "MSG0000000000000")));
        assert!(!accepts("\x0bMSH|x\r\x1c\r".to_owned()));
        assert!(!accepts("\x0b\rMSA".to_owned()));
    }
}
