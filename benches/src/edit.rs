//! Changing a message. Every run begins with the bytes as they arrived, so it makes its own copy.

use std::hint::black_box;

use hl7_edit::{Content, Error, MessageBuf};
use hl7_peek::{Message, Path, Scan};

use crate::messages;

/// A message to copy from.
const OTHER: &[u8] = b"MSH|^~\\&|REG\rPID|1||100123\rNK1|1|DOE^JIM^R|CHD^CHILD\rPV1|1|I\r";

/// One change of the ADT message.
pub struct Edit {
    pub name: &'static str,
    payload: Vec<u8>,
    scan: Scan,
    change: fn(&mut MessageBuf) -> Result<(), Error>,
    /// The message afterwards.
    expected: Vec<u8>,
}

/// Every change that is measured. The first one changes nothing: the others contain it.
pub fn edits() -> Vec<Edit> {
    let adt = || messages::adt().payload;
    let edit = |name, change, expected| {
        let (payload, scan) = (adt(), Scan::SingleByte);
        Edit { name, payload, scan, change, expected }
    };
    let created = replaced(adt(), b"^SSA^SS|", b"^SSA^SS~^^^&X|");
    vec![
        edit("parse", |_| Ok(()), adt()),
        edit("set", set, replaced(adt(), b"|DOE^JANE", br"|DOE \T\ SON^JANE")),
        edit("create", create, [&created[..], b"NTE|||checked\r"].concat()),
        edit("copy", copy, [&adt()[..], b"NK1|1|DOE^JIM^R|CHD^CHILD\r"].concat()),
        edit("reencode", reencode, with_other_separators(adt())),
        Edit {
            name: "reencode-two-byte",
            payload: in_shift_jis(adt()),
            scan: Scan::ShiftJis,
            change: reencode,
            expected: in_shift_jis(with_other_separators(adt())),
        },
    ]
}

impl Edit {
    pub fn expected_len(&self) -> u64 {
        self.expected.len() as u64
    }

    /// What is run: it returns the length of the changed message, whose bytes are compared once, here.
    pub fn runner(self) -> impl FnMut() -> u64 {
        let Edit { payload, scan, change, expected, .. } = self;
        let run = move || -> Result<Vec<u8>, Error> {
            let mut message = MessageBuf::parse_with(black_box(&payload[..]), scan)?;
            change(&mut message)?;
            Ok(message.into_bytes())
        };
        let changed = run().unwrap_or_default();
        assert_eq!(changed.escape_ascii().to_string(), expected.escape_ascii().to_string());
        move || run().map_or(0, |changed| black_box(changed).len() as u64)
    }
}

fn path(text: &str) -> Result<Path, Error> {
    Ok(Path::parse(black_box(text))?)
}

/// One value, with a character in it that has to be escaped.
fn set(message: &mut MessageBuf) -> Result<(), Error> {
    message.set(path("PID-5.1")?, "DOE & SON")
}

/// A repetition with components and a subcomponent, then a segment.
fn create(message: &mut MessageBuf) -> Result<(), Error> {
    message.set(path("PID-3[3].4.2")?, "X")?;
    message.set(path("NTE-3")?, Content::Raw(b"checked"))
}

fn copy(message: &mut MessageBuf) -> Result<(), Error> {
    let other = Message::parse(black_box(OTHER))?;
    message.copy(&other, path("NK1")?, path("NK1[2]")?).map(drop)
}

fn reencode(message: &mut MessageBuf) -> Result<(), Error> {
    message.reencode(black_box(b":!@*%"))
}

/// A message without escape sequences, as [`reencode`] has to write it.
fn with_other_separators(payload: Vec<u8>) -> Vec<u8> {
    let (from, to) = (br"|^~\&", b":!@*%");
    let other = |byte| from.iter().position(|old| *old == byte).map_or(byte, |at| to[at]);
    payload.into_iter().map(other).collect()
}

/// The patient's first name in katakana, whose second bytes are `|`, `^` and `\` in ASCII.
fn in_shift_jis(payload: Vec<u8>) -> Vec<u8> {
    replaced(payload, b"JANE", b"\x83\x7C\x83\x5E\x83\x5C")
}

/// What stands once in a message, replaced.
fn replaced(payload: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    let places: Vec<usize> =
        (0..payload.len()).filter(|at| payload[*at..].starts_with(old)).collect();
    let [at] = places[..] else { panic!("{} stands at {places:?}", old.escape_ascii()) };
    [&payload[..at], new, &payload[at + old.len()..]].concat()
}
