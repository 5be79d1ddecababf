//! What holds for every message and every change, checked against lists that are copied and obvious.

mod model;

use hl7_edit::{Content, Error, MessageBuf};
use hl7_peek::{Delimiters, Message, Path, Scan, unescape_with};
use model::{Change, change, escape, model};
use proptest::collection::vec;
use proptest::prelude::*;

const SCANS: [Scan; 4] = [Scan::SingleByte, Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp];

fn apply(message: &mut MessageBuf, change: &Change) -> Result<bool, Error> {
    match change {
        Change::Set(at, text) => message.set(at.path(), &text[..]).map(|()| true),
        Change::Delete(at) => message.delete(at.path()),
        Change::AddRepetition(at, text) => {
            message.add_repetition(at.path(), &text[..]).map(|()| true)
        }
        Change::InsertRepetition(at, text) => {
            message.insert_repetition(at.path(), &text[..]).map(|()| true)
        }
        Change::AddSegment(id) => message.add_segment(id.as_bytes()).map(|()| true),
        Change::InsertSegment { at, is_before: true, id } => {
            message.insert_segment_before(at.path(), id.as_bytes()).map(|()| true)
        }
        Change::InsertSegment { at, is_before: false, id } => {
            message.insert_segment_after(at.path(), id.as_bytes()).map(|()| true)
        }
    }
}

fn unescaped(text: &[u8], delimiters: &Delimiters, scan: Scan) -> Vec<u8> {
    let mut out = text.to_vec();
    let len = unescape_with(text, delimiters, scan, &mut out).unwrap();
    out.truncate(len);
    out
}

/// Every value of a message, unescaped, under the numbers of its node.
fn values(message: &Message<'_>) -> Vec<(Vec<usize>, Vec<u8>)> {
    let mut values = Vec::new();
    for (s, segment) in message.segments().enumerate() {
        let definitions = if segment.id() == b"MSH" { 2 } else { 0 };
        for (f, field) in segment.fields().enumerate().skip(definitions) {
            for (r, repetition) in field.repetitions().enumerate() {
                for (c, component) in repetition.components().enumerate() {
                    for (n, value) in component.subcomponents().enumerate() {
                        let value = unescaped(value, &message.delimiters(), message.scan());
                        values.push((vec![s, f, r, c, n], value));
                    }
                }
            }
        }
    }
    values
}

/// Every field with its segment, as it stands.
fn fields(message: &Message<'_>) -> Vec<Vec<Vec<u8>>> {
    let fields = |segment: hl7_peek::Segment<'_>| {
        let id = segment.id().to_vec();
        let fields = segment.fields().map(|field| field.raw().to_vec());
        [id].into_iter().chain(fields).collect()
    };
    message.segments().map(fields).collect()
}

/// A message with bytes of every kind in its values.
fn wild() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(&b"|^~\\&#\r\n\x1B$(B!\x83\x81\x7CFX.0a"[..]),
        1 => any::<u8>(),
    ];
    let line = vec(byte, 0..12).prop_map(|rest| [&b"PID|"[..], &rest].concat());
    vec(line, 0..4).prop_map(|lines| [b"MSH|^~\\&#|A".to_vec(), lines.join(&b'\r')].join(&b'\r'))
}

