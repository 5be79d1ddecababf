//! Nothing panics, what is found lies in the payload, every way to a value agrees, and escaping can be undone.

#![no_main]

mod input;

use std::collections::HashMap;

use hl7_peek::{
    CharacterSet, Delimiters, Error, Kind, Message, MessageHeader, Path, Scan, Status, escape,
    escaped_len, unescape,
};
use input::Input;
use libfuzzer_sys::fuzz_target;

const SCANS: [Scan; 4] = [Scan::SingleByte, Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp];

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (through, cut, room) = (input.byte(), input.byte(), input.byte());
    let (through, room) = (usize::from(through % 25), usize::from(room));
    let text = input.text();
    let numbers = [(); 5].map(|()| input.byte() % 8);
    let payload = input.rest();

    let paths = paths(text, numbers, payload);
    for scan in SCANS {
        match Message::parse_with(payload, scan) {
            Ok(message) => {
                check_message(&message, &paths);
                walk(&message, scan);
            }
            Err(error) => assert_eq!(Message::parse(payload).err(), Some(error)),
        }
    }
    check_header(payload);
    check_prefix(payload, payload.len() * usize::from(cut) / 255, through);

    let own = Message::parse(payload).map(|message| message.delimiters()).unwrap_or_default();
    for delimiters in [Delimiters::default(), own] {
        for text in [text, payload] {
            check_escape(text, &delimiters, room);
        }
    }
    for name in [text, payload] {
        if let Some(set) = CharacterSet::from_name(name) {
            assert_eq!(CharacterSet::from_name(set.name().as_bytes()), Some(set));
            let _ = (set.codec(), set.delimiter_safe(), set.scan(), set.allowed_in_mllp());
        }
    }
});

/// Asserts that a slice was lent from the payload, and gives it back.
#[track_caller]
fn inside<'a>(payload: &[u8], slice: &'a [u8]) -> &'a [u8] {
    let (all, part) = (payload.as_ptr_range(), slice.as_ptr_range());
    // An empty slice has no place.
    assert!(slice.is_empty() || all.start <= part.start && part.end <= all.end);
    slice
}

/// Paths as the input spells them, and paths to segments that the payload may have.
fn paths(text: &[u8], numbers: [u8; 5], payload: &[u8]) -> Vec<Path> {
    let [occurrence, field, repetition, component, subcomponent] = numbers;
    let mut ids: Vec<&[u8]> = vec![b"MSH", b"PID", b"OBX"];
    ids.extend(
        payload.split(|byte| b"\r\n".contains(byte)).filter_map(|line| line.get(..3)).take(4),
    );
    let mut paths: Vec<Path> = Path::parse_bytes(text).into_iter().collect();
    for id in ids {
        let id = String::from_utf8_lossy(id);
        let segment = format!("{id}[{occurrence}]");
        for address in [
            format!("{id}-{field}"),
            format!("{segment}-{field}[{repetition}]"),
            format!("{segment}-{field}[{repetition}].{component}.{subcomponent}"),
            segment,
        ] {
            paths.extend(Path::parse(&address));
        }
    }
    for path in &paths {
        assert_eq!(path.to_string().parse(), Ok(*path));
    }
    paths
}

fn check_message(message: &Message<'_>, paths: &[Path]) {
    let payload = message.payload();
    inside(payload, message.encoding_characters());
    for path in paths {
        let found = message.get(*path);
        let leaf = message.leaf(*path);
        inside(payload, found.unwrap_or_default());
        inside(payload, leaf.unwrap_or_default());
        assert!(path.field().is_none() || found.is_some() == leaf.is_some());
        assert!(leaf.unwrap_or_default().len() <= found.unwrap_or_default().len());
        assert_eq!(message.value(*path), hl7_peek::Value::of(leaf));
        assert_eq!(found, by_iterators(message, *path));
    }
    let header = message.header();
    for number in 0..22 {
        inside(payload, header.field(number));
        let path = Path::parse(&format!("MSH-{number}")).ok();
        let field = path.and_then(|path| message.get(path));
        assert_eq!(header.field(number), field.unwrap_or_default());
    }
    for part in [
        header.message_code(),
        header.trigger_event(),
        header.message_structure(),
        header.version(),
        header.processing(),
        header.character_set_first(),
    ] {
        inside(payload, part);
    }
    let headers = message.segments().filter(|segment| segment.id() == b"MSH").count();
    let first = message.segments().next().map(|segment| segment.id());
    let single = headers == 1 && first == Some(b"MSH");
    assert_eq!(message.kind() == Kind::Single, single);
    let _ = (message.terminator(), CharacterSet::of(&header), format!("{message:?} {header:?}"));
}

