//! A network in memory: two pipes of bytes with delays, stalls, cuts and silence, in virtual time.

use std::collections::VecDeque;

/// splitmix64: a seed gives a run.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Less than `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// One direction of a connection.
#[derive(Default)]
pub struct Pipe {
    bytes: VecDeque<(u64, u8)>,
    last: u64,
    /// Nothing is delivered before.
    pub stalled: u64,
    /// The reader sees the end behind the last byte.
    pub closed: bool,
    /// Everything vanishes, and the reader never learns of it.
    silent: bool,
}

impl Pipe {
    /// What the network does not take yet stays with the writer.
    pub fn room(&self, capacity: usize) -> usize {
        if self.closed || self.silent {
            // Like a socket buffer: the writer learns late or never.
            return usize::MAX;
        }
        capacity.saturating_sub(self.bytes.len())
    }

    pub fn write(&mut self, bytes: &[u8], at: u64) {
        if self.closed || self.silent {
            return;
        }
        self.last = self.last.max(at);
        self.bytes.extend(bytes.iter().map(|byte| (self.last, *byte)));
    }

    /// Up to `len` bytes that have come; they stay until `take`.
    pub fn peek(&self, len: usize, now: u64) -> Vec<u8> {
        if now < self.stalled {
            return Vec::new();
        }
        let there = self.bytes.iter().take(len).take_while(|(at, _)| *at <= now);
        there.map(|(_, byte)| *byte).collect()
    }

    pub fn take(&mut self, len: usize) {
        self.bytes.drain(..len);
    }

    pub fn ended(&self, now: u64) -> bool {
        self.closed && !self.silent && self.bytes.is_empty() && now >= self.stalled
    }

    /// Only `keep` of the bytes under way still come.
    pub fn cut(&mut self, keep: usize) {
        self.bytes.truncate(keep);
        self.closed = true;
    }

    pub fn silence(&mut self) {
        self.bytes.clear();
        self.silent = true;
    }

    /// Nothing that is written comes.
    pub fn is_dead(&self) -> bool {
        self.closed || self.silent
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Both directions, named as the receiving end sees them.
#[derive(Default)]
pub struct Wire {
    pub inward: Pipe,
    pub outward: Pipe,
}

impl Wire {
    /// One thing that networks do.
    pub fn fault(&mut self, now: u64, rng: &mut Rng) -> &'static str {
        let part = |pipe: &Pipe, rng: &mut Rng| rng.below(1 + pipe.len() as u64) as usize;
        match rng.below(8) {
            0 => {
                self.inward.cut(part(&self.inward, rng));
                self.outward.cut(part(&self.outward, rng));
                "cut"
            }
            1 => {
                self.inward.cut(part(&self.inward, rng));
                "cut inward"
            }
            2 => {
                self.inward.silence();
                self.outward.silence();
                "silent"
            }
            3 | 4 => {
                self.inward.stalled = now + rng.below(1500);
                "stalled inward"
            }
            _ => {
                self.outward.stalled = now + rng.below(1500);
                "stalled outward"
            }
        }
    }

    /// The sending end hangs up: what it has written still comes.
    pub fn hang_up(&mut self) {
        self.inward.closed = true;
        self.outward.cut(0);
    }
}
