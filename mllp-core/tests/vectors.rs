//! `vectors/mllp_frames.json`: every stream, in every profile, read in four ways, whole, byte by
//! byte and at every split.

mod support;

use mllp_core::{Error, ReceiveBuffer, encode, encode_slices, encode_with};
use serde_json::Value;
use support::{CallersBuffer, Events, Fed, Op, PROFILES, ReadInto, Reader, Seen, config};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/mllp_frames.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn ops(vector: &Value) -> Vec<Op> {
    let op = |op: &Value| match op[0].as_str().unwrap() {
        "bytes" => Op::Bytes(unhex(op[1].as_str().unwrap())),
        "idle" => Op::Idle,
        "eof" => Op::Eof,
        other => panic!("unknown op {other}"),
    };
    vector["ops"].as_array().unwrap().iter().map(op).collect()
}

/// The events as the vectors write them, for a readable difference.
fn json(seen: &[Seen]) -> Value {
    let event = |seen: &Seen| match seen {
        Seen::Frame { offset, payload, kind, warn } => {
            let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
            serde_json::json!({"ev": "frame", "offset": offset, "payload": hex, "kind": kind, "warn": warn})
        }
        Seen::Warning { code, offset } => {
            serde_json::json!({"ev": "warning", "code": code, "offset": offset})
        }
        Seen::Error { code, offset } => {
            serde_json::json!({"ev": "error", "code": code, "offset": offset})
        }
        Seen::Discard { offset, len, why, blank } => {
            serde_json::json!({"ev": "discard", "offset": offset, "len": len, "why": why, "blank": blank})
        }
    };
    seen.iter().map(event).collect()
}

/// Every way to cut the byte runs of a stream: whole, single bytes, and two parts at each position.
fn chunkings(ops: &[Op]) -> Vec<Vec<Op>> {
    let mut all = vec![ops.to_vec()];
    let single = |op: &Op| match op {
        Op::Bytes(bytes) => bytes.iter().map(|byte| Op::Bytes(vec![*byte])).collect(),
        other => vec![other.clone()],
    };
    all.push(ops.iter().flat_map(single).collect());
    for (at, op) in ops.iter().enumerate() {
        let Op::Bytes(bytes) = op else { continue };
        for split in 1..bytes.len() {
            let mut cut = ops.to_vec();
            let (left, right) = bytes.split_at(split);
            cut.splice(at..=at, [Op::Bytes(left.to_vec()), Op::Bytes(right.to_vec())]);
            all.push(cut);
        }
    }
    all
}

#[test]
fn every_stream_in_every_profile_and_chunking() {
    let vectors = vectors();
    let mut runs = 0;
    for vector in vectors["decode"].as_array().unwrap() {
        let max = vector["max_payload"].as_u64().map(|max| max as usize);
        for (name, profile) in PROFILES {
            let expect = &vector["expect"][name];
            let id = format!("{} in {name}", vector["id"]);
            for ops in chunkings(&ops(vector)) {
                let config = config(profile, max);
                let readers: [Box<dyn Reader>; 4] = [
                    Box::new(Events::new(config)),
                    Box::new(CallersBuffer::new(config)),
                    Box::new(Fed(ReceiveBuffer::new([0; 4096], config))),
                    Box::new(ReadInto(ReceiveBuffer::new([0; 4096], config))),
                ];
                for mut reader in readers {
                    let mut seen = Vec::new();
                    ops.iter().for_each(|op| reader.op(op, &mut seen));
                    assert_eq!(json(&seen), expect["events"], "{id}");
                    assert_eq!(reader.pending(), expect["pending"].as_u64().unwrap(), "{id}");
                    runs += 1;
                }
            }
        }
    }
    assert!(runs > 50_000, "only {runs} runs");
}

#[test]
fn encoding() {
    for vector in vectors()["encode"].as_array().unwrap() {
        let id = &vector["id"];
        let payload = unhex(vector["payload"].as_str().unwrap());
        let mut out = vec![0; mllp_core::encoded_len(payload.len())];
        let expect = match vector["index"].as_u64() {
            Some(index) => Err(Error::ReservedByte { index: index as usize }),
            None => Ok(unhex(vector["frame"].as_str().unwrap())),
        };
        let encoded = encode(&payload, &mut out).map(|len| out[..len].to_vec());
        assert_eq!(encoded, expect, "{id}");
        let in_place = encode_with(&mut out, |room| {
            room[..payload.len()].copy_from_slice(&payload);
            Ok::<usize, Error>(payload.len())
        });
        assert_eq!(in_place.map(|len| out[..len].to_vec()), expect, "{id}");
        assert_eq!(encode_slices(&payload).map(|slices| slices.concat()), expect, "{id}");
        if expect.is_ok() {
            let short = out.len() - 1;
            assert_eq!(encode(&payload, &mut out[..short]), Err(Error::BufferTooSmall), "{id}");
        }
    }
}
