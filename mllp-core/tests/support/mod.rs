//! The four ways to read a stream, each giving the events of `vectors/mllp_frames.json`.

#![allow(dead_code, reason = "each test binary uses its part")]

use mllp_core::{
    Config, Decoder, Deviations, Event, Profile, ReceiveBuffer, Received, Scanner, Storage,
};

/// An event as the vectors write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Frame { offset: u64, payload: Vec<u8>, kind: &'static str, warn: Vec<&'static str> },
    Warning { code: &'static str, offset: u64 },
    Error { code: &'static str, offset: u64 },
    Discard { offset: u64, len: u64, why: &'static str, blank: bool },
}

fn names(deviations: Deviations) -> Vec<&'static str> {
    deviations.iter().map(|deviation| deviation.name()).collect()
}

/// One entry of a vector's `ops`.
#[derive(Clone, Debug)]
pub enum Op {
    Bytes(Vec<u8>),
    Idle,
    Eof,
}

pub const PROFILES: [(&str, Profile); 3] =
    [("permissive", Profile::Permissive), ("resync", Profile::Resync), ("strict", Profile::Strict)];

pub fn config(profile: Profile, max_payload_len: Option<usize>) -> Config {
    let max_payload_len = max_payload_len.unwrap_or(Config::UNLIMITED);
    Config { profile, max_payload_len, ..Config::DEFAULT }
}

/// A way to read a stream.
pub trait Reader {
    fn bytes(&mut self, chunk: &[u8], seen: &mut Vec<Seen>);
    fn idle(&mut self, seen: &mut Vec<Seen>);
    fn eof(&mut self, seen: &mut Vec<Seen>);
    fn pending(&self) -> u64;

    fn op(&mut self, op: &Op, seen: &mut Vec<Seen>) {
        match op {
            Op::Bytes(chunk) => self.bytes(chunk, seen),
            Op::Idle => self.idle(seen),
            Op::Eof => self.eof(seen),
        }
    }
}

/// Spans joined by the caller.
#[derive(Clone)]
pub struct Events {
    pub scanner: Scanner,
    payload: Vec<u8>,
}

impl Events {
    pub fn new(config: Config) -> Self {
        Events { scanner: Scanner::new(config), payload: Vec::new() }
    }

    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn note(&mut self, event: Event<'_>, seen: &mut Vec<Seen>) {
        match event {
            Event::FrameStart { .. } => self.payload.clear(),
            Event::Payload { bytes, offset } => {
                assert!(!bytes.is_empty(), "an empty span");
                assert!(offset < self.scanner.offset(), "a span from the future");
                self.payload.extend_from_slice(bytes);
            }
            Event::FrameEnd(end) => {
                assert_eq!(end.payload_len, self.payload.len() as u64);
                seen.push(Seen::Frame {
                    offset: end.offset,
                    payload: self.payload.clone(),
                    kind: end.kind.name(),
                    warn: names(end.deviations),
                });
            }
            Event::Warning { deviation, offset } => {
                seen.push(Seen::Warning { code: deviation.name(), offset });
            }
            Event::Fault { fault, offset } => {
                seen.push(Seen::Error { code: fault.name(), offset });
            }
            Event::Discard(discard) => seen.push(Seen::Discard {
                offset: discard.offset,
                len: discard.len,
                why: discard.why.name(),
                blank: discard.blank,
            }),
        }
    }
}

impl Reader for Events {
    fn bytes(&mut self, mut chunk: &[u8], seen: &mut Vec<Seen>) {
        loop {
            let step = self.scanner.step(chunk);
            chunk = &chunk[step.consumed..];
            match step.event {
                Some(event) => self.note(event, seen),
                None => return assert!(chunk.is_empty(), "input left without an event"),
            }
        }
    }

    fn idle(&mut self, seen: &mut Vec<Seen>) {
        if let Some(event) = self.scanner.idle() {
            self.note(event, seen);
        }
    }

    fn eof(&mut self, seen: &mut Vec<Seen>) {
        while let Some(event) = self.scanner.finish() {
            self.note(event, seen);
        }
    }

    fn pending(&self) -> u64 {
        self.scanner.pending()
    }
}

fn push(received: Received<'_>, seen: &mut Vec<Seen>) {
    seen.push(match received {
        Received::Frame(frame) => Seen::Frame {
            offset: frame.offset,
            payload: frame.payload.to_vec(),
            kind: frame.kind.name(),
            warn: names(frame.deviations),
        },
        Received::Warning { deviation, offset } => Seen::Warning { code: deviation.name(), offset },
        Received::Fault { fault, offset, .. } => Seen::Error { code: fault.name(), offset },
        Received::Discard(discard) => Seen::Discard {
            offset: discard.offset,
            len: discard.len,
            why: discard.why.name(),
            blank: discard.blank,
        },
    });
}

/// The caller keeps what is unread.
#[derive(Clone)]
pub struct CallersBuffer {
    decoder: Decoder,
    unread: Vec<u8>,
}

impl CallersBuffer {
    pub fn new(config: Config) -> Self {
        CallersBuffer { decoder: Decoder::new(config), unread: Vec::new() }
    }
}

impl CallersBuffer {
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    pub fn unread(&self) -> &[u8] {
        &self.unread
    }
}

impl Reader for CallersBuffer {
    fn bytes(&mut self, chunk: &[u8], seen: &mut Vec<Seen>) {
        self.unread.extend_from_slice(chunk);
        loop {
            let decoded = self.decoder.decode(&self.unread);
            let done = decoded.event.is_none();
            if let Some(received) = decoded.event {
                push(received, seen);
            }
            self.unread.drain(..decoded.consumed);
            if done {
                return;
            }
        }
    }

    fn idle(&mut self, seen: &mut Vec<Seen>) {
        let decoded = self.decoder.idle(&self.unread);
        if let Some(received) = decoded.event {
            push(received, seen);
        }
        self.unread.drain(..decoded.consumed);
    }

    fn eof(&mut self, seen: &mut Vec<Seen>) {
        loop {
            let decoded = self.decoder.finish(&self.unread);
            let done = decoded.event.is_none();
            if let Some(received) = decoded.event {
                push(received, seen);
            }
            self.unread.drain(..decoded.consumed);
            if done {
                return assert!(self.unread.is_empty(), "bytes left after the end");
            }
        }
    }

    fn pending(&self) -> u64 {
        self.decoder.scanner().pending()
    }
}

/// Chunks are fed; the storage holds what is split.
#[derive(Clone)]
pub struct Fed<S>(pub ReceiveBuffer<S>);

impl<S: Storage> Reader for Fed<S> {
    fn bytes(&mut self, mut chunk: &[u8], seen: &mut Vec<Seen>) {
        loop {
            let fed = self.0.feed(chunk);
            chunk = &chunk[fed.consumed..];
            match fed.event {
                Some(received) => push(received, seen),
                None => return assert!(chunk.is_empty(), "input left without an event"),
            }
        }
    }

    fn idle(&mut self, seen: &mut Vec<Seen>) {
        if let Some(received) = self.0.idle() {
            push(received, seen);
        }
    }

    fn eof(&mut self, seen: &mut Vec<Seen>) {
        while let Some(received) = self.0.finish() {
            push(received, seen);
        }
    }

    fn pending(&self) -> u64 {
        self.0.scanner().pending()
    }
}

/// A socket reads into the spare room.
#[derive(Clone)]
pub struct ReadInto<S>(pub ReceiveBuffer<S>);

impl<S: Storage> Reader for ReadInto<S> {
    fn bytes(&mut self, mut chunk: &[u8], seen: &mut Vec<Seen>) {
        while !chunk.is_empty() {
            let room = self.0.spare_mut(chunk.len());
            let len = room.len().min(chunk.len());
            assert!(len > 0, "no room although every event was taken");
            room[..len].copy_from_slice(&chunk[..len]);
            self.0.commit(len);
            chunk = &chunk[len..];
            while let Some(received) = self.0.next_event() {
                let payload = match received {
                    Received::Frame(frame) => frame.payload.to_vec(),
                    Received::Fault { prefix, .. } => prefix.to_vec(),
                    _ => Vec::new(),
                };
                push(received, seen);
                assert_eq!(self.0.payload(), payload, "the payload is at hand afterwards");
            }
        }
    }

    fn idle(&mut self, seen: &mut Vec<Seen>) {
        if let Some(received) = self.0.idle() {
            push(received, seen);
        }
    }

    fn eof(&mut self, seen: &mut Vec<Seen>) {
        while let Some(received) = self.0.finish() {
            push(received, seen);
        }
    }

    fn pending(&self) -> u64 {
        self.0.scanner().pending()
    }
}
