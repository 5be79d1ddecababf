//! Values as text: unescaped, and decoded by the character sets that MSH-18 and MSH-20 name.

use std::borrow::Cow;

use hl7_peek::{CharacterSet, Delimiters, Error, MessageHeader, Scan, unescape_with};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::iso_2022;
use crate::{default_codec, has_alternates};

/// MSH-18 names a set that cannot be decoded.
pub struct UnknownSet {
    /// Its name, as it stands in MSH-18.
    pub name: Vec<u8>,
    /// Whether the set is known, but Python has no codec for it.
    pub is_known: bool,
}

/// The character sets of a message.
#[derive(Clone)]
pub struct Sets {
    /// The Python codec of the set that every value begins in.
    codec: Cow<'static, str>,
    /// How the delimiters of that set are found.
    scan: Scan,
    /// Whether escape sequences switch to other sets.
    switches: bool,
}

impl Sets {
    /// Those that a header names.
    ///
    /// # Errors
    ///
    /// The first one is not known, or Python has no codec for it.
    pub fn of(header: &MessageHeader<'_>) -> Result<Sets, UnknownSet> {
        let set = CharacterSet::of(header);
        let unknown =
            || UnknownSet { name: header.character_set_first().to_vec(), is_known: set.is_some() };
        let codec = set.and_then(default_codec).ok_or_else(unknown)?;
        Ok(Sets::beginning_in(codec, header))
    }

    /// Those of a header whose values begin in the set of this codec, whatever its MSH-18 says of that.
    pub fn beginning_in(codec: impl Into<Cow<'static, str>>, header: &MessageHeader<'_>) -> Sets {
        Sets {
            codec: codec.into(),
            scan: Scan::of(header),
            switches: CharacterSet::switches(header) || has_alternates(header),
        }
    }

    /// The text that an escaped value stands for.
    ///
    /// `errors` is as for `bytes.decode`, here and below.
    ///
    /// # Errors
    ///
    /// What the codec raises.
    pub fn decode<'py>(
        &self,
        py: Python<'py>,
        value: &[u8],
        delimiters: &Delimiters,
        errors: &str,
    ) -> PyResult<Bound<'py, PyString>> {
        let value = if self.switches { designated(value, delimiters) } else { value.into() };
        let value = unescaped(&value, delimiters, self.scan);
        self.decode_plain(py, &value, errors)
    }

    /// The text that bytes stand for.
    ///
    /// # Errors
    ///
    /// What the codec raises.
    pub fn decode_plain<'py>(
        &self,
        py: Python<'py>,
        value: &[u8],
        errors: &str,
    ) -> PyResult<Bound<'py, PyString>> {
        if self.switches && value.contains(&iso_2022::ESC) {
            return iso_2022::decode(py, value, &self.codec, errors);
        }
        decode(py, value, &self.codec, errors)
    }
}

/// The text that bytes stand for by one codec of Python.
///
/// # Errors
///
/// What the codec raises.
pub fn decode<'py>(
    py: Python<'py>,
    value: &[u8],
    codec: &str,
    errors: &str,
) -> PyResult<Bound<'py, PyString>> {
    let text = PyBytes::new(py, value).call_method1("decode", (codec, errors))?;
    Ok(text.cast_into()?)
}

/// The bytes that an escaped value stands for.
pub fn unescaped(value: &[u8], delimiters: &Delimiters, scan: Scan) -> Vec<u8> {
    let mut out = vec![0; value.len()];
    // It is never longer than the value, so it fits.
    let len: Result<usize, Error> = unescape_with(value, delimiters, scan, &mut out);
    out.truncate(len.unwrap_or_default());
    out
}

/// The escape sequences of HL7 for character sets (2.7.2), `\C2842\` and `\M2442\`, written as those of
/// ISO 2022, whose bytes behind the ESC they give in hexadecimal.
fn designated<'v>(value: &'v [u8], delimiters: &Delimiters) -> Cow<'v, [u8]> {
    let Some(escape) = delimiters.escape else { return value.into() };
    let mut parts = value.split(|byte| *byte == escape).peekable();
    let mut out = Vec::new();
    let mut found = false;
    while let Some(part) = parts.next() {
        match part {
            [b'C' | b'M', digits @ ..] if is_designation(digits) && parts.peek().is_some() => {
                out.extend_from_slice(b"X1B");
                out.extend_from_slice(digits);
                found = true;
            }
            part => out.extend_from_slice(part),
        }
        if parts.peek().is_some() {
            out.push(escape);
        }
    }
    if found { out.into() } else { value.into() }
}

fn is_designation(digits: &[u8]) -> bool {
    matches!(digits.len(), 4 | 6) && digits.iter().all(u8::is_ascii_hexdigit)
}
