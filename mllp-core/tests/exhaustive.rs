//! Every stream of up to eight symbols over start block, end block, carriage return, line feed, one
//! letter and an idle line, in every chunking, with the stream ended after every prefix, compared
//! with the naive decoder: a proof for the bounded case.
//!
//! The walk keeps, for each stream, the distinct states that its chunkings lead to. The states of a
//! longer stream follow from those of all its prefixes by one more chunk, so that each state is
//! computed once and every chunking is covered. That there is exactly one state for a stream is the
//! invariant under test: the result does not depend on the chunks.

mod naive;
mod support;

use mllp_core::{Config, Profile, ReceiveBuffer, Scanner};
use naive::Stream;
use support::{CallersBuffer, Events, Fed, PROFILES, ReadInto, Reader, Seen, config};

/// What two readers must have in common to have the same future.
trait State: Reader + Clone {
    fn future(&self) -> (Scanner, Vec<u8>);
}

impl State for Events {
    fn future(&self) -> (Scanner, Vec<u8>) {
        // A payload that has been delivered, or lost, is no longer looked at.
        let open = self.scanner.pending() > 0;
        (self.scanner.clone(), if open { self.payload().to_vec() } else { Vec::new() })
    }
}

impl State for CallersBuffer {
    fn future(&self) -> (Scanner, Vec<u8>) {
        (self.decoder().scanner().clone(), self.unread().to_vec())
    }
}

impl State for Fed<[u8; 16]> {
    fn future(&self) -> (Scanner, Vec<u8>) {
        (self.0.scanner().clone(), self.0.unread().to_vec())
    }
}

impl State for ReadInto<[u8; 16]> {
    fn future(&self) -> (Scanner, Vec<u8>) {
        (self.0.scanner().clone(), self.0.unread().to_vec())
    }
}

const SYMBOLS: [Option<u8>; 6] =
    [Some(0x0B), Some(0x1C), Some(b'\r'), Some(b'\n'), Some(b'M'), None];

struct Walk {
    profile: Profile,
    max: usize,
    length: usize,
    steps: u64,
}

/// One stream with the single state that its chunkings lead to.
struct Node<R> {
    reader: R,
    seen: Vec<Seen>,
}

impl Walk {
    fn naive(&self, bytes: &[u8], idle: &[bool], eof: bool) -> Vec<Seen> {
        let stream = Stream { bytes, idle, eof, max: self.max };
        match self.profile {
            Profile::Permissive => naive::permissive(&stream),
            Profile::Resync => naive::resync(&stream),
            Profile::Strict => naive::strict(&stream),
        }
    }

    /// `path` holds a node for the empty stream and for each prefix; `run` is how many of the last
    /// symbols are bytes, and so how long a last chunk can be.
    fn visit<R: State>(
        &mut self,
        path: &mut Vec<Node<R>>,
        bytes: &mut Vec<u8>,
        idle: &mut Vec<bool>,
        run: usize,
    ) {
        self.check(path, bytes, idle);
        if path.len() > self.length {
            return;
        }
        for symbol in SYMBOLS {
            let Some(byte) = symbol else {
                // A second idle report in a row changes nothing that one does not.
                if run > 0 {
                    let last = path.last().unwrap();
                    let (mut reader, mut seen) = (last.reader.clone(), last.seen.clone());
                    reader.idle(&mut seen);
                    self.steps += 1;
                    path.push(Node { reader, seen });
                    let before = std::mem::replace(idle.last_mut().unwrap(), true);
                    self.visit(path, bytes, idle, 0);
                    *idle.last_mut().unwrap() = before;
                    path.pop();
                }
                continue;
            };
            bytes.push(byte);
            idle.push(false);
            let mut node: Option<Node<R>> = None;
            for len in 1..=run + 1 {
                let from = &path[path.len() - len];
                let (mut reader, mut seen) = (from.reader.clone(), from.seen.clone());
                reader.bytes(&bytes[bytes.len() - len..], &mut seen);
                self.steps += 1;
                match &node {
                    None => node = Some(Node { reader, seen }),
                    Some(first) => {
                        assert_eq!(first.seen, seen, "{bytes:?} ends in a chunk of {len}");
                        assert!(
                            first.reader.future() == reader.future(),
                            "{bytes:?}: another state after a last chunk of {len}"
                        );
                    }
                }
            }
            path.push(node.unwrap());
            self.visit(path, bytes, idle, run + 1);
            path.pop();
            bytes.pop();
            idle.pop();
        }
    }

    fn check<R: State>(&mut self, path: &[Node<R>], bytes: &[u8], idle: &[bool]) {
        let node = path.last().unwrap();
        let at = || format!("{:?} max {} {bytes:02x?} idle {idle:?}", self.profile, self.max);
        assert_eq!(node.seen, self.naive(bytes, idle, false), "{}", at());
        let (mut reader, mut seen) = (node.reader.clone(), node.seen.clone());
        reader.eof(&mut seen);
        assert_eq!(seen, self.naive(bytes, idle, true), "{}, ended", at());
        assert_eq!(reader.pending(), 0, "{}, ended", at());
        self.steps += 1;
    }
}

fn walk<R: State>(length: usize, new: impl Fn(Config) -> R) -> u64 {
    let mut steps = 0;
    for (_, profile) in PROFILES {
        for max in [None, Some(3)] {
            let config = config(profile, max);
            // A buffer of sixteen bytes holds every payload of eight: its limit never acts.
            let max = max.unwrap_or(8);
            let mut walk = Walk { profile, max, length, steps: 0 };
            let mut path = vec![Node { reader: new(config), seen: Vec::new() }];
            walk.visit(&mut path, &mut Vec::new(), &mut vec![false], 0);
            steps += walk.steps;
        }
    }
    steps
}

#[cfg(not(debug_assertions))]
const LENGTH: usize = 8;
/// An unoptimised build walks as far as it can in the same time.
#[cfg(debug_assertions)]
const LENGTH: usize = 5;

#[test]
fn events() {
    let steps = walk(LENGTH, Events::new);
    println!("events: {steps} steps");
    assert!(steps > 100_000);
}

#[test]
fn callers_buffer() {
    let steps = walk(LENGTH, CallersBuffer::new);
    println!("caller's buffer: {steps} steps");
    assert!(steps > 100_000);
}

#[test]
fn own_storage_fed() {
    let steps = walk(LENGTH, |config| Fed(ReceiveBuffer::new([0; 16], config)));
    println!("own storage, fed: {steps} steps");
    assert!(steps > 100_000);
}

#[test]
fn own_storage_read_into() {
    let steps = walk(LENGTH, |config| ReadInto(ReceiveBuffer::new([0; 16], config)));
    println!("own storage, read into: {steps} steps");
    assert!(steps > 100_000);
}
