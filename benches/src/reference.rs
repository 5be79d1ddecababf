//! The practical limit: what a careful person writes by hand for one interface.
//!
//! One search for the framing bytes, one pass over MSH, one reply into a fixed array. No options,
//! limits, profiles, reports, defaults or escapes; whatever is unusual gets no answer.

use memchr::memchr2;

const START_BLOCK: u8 = 0x0B;
const END_BLOCK: u8 = 0x1C;

/// The payload of the frame that `unread` begins with, if it is all there.
pub fn decode(unread: &[u8]) -> Option<&[u8]> {
    let [START_BLOCK, rest @ ..] = unread else { return None };
    match rest.split_at(memchr2(START_BLOCK, END_BLOCK, rest)?) {
        (payload, [END_BLOCK, b'\r', ..]) => Some(payload),
        _ => None,
    }
}

/// MSH-1 to MSH-12 of a message.
pub fn header(payload: &[u8]) -> Option<[&[u8]; 12]> {
    let [b'M', b'S', b'H', separator, ..] = payload else { return None };
    let mut fields = [&payload[3..4]; 12];
    let mut rest = &payload[4..];
    for field in &mut fields[1..] {
        let end = memchr2(*separator, b'\r', rest)?;
        *field = &rest[..end];
        rest = &rest[end + 1..];
    }
    Some(fields)
}

/// Writes the framed `AA` for the message of this header and returns its length.
pub fn reply(header: &[&[u8]; 12], time: &[u8], control_id: &[u8], out: &mut [u8]) -> usize {
    let [separator, encoding, from, from_site, to, to_site, _, _, kind, id, mode, version] =
        *header;
    let trigger = kind.split(|&byte| byte == b'^').nth(1).unwrap_or_default();
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        out[len..len + bytes.len()].copy_from_slice(bytes);
        len += bytes.len();
    };
    put(b"\x0bMSH");
    for field in [encoding, to, to_site, from, from_site, time, b"", b"ACK^"] {
        put(separator);
        put(field);
    }
    put(trigger);
    for field in [control_id, mode, version] {
        put(separator);
        put(field);
    }
    put(b"\rMSA");
    for field in [b"AA", id] {
        put(separator);
        put(field);
    }
    put(b"\r\x1c\r");
    len
}
