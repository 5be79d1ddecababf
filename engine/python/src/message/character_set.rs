//! In which character set the values of a message are.
//!
//! MSH-18 decides. Where it says nothing about characters that are not ASCII, or names a set that is not
//! known, the `encoding` of the connection does, and UTF-8 where that is not given.

use hl7_peek::{CharacterSet, Message as Peek, MessageHeader, Scan};
use hl7_text::{Sets, codecs_of, default_codec, is_wide};
use pyo3::exceptions::PyUnicodeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::message::error::character_set_error;

/// A byte that is not in the set becomes a lone surrogate, which is written as the same byte again: a
/// value that is copied is never damaged.
pub(crate) const ERRORS: &str = "surrogateescape";

/// How the delimiters of a message are told from the bytes of longer characters.
pub(crate) fn scan_of(payload: &[u8], encoding: Option<&str>) -> Scan {
    match (Scan::detect(payload), encoding) {
        (Scan::SingleByte, Some(encoding)) => {
            let named = CharacterSet::from_name(encoding.as_bytes());
            let scan = named.map_or(Scan::SingleByte, CharacterSet::scan);
            let header = MessageHeader::parse_lenient_with(payload, scan);
            match header.is_some_and(|header| says_nothing(&header)) {
                true => scan,
                false => Scan::SingleByte,
            }
        }
        (scan, _) => scan,
    }
}

/// Whether MSH-18 leaves open how characters that are not ASCII are written.
fn says_nothing(header: &MessageHeader<'_>) -> bool {
    let set = CharacterSet::of(header).filter(|set| *set != CharacterSet::Ascii);
    // A set that Python has no codec for is as good as none.
    set.and_then(default_codec).is_none() || is_wide(header)
}

/// The sets by which values are read. ASCII values are read whatever MSH-18 says.
pub(crate) fn sets_of(
    py: Python<'_>,
    header: &MessageHeader<'_>,
    encoding: Option<&str>,
    value: &[u8],
) -> PyResult<Sets> {
    match encoding {
        Some(encoding) if says_nothing(header) => {
            Ok(Sets::beginning_in(encoding.to_owned(), header))
        }
        _ => match Sets::of(header) {
            Ok(sets) => Ok(sets),
            Err(_) if value.is_ascii() => Ok(Sets::beginning_in("ascii", header)),
            Err(_) => Err(unknown(py)),
        },
    }
}

fn unknown(py: Python<'_>) -> PyErr {
    let text = "MSH-18 names a character set that cannot be decoded";
    character_set_error(py, text, "unknown_character_set")
}

/// The bytes of a text in the set of a message.
///
/// # Errors
///
/// The set is not known, or lacks a character.
pub(crate) fn encode(
    text: &Bound<'_, PyString>,
    message: &Peek<'_>,
    encoding: Option<&str>,
) -> PyResult<Vec<u8>> {
    if let Ok(text) = text.to_str()
        && text.is_ascii()
    {
        return Ok(text.as_bytes().to_vec());
    }
    let py = text.py();
    let header = &message.header();
    let codecs = match (encoding, CharacterSet::of(header)) {
        (Some(encoding), _) if says_nothing(header) => vec![encoding],
        (None, None) => return Err(unknown(py)),
        // As it is read: an empty MSH-18 means ASCII, and many senders mean UTF-8 by it.
        (None, Some(_)) if header.character_set().is_empty() || is_wide(header) => vec!["utf-8"],
        _ => codecs_of(header),
    };
    for codec in codecs {
        match text.call_method1("encode", (codec, ERRORS)) {
            Ok(bytes) => return bytes.extract(),
            Err(error) if error.is_instance_of::<PyUnicodeError>(py) => {}
            Err(error) => return Err(error),
        }
    }
    let reason = "the text has a character that the character set of the message lacks";
    Err(character_set_error(py, reason, "unencodable"))
}
