//! Storage: when it may shrink, what becomes of a frame that it cannot hold, and bytes that reach it
//! both ways.

use mllp_core::{Config, Fault, ReceiveBuffer, Received, Storage};

#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    shrunk: usize,
}

impl AsRef<[u8]> for Growing {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Growing {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Storage for Growing {
    fn max_len(&self) -> usize {
        usize::MAX
    }

    fn grow(&mut self, len: usize) {
        self.bytes.resize(len, 0);
    }

    fn shrink(&mut self) {
        self.bytes = Vec::new();
        self.shrunk += 1;
    }
}

fn buffer() -> ReceiveBuffer<Growing> {
    ReceiveBuffer::new(Growing::default(), Config::DEFAULT)
}

fn stored(buffer: &mut ReceiveBuffer<Growing>) -> (usize, usize) {
    let storage = buffer.storage_mut();
    (storage.bytes.len(), storage.shrunk)
}

#[test]
fn memory_is_given_back_when_the_frame_is_taken() {
    let mut buffer = buffer();
    let payload = vec![b'x'; 10_000];
    assert!(buffer.feed(&[b"\x0b", &payload[..]].concat()).event.is_none());
    assert!(stored(&mut buffer).0 > 10_000);
    let rest = b"\x1c\r\x0bMSH";
    let fed = buffer.feed(rest);
    assert!(matches!(fed.event, Some(Received::Frame(frame)) if frame.payload == payload));
    let rest = &rest[fed.consumed..];
    assert!(buffer.feed(rest).event.is_none());
    assert_eq!(stored(&mut buffer).1, 0, "the next frame is in it");
    assert!(buffer.feed(b"\x1c\r").event.is_some());
    assert!(buffer.feed(b"").event.is_none());
    assert_eq!(stored(&mut buffer), (0, 1));
}

#[test]
fn the_payload_stays_until_the_next_call() {
    let mut buffer = buffer();
    let chunk = b"\x0bone\x1c\r\x0btwo\x1c\r";
    buffer.spare_mut(chunk.len())[..chunk.len()].copy_from_slice(chunk);
    buffer.commit(chunk.len());
    for payload in [b"one", b"two"] {
        assert!(buffer.next_event().is_some());
        assert_eq!(buffer.payload(), payload);
        assert_eq!(stored(&mut buffer).1, 0, "a payload is at hand");
    }
    assert!(buffer.is_empty());
    assert!(buffer.next_event().is_none());
    assert_eq!(stored(&mut buffer), (0, 1));
}

#[test]
fn it_is_told_once_for_each_time_it_grew() {
    let mut buffer = buffer();
    for _ in 0..100 {
        let fed = buffer.feed(b"\x0bwhole\x1c\r");
        assert!(fed.event.is_some());
        assert!(buffer.feed(b"").event.is_none());
    }
    assert_eq!(stored(&mut buffer), (0, 0), "whole frames need no storage");
    assert!(buffer.feed(b"\x0bsplit").event.is_none());
    buffer.reset();
    buffer.reset();
    assert_eq!(stored(&mut buffer), (0, 1));
    let room = buffer.spare_mut(10);
    room[..4].copy_from_slice(b"\x0bab\x1c");
    buffer.commit(4);
    assert!(buffer.next_event().is_some());
    assert!(buffer.finish().is_some(), "the trailer is missing");
    assert!(buffer.finish().is_none());
    assert_eq!(stored(&mut buffer), (0, 2));
}

/// Grows up to a length, and no further, whatever it has promised.
struct Short(Vec<u8>, usize);

impl AsRef<[u8]> for Short {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Short {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Storage for Short {
    fn max_len(&self) -> usize {
        usize::MAX
    }

    fn grow(&mut self, len: usize) {
        if len <= self.1 {
            self.0.resize(len, 0);
        }
    }
}

#[test]
fn a_frame_that_the_storage_cannot_hold_is_lost_alone() {
    let stream = b"\x0bMSH|lost\x1c\r\x0bMSH|kept\x1c\r";
    for holds in 0..10 {
        for split in 2..10 {
            let mut buffer = ReceiveBuffer::new(Short(Vec::new(), holds), Config::DEFAULT);
            let mut seen = Vec::new();
            for mut chunk in [&stream[..split], &stream[split..]] {
                loop {
                    let fed = buffer.feed(chunk);
                    chunk = &chunk[fed.consumed..];
                    match fed.event {
                        Some(Received::Fault { fault, offset, prefix }) => {
                            assert_eq!(fault, Fault::TooLarge);
                            assert_eq!(prefix, &stream[1..offset as usize]);
                            assert_eq!(offset as usize, split, "what has been seen");
                            seen.push("fault");
                        }
                        Some(Received::Discard(discard)) => {
                            assert_eq!((discard.offset, discard.len), (0, 10), "{holds} {split}");
                            seen.push("discard");
                        }
                        Some(Received::Frame(frame)) => {
                            assert_eq!((frame.offset, frame.payload), (11, &b"MSH|kept"[..]));
                            seen.push("frame");
                        }
                        Some(Received::Warning { .. }) => panic!("no warning"),
                        None => break,
                    }
                }
                assert!(chunk.is_empty());
            }
            assert_eq!(seen, ["fault", "discard", "frame"], "{holds} {split}");
            assert!(buffer.is_empty());
        }
    }
}

#[test]
fn committed_and_fed_bytes_are_one_stream() {
    let stream = b"\x0bone\x1c\r\x0btwo\x1c\r\x0bthree\x1c\r\x0bfour\x1c\r";
    for first in 0..stream.len() {
        for second in first..stream.len() {
            // So little room that an open frame has to move to the front of it.
            let mut buffer = ReceiveBuffer::new([0; 11], Config::DEFAULT);
            let mut payloads = Vec::new();
            let mut offset = 0;
            let (committed, fed) = stream[..second].split_at(first.min(9));
            let spare = buffer.spare_mut(committed.len());
            spare[..committed.len()].copy_from_slice(committed);
            buffer.commit(committed.len());
            for mut chunk in [fed, &stream[second..]] {
                loop {
                    let fed = buffer.feed(chunk);
                    chunk = &chunk[fed.consumed..];
                    match fed.event {
                        Some(Received::Frame(frame)) => {
                            assert_eq!(frame.offset, offset);
                            offset += frame.payload.len() as u64 + 3;
                            payloads.push(frame.payload.to_vec());
                        }
                        Some(event) => panic!("{event:?}"),
                        None => break,
                    }
                }
            }
            assert_eq!(payloads, [&b"one"[..], b"two", b"three", b"four"], "{first} {second}");
        }
    }
}
