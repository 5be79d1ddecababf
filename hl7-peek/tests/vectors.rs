//! The shared test vectors: the same files are run by every language.

use hl7_peek::{
    CharacterSet, Delimiters, Error, Kind, Message, MessageHeader, Path, Scan, Status, Terminator,
    Value, escape, escaped_len, unescape,
};
use serde_json::Value as Json;

#[test]
fn messages() {
    let vectors = load("hl7_peek.json");
    let messages = vectors["messages"].as_array().unwrap();
    assert!(messages.len() >= 20);
    for case in messages {
        let id = text(&case["id"]);
        let payload = hex(&case["msg_hex"]);
        let message = Message::parse(&payload).unwrap_or_else(|error| panic!("{id}: {error}"));

        assert_eq!(message.payload(), payload, "{id}");
        assert_eq!(message.delimiters(), delimiters(&case["delims"]), "{id}");
        let terminator = match text(&case["terminator"]) {
            "cr" => Terminator::CarriageReturn,
            "lf" => Terminator::LineFeed,
            other => panic!("{id}: {other}"),
        };
        assert_eq!(message.terminator(), terminator, "{id}");
        let ids: Vec<_> = message.segments().map(|segment| latin1(segment.id())).collect();
        let expected: Vec<_> =
            case["segments"].as_array().unwrap().iter().map(|id| text(id).to_owned()).collect();
        assert_eq!(ids, expected, "{id}");
        let kind = if id == "batch" { Kind::Batch } else { Kind::Single };
        assert_eq!(message.kind(), kind, "{id}");

        for query in case["queries"].as_array().unwrap() {
            check_query(id, &message, query);
        }
    }
}

fn check_query(id: &str, message: &Message<'_>, query: &Json) {
    let path = Path::parse(text(&query["path"])).unwrap();
    let (raw, leaf) = (message.get(path), message.leaf(path));
    assert_eq!(raw.map(latin1), optional(&query["raw"]), "{id} {path}");
    assert_eq!(leaf.map(latin1), optional(&query["leaf"]), "{id} {path}");
    assert_eq!(status(Value::of(raw)), text(&query["raw_status"]), "{id} {path}");
    if path.field().is_none() {
        assert_eq!(message.value(path), Value::Absent, "{id} {path}");
        return;
    }
    assert_eq!(status(message.value(path)), text(&query["leaf_status"]), "{id} {path}");

    let expected = optional(&query["text"]);
    let value = match message.value(path) {
        Value::Value(value) => Some(value),
        _ => None,
    };
    let is_atomic = ["MSH", "FHS", "BHS"].map(str::as_bytes).contains(&path.segment())
        && matches!(path.field(), Some(1 | 2));
    let unescaped = value.map(|value| {
        if is_atomic {
            return latin1(value);
        }
        let mut out = vec![0; value.len()];
        let len = unescape(value, &message.delimiters(), &mut out).unwrap();
        latin1(&out[..len])
    });
    assert_eq!(unescaped, expected, "{id} {path}");
}

/// `header()` and `get("MSH-n")` are two ways to the same bytes.
#[test]
fn header_fields_are_those_of_get() {
    let vectors = load("hl7_peek.json");
    for case in vectors["messages"].as_array().unwrap() {
        let payload = hex(&case["msg_hex"]);
        let message = Message::parse(&payload).unwrap();
        let header = message.header();
        for number in 1..=21 {
            let path = Path::parse(&format!("MSH-{number}")).unwrap();
            assert_eq!(header.field(number), message.get(path).unwrap_or_default(), "{path}");
        }
        assert_eq!(MessageHeader::parse_lenient(&payload), Some(header), "{}", case["id"]);
        if message.segments().next().is_some_and(|first| first.id() == b"MSH") {
            assert_eq!(header.encoding_characters(), message.encoding_characters());
        }
    }
}

