//! How the payload of a message is read.

use hl7_peek::{CharacterSet, Message as Peek, MessageHeader, Scan};
use pyo3::prelude::*;

use crate::error::message_error;

#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) scan: Scan,
    pub(crate) lenient: bool,
}

impl Reading {
    pub(crate) fn peek<'a>(self, payload: &'a [u8]) -> PyResult<Peek<'a>> {
        let scan = match self.scan {
            Scan::SingleByte if announces_escape_sequences(payload) => Scan::Iso2022Jp,
            scan => scan,
        };
        // What not even the lenient reading can use, the strict one explains.
        let lenient = self.lenient.then(|| Peek::parse_lenient(payload, scan)).flatten();
        match lenient {
            Some(message) => Ok(message),
            None => Peek::parse_with(payload, scan).map_err(message_error),
        }
    }
}

/// Whether escape sequences of ISO 2022 are in the payload, and its header announces them beside its
/// default set: by a further repetition of MSH-18, or by MSH-20.
///
/// Between them no byte is a delimiter, and no other text holds an ESC, so this can be told from the
/// message alone. Nearly every message costs a search for one byte.
fn announces_escape_sequences(payload: &[u8]) -> bool {
    payload.contains(&0x1B) && Scan::detect(payload) == Scan::Iso2022Jp && {
        let header = MessageHeader::parse_lenient_with(payload, Scan::Iso2022Jp);
        header.is_some_and(|header| has_alternates(&header))
    }
}

/// Whether a header names more than the set of the whole message.
pub(crate) fn has_alternates(header: &MessageHeader<'_>) -> bool {
    header.character_set() != header.character_set_first()
        || !header.alternate_character_set_handling_scheme().is_empty()
}

/// The codec of text without escape sequences.
pub(crate) fn default_codec(set: CharacterSet) -> Option<&'static str> {
    match set {
        // Empty means ASCII, which UTF-8 contains; many senders leave it empty and send UTF-8.
        CharacterSet::Ascii => Some("utf-8"),
        // No message that came in a frame is in UTF-16 or UTF-32: the name is wrong, and says as little.
        set if !set.allowed_in_mllp() => Some("utf-8"),
        // These are reached by escape sequences; what stands before the first one is ASCII.
        set if set.scan() == Scan::Iso2022Jp => Some("ascii"),
        set => set.codec(),
    }
}
