//! Values of a message as Python has them, and how they are written.

use hl7_edit::{Content, Error as EditError, MessageBuf};
use hl7_peek::{Delimiters, Message as Peek, Path, Scan, escape_with, escaped_len_with};
use hl7_text::unescaped;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString, PyType};

use crate::message::character_set::{ERRORS, encode, sets_of};
use crate::message::error::{edit_error, wrong_type};

const ESC: u8 = 0x1B;

/// The class of a text that stands in a message as it is.
pub(crate) fn raw_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let members = PyDict::new(py);
        members.set_item("__module__", "fastmllp_engine")?;
        members.set_item("__slots__", ())?;
        members.set_item(
            "__doc__",
            "Text as it stands in a message: the separators and escape sequences in it are structure.\
             \n\nReading a node that has more than one value gives one, and writing one keeps the\
             structure: `msg[\"PID-5\"] = Raw(\"DOE^JANE\")`.",
        )?;
        let bases = (py.get_type::<PyString>(),);
        let class = py.get_type::<PyType>().call1(("Raw", bases, members))?;
        PyResult::Ok(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

/// The separators below the level of a path: what makes several values of its node.
fn inner_separators(path: Path, delimiters: &Delimiters) -> [Option<u8>; 3] {
    let Delimiters { repetition, component, subcomponent, .. } = *delimiters;
    match (path.repetition(), path.component(), path.subcomponent()) {
        (.., Some(_)) => [None; 3],
        (_, Some(_), _) => [subcomponent, None, None],
        (Some(_), ..) => [component, subcomponent, None],
        _ => [repetition, component, subcomponent],
    }
}

/// The text of a node: one value is unescaped, several come as they stand.
pub(crate) fn text<'py>(
    py: Python<'py>,
    message: &Peek<'_>,
    path: Path,
    node: &[u8],
    encoding: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let (delimiters, scan) = (message.delimiters(), message.scan());
    let is_one = path.field().is_some_and(|field| {
        let inner = inner_separators(path, &delimiters).into_iter().flatten();
        is_definition(path, field) || !inner.into_iter().any(|at| scan.find(at, node).is_some())
    });
    let escape = delimiters.escape.filter(|escape| scan.find(*escape, node).is_some());
    let is_definition = path.field().is_some_and(|field| is_definition(path, field));
    if is_one && (is_definition || escape.is_none()) && is_plain(node) {
        return Ok(PyString::new(py, core::str::from_utf8(node).unwrap_or_default()).into_any());
    }
    let sets = sets_of(py, &message.header(), encoding, node)?;
    if is_one && !is_definition && !is_ambiguous(node, &delimiters, scan) {
        return Ok(sets.decode(py, node, &delimiters, ERRORS)?.into_any());
    }
    let text = sets.decode_plain(py, node, ERRORS)?;
    if is_definition { Ok(text.into_any()) } else { raw_class(py)?.call1((text,)) }
}

/// MSH-1 and MSH-2 are the delimiters themselves, never escaped.
pub(crate) fn is_definition(path: Path, field: u32) -> bool {
    field < 3 && matches!(path.segment(), b"MSH" | b"FHS" | b"BHS")
}

fn is_plain(value: &[u8]) -> bool {
    value.is_ascii() && !value.contains(&ESC)
}

/// Whether a value has a literal escape character that would open a formatting sequence when it is
/// written again: only its escaped form can say what it is.
fn is_ambiguous(value: &[u8], delimiters: &Delimiters, scan: Scan) -> bool {
    let Some(escape) = delimiters.escape else { return false };
    let sequence = [escape, b'E', escape];
    value.windows(sequence.len()).any(|part| part == sequence)
        && kept_sequence(&unescaped(value, delimiters, scan), delimiters, scan).is_some()
}