/// Once complete, the answer for a prefix never changes and is the one for the whole message.
#[test]
fn every_prefix_of_every_message() {
    let vectors = load("hl7_peek.json");
    for case in vectors["messages"].as_array().unwrap() {
        let id = text(&case["id"]);
        let payload = hex(&case["msg_hex"]);
        let full = Message::parse(&payload).unwrap().header();
        for through in 0..=25 {
            let mut complete = None;
            for end in 0..=payload.len() {
                let answer = MessageHeader::parse_prefix(&payload[..end], through).unwrap();
                match (complete, answer) {
                    (None, Status::Partial) => {}
                    (None, Status::Complete(header)) => {
                        assert_eq!(header.delimiters(), full.delimiters(), "{id}");
                        for number in 1..=21 {
                            let expected: &[u8] =
                                if number <= through.max(2) { full.field(number) } else { b"" };
                            assert_eq!(header.field(number), expected, "{id} {end} {number}");
                        }
                        complete = Some(header);
                    }
                    (Some(header), answer) => {
                        assert_eq!(answer, Status::Complete(header), "{id} {end}");
                    }
                }
            }
            // Without a terminator behind MSH only the caller knows that nothing more will come.
            let ended = id != "only_msh";
            assert_eq!(complete.is_some(), ended, "{id} through {through}");
        }
    }
}

#[test]
fn errors() {
    let vectors = load("hl7_peek.json");
    for case in vectors["errors"].as_array().unwrap() {
        let id = text(&case["id"]);
        let payload = hex(&case["msg_hex"]);
        // A path is read before the message is.
        let result = Path::parse(text(&case["path"]))
            .and_then(|path| Message::parse(&payload).map(|message| message.get(path)));
        assert_eq!(result.map_err(Error::name), Err(text(&case["error"])), "{id}");
    }
}

/// A prefix of a wrong header is partial or has the error of the whole, and the whole has it.
#[test]
fn every_prefix_of_every_wrong_header() {
    let vectors = load("hl7_peek.json");
    for case in vectors["errors"].as_array().unwrap() {
        let payload = hex(&case["msg_hex"]);
        let Err(full) = Message::parse(&payload) else { continue };
        for end in 0..=payload.len() {
            match MessageHeader::parse_prefix(&payload[..end], 3) {
                Ok(Status::Partial) => {}
                answer => assert_eq!(answer, Err(full)),
            }
        }
        let answer = MessageHeader::parse_prefix(&payload, 3);
        let may_go_on = payload.is_empty() || full == Error::ShortHeader;
        assert_eq!(answer, if may_go_on { Ok(Status::Partial) } else { Err(full) });
    }
}

#[test]
fn escapes() {
    let vectors = load("hl7_peek.json");
    for case in vectors["escape"].as_array().unwrap() {
        let header = format!("MSH{}", text(&case["delims"]));
        let delimiters = Message::parse(header.as_bytes()).unwrap().delimiters();
        let (plain, escaped) = (bytes(&case["text"]), bytes(&case["escaped"]));

        assert_eq!(escaped_len(&plain, &delimiters), escaped.len());
        let mut out = vec![0; escaped.len()];
        assert_eq!(escape(&plain, &delimiters, &mut out), Ok(escaped.len()));
        assert_eq!(out, escaped);
        if delimiters.escape.is_some() {
            let mut back = vec![0; escaped.len()];
            let len = unescape(&escaped, &delimiters, &mut back).unwrap();
            assert_eq!(&back[..len], plain);
        }
    }
}

#[test]
fn multi_byte_character_sets() {
    let vectors = load("hl7_peek.json");
    for case in vectors["multibyte"].as_array().unwrap() {
        let set = text(&case["charset"]);
        let scan = match set {
            "shift_jis" => Scan::ShiftJis,
            "gb18030" | "big5" => Scan::Gb18030,
            "iso2022_jp" => Scan::Iso2022Jp,
            "euc_kr" => Scan::SingleByte,
            other => panic!("{other}"),
        };
        let payload = hex(&case["msg_hex"]);
        let path = Path::parse(text(&case["path"])).unwrap();
        let second = Path::parse("PID-5.2").unwrap();

        let naive = Message::parse(&payload).unwrap();
        assert_eq!(naive.get(path), Some(&hex(&case["naive_hex"])[..]), "{set}");
        let naive_second = case["naive_5_2_hex"].as_str().map(|_| hex(&case["naive_5_2_hex"]));
        assert_eq!(naive.get(second), naive_second.as_deref(), "{set}");

        let aware = Message::parse_with(&payload, scan).unwrap();
        assert_eq!(aware.get(path), Some(&hex(&case["aware_hex"])[..]), "{set}");
        assert_eq!(aware.get(second), Some(text(&case["aware_5_2"]).as_bytes()), "{set}");
        assert_eq!(aware.header(), naive.header(), "{set}");
        let lenient = Message::parse_lenient(&payload, scan).unwrap();
        assert_eq!(lenient.get(path), aware.get(path), "{set}");
        assert_eq!(MessageHeader::parse_lenient_with(&payload, scan), Some(aware.header()));
        for segment in aware.segments() {
            let again = aware.segment_of(segment.raw());
            assert!(again.fields().map(|f| f.raw()).eq(segment.fields().map(|f| f.raw())), "{set}");
        }
        // Except for Shift_JIS under the name of ISO IR87, MSH-18 tells the right scan.
        if set != "shift_jis" {
            assert_eq!(CharacterSet::of(&naive.header()).unwrap().scan(), scan, "{set}");
        }
    }
}

