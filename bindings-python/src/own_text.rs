//! The character set of what an acknowledgment says itself: one for the whole acknowledgment.

use std::borrow::Cow;

use hl7_peek::{CharacterSet, MessageHeader, Scan};
use hl7_text::{codecs_of, is_wide};
use pyo3::exceptions::PyUnicodeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::input::Input;

/// How the texts of one acknowledgment are encoded, and what MSH-18 and MSH-20 say of it.
pub(crate) struct OwnText {
    /// A Python codec.
    pub(crate) codec: String,
    /// How delimiters in the encoded texts are told from the bytes of longer characters.
    pub(crate) scan: Scan,
    /// MSH-18, where the message names no set that is known and the texts are not ASCII.
    pub(crate) label: Option<String>,
    /// Whether the codec has no bytes for some character, which becomes `?`.
    pub(crate) is_lossy: bool,
}

impl OwnText {
    /// The set that MSH-18 of the message names, for what is mirrored is in that set. Where it names none
    /// that is known, `encoding`, a Python codec, or ASCII where the mirrored bytes are not in that.
    pub(crate) fn choose(
        py: Python<'_>,
        header: Option<&MessageHeader<'_>>,
        scan: Scan,
        texts: &[&str],
        encoding: &str,
    ) -> PyResult<OwnText> {
        if texts.iter().all(|text| text.is_ascii()) {
            return Ok(OwnText { codec: "ascii".into(), scan, label: None, is_lossy: false });
        }
        let named = header.filter(|header| names_a_set(header));
        let codecs = match (named, header) {
            (Some(header), _) => codecs_of(header),
            (None, Some(header)) => vec![codec_of_copies(py, header, usable(encoding))?],
            (None, None) => vec![usable(encoding)],
        };
        let mut chosen = (codecs.last().copied().unwrap_or("ascii"), true);
        for codec in codecs {
            if encodes(py, texts, codec)? {
                chosen = (codec, false);
                break;
            }
        }
        let (codec, is_lossy) = chosen;
        let label = match named {
            None if codec != "ascii" => Some(hl7_name(py, codec)?),
            _ => None,
        };
        Ok(OwnText { codec: codec.into(), scan: scan_of(codec), label, is_lossy })
    }

    /// The bytes of a text; what the set lacks becomes `?`.
    pub(crate) fn bytes<'t>(&self, py: Python<'_>, text: &'t str) -> PyResult<Cow<'t, [u8]>> {
        if text.is_ascii() {
            return Ok(text.as_bytes().into());
        }
        Ok(encode(py, text, &self.codec, "replace")?.into())
    }
}

impl OwnText {
    /// [`bytes`](OwnText::bytes) of several texts.
    pub(crate) fn all_bytes<'t, const N: usize>(
        &self,
        py: Python<'_>,
        texts: [&'t str; N],
    ) -> PyResult<[Cow<'t, [u8]>; N]> {
        let mut all = [const { Cow::Borrowed(&[] as &[u8]) }; N];
        for (bytes, text) in all.iter_mut().zip(texts) {
            *bytes = self.bytes(py, text)?;
        }
        Ok(all)
    }

    /// [`bytes`](OwnText::bytes) of a text that may not be given.
    pub(crate) fn given<'t>(
        &self,
        py: Python<'_>,
        text: Option<&'t str>,
    ) -> PyResult<Option<Cow<'t, [u8]>>> {
        text.map(|text| self.bytes(py, text)).transpose()
    }
}

/// Whether what an acknowledgment copies of a message is in the sets of these names, of which the first
/// has that codec: the message names the same, or the bytes are in that codec where it names none.
pub(crate) fn copies_fit(
    py: Python<'_>,
    header: Option<&MessageHeader<'_>>,
    names: &str,
    codec: &str,
) -> PyResult<bool> {
    let Some(header) = header else { return Ok(true) };
    let copied = header.fields(3, 12);
    if copied.iter().all(|byte| byte.is_ascii() && *byte != 0x1B) {
        return Ok(true);
    }
    if header.character_set().is_empty() || is_wide(header) {
        return decodes(py, copied, codec);
    }
    // An unknown set has the codec ASCII too.
    Ok(header.character_set() == names.as_bytes()
        || (codec != "ascii" && codecs_of(header) == [codec]))
}

