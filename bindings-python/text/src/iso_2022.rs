//! Text in several character sets, switched to by the escape sequences of ISO 2022.

use pyo3::exceptions::PyUnicodeDecodeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::sets::decode as decode_by;

pub(crate) const ESC: u8 = 0x1B;

/// A set that is designated to a half of the code table.
#[derive(Clone, Copy, PartialEq)]
enum Set {
    /// That of the whole message.
    Default,
    Ascii,
    /// JIS X 0201: ISO IR14.
    Roman,
    /// JIS X 0201: ISO IR13.
    Katakana,
    /// JIS X 0208: ISO IR87.
    Kanji,
    /// JIS X 0212: ISO IR159.
    MoreKanji,
    /// GB 2312: ISO IR58.
    Chinese,
    /// KS X 1001: ISO IR149.
    Korean,
    /// A right half of 96 characters, such as a part of ISO 8859, by the codec that has it.
    Upper(&'static str),
    Unknown,
}

/// Which half of the code table: 21 to 7E, or A0 to FF.
enum Half {
    Left,
    Right,
}

/// Decodes a value, which begins in the set of the whole message.
///
/// `errors` is as for `bytes.decode`. A set that is not known counts as undecodable, byte by byte, and
/// so does what follows any other escape sequence that is not known. An ESC that begins none stays as
/// it is.
pub(crate) fn decode<'py>(
    py: Python<'py>,
    value: &[u8],
    default_codec: &str,
    errors: &str,
) -> PyResult<Bound<'py, PyString>> {
    let parts = PyList::empty(py);
    let (mut left, mut right) = (Set::Default, Set::Default);
    let mut rest = value;
    while !rest.is_empty() {
        if let Some((half, set, after)) = designation(rest) {
            match half {
                Half::Left => left = set,
                Half::Right => right = set,
            }
            rest = after;
            continue;
        }
        let begins = |at: &usize| rest.get(*at..).and_then(designation).is_some();
        let end = (1..rest.len()).find(begins).unwrap_or(rest.len());
        let (stretch, after) = rest.split_at(end);
        rest = after;
        if matches!(left, Set::Default | Set::Ascii) && right == Set::Default {
            parts.append(decode_by(py, stretch, default_codec, errors)?)?;
            continue;
        }
        for run in stretch.chunk_by(|a, b| kind(*a) == kind(*b)) {
            let set = match kind(run.first().copied().unwrap_or_default()) {
                Kind::Control => Set::Ascii,
                Kind::Left => left,
                Kind::Right => right,
            };
            parts.append(decode_run(py, set, run, default_codec, errors)?)?;
        }
    }
    Ok(PyString::new(py, "").call_method1("join", (parts,))?.cast_into()?)
}

/// The set that an escape sequence designates, and the text behind it.
///
/// An escape sequence is an ESC, intermediate bytes from 20 to 2F, and a final byte from 30 to 7E
/// (ECMA-35, 13.2). All that designate a set or change the code have an intermediate byte.
fn designation(text: &[u8]) -> Option<(Half, Set, &[u8])> {
    Some(match text {
        [ESC, b'$', b'(', set, after @ ..] => (Half::Left, two_bytes(*set), after),
        [ESC, b'$', b')', set, after @ ..] => (Half::Right, two_bytes(*set), after),
        [ESC, b'$', set @ b'@'..=b'B', after @ ..] => (Half::Left, two_bytes(*set), after),
        [ESC, b'(', set, after @ ..] => (Half::Left, one_byte(*set), after),
        [ESC, b')', set, after @ ..] => (Half::Right, one_byte(*set), after),
        [ESC, b'-', set, after @ ..] => (Half::Right, upper(*set), after),
        [ESC, 0x20..=0x2F, rest @ ..] => (Half::Left, Set::Unknown, behind_final(rest)?),
        _ => return None,
    })
}

/// What follows the final byte, before which there may be more intermediate bytes.
fn behind_final(text: &[u8]) -> Option<&[u8]> {
    // A loop: a message may hold a million blanks behind an ESC.
    let at = text.iter().position(|byte| !(0x20..=0x2F).contains(byte))?;
    match text.get(at..)? {
        [0x30..=0x7E, after @ ..] => Some(after),
        _ => None,
    }
}

fn two_bytes(set: u8) -> Set {
    match set {
        b'@' | b'B' => Set::Kanji,
        b'A' => Set::Chinese,
        b'C' => Set::Korean,
        b'D' => Set::MoreKanji,
        _ => Set::Unknown,
    }
}