/// `get`, said in iterators.
fn by_iterators<'a>(message: &Message<'a>, path: Path) -> Option<&'a [u8]> {
    let nth = |number: u32| number as usize - 1;
    let segment = message
        .segments()
        .filter(|segment| segment.id() == path.segment())
        .nth(nth(path.occurrence()))?;
    let Some(field) = path.field() else { return Some(segment.raw()) };
    let field = segment.fields().nth(nth(field))?;
    let Some(repetition) = path.repetition() else { return Some(field.raw()) };
    let repetition = field.repetitions().nth(nth(repetition))?;
    let Some(component) = path.component() else { return Some(repetition.raw()) };
    let component = repetition.components().nth(nth(component))?;
    let Some(subcomponent) = path.subcomponent() else { return Some(component.raw()) };
    component.subcomponents().nth(nth(subcomponent))
}

/// Visits every node: it lies in the payload, it is what a naive split gives, and `get` finds it.
fn walk(message: &Message<'_>, scan: Scan) {
    let payload = message.payload();
    let Delimiters { field: separator, component, repetition, subcomponent, .. } =
        message.delimiters();
    let (mut occurrences, mut visited) = (HashMap::new(), 0u32);
    for segment in message.segments() {
        inside(payload, segment.raw());
        let id = segment.id();
        let occurrence = *occurrences.entry(id).and_modify(|count| *count += 1).or_insert(1);
        let addressable = id.len() == 3 && Path::parse_bytes(id).is_ok();
        let mut check = |numbers: [usize; 4], node: &[u8]| {
            inside(payload, node);
            visited += 1;
            // A search for every node of a long message would take the time of other inputs.
            if addressable && (visited < 50 || visited.is_multiple_of(61)) {
                let path = address(id, occurrence, numbers);
                assert_eq!(message.get(Path::parse(&path).unwrap()), Some(node), "{path}");
            }
        };
        let is_header = matches!(id, b"MSH" | b"FHS" | b"BHS");
        let fields: Vec<&[u8]> = segment.fields().map(|field| field.raw()).collect();
        if is_header {
            let rest = segment.raw().get(4..).unwrap_or_default();
            assert_eq!(fields[0], [separator]);
            assert_eq!(fields[1..], split(rest, Some(separator), scan));
        } else {
            assert_eq!(fields, split(segment.raw(), Some(separator), scan)[1..]);
        }
        for (f, field) in (1..).zip(segment.fields()) {
            check([f, 0, 0, 0], field.raw());
            // MSH-1 and MSH-2 are not cut by what they define.
            let by = |delimiter: Option<u8>| delimiter.filter(|_| !is_header || f > 2);
            let repetitions: Vec<_> = field.repetitions().collect();
            let raw: Vec<&[u8]> = repetitions.iter().map(|part| part.raw()).collect();
            assert_eq!(raw, split(field.raw(), by(repetition), scan));
            for (r, repetition) in (1..).zip(repetitions) {
                check([f, r, 0, 0], repetition.raw());
                let components: Vec<_> = repetition.components().collect();
                let raw: Vec<&[u8]> = components.iter().map(|part| part.raw()).collect();
                assert_eq!(raw, split(repetition.raw(), by(component), scan));
                for (c, component) in (1..).zip(components) {
                    check([f, r, c, 0], component.raw());
                    let subcomponents: Vec<&[u8]> = component.subcomponents().collect();
                    assert_eq!(subcomponents, split(component.raw(), by(subcomponent), scan));
                    for (s, subcomponent) in (1..).zip(subcomponents) {
                        check([f, r, c, s], subcomponent);
                    }
                }
            }
        }
    }
}

/// A path as text; a number of 0 is left out.
fn address(id: &[u8], occurrence: u32, numbers: [usize; 4]) -> String {
    let [field, repetition, component, subcomponent] = numbers;
    let mut path = format!("{}[{occurrence}]-{field}", String::from_utf8_lossy(id));
    for (number, piece) in [
        (repetition, format!("[{repetition}]")),
        (component, format!(".{component}")),
        (subcomponent, format!(".{subcomponent}")),
    ] {
        if number > 0 {
            path += &piece;
        }
    }
    path
}