/// Whether MSH-18 names a set that is known, and that a message which came in a frame can be in.
fn names_a_set(header: &MessageHeader<'_>) -> bool {
    !header.character_set().is_empty() && CharacterSet::of(header).is_some() && !is_wide(header)
}

/// The codec of what an acknowledgment copies of a message that names no set; ASCII where that is
/// neither in UTF-8, which a sender most likely means by UTF-16 and UTF-32, nor in `encoding`.
fn codec_of_copies<'e>(
    py: Python<'_>,
    header: &MessageHeader<'_>,
    encoding: &'e str,
) -> PyResult<&'e str> {
    let copied = header.fields(3, 12);
    if copied.contains(&0x1B) {
        // Names in ISO 2022, although nothing announces it: their bytes are ASCII, and they are not.
        return Ok("ascii");
    }
    if is_wide(header) && decodes(py, copied, "utf-8")? {
        return Ok("utf-8");
    }
    Ok(if decodes(py, copied, encoding)? { encoding } else { "ascii" })
}

/// `encoding`, or ASCII where its bytes cannot travel in a frame.
fn usable(encoding: &str) -> &str {
    let set = CharacterSet::from_name(encoding.as_bytes());
    if set.is_none_or(CharacterSet::allowed_in_mllp) { encoding } else { "ascii" }
}

fn scan_of(codec: &str) -> Scan {
    if codec.starts_with("iso2022") {
        return Scan::Iso2022Jp;
    }
    CharacterSet::from_name(codec.as_bytes()).map_or(Scan::SingleByte, CharacterSet::scan)
}

/// What HL7 calls the set of a codec; what Python calls it where HL7 has no name.
fn hl7_name(py: Python<'_>, codec: &str) -> PyResult<String> {
    if let Some(set) = CharacterSet::from_name(codec.as_bytes()) {
        return Ok(set.name().into());
    }
    let found = py.import("codecs")?.call_method1("lookup", (codec,))?;
    let name: String = found.getattr("name")?.extract()?;
    let set = CharacterSet::from_name(name.as_bytes());
    Ok(set.map_or_else(|| name.to_uppercase(), |set| set.name().into()))
}

fn encode(py: Python<'_>, text: &str, codec: &str, errors: &str) -> PyResult<Vec<u8>> {
    PyString::new(py, text).call_method1("encode", (codec, errors))?.extract()
}

/// Whether a codec has bytes for every character of the texts.
fn encodes(py: Python<'_>, texts: &[&str], codec: &str) -> PyResult<bool> {
    for text in texts {
        if !holds(py, encode(py, text, codec, "strict").map(|_| ()))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn decodes(py: Python<'_>, bytes: &[u8], codec: &str) -> PyResult<bool> {
    if bytes.is_ascii() {
        return Ok(true);
    }
    holds(py, PyBytes::new(py, bytes).call_method1("decode", (codec,)).map(|_| ()))
}

/// Whether a codec did what was asked; other failures, as of one that does not exist, are errors.
fn holds(py: Python<'_>, outcome: PyResult<()>) -> PyResult<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if error.is_instance_of::<PyUnicodeError>(py) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The Python codecs of the sets that MSH-18 of a payload names, that of the whole message first; empty
/// where it names none, or one that is not known. Never raises for what a payload holds.
#[pyfunction]
pub(crate) fn named_codecs(payload: Input<'_>) -> Vec<&'static str> {
    let header = MessageHeader::parse_lenient_with(&payload, Scan::Auto);
    let named = header.filter(|header| !header.character_set().is_empty());
    let known = named.filter(|header| {
        let set = CharacterSet::of(header).filter(|set| set.allowed_in_mllp());
        set.and_then(CharacterSet::codec).is_some()
    });
    known.map_or_else(Vec::new, |header| codecs_of(&header))
}
