//! What is unusual about a payload that was framed well.

use hl7_peek::{Error, Message, Scan};

/// What a reader of messages is warned of, by name.
///
/// * `bad_encoding_characters`: MSH-2 is not what it should be, such as `^~\\&` from a source text, and
///   was read leniently.
/// * `scan_mismatch`: `scan` ignores a set of MSH-18 whose characters may hold the bytes of delimiters,
///   so that fields may be cut in the middle of a character.
///
/// Costs what [`Scan::detect`] does.
pub(crate) fn of_payload(payload: &[u8], scan: Scan) -> &'static [&'static str] {
    match (is_damaged(payload), is_ignored(payload, scan)) {
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

fn is_ignored(payload: &[u8], scan: Scan) -> bool {
    let called_for = Scan::detect(payload);
    scan != Scan::Auto && called_for != Scan::SingleByte && called_for != scan
}