/// Cuts at every separator that is a character of its own: the definition, character by character.
fn split(text: &[u8], separator: Option<u8>, scan: Scan) -> Vec<&[u8]> {
    let (mut parts, mut from, mut at, mut ascii) = (Vec::new(), 0, 0, true);
    while at < text.len() {
        let byte = text[at];
        let (len, plain) = match (scan, &text[at..]) {
            (Scan::ShiftJis, _) if matches!(byte, 0x81..=0x9F | 0xE0..=0xFC) => (2, false),
            (Scan::Gb18030, _) if matches!(byte, 0x81..=0xFE) => (2, false),
            (Scan::Iso2022Jp, [0x1B, b'$', _, ..]) => {
                ascii = false;
                (3, false)
            }
            (Scan::Iso2022Jp, [0x1B, b'(', set, ..]) => {
                ascii = b"BJ".contains(set);
                (3, false)
            }
            _ => (1, ascii),
        };
        if plain && Some(byte) == separator {
            parts.push(&text[from..at]);
            from = at + 1;
        }
        at += len;
    }
    parts.push(&text[from..]);
    parts
}

/// The lenient header is the header wherever there is one.
fn check_header(payload: &[u8]) {
    let lenient = MessageHeader::parse_lenient(payload);
    if let Some(header) = lenient {
        for number in 0..23 {
            inside(payload, header.field(number));
        }
        let Delimiters { field, component, repetition, escape, subcomponent, truncation } =
            header.delimiters();
        assert_eq!(header.field_separator(), [field]);
        let mut all = vec![field];
        all.extend([component, repetition, escape, subcomponent, truncation].into_iter().flatten());
        assert!(all.iter().all(u8::is_ascii_punctuation));
        all.sort_unstable();
        assert!(all.is_sorted_by(|a, b| a < b), "two delimiters are the same");
    }
    if let Ok(message) = Message::parse(payload) {
        let has_header = message.segments().any(|segment| segment.id() == b"MSH");
        assert_eq!(lenient, has_header.then(|| message.header()));
    }
}

/// Once a prefix is enough, or wrong, the rest of the message changes nothing.
fn check_prefix(payload: &[u8], cut: usize, through: usize) {
    let early = MessageHeader::parse_prefix(&payload[..cut], through);
    let late = MessageHeader::parse_prefix(payload, through);
    if early != Ok(Status::Partial) {
        assert_eq!(early, late);
    }
    match late {
        Ok(Status::Complete(header)) => {
            let whole = Message::parse(payload).expect("a complete prefix is no message").header();
            let through = through.clamp(2, 21);
            for number in 1..22 {
                let expected = if number <= through { whole.field(number) } else { b"" };
                assert_eq!(inside(payload, header.field(number)), expected);
            }
        }
        Ok(Status::Partial) => {}
        Err(error) => assert_eq!(Message::parse(payload).err(), Some(error)),
    }
}

fn check_escape(text: &[u8], delimiters: &Delimiters, room: usize) {
    let needed = escaped_len(text, delimiters);
    let mut escaped = vec![0; needed];
    assert_eq!(escape(text, delimiters, &mut escaped), Ok(needed));
    let expected = if needed <= room { Ok(needed) } else { Err(Error::BufferTooSmall) };
    assert_eq!(escape(text, delimiters, &mut vec![0; room]), expected);
    let Delimiters { field, component, repetition, subcomponent, .. } = *delimiters;
    for byte in [Some(field), component, repetition, subcomponent, Some(b'\r'), Some(b'\n')] {
        assert!(byte.is_none_or(|byte| !escaped.contains(&byte)));
    }
    if delimiters.escape.is_some() {
        assert_eq!(unescaped(&escaped, delimiters, room), text);
    }
    unescaped(text, delimiters, room);
}

/// A buffer of the length of the text is always enough.
fn unescaped(text: &[u8], delimiters: &Delimiters, room: usize) -> Vec<u8> {
    let mut out = vec![0; text.len()];
    let len = unescape(text, delimiters, &mut out).expect("longer than the text");
    let expected = if len <= room { Ok(len) } else { Err(Error::BufferTooSmall) };
    assert_eq!(unescape(text, delimiters, &mut vec![0; room]), expected);
    out.truncate(len);
    out
}
