//! `vectors/astm_frames.json`: streams whole, byte by byte and at every split, conversations, records.

#[path = "../support/mod.rs"]
mod support;

mod link;
mod receiver;
mod records;
mod sender;

use astm_core::{
    Checksum, Content, FrameEnding, FrameNumber, FrameNumbers, LinkConfig, Packing, Profile, Role,
    SenderConfig, SlowHandler, checksum, encode_frame,
};
use serde_json::Value;

fn vectors(group: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/astm_frames.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    all[group].as_array().unwrap().clone()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character as u32).unwrap()).collect()
}

/// The settings of a case, and what its host does.
struct Options {
    link: LinkConfig,
    ready: bool,
    host: String,
}

fn options(case: &Value, profile: Profile) -> Options {
    let given = &case["options"];
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| given[name].as_u64().map(|number| usize::try_from(number).unwrap());
    let role = if text("role") == "instrument" { Role::Instrument } else { Role::Computer };
    let mut link = LinkConfig::of(role);
    let receiver = &mut link.receiver;
    receiver.profile = profile;
    receiver.max_text = number("max_text").unwrap_or(receiver.max_text);
    receiver.max_message = number("max_message").unwrap_or(receiver.max_message);
    receiver.checksum = match text("checksum").as_str() {
        "" => receiver.checksum,
        "absent" => Checksum::Absent,
        "exact_case" => Checksum::ExactCase,
        other => panic!("{other}"),
    };
    if text("frame_numbers") == "ignored" {
        receiver.frame_numbers = FrameNumbers::Ignored;
    }
    receiver.content = match text("content").as_str() {
        "" => Content::Records,
        "opaque" => Content::Opaque,
        "records_to_eot" => Content::RecordsToEot,
        other => panic!("{other}"),
    };
    if text("slow") == "hold" {
        receiver.slow = SlowHandler::Hold;
    }
    let sender: &mut SenderConfig = &mut link.sender;
    sender.max_text = number("max_text").unwrap_or(sender.max_text);
    sender.times.contention += given["jitter"].as_u64().unwrap_or(0);
    if text("pack") == "message" {
        sender.packing = Packing::Message;
    }
    let host = if text("host").is_empty() { "accept".to_owned() } else { text("host") };
    Options { link, ready: given["ready"].as_bool().unwrap_or(true), host }
}

/// What a case expects: the events without what is sent, and what is sent.
fn split(events: &Value) -> (Vec<Value>, Vec<u8>) {
    let (sent, events): (Vec<Value>, Vec<Value>) =
        events.as_array().unwrap().iter().cloned().partition(|event| event["ev"] == "send");
    let bytes = |event: &Value| unhex(event["byte"].as_str().or(event["hex"].as_str()).unwrap());
    (events, sent.iter().flat_map(bytes).collect())
}

#[test]
fn every_frame_is_written() {
    for case in vectors("codec") {
        let number = u8::try_from(case["frame_number"].as_u64().unwrap()).unwrap();
        let end = if case["end"] == "ETX" { FrameEnding::Etx } else { FrameEnding::Etb };
        let (text, frame) = (&case["text_hex"], unhex(case["frame_hex"].as_str().unwrap()));
        let mut out = [0; 512];
        let text = unhex(text.as_str().unwrap());
        let len = encode_frame(FrameNumber::new(number), &text, end, &mut out).unwrap();
        assert_eq!(hex(&out[..len]), hex(&frame), "{}", case["id"]);
        assert_eq!(checksum(&frame[1..frame.len() - 4]), frame[frame.len() - 4..][..2]);
        assert!(encode_frame(FrameNumber::new(number), &text, end, &mut out[..len - 1]).is_err());
    }
}
