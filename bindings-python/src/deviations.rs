//! What is unusual about a payload that was framed well.

use hl7_peek::{Error, Message, MessageHeader, Scan};

/// What a reader of messages is warned of, by name.
///
/// * `bad_encoding_characters`: MSH-2 is not what it should be, such as `^~\\&` from a source text, and
///   was read leniently.
/// * `scan_mismatch`: `scan` ignores a set of MSH-18 whose characters may hold the bytes of delimiters,
///   so that fields may be cut in the middle of a character.
///
/// Costs what [`Scan::detect`] does.
pub(crate) fn of_payload(payload: &[u8], scan: Scan) -> &'static [&'static str] {
    of_message(payload, MessageHeader::parse_lenient_with(payload, scan).as_ref(), scan)
}

/// [`of_payload`] for one whose header has been read already, which costs next to nothing where MSH is
/// in ASCII.
pub(crate) fn of_message(
    payload: &[u8],
    header: Option<&MessageHeader<'_>>,
    scan: Scan,
) -> &'static [&'static str] {
    match (is_damaged(payload), header.is_some_and(|header| is_ignored(payload, header, scan))) {
        (false, false) => &[],
        (true, false) => &["bad_encoding_characters"],
        (false, true) => &["scan_mismatch"],
        (true, true) => &["bad_encoding_characters", "scan_mismatch"],
    }
}

fn is_damaged(payload: &[u8]) -> bool {
    // Nearly every message begins so.
    if payload.starts_with(b"MSH|^~\\&|") {
        return false;
    }
    let damaged = [Error::BadEncodingCharacter, Error::DuplicateDelimiter];
    Message::parse(payload).is_err_and(|error| damaged.contains(&error))
}

fn is_ignored(payload: &[u8], header: &MessageHeader<'_>, scan: Scan) -> bool {
    if scan == Scan::Auto {
        return false;
    }
    // Every scan reads such a header alike. All of it is looked at, which vector instructions do.
    let is_certain = |certain, byte: &u8| certain & is_plain(byte);
    let is_certain = header.fields(3, 20).iter().fold(true, is_certain);
    let called_for = if is_certain { Scan::of(header) } else { Scan::detect(payload) };
    let is_ignored = called_for != Scan::SingleByte && called_for != scan;
    // In ASCII alone nothing can be misread.
    is_ignored && !payload.iter().all(is_plain)
}

/// Whether a byte is ASCII and does not begin an escape sequence of ISO 2022.
fn is_plain(byte: &u8) -> bool {
    byte.is_ascii() & (*byte != 0x1B)
}