fn address() -> impl Strategy<Value = Path> {
    "(PID(\\[[1-3]\\])?-[1-5]|MSH-[3-5])(\\[[1-3]\\])?(\\.[1-3](\\.[1-3])?)?"
        .prop_map(|text| text.parse().unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => prop::sample::select(&b"|^~\\&#\r\n\x0B\x1C\x1B$(B\x83\x7CFX0D."[..]),
        1 => any::<u8>(),
    ];
    vec(byte, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any changes, one after the other, give the bytes and the errors of the model.
    #[test]
    fn changes_are_those_of_the_model(mut model in model(), changes in vec(change(), 1..12)) {
        let mut message = MessageBuf::parse(model.encode()).unwrap();
        for change in changes {
            prop_assert_eq!(apply(&mut message, &change), model.apply(&change), "{:?}", change);
            let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
            prop_assert_eq!(shown(message.as_bytes()), shown(&model.encode()), "{:?}", change);
        }
    }

    /// What is written is read back, in every character set, and no other field changes.
    #[test]
    fn a_text_is_read_back(payload in wild(), path in address(), text in bytes(), scan in 0..4usize) {
        let scan = SCANS[scan];
        let mut message = MessageBuf::parse_with(&payload[..], scan).unwrap();
        match message.set(path, &text[..]) {
            Err(_) => prop_assert_eq!(message.as_bytes(), &payload[..]),
            Ok(()) => {
                let after = message.message().unwrap();
                let written = message.get(path).unwrap_or_default();
                prop_assert_eq!(unescaped(written, &after.delimiters(), scan), text);
                check_others(&payload, &message, path, scan)?;
            }
        }
    }

    /// Raw bytes stay inside the node that they are written to.
    #[test]
    fn raw_bytes_stay_inside(payload in wild(), path in address(), raw in bytes(), scan in 0..4usize) {
        let scan = SCANS[scan];
        let mut message = MessageBuf::parse_with(&payload[..], scan).unwrap();
        match message.set(path, Content::Raw(&raw)) {
            Err(_) => prop_assert_eq!(message.as_bytes(), &payload[..]),
            Ok(()) => check_others(&payload, &message, path, scan)?,
        }
    }

    /// A message means the same with other separators, and with its own again.
    #[test]
    fn values_survive_other_separators(payload in wild(), scan in 0..4usize) {
        let scan = SCANS[scan];
        let mut message = MessageBuf::parse_with(&payload[..], scan).unwrap();
        let before = values(&message.message().unwrap());
        for separators in [&b":!@*%?"[..], br"^|*~!\", br"|^~\&#"] {
            match message.reencode(separators) {
                Ok(()) => {}
                Err(error) => {
                    prop_assert_eq!(error, Error::OpenCharacter);
                    prop_assert_ne!(scan, Scan::SingleByte);
                    return Ok(());
                }
            }
            let after = message.message().unwrap();
            prop_assert_eq!(after.encoding_characters(), &separators[1..]);
            for ((place, value), expected) in values(&after).iter().zip(&before) {
                prop_assert_eq!(place, &expected.0);
                check_value(value, &expected.1);
            }
            prop_assert_eq!(values(&after).len(), before.len());
        }
    }

    /// The naive escape and that of `hl7_peek` agree on what a text is.
    #[test]
    fn the_model_escapes_as_hl7_peek_reads(text in bytes()) {
        let back = unescaped(&escape(&text), &Delimiters::default(), Scan::SingleByte);
        prop_assert_eq!(back, text);
    }
}

/// Sequences that stay, such as `\.br\`, stand between other escape characters, and so do truncation
/// characters; everything else is the same.
fn check_value(value: &[u8], expected: &[u8]) {
    let plain = |text: &[u8]| -> Vec<u8> {
        text.iter().map(|byte| if b"#?\\*~".contains(byte) { b'_' } else { *byte }).collect()
    };
    assert_eq!(plain(value).escape_ascii().to_string(), plain(expected).escape_ascii().to_string());
}

/// Every field but the one of the path is as it was; new ones are empty.
fn check_others(
    payload: &[u8],
    message: &MessageBuf,
    path: Path,
    scan: Scan,
) -> Result<(), TestCaseError> {
    let mut before = fields(&Message::parse_with(payload, scan).unwrap());
    let mut after = fields(&message.message().unwrap());
    let mut named = after.iter().enumerate().filter(|(_, fields)| fields[0] == path.segment());
    let Some((index, _)) = named.nth(path.occurrence() as usize - 1) else {
        prop_assert_eq!(message.as_bytes(), payload);
        return Ok(());
    };
    let number = path.field().unwrap() as usize;
    if before.len() == index {
        before.push(vec![path.segment().to_vec()]);
    }
    let len = before[index].len().max(after[index].len()).max(number + 1);
    for message in [&mut before, &mut after] {
        message[index].resize(len, Vec::new());
        message[index][number].clear();
    }
    prop_assert_eq!(before, after);
    Ok(())
}
