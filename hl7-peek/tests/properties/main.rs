//! What holds for every message, checked against a model that allocates, copies and is obvious.

mod model;

use hl7_peek::{
    CharacterSet, Delimiters, Error, Message, MessageHeader, Path, Scan, Status, Terminator, Value,
    escape, escaped_len, unescape,
};
use model::{Field, Model, model};
use proptest::collection::vec;
use proptest::prelude::*;

fn path(text: String) -> Path {
    text.parse().unwrap()
}

/// All that the model says about a field, against `get`, `leaf` and `value`.
fn check_field(message: &Message<'_>, model: &Model, address: &str, field: &Field) {
    let get = |text: String| message.get(path(text));
    assert_eq!(get(address.to_owned()), Some(&model.encode_field(field)[..]), "{address}");
    let first = &field[0][0][0][..];
    assert_eq!(message.leaf(path(address.to_owned())), Some(first), "{address}");
    assert_eq!(message.value(path(address.to_owned())), Value::of(Some(first)));
    for (r, repetition) in (1..).zip(field) {
        let raw = model.encode_field(&vec![repetition.clone()]);
        assert_eq!(get(format!("{address}[{r}]")), Some(&raw[..]));
        for (c, component) in (1..).zip(repetition) {
            let raw = model.encode_field(&vec![vec![component.clone()]]);
            assert_eq!(get(format!("{address}[{r}].{c}")), Some(&raw[..]));
            for (s, subcomponent) in (1..).zip(component) {
                assert_eq!(get(format!("{address}[{r}].{c}.{s}")), Some(&subcomponent[..]));
            }
            assert_eq!(get(format!("{address}[{r}].{c}.{}", component.len() + 1)), None);
        }
        assert_eq!(get(format!("{address}[{r}].{}", repetition.len() + 1)), None);
    }
    assert_eq!(get(format!("{address}[{}]", field.len() + 1)), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every node of every generated message is found under its address, and nothing beside it.
    #[test]
    fn get_finds_what_the_model_holds(model in model()) {
        let payload = model.encode();
        let message = Message::parse(&payload).unwrap();
        let [field, component, repetition, escape, subcomponent] = model.delimiters;
        prop_assert_eq!(message.delimiters(), Delimiters {
            field,
            component: Some(component),
            repetition: Some(repetition),
            escape: Some(escape),
            subcomponent: Some(subcomponent),
            truncation: None,
        });
        let is_lf = model.line_end == b"\n";
        let terminator = if is_lf { Terminator::LineFeed } else { Terminator::CarriageReturn };
        prop_assert_eq!(message.terminator(), terminator);

        prop_assert_eq!(message.get(path("MSH-1".into())), Some(&model.delimiters[..1]));
        prop_assert_eq!(message.get(path("MSH-2".into())), Some(&model.delimiters[1..]));
        prop_assert_eq!(message.get(path("MSH-2[1].1.1".into())), Some(&model.delimiters[1..]));
        prop_assert_eq!(message.get(path("MSH-2.2".into())), None);
        for (number, field) in (3..).zip(&model.header) {
            check_field(&message, &model, &format!("MSH-{number}"), field);
        }
        prop_assert_eq!(message.get(path(format!("MSH-{}", model.header.len() + 3))), None);

        let mut seen = std::collections::HashMap::new();
        for (id, fields) in &model.segments {
            let occurrence = seen.entry(&id[..]).and_modify(|count| *count += 1).or_insert(1);
            if id.len() != 3 {
                continue;
            }
            for (number, field) in (1..).zip(fields) {
                check_field(&message, &model, &format!("{id}[{occurrence}]-{number}"), field);
            }
            let beyond = format!("{id}[{occurrence}]-{}", fields.len() + 1);
            prop_assert_eq!(message.get(path(beyond)), None);
        }
        for id in ["PID", "OBX", "ZZ1"] {
            let beyond = seen.get(id).map_or(1, |count| count + 1);
            prop_assert_eq!(message.get(path(format!("{id}[{beyond}]"))), None);
        }
    }

    /// The iterators walk through exactly the nodes of the model.
    #[test]
    fn iterators_walk_the_model(model in model()) {
        let payload = model.encode();
        let message = Message::parse(&payload).unwrap();
        let walked: Vec<(Vec<u8>, Vec<Field>)> = message
            .segments()
            .map(|segment| {
                let fields = segment.fields().map(|field| {
                    field.repetitions().map(|repetition| {
                        repetition.components().map(|component| {
                            component.subcomponents().map(<[u8]>::to_vec).collect()
                        }).collect()
                    }).collect()
                });
                (segment.id().to_vec(), fields.collect())
            })
            .collect();

        let atomic = |bytes: &[u8]| vec![vec![vec![bytes.to_vec()]]];
        let mut header = vec![atomic(&model.delimiters[..1]), atomic(&model.delimiters[1..])];
        header.extend(model.header.clone());
        let mut expected = vec![(b"MSH".to_vec(), header)];
        for (id, fields) in &model.segments {
            expected.push((id.as_bytes().to_vec(), fields.clone()));
        }
        prop_assert_eq!(walked, expected);
    }

    /// `header`, `parse_lenient`, `parse_prefix` and `get` agree on MSH, whatever stands before it.
    #[test]
    fn every_way_to_the_header_agrees(
        model in model(),
        before in prop_oneof![Just(&b""[..]), Just(&b"\xEF\xBB\xBF"[..]), Just(&b"\r\n \t"[..])],
        through in 2usize..23,
        end in any::<prop::sample::Index>(),
    ) {
        let payload = [before, &model.encode()].concat();
        let message = Message::parse(&payload).unwrap();
        let header = message.header();
        for number in 1..=21 {
            let field = message.get(path(format!("MSH-{number}")));
            prop_assert_eq!(header.field(number), field.unwrap_or_default());
        }
        prop_assert_eq!(Some(header.raw()), message.get(path("MSH".into())));
        // From the first field on that is there, as many as there are.
        let separator = [header.delimiters().field];
        for (first, last) in (0..24).flat_map(|first| (0..24).map(move |last| (first, last))) {
            let in_range = (2..=21).contains(&first) && (first..=21).contains(&last);
            let there = |number: &usize| message.get(path(format!("MSH-{number}"))).is_some();
            let fields: Vec<&[u8]> = (first..=last)
                .take_while(|number| in_range && there(number))
                .map(|number| header.field(number))
                .collect();
            prop_assert_eq!(header.fields(first, last), fields.join(&separator[..]));
        }
        for (bytes, address) in [
            (header.message_code(), "MSH-9.1.1"),
            (header.trigger_event(), "MSH-9.2"),
            (header.message_structure(), "MSH-9.3"),
            (header.processing(), "MSH-11.1.1"),
            (header.version(), "MSH-12.1.1"),
            (header.character_set_first(), "MSH-18[1]"),
        ] {
            prop_assert_eq!(Some(bytes), message.get(path(address.into())).or(Some(b"")), "{}", address);
        }
        prop_assert_eq!(MessageHeader::parse_lenient(&payload), Some(header));
        // Another scan takes another way; on ASCII it must not matter.
        let is_ascii = payload.strip_prefix(before).unwrap().is_ascii();
        if is_ascii {
            for scan in [Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp] {
                prop_assert_eq!(Message::parse_with(&payload, scan).unwrap().header(), header);
            }
        }

        let prefix = &payload[..end.index(payload.len() + 1)];
        if let Status::Complete(early) = MessageHeader::parse_prefix(prefix, through).unwrap() {
            for number in 1..=21 {
                let expected: &[u8] = if number <= through { header.field(number) } else { b"" };
                prop_assert_eq!(early.field(number), expected);
            }
        }
        let late = MessageHeader::parse_prefix(&payload, through).unwrap();
        let Status::Complete(late) = late else { panic!("a whole message is no prefix") };
        // Equality looks at fields alone.
        let cut = (1..=21).any(|number| number > through && !header.field(number).is_empty());
        prop_assert_eq!(late == header, !cut);
    }

    /// No input makes anything panic, and what borrows stays inside the payload.
    #[test]
    fn no_bytes_panic(payload in wild(), other in wild(), number in 0usize..30, room in 0usize..40) {
        let text = String::from_utf8_lossy(&other);
        let paths = [Path::parse(&text), Path::parse_bytes(&other), Path::parse("OBX[2]-3[2].2.2"),
            Path::parse("MSH-9.2"), Path::parse("MSH[2]-2.1"), Path::parse("BHS-1"), Path::parse("PID")];
        for scan in [Scan::SingleByte, Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp] {
            let Ok(message) = Message::parse_with(&payload, scan) else { continue };
            let header = message.header();
            for path in paths.iter().flatten() {
                let found = message.get(*path);
                prop_assert!(found.is_none_or(|found| found.len() <= payload.len()));
                let leaf = message.leaf(*path);
                prop_assert!(leaf.unwrap_or_default().len() <= found.unwrap_or_default().len());
                prop_assert_eq!(path.to_string().parse(), Ok(*path));
            }
            for n in 0..22 {
                let path = Path::parse(&format!("MSH-{n}"));
                let field = path.ok().and_then(|path| message.get(path));
                prop_assert_eq!(header.field(n), field.unwrap_or_default());
            }
            for segment in message.segments() {
                let fields: Vec<_> = segment.fields().map(|field| field.raw()).collect();
                let nth = segment.field(number).map(|field| field.raw());
                prop_assert_eq!(nth, number.checked_sub(1).and_then(|n| fields.get(n)).copied());
                for field in segment.fields() {
                    let joined: usize = field
                        .repetitions()
                        .flat_map(|it| it.components())
                        .flat_map(|it| it.subcomponents())
                        .map(|it| it.len() + 1)
                        .sum();
                    prop_assert_eq!(joined, field.raw().len() + 1);
                }
            }
            let _ = (message.kind(), message.terminator(), CharacterSet::of(&header));
            let mut out = vec![0; room];
            for text in [&payload, &other] {
                let delimiters = message.delimiters();
                let needed = escaped_len(text, &delimiters);
                let written = escape(text, &delimiters, &mut out);
                let expected = if needed <= room { Ok(needed) } else { Err(Error::BufferTooSmall) };
                prop_assert_eq!(written, expected);
                let _ = unescape(text, &delimiters, &mut out);
            }
        }
        if let Ok(message) = Message::parse(&payload) {
            let has_msh = message.segments().any(|segment| segment.id() == b"MSH");
            let expected = has_msh.then(|| message.header());
            prop_assert_eq!(MessageHeader::parse_lenient(&payload), expected);
        }
        let _ = (MessageHeader::parse_lenient(&payload), CharacterSet::from_name(&payload));
    }

    /// Once complete or wrong, the answer for a prefix never changes.
    #[test]
    fn prefixes_never_change_their_mind(payload in wild(), through in 0usize..25) {
        let mut decided = None;
        for end in 0..=payload.len() {
            let answer = MessageHeader::parse_prefix(&payload[..end], through);
            match decided {
                None if answer == Ok(Status::Partial) => {}
                None => decided = Some(answer),
                Some(decided) => prop_assert_eq!(answer, decided),
            }
        }
        match (decided, Message::parse(&payload)) {
            (Some(Err(early)), full) => prop_assert_eq!(full.err(), Some(early)),
            (Some(Ok(Status::Complete(early))), full) => {
                let full = full.unwrap().header();
                for number in 1..=through.clamp(2, 21) {
                    prop_assert_eq!(early.field(number), full.field(number));
                }
            }
            // Partial to the end: only what is missing may be wrong.
            (_, Err(error)) => prop_assert!(
                matches!(error, Error::NoHeader | Error::ShortHeader | Error::NoEncodingCharacters)
            ),
            (_, Ok(_)) => {}
        }
    }

    /// What is escaped can be unescaped, holds no delimiter, and has the length announced.
    #[test]
    fn unescape_undoes_escape(text in vec(prop_oneof![any::<u8>(), delimiter_or_letter()], 0..60)) {
        let delimiters = Delimiters::default();
        let mut escaped = vec![0; 5 * text.len()];
        let len = escape(&text, &delimiters, &mut escaped).unwrap();
        escaped.truncate(len);
        prop_assert_eq!(escaped_len(&text, &delimiters), len);
        prop_assert!(!escaped.iter().any(|byte| b"|^~&\r\n".contains(byte)));
        let mut back = vec![0; len];
        let len = unescape(&escaped, &delimiters, &mut back).unwrap();
        prop_assert_eq!(&back[..len], &text[..]);
        if len > 0 {
            let room = len - 1;
            prop_assert_eq!(unescape(&escaped, &delimiters, &mut back[..room]),
                Err(Error::BufferTooSmall));
        }
    }

    /// Unescaping never needs more room than the text, and does what the model does.
    #[test]
    fn unescape_equals_the_model(text in vec(delimiter_or_letter(), 0..40)) {
        for delimiters in [Delimiters::default(), Delimiters { truncation: Some(b'#'),
            subcomponent: None, ..Delimiters::default() }] {
            let mut out = vec![0; text.len()];
            let len = unescape(&text, &delimiters, &mut out).unwrap();
            prop_assert_eq!(&out[..len], &unescape_model(&text, &delimiters)[..]);
        }
    }

    /// `Debug` shows lengths, not payloads.
    #[test]
    fn debug_holds_no_payload(mark in "[a-z]{12}") {
        let payload = format!("MSH|^~\\&|{mark}\rPID|{mark}^{mark}\r");
        let message = Message::parse(payload.as_bytes()).unwrap();
        let mut shown = format!("{message:?} {:?} {:?}", message.header(), message.segments());
        shown += &format!("{:?}", message.value(Path::parse("PID-1").unwrap()));
        shown += &format!("{:?}", MessageHeader::parse_prefix(payload.as_bytes(), 3));
        for segment in message.segments() {
            shown += &format!("{segment:?} {:?}", segment.fields());
            for field in segment.fields() {
                shown += &format!("{field:?} {:?}", field.repetitions());
                for repetition in field.repetitions() {
                    shown += &format!("{repetition:?} {:?}", repetition.components());
                    for component in repetition.components() {
                        shown += &format!("{component:?} {:?}", component.subcomponents());
                    }
                }
            }
        }
        prop_assert!(!shown.contains(&mark), "{}", shown);
        // Nor as a list of numbers.
        let numbers = format!("{:?}", mark.as_bytes());
        prop_assert!(!shown.contains(numbers.trim_matches(['[', ']'])), "{}", shown);
    }
}

/// Bytes that are nearly messages, and bytes that are not.
fn wild() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 10] = [
        b"MSH",
        b"BHS|^~\\&",
        b"\rMSH|^~\\&|",
        b"\rPID|",
        b"\rOBX|",
        b"\x1B$B",
        b"\x1B(B",
        b"\x83",
        b"\r\n",
        b"\n",
    ];
    let piece = prop_oneof![
        4 => delimiter_or_letter().prop_map(|byte| vec![byte]),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => prop::sample::select(pieces.to_vec()).prop_map(<[u8]>::to_vec),
    ];
    let start = prop_oneof![
        4 => Just(&b"MSH|^~\\&"[..]),
        1 => Just(&b"MSH|"[..]),
        1 => Just(&b"FHS#*+"[..]),
        1 => Just(&b"\xEF\xBB\xBF \rMSH"[..]),
        1 => Just(&b""[..]),
    ];
    (start, vec(piece, 0..60)).prop_map(|(start, pieces)| [start, &pieces.concat()].concat())
}

