//! How the payload of a message is read.

use hl7_peek::{Message as Peek, MessageHeader, Scan};
use hl7_text::has_alternates;
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
