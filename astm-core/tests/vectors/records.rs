//! Records: paths, deviations, results, escapes, and how frames become records.

use astm_core::{
    Content, Delimiters, Error, Message, Path, Receiver, ReceiverConfig, ReceiverEvent, Record,
    Scan, escape, unescape,
};
use serde_json::{Value, json};

use crate::support::Growing;
use crate::{hex, latin1, unhex, vectors};

fn scan(case: &Value) -> Scan {
    match case["scan"].as_str() {
        None => Scan::SingleByte,
        Some("shift_jis") => Scan::ShiftJis,
        Some("gb18030") => Scan::Gb18030,
        Some(other) => panic!("{other}"),
    }
}

fn delimiters(case: &Value) -> Delimiters {
    let found = latin1(case["delimiters"].as_str().unwrap());
    Delimiters { field: found[0], repeat: found[1], component: found[2], escape: found[3] }
}

#[test]
fn every_message() {
    for case in vectors("records") {
        let (id, bytes) = (&case["id"], unhex(case["message_hex"].as_str().unwrap()));
        let message = Message::parse_lenient(&bytes, scan(&case));
        assert_eq!(*message.delimiters(), delimiters(&case), "{id}");
        let name = |record: &Record<'_>| record.name().iter().map(|&b| char::from(b)).collect();
        let records: Vec<(String, String)> =
            message.records().map(|record| (name(&record), hex(record.as_bytes()))).collect();
        assert_eq!(json!(records), case["records"], "{id}");
        let deviations: Vec<&str> = message.deviations().map(|one| one.name()).collect();
        assert_eq!(json!(deviations), case["deviations"], "{id}");
        let no_header = deviations.contains(&"no_header").then_some(Error::NoHeader);
        assert_eq!(Message::parse(&bytes).err(), no_header, "{id}");
        for query in case["get"].as_array().unwrap() {
            let path = query[0].as_str().unwrap();
            let value = message.get(Path::parse(path).unwrap()).map(hex);
            assert_eq!(json!(value), query[1], "{id} {path}");
        }
        let index = |record: Option<Record<'_>>| record.map(|record| record.index());
        let results: Vec<Value> = message
            .results()
            .map(|found| {
                let comments: Vec<usize> = found.comments().map(|record| record.index()).collect();
                json!({"header": index(found.header), "patient": index(found.patient),
                    "order": index(found.order), "result": found.result.index(), "comments": comments})
            })
            .collect();
        assert_eq!(json!(results), case["results"], "{id}");
    }
}

#[test]
fn every_escape() {
    for case in vectors("escapes") {
        let (text, escaped) = (&case["text"], &case["escaped"]);
        let text = unhex(text.as_str().unwrap());
        let (delimiters, scan) = (delimiters(&case), scan(&case));
        let mut out = vec![0; 5 * text.len()];
        let len = escape(&text, &delimiters, scan, &mut out).unwrap();
        assert_eq!(json!(hex(&out[..len])), *escaped);
        let mut back = vec![0; len];
        let back_len = unescape(&out[..len], &delimiters, scan, &mut back).unwrap();
        assert_eq!(back[..back_len], text);
        let mut plain = vec![0; text.len()];
        let len = unescape(&text, &delimiters, scan, &mut plain).unwrap();
        assert_eq!(json!(hex(&plain[..len])), case["unescaped"]);
    }
}

#[test]
fn every_bad_path_is_refused() {
    for path in vectors("bad_paths") {
        assert_eq!(Path::parse(path.as_str().unwrap()), Err(Error::BadPath), "{path}");
    }
}

#[test]
fn frames_become_records() {
    for case in vectors("reassembly") {
        let config = ReceiverConfig { content: Content::Opaque, ..ReceiverConfig::DEFAULT };
        let mut receiver = Receiver::new(Growing::default(), config, 0);
        let mut stream = vec![5];
        for (number, frame) in (1..).zip(case["frames"].as_array().unwrap()) {
            let mut body = vec![b'0' | number];
            body.extend(latin1(frame[0].as_str().unwrap()));
            body.push(if frame[1] == "ETX" { 3 } else { 0x17 });
            stream.push(2);
            stream.extend(&body);
            stream.extend(astm_core::checksum(&body));
            stream.extend(b"\r\n");
        }
        let mut rest = &stream[..];
        loop {
            let fed = receiver.feed(rest, 0);
            rest = &rest[fed.consumed..];
            receiver.sent(receiver.outgoing().len());
            match fed.event {
                Some(ReceiverEvent::Frame(ticket, _)) => {
                    receiver.accept(ticket, 0);
                }
                None if fed.consumed == 0 => break,
                _ => {}
            }
        }
        let message = Message::parse_lenient(receiver.message(), Scan::SingleByte);
        let records: Vec<Vec<u8>> =
            message.records().map(|record| record.as_bytes().to_vec()).collect();
        let expected: Vec<Vec<u8>> = case["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| latin1(record.as_str().unwrap()))
            .collect();
        assert_eq!(records, expected, "{}", case["id"]);
    }
}