#[test]
fn character_sets() {
    let vectors = load("charsets.json");
    let table = vectors["table0211"].as_array().unwrap();
    assert!(table.len() >= 26);
    for row in table {
        let name = text(&row["hl7"]);
        let set = CharacterSet::from_name(name.as_bytes()).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(set.name(), if name.is_empty() { "ASCII" } else { name });
        // The first word is the codec, the rest a remark.
        let codec = text(&row["python"]).split(' ').next().filter(|&codec| codec != "none");
        assert_eq!(set.codec(), codec, "{name}");
        assert_eq!(set.delimiter_safe(), row["delimiter_safe"] == 1, "{name}");
        let forbidden = text(&row["note"]).contains("not allowed in MLLP");
        assert_eq!(set.allowed_in_mllp(), !forbidden, "{name}");
        for alias in [name.to_lowercase(), format!(" {name} "), name.replace(['-', ' '], "_")] {
            assert_eq!(CharacterSet::from_name(alias.as_bytes()), Some(set), "{alias}");
        }
    }
    for row in vectors["names"].as_array().unwrap() {
        let name = text(&row["name"]);
        let set = CharacterSet::from_name(name.as_bytes()).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(set.name(), text(&row["set"]), "{name}");
        assert_eq!(set.codec(), row["python"].as_str(), "{name}");
        assert_eq!(CharacterSet::from_name(set.name().as_bytes()), Some(set), "{name}");
    }
    for name in vectors["unknown"].as_array().unwrap() {
        assert_eq!(CharacterSet::from_name(text(name).as_bytes()), None, "{name}");
    }
}

fn load(file: &str) -> Json {
    let path = format!("{}/../vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap()
}

fn optional(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

/// The bytes of which a string is the Latin-1 image.
fn bytes(json: &Json) -> Vec<u8> {
    text(json).chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn hex(json: &Json) -> Vec<u8> {
    let digits = text(json);
    (0..digits.len())
        .step_by(2)
        .map(|start| u8::from_str_radix(&digits[start..start + 2], 16).unwrap())
        .collect()
}

fn delimiters(json: &Json) -> Delimiters {
    let byte = |name: &str| json[name].as_str().map(|text| text.as_bytes()[0]);
    Delimiters {
        field: byte("field").unwrap(),
        component: byte("comp"),
        repetition: byte("rep"),
        escape: byte("esc"),
        subcomponent: byte("sub"),
        truncation: byte("trunc"),
    }
}

fn status(value: Value<'_>) -> &'static str {
    match value {
        Value::Absent => "absent",
        Value::Empty => "empty",
        Value::Null => "null",
        Value::Value(_) => "value",
    }
}

/// A name in Shift_JIS, whose second byte is the field separator, must not move the control ID.
#[test]
fn a_header_with_two_byte_characters() {
    let payload = b"MSH|^~\\&|\x83\x7c\x83\x5b|A|B|C|20260101||ADT^A01|M1|P|2.3\r";
    let plain = MessageHeader::parse_lenient(payload).unwrap();
    assert_ne!(plain.message_control_id(), b"M1");
    let aware = MessageHeader::parse_lenient_with(payload, Scan::ShiftJis).unwrap();
    assert_eq!(aware.message_control_id(), b"M1");
    assert_eq!(aware.sending_application(), b"\x83\x7c\x83\x5b");
    // Lenient also of a batch whose MSH-2 cannot be used.
    let batch = b"BHS|^^\\&|S\rMSH|^^\\&|A|B|C|D|20260101||ADT^A01|M2|P|2.3\r";
    assert!(Message::parse(batch).is_err());
    let header = MessageHeader::parse_lenient(batch).unwrap();
    assert_eq!(header.message_control_id(), b"M2");
}
