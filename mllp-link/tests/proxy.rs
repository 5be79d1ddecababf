//! `vectors/proxy.json`, for every beginning of each stream.

use std::net::{IpAddr, SocketAddr};

use mllp_link::{Protocol, ProxyError, ProxyHeader, ProxyOrigin, detect};
use proptest::prelude::*;
use serde_json::Value;

type Outcome = Result<Option<ProxyHeader>, ProxyError>;

struct Case {
    id: String,
    bytes: Vec<u8>,
    known_at: usize,
    expect: Outcome,
}

fn cases() -> Vec<Case> {
    let path = format!("{}/../vectors/proxy.json", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter().map(|case| Case {
        id: case["id"].as_str().unwrap().to_owned(),
        bytes: hex(&case["bytes"]),
        known_at: case["known_at"].as_u64().map_or(usize::MAX, |at| at as usize),
        expect: outcome(&case["expect"]),
    });
    cases.collect()
}

fn outcome(expect: &Value) -> Outcome {
    match expect["error"].as_str() {
        Some("no_proxy_header") => return Err(ProxyError::NoHeader),
        Some(name) => {
            assert_eq!(name, "bad_proxy_header");
            return Err(ProxyError::BadHeader);
        }
        None => {}
    }
    let Some(len) = expect["len"].as_u64() else { return Ok(None) };
    let origin = match expect["origin"].as_str().unwrap() {
        "local" => ProxyOrigin::Local,
        "unnamed" => ProxyOrigin::Unnamed,
        _ => ProxyOrigin::Client {
            source: address(&expect["source"]),
            destination: address(&expect["destination"]),
        },
    };
    Ok(Some(ProxyHeader { len: len as usize, origin }))
}

fn address(value: &Value) -> SocketAddr {
    let bytes = hex(&value[0]);
    let ip = match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(bytes) => IpAddr::from(bytes),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&bytes[..]).unwrap()),
    };
    SocketAddr::new(ip, value[1].as_u64().unwrap() as u16)
}

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes().chunks(2);
    let digits = digits.map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// What is known stays, and is known from one byte on.
#[test]
fn vectors() {
    let cases = cases();
    assert!(cases.len() >= 84, "only {} cases", cases.len());
    for case in cases {
        for end in 0..=case.bytes.len() {
            let expect = if end < case.known_at { Ok(None) } else { case.expect };
            assert_eq!(ProxyHeader::parse(&case.bytes[..end]), expect, "{}, {end} bytes", case.id);
        }
    }
}

/// What begins a header is never taken for MLLP by a host that expects none.
#[test]
fn detection_knows_every_header() {
    for case in cases().iter().filter(|case| matches!(case.expect, Ok(Some(_)))) {
        let protocol = detect(&case.bytes).verdict.protocol();
        let expected = if case.bytes[0] == b'P' { Protocol::ProxyV1 } else { Protocol::ProxyV2 };
        assert_eq!(protocol, Some(expected), "{}", case.id);
        assert_eq!(detect(&case.bytes).offset, 0, "{}", case.id);
    }
}

#[test]
fn errors_name_themselves() {
    for (error, name) in
        [(ProxyError::NoHeader, "no_proxy_header"), (ProxyError::BadHeader, "bad_proxy_header")]
    {
        assert_eq!(error.name(), name);
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn longest_header_of_version_2() {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff".to_vec();
    bytes.resize(16 + 65_535, 0);
    let header = ProxyHeader::parse(&bytes).unwrap().unwrap();
    assert_eq!(header.len, bytes.len());
    assert_eq!(ProxyHeader::parse(&bytes[..bytes.len() - 1]), Ok(None));
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let begin = prop::sample::select(vec![
        &b"PROXY "[..],
        b"PROXY TCP4 1.2.3.4 5.6.7.8 ",
        b"PROXY UNKNOWN",
        b"\r\n\r\n\0\r\nQUIT\n",
        b"\r\n\r\n\0\r\nQUIT\n\x20\x11\x00",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c",
        b"",
    ]);
    let rest = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..128),
        "[ 0-9a-f.:\r\n]{0,120}".prop_map(String::into_bytes),
    ];
    (begin, rest).prop_map(|(begin, rest)| [begin, &rest].concat())
}

proptest! {
    #[test]
    fn answers_are_stable(bytes in streams()) {
        let mut known: Option<Outcome> = None;
        for end in 0..=bytes.len() {
            let now = ProxyHeader::parse(&bytes[..end]);
            match known {
                Some(before) => prop_assert_eq!(now, before, "after {} bytes", end),
                None if now != Ok(None) => known = Some(now),
                None => prop_assert!(end < 107 || bytes[0] == b'\r'),
            }
            if let Ok(Some(header)) = now {
                prop_assert!(header.len <= end);
            }
        }
    }

    /// The addresses of a line are those that the standard library reads.
    #[test]
    fn addresses(text in "([0-9a-fA-F]{0,5}[:.]{1,2}){1,8}[0-9]{0,3}|([0-9]{1,3}\\.){3}[0-9]{1,3}") {
        for (family, expected) in [
            ("TCP4", text.parse().ok().map(IpAddr::V4)),
            ("TCP6", text.parse().ok().map(IpAddr::V6)),
        ] {
            let line = format!("PROXY {family} {text} {text} 1 65535\r\n");
            let expected = expected.filter(|_| line.len() <= 107).map(|ip| ProxyOrigin::Client {
                source: SocketAddr::new(ip, 1),
                destination: SocketAddr::new(ip, 65535),
            });
            let header = ProxyHeader::parse(line.as_bytes());
            prop_assert_eq!(header.ok().flatten().map(|header| header.origin), expected);
        }
    }
}