fn delimiter_or_letter() -> impl Strategy<Value = u8> {
    prop::sample::select(&b"||||^^~\\\\\\&#\r\nFSTREPXHNCMZ.0aQ"[..])
}

/// The definition of HL7 v2.9.1 chapter 2, 2.6, one character after the other.
fn unescape_model(text: &[u8], delimiters: &Delimiters) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let close = text[at + 1..].iter().position(|&byte| byte == b'\\').map(|len| at + 1 + len);
        let (b'\\', Some(close)) = (text[at], close) else {
            out.push(text[at]);
            at += 1;
            continue;
        };
        let body = &text[at + 1..close];
        let character = match body {
            b"F" => Some(delimiters.field),
            b"S" => delimiters.component,
            b"T" => delimiters.subcomponent,
            b"R" => delimiters.repetition,
            b"E" => delimiters.escape,
            b"P" => delimiters.truncation,
            _ => None,
        };
        let hex =
            body.strip_prefix(b"X").map(|digits| String::from_utf8_lossy(digits).into_owned());
        let hex = hex.filter(|digits| {
            !digits.is_empty()
                && digits.len() % 2 == 0
                && digits.chars().all(|c| c.is_ascii_hexdigit())
        });
        if let Some(character) = character {
            out.push(character);
        } else if let Some(digits) = hex {
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            out.extend((0..digits.len()).step_by(2).map(byte));
        } else if body.first().is_some_and(|first| b".HNCMZ".contains(first)) {
            out.extend_from_slice(&text[at..=close]);
        } else {
            out.push(text[at]);
            at += 1;
            continue;
        }
        at = close + 1;
    }
    out
}