fn one_byte(set: u8) -> Set {
    match set {
        b'B' => Set::Ascii,
        b'J' => Set::Roman,
        b'I' => Set::Katakana,
        _ => Set::Unknown,
    }
}

fn upper(set: u8) -> Set {
    Set::Upper(match set {
        b'A' => "iso8859-1",
        b'B' => "iso8859-2",
        b'C' => "iso8859-3",
        b'D' => "iso8859-4",
        b'F' => "iso8859-7",
        b'G' => "iso8859-6",
        b'H' => "iso8859-8",
        b'L' => "iso8859-5",
        b'M' => "iso8859-9",
        b'T' => "iso8859-11",
        b'V' => "iso8859-10",
        b'Y' => "iso8859-13",
        b'_' => "iso8859-14",
        b'b' => "iso8859-15",
        b'f' => "iso8859-16",
        _ => return Set::Unknown,
    })
}

#[derive(PartialEq)]
enum Kind {
    /// Controls and the space, which are the same in every set.
    Control,
    Left,
    Right,
}

fn kind(byte: u8) -> Kind {
    match byte {
        0..=0x20 | 0x7F => Kind::Control,
        0x21..=0x7E => Kind::Left,
        0x80.. => Kind::Right,
    }
}

/// Decodes characters of one set. The codecs of Python have the sets in the right half, mostly.
fn decode_run<'py>(
    py: Python<'py>,
    set: Set,
    run: &[u8],
    default_codec: &str,
    errors: &str,
) -> PyResult<Bound<'py, PyString>> {
    let raised: Vec<u8> = run.iter().map(|byte| byte | 0x80).collect();
    let by = |bytes: &[u8], codec: &str| decode_by(py, bytes, codec, errors);
    match set {
        Set::Default => by(run, default_codec),
        Set::Ascii => by(run, "ascii"),
        Set::Roman => {
            let lowered = run.iter().map(|byte| byte & 0x7F);
            by(&[ESC, b'(', b'J'].into_iter().chain(lowered).collect::<Vec<u8>>(), "iso2022_jp")
        }
        Set::Katakana => by(&raised, "shift_jis"),
        Set::Kanji => kanji(py, &raised, errors),
        Set::MoreKanji => {
            let marked: Vec<u8> =
                raised.chunks(2).flat_map(|pair| [&[0x8F], pair].concat()).collect();
            by(&marked, "euc_jp")
        }
        Set::Chinese => by(&raised, "gb2312"),
        Set::Korean => by(&raised, "euc_kr"),
        Set::Upper(codec) => by(&raised, codec),
        // ASCII has no character for any of them.
        Set::Unknown => by(&raised, "ascii"),
    }
}

/// JIS X 0208 and, in the rows that it leaves free, the characters that NEC and IBM have put there:
/// names hold them.
fn kanji<'py>(py: Python<'py>, raised: &[u8], errors: &str) -> PyResult<Bound<'py, PyString>> {
    match decode_by(py, raised, "euc_jp", "strict") {
        Err(error) if error.is_instance_of::<PyUnicodeDecodeError>(py) => {}
        decoded => return decoded,
    }
    let parts = PyList::empty(py);
    for pair in raised.chunks(2) {
        let text = match (decode_by(py, pair, "euc_jp", "strict"), shifted(pair)) {
            (Ok(text), _) => text,
            (Err(_), Some(pair)) => decode_by(py, &pair, "cp932", errors)?,
            (Err(_), None) => decode_by(py, pair, "euc_jp", errors)?,
        };
        parts.append(text)?;
    }
    Ok(PyString::new(py, "").call_method1("join", (parts,))?.cast_into()?)
}

/// A character of EUC-JP as Shift_JIS writes it.
fn shifted(pair: &[u8]) -> Option<[u8; 2]> {
    let [row @ 0xA1..=0xFE, cell @ 0xA1..=0xFE] = *pair else { return None };
    let (row, cell) = (row - 0xA1, cell - 0xA1);
    let lead = row / 2 + if row < 62 { 0x81 } else { 0xC1 };
    let trail = match (row % 2, cell) {
        (0, 63..) => cell + 0x41,
        (0, _) => cell + 0x40,
        _ => cell + 0x9F,
    };
    Some([lead, trail])
}
