//! `vectors/detect.json`: whole, byte by byte and at every split.

use mllp_link::{Detection, Detector, Protocol, ProtocolVerdict, detect};
use proptest::prelude::*;
use serde_json::Value;

struct Case {
    id: String,
    bytes: Vec<u8>,
    verdict: String,
    offset: u64,
}

fn cases() -> Vec<Case> {
    let path = format!("{}/../vectors/detect.json", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cases = vectors["cases"].as_array().unwrap().iter().map(|case| Case {
        id: text(&case["id"]),
        bytes: hex(case["bytes"].as_str().unwrap()),
        verdict: text(&case["verdict"]),
        offset: case["offset"].as_u64().unwrap(),
    });
    cases.collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn feed_all<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Detection {
    let mut detector = Detector::new();
    for chunk in chunks {
        let verdict = detector.feed(chunk);
        assert_eq!(verdict, detector.verdict());
    }
    Detection { verdict: detector.verdict(), offset: detector.offset() }
}

/// Once decided, neither the verdict nor the offset changes.
fn assert_stable(bytes: &[u8]) {
    let mut decided = None;
    for end in 0..=bytes.len() {
        let now = detect(&bytes[..end]);
        match decided {
            Some(before) => assert_eq!(now, before, "after {end} bytes"),
            None => decided = now.verdict.protocol().map(|_| now),
        }
    }
}

#[test]
fn vectors_whole() {
    let cases = cases();
    assert!(cases.len() >= 56, "only {} cases", cases.len());
    for case in cases {
        let Detection { verdict, offset } = detect(&case.bytes);
        assert_eq!((verdict.name(), offset), (&*case.verdict, case.offset), "{}", case.id);
    }
}

#[test]
fn vectors_in_chunks() {
    for case in cases() {
        let whole = detect(&case.bytes);
        assert_eq!(feed_all(case.bytes.chunks(1)), whole, "{} byte by byte", case.id);
        for at in 0..=case.bytes.len() {
            let (head, tail) = case.bytes.split_at(at);
            assert_eq!(feed_all([head, &[], tail]), whole, "{} split at {at}", case.id);
        }
        assert_stable(&case.bytes);
    }
}

/// Where the vectors end in mid-verdict, and what is noise only in some places.
#[test]
fn edges() {
    for (bytes, verdict, offset) in [
        (&b"\x0bN99\r"[..], "hllp", 0),
        (b"\x0bD2", "mllp?", 0),
        (b"\x0bD23", "mllp?", 0),
        (b"\x0bD23\n", "mllp", 0),
        (b"\x0bDE", "mllp", 0),
        (b"\xef\xbb\x0b", "unknown", 0),
        (b"\xef\xbb\xbf\r\n\x05", "astm", 5),
        (b"\xef\xbb\xbf\xef\xbb\xbf", "unknown", 3),
        (b"\xef\xbb\xbf\xff\xfe", "unknown", 3),
        (b"\r\xff\xfe", "unknown", 1),
        (b"\xfe\xff\x00M", "utf16_bom", 0),
        (b"\xff", "more", 0),
        (b"\xff\x0b", "unknown", 0),
        (b"\x16\x03\x04", "tls", 0),
        (b"\x16\x03\x05", "unknown", 0),
        (b"MSH ", "unknown", 0),
        (b"MSH7", "unknown", 0),
        (b"FHS|", "hl7_batch_unframed", 0),
        (b"M\0S", "more", 0),
        (b"M\0T\0", "unknown", 0),
        (b"H", "more", 0),
        (b"HEAD", "more", 0),
        (b"HEADER|", "unknown", 0),
        (b"H|\\^&\n", "astm_unframed", 0),
        (b"H||^&|", "unknown", 0),
        (b"H|\\|&|", "unknown", 0),
        (b"H|\\^||", "unknown", 0),
        (b"H|\\\\&|", "unknown", 0),
        (b"H|\\^\\|", "unknown", 0),
        (b"H|\\^^|", "unknown", 0),
        (b"H|\\^A|", "unknown", 0),
        (b"\r\xef\xbb\xbf\x0b", "unknown", 1),
        (b"H|\\^&A", "unknown", 0),
        (b"PRI * HTT", "more", 0),
        (b"PRI * HTTP/2.0", "http", 0),
        (b"PRI * HTTX", "unknown", 0),
        (b"OPTIONS *", "http", 0),
        (b"\xef\xbb\xbfPROXY ", "proxy_v1", 3),
        (b"\xef\xbb\xbf\r\n\r\n\0\r\nQUIT\n", "proxy_v2", 3),
        (b"\r\n\r\n\0\r\nQUIT\n\x0bMSH|", "proxy_v2", 0),
        (b"\r\n\r\n\r\n\0\r\nQUI", "more", 9),
        (b"\r\n\r\0\r\nQUIT\n", "unknown", 6),
        (b"\r\n\r\n\0\r\nQQUIT\n", "unknown", 7),
    ] {
        let detection = detect(bytes);
        assert_eq!((detection.verdict.name(), detection.offset), (verdict, offset), "{bytes:?}");
        assert_eq!(feed_all(bytes.chunks(1)), detection, "{bytes:?}");
        assert_stable(bytes);
    }
}

#[test]
fn noise_never_decides() {
    let mut detector = Detector::default();
    for count in 1..=1000 {
        assert_eq!(detector.feed(b"\0\t\n\r \x04\x06\x15"), ProtocolVerdict::More);
        assert_eq!(detector.offset(), count * 8);
    }
    assert_eq!(detector.feed(b"\x05"), ProtocolVerdict::Decided(Protocol::Astm));
    assert_eq!(detector.feed(b"\x0bMSH|"), ProtocolVerdict::Decided(Protocol::Astm));
    assert_eq!(detector.offset(), 8000);
}

#[test]
fn mllp_is_told_before_hllp_is_excluded() {
    for (bytes, is_mllp) in [(&b"\x0b"[..], true), (b"\x0bM", true), (b"\x0bD01\r", false)] {
        assert_eq!(detect(bytes).verdict.is_mllp(), is_mllp);
    }
    assert!(Protocol::Mllp.is_mllp());
    assert!(!Protocol::Hllp.is_mllp());
}

#[test]
fn debug_shows_no_byte_of_the_stream() {
    let mut detector = Detector::new();
    detector.feed(b"\rH|SE");
    assert_eq!(format!("{detector:?}"), "Detector { verdict: more, offset: 1 }");
}

/// Streams that come near to something.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::sample::select(vec![
            &b"\xef\xbb\xbf"[..],
            b"\xff\xfe",
            b"\r\n",
            b"\0",
            b"\x06",
            b"\x0b",
            b"\x0bD12\r",
            b"MSH|",
            b"FHS|",
            b"H|\\^&|",
            b"HEAD ",
            b"GET /",
            b"PRI * HTTP/2",
            b"PROXY TCP4",
            b"\r\n\r\n\0\r\nQUIT\n",
            b"\x16\x03\x01",
            b"M\0S\0",
            b"CONNECT ",
        ])
        .prop_flat_map(|word| (1..=word.len()).prop_map(|len| word[..len].to_vec())),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn chunks_do_not_matter(bytes in streams(), size in 1usize..12) {
        prop_assert_eq!(feed_all(bytes.chunks(size)), detect(&bytes));
        assert_stable(&bytes);
    }

    /// At most eleven bytes keep a verdict open.
    #[test]
    fn verdicts_are_not_open_for_long(bytes in streams(), more in any::<[u8; 11]>()) {
        let detection = detect(&bytes);
        let significant = (bytes.len() as u64).saturating_sub(detection.offset);
        prop_assert!(significant < 11 || detection.verdict.protocol().is_some());
        if significant > 0 && detection.verdict == ProtocolVerdict::StartBlock {
            let all = [&bytes[..], &more].concat();
            prop_assert!(detect(&all).verdict.protocol().is_some());
        }
    }
}
