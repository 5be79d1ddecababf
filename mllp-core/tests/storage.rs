//! Storage that grows is told when it may shrink: never while a byte or a payload is in it.

use mllp_core::{Config, ReceiveBuffer, Received, Storage};

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
