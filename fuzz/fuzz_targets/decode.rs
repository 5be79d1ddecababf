//! Every reader reports the events of the naive decoder, in every chunking, and no byte is lost.

#![no_main]

mod input;
#[path = "../../mllp-core/tests/naive/mod.rs"]
mod naive;
#[path = "../../mllp-core/tests/support/mod.rs"]
mod support;

use input::{Input, Noise, cuts};
use libfuzzer_sys::fuzz_target;
use mllp_core::{Profile, ReceiveBuffer, Storage};
use naive::Stream;
use support::{CallersBuffer, Events, Fed, PROFILES, ReadInto, Reader, Seen, config};

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (flags, limit, seed) = (input.byte(), input.byte(), input.byte());
    let (_, profile) = PROFILES[usize::from(flags & 3) % 3];
    let limit = (flags & 4 != 0).then_some(usize::from(limit));
    let stream = input.rest();

    // An idle line means something behind an end block only, so that is where it mostly is.
    let mut noise = Noise::new(seed);
    let (behind_end_blocks, anywhere) = (flags & 8 != 0, flags & 16 != 0);
    let idle: Vec<bool> = (0..=stream.len())
        .map(|at| {
            let behind = at > 0 && stream[at - 1] == 0x1C;
            behind_end_blocks && behind && noise.once_in(2) || anywhere && noise.once_in(5)
        })
        .collect();

    let max = limit.unwrap_or(usize::MAX);
    let naive = |eof| {
        let stream = Stream { bytes: stream, idle: &idle, eof, max };
        match profile {
            Profile::Permissive => naive::permissive(&stream),
            Profile::Resync => naive::resync(&stream),
            Profile::Strict => naive::strict(&stream),
        }
    };
    let case = Case { stream, idle: &idle, open: naive(false), ended: naive(true) };
    conserves_bytes(&case);

    let config = config(profile, limit);
    // Storage of just the size that the limit needs, there from the start or growing.
    let storage_len = max.saturating_add(3);
    let filled = if flags & 32 != 0 { limit.map_or(0, |_| storage_len) } else { 0 };
    let storage = || Memory { bytes: vec![0; filled], max_len: storage_len };
    let (whole, each) = (vec![false; stream.len() + 1], vec![true; stream.len() + 1]);
    for cuts in [whole, each, cuts(stream.len(), seed)] {
        let events = case.check(Events::new(config), &cuts);
        counts_what_it_reports(&events, &case.ended);
        case.check(CallersBuffer::new(config), &cuts);
        case.check(Fed(ReceiveBuffer::new(storage(), config)), &cuts);
        case.check(ReadInto(ReceiveBuffer::new(storage(), config)), &cuts);
    }
});

struct Case<'s> {
    stream: &'s [u8],
    /// Whether the line is idle after that many bytes.
    idle: &'s [bool],
    /// What is to be seen before the end of the stream, and after it.
    open: Vec<Seen>,
    ended: Vec<Seen>,
}

impl Case<'_> {
    fn check<R: Reader>(&self, mut reader: R, cuts: &[bool]) -> R {
        let (mut seen, mut from, len) = (Vec::new(), 0, self.stream.len());
        for (to, (&cut, &idle)) in cuts.iter().zip(self.idle).enumerate() {
            if cut || idle || to == len {
                reader.bytes(&self.stream[from..to], &mut seen);
                from = to;
            }
            if idle {
                reader.idle(&mut seen);
            }
        }
        assert_eq!(seen, self.open);
        reader.eof(&mut seen);
        assert_eq!(seen, self.ended, "ended");
        assert_eq!(reader.pending(), 0);
        reader
    }
}

/// Frames and discards lie end to end over the whole stream; only trailers are between them.
fn conserves_bytes(case: &Case<'_>) {
    let stream = case.stream;
    let after_trailer = |at: usize, next: usize| {
        let trailer = at > 0 && stream[at - 1] == 0x1C && matches!(stream.get(at), Some(13 | 10));
        assert!(next == at || trailer && next == at + 1, "a gap from {at} to {next}");
    };
    let mut at = 0;
    for seen in &case.ended {
        let (offset, len) = match seen {
            Seen::Frame { offset, payload, .. } => (*offset as usize, payload.len() + 2),
            Seen::Discard { offset, len, .. } => (*offset as usize, *len as usize),
            Seen::Warning { .. } | Seen::Error { .. } => continue,
        };
        after_trailer(at, offset);
        at = offset + len;
        if let Seen::Frame { payload, .. } = seen {
            assert_eq!(stream[offset], 0x0B);
            assert_eq!(stream[offset + 1..at - 1], payload[..]);
            assert_eq!(stream[at - 1], 0x1C);
        }
    }
    after_trailer(at, stream.len());
}

fn counts_what_it_reports(events: &Events, seen: &[Seen]) {
    let counters = events.scanner.counters();
    let (mut frames, mut bytes) = (0, 0);
    for seen in seen {
        match seen {
            Seen::Frame { .. } => frames += 1,
            Seen::Discard { len, .. } => bytes += len,
            _ => {}
        }
    }
    assert_eq!(counters.frames, frames);
    assert_eq!(counters.bytes_dropped + counters.bytes_outside, bytes);
}

struct Memory {
    bytes: Vec<u8>,
    max_len: usize,
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Memory {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Storage for Memory {
    fn max_len(&self) -> usize {
        self.max_len
    }

    fn grow(&mut self, len: usize) {
        assert!(len <= self.max_len, "asked to grow beyond its maximum");
        self.bytes.resize(len, 0);
    }
}