/// Where the first formatting, highlighting, character set or local sequence stands in a text. One with
/// a delimiter in it is none: it would be cut there.
fn kept_sequence(text: &[u8], delimiters: &Delimiters, scan: Scan) -> Option<(usize, usize)> {
    let Delimiters { field, component, repetition, subcomponent, truncation, escape } = *delimiters;
    let cutting = [Some(field), component, repetition, subcomponent, truncation];
    let is_cut = |body: &[u8]| body.iter().any(|byte| cutting.contains(&Some(*byte)));
    let mut from = 0;
    loop {
        let start = from + scan.find(escape?, text.get(from..)?)?;
        let after = text.get(start + 1..)?;
        let body = after.get(..scan.find(escape?, after)?)?;
        if matches!(body, [b'.' | b'H' | b'N' | b'C' | b'M' | b'Z', ..]) && !is_cut(body) {
            return Some((start, start + body.len() + 2));
        }
        from = start + 1;
    }
}

/// What is written into a message.
pub(crate) enum Given {
    /// One value, all of which is escaped but for formatting sequences.
    Text(Vec<u8>),
    /// As it stands.
    Raw(Vec<u8>),
    /// The node is deleted.
    Nothing,
}

impl Given {
    /// A value from Python, in the set of this message.
    pub(crate) fn of(
        value: &Bound<'_, PyAny>,
        message: &Peek<'_>,
        encoding: Option<&str>,
    ) -> PyResult<Given> {
        if value.is_none() {
            return Ok(Given::Nothing);
        }
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Given::Raw(bytes.as_bytes().to_vec()));
        }
        let Ok(text) = value.cast::<PyString>() else {
            return Err(wrong_type("a value", "str, bytes or None", value));
        };
        let bytes = encode(text, message, encoding)?;
        let is_raw = !value.is_exact_instance_of::<PyString>()
            && value.is_instance(raw_class(value.py())?)?;
        Ok(if is_raw { Given::Raw(bytes) } else { Given::Text(bytes) })
    }

    /// Its form in a message with these delimiters.
    pub(crate) fn content(self, delimiters: &Delimiters, scan: Scan) -> Option<Form> {
        match self {
            Given::Nothing => None,
            Given::Raw(bytes) => Some(Form { bytes, is_raw: true }),
            Given::Text(bytes) => Some(match kept_sequence(&bytes, delimiters, scan) {
                Some(_) => Form { bytes: formatted(&bytes, delimiters, scan), is_raw: true },
                None => Form { bytes, is_raw: false },
            }),
        }
    }
}

/// What a node is set to.
pub(crate) struct Form {
    bytes: Vec<u8>,
    is_raw: bool,
}

impl Form {
    pub(crate) fn as_content(&self) -> Content<'_> {
        if self.is_raw { Content::Raw(&self.bytes) } else { Content::Text(&self.bytes) }
    }
}

/// A text with formatting sequences: these stay, and all else is escaped.
fn formatted(text: &[u8], delimiters: &Delimiters, scan: Scan) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, end)) = kept_sequence(rest, delimiters, scan) {
        push_escaped(rest.get(..start).unwrap_or_default(), delimiters, scan, &mut out);
        out.extend_from_slice(rest.get(start..end).unwrap_or_default());
        rest = rest.get(end..).unwrap_or_default();
    }
    push_escaped(rest, delimiters, scan, &mut out);
    out
}

fn push_escaped(text: &[u8], delimiters: &Delimiters, scan: Scan, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let cut = delimiters.truncation.and_then(|truncation| scan.find(truncation, rest));
        let piece = cut.map_or(rest, |at| rest.get(..at).unwrap_or_default());
        let start = out.len();
        out.resize(start + escaped_len_with(piece, delimiters, scan), 0);
        // The room is exactly what it needs.
        let _ = escape_with(piece, delimiters, scan, out.get_mut(start..).unwrap_or_default());
        let (Some(at), Some(escape)) = (cut, delimiters.escape) else { return };
        out.extend_from_slice(&[escape, b'P', escape]);
        rest = rest.get(at + 1..).unwrap_or_default();
    }
}

/// Writes a value to the node of a path, or deletes that.
pub(crate) fn write(
    py: Python<'_>,
    message: &mut MessageBuf,
    path: Path,
    form: Option<&Form>,
) -> PyResult<()> {
    let done = match form {
        Some(form) => message.set(path, form.as_content()),
        None if path.field().is_none() => Err(EditError::BadPath),
        None => message.delete(path).map(|_| ()),
    };
    done.map_err(|error| edit_error(py, error))
}
