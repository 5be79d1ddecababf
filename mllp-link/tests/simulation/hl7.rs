//! The messages of the simulation. Each carries its number, whatever its name is.

/// Field `at` of the first segment that begins with `name`.
pub fn field<'a>(payload: &'a [u8], name: &[u8], at: usize) -> Option<&'a [u8]> {
    let segment = payload.split(|byte| *byte == b'\r').find(|it| it.starts_with(name))?;
    segment.split(|byte| *byte == b'|').nth(at)
}

/// The number behind a letter.
fn number(field: Option<&[u8]>, letter: u8) -> Option<usize> {
    let (first, digits) = field?.split_first()?;
    if *first != letter {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Which message this is, by PID-3.
pub fn message_number(payload: &[u8]) -> Option<usize> {
    number(field(payload, b"PID", 3), b'N')
}

/// Which reply this is, by MSH-10.
pub fn reply_number(payload: &[u8]) -> Option<usize> {
    number(field(payload, b"MSH", 9), b'R')
}

/// MSH-10 of the reply with this number.
pub fn reply_id(number: usize) -> Vec<u8> {
    format!("R{number}").into_bytes()
}

/// A message with this MSH-10, MSH-15 and MSH-16, filled to about `length` bytes more.
pub fn message(
    number: usize,
    id: &str,
    asks: (&str, &str),
    names: usize,
    length: usize,
) -> Vec<u8> {
    let (accept, application) = asks;
    let name = "A".repeat(names);
    let mut payload = format!(
        "MSH|^~\\&|{name}|B|C|D|20260101||ADT^A01|{id}|P|2.5|||{accept}|{application}\r\
         PID|1||N{number}||"
    )
    .into_bytes();
    payload.resize(payload.len() + length, b'0');
    payload.extend(b"END\r");
    payload
}

/// A reply by hand; hosts that keep to the standard let `ack_gen` write theirs.
pub fn reply(number: usize, code: &str, id: &[u8]) -> Vec<u8> {
    let head = format!("MSH|^~\\&|C|D|A|B|20260101||ACK|R{number}|P|2.5\rMSA|{code}|");
    [head.as_bytes(), id, b"\r"].concat()
}

pub fn frame(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}
