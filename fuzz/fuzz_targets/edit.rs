//! A change does what it says or nothing; what is written is read back, and no other field changes.

#![no_main]

mod input;

use hl7_edit::{Content, MessageBuf};
use hl7_peek::{Message, Path, Scan, Segment, unescape_with};
use input::Input;
use libfuzzer_sys::fuzz_target;

const SCANS: [Scan; 5] =
    [Scan::SingleByte, Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp, Scan::Auto];
const SEPARATORS: [&[u8]; 4] = [br"|^~\&", b":!@*%", b"|^~\\&#", b"^|*"];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (call, scan) = (input.byte() % 10, input.choose(&SCANS));
    let separators = input.choose(&SEPARATORS);
    let (path, content) = (input.text(), input.text());
    let payload = input.rest();

    let path = Path::parse_bytes(path).ok().or_else(|| Path::parse("PID-3[2].4.1").ok());
    let (Some(path), Ok(mut message)) = (path, MessageBuf::parse_with(payload, scan)) else {
        return;
    };
    let before = message.clone();
    let raw = Content::Raw(content);
    let done = match call {
        0..=2 => message.set(path, content),
        3 => message.set(path, raw),
        4 => message.delete(path).map(drop),
        5 => message.add_repetition(path, raw),
        6 => message.insert_repetition(path, raw),
        7 => message.insert_segment_before(path, content),
        8 => message.insert_segment_after(path, content),
        _ => message.reencode(separators),
    };
    if done.is_err() {
        assert_eq!(message.as_bytes(), before.as_bytes());
        return;
    }
    let (old, new) = (before.message().unwrap(), message.message().unwrap());
    // A header alone may have no terminator left.
    assert!(new.segments().count() == 1 || new.terminator() == old.terminator());
    match call {
        0..=2 => {
            assert_eq!(unescaped(&new, message.get(path).unwrap_or_default()), content);
            check_others(&old, &new, path);
        }
        3 | 5 | 6 => check_others(&old, &new, path),
        4 if path.field().is_some() => check_others(&old, &new, path),
        4 | 7 | 8 => {
            let (old, new) = (old.segments().count(), new.segments().count());
            assert!(if call == 4 { old - new <= 1 } else { new - old == 1 });
        }
        _ => {
            assert_eq!(new.segments().count(), old.segments().count());
            assert_eq!(new.encoding_characters(), &separators[1..]);
        }
    }
    check_copy(&new, path, separators);
});

/// A copy into a message with other separators and back is the value that it was.
fn check_copy(from: &Message<'_>, path: Path, separators: &[u8]) {
    let header = [b"MSH", separators].concat();
    let mut there = MessageBuf::parse_with(header, from.scan()).unwrap();
    let path = Path::parse(&format!("{path}")).unwrap();
    let to = Path::parse("ZZ1-1.1.1").unwrap();
    let Some(value) = from.get(path).filter(|_| path.subcomponent().is_some()) else { return };
    if there.copy(from, path, to) == Ok(true) {
        let copied = there.get(to).unwrap_or_default();
        let there = there.message().unwrap();
        let plain = |text: Vec<u8>| -> Vec<u8> {
            let changes = |byte: &u8| byte.is_ascii_punctuation();
            text.iter().map(|byte| if changes(byte) { b'_' } else { *byte }).collect()
        };
        assert_eq!(plain(unescaped(&there, copied)), plain(unescaped(from, value)));
    }
}

/// Every field but the one of the path is as it was; new ones are empty.
fn check_others(old: &Message<'_>, new: &Message<'_>, path: Path) {
    let fields = |segment: Segment<'_>| -> Vec<Vec<u8>> {
        let fields = segment.fields().map(|field| field.raw().to_vec());
        [segment.id().to_vec()].into_iter().chain(fields).collect()
    };
    let mut before: Vec<_> = old.segments().map(fields).collect();
    let mut after: Vec<_> = new.segments().map(fields).collect();
    let mut named = after.iter().enumerate().filter(|(_, fields)| fields[0] == path.segment());
    let Some((index, _)) = named.nth(path.occurrence() as usize - 1) else {
        assert_eq!(new.payload(), old.payload());
        return;
    };
    let number = path.field().unwrap() as usize;
    if before.len() == index {
        before.push(vec![path.segment().to_vec()]);
    }
    let len = before[index].len().max(after[index].len()).max(number.min(10_000) + 1);
    for message in [&mut before, &mut after] {
        message[index].resize(len, Vec::new());
        if let Some(field) = message[index].get_mut(number) {
            field.clear();
        }
    }
    assert_eq!(before, after);
}

fn unescaped(message: &Message<'_>, text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let len = unescape_with(text, &message.delimiters(), message.scan(), &mut out).unwrap();
    out.truncate(len);
    out
}
