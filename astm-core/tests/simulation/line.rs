//! One direction of a line: what is written arrives later, in pieces, and not always as it was.

use std::collections::VecDeque;

use crate::random::Random;

const STX: u8 = 2;
const EOT: u8 = 4;
const ACK: u8 = 6;
const NAK: u8 = 0x15;

/// What a byte may suffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    Flip,
    Lose,
    Double,
    Insert,
    Swap,
    Burst,
}

pub const EVERY_NOISE: [Noise; 6] =
    [Noise::Flip, Noise::Lose, Noise::Double, Noise::Insert, Noise::Swap, Noise::Burst];

/// How bad a line is.
#[derive(Clone, Debug)]
pub struct Quality {
    /// So many bytes in a million suffer.
    pub noise: u64,
    pub kinds: Vec<Noise>,
    /// The longest usual delay.
    pub delay: u64,
    /// So many writes in a million are held up for up to 40 s.
    pub stalls: u64,
    /// So many writes in a million break the connection.
    pub breaks: u64,
}

/// What noise did to a write, as far as the protocol cannot see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// A frame is another one with the same sum, or has lost its sum.
    pub blind: bool,
    /// A byte became an acknowledgment: it is a single byte without a check.
    pub forged: bool,
}

#[derive(Default)]
pub struct Line {
    in_flight: VecDeque<(u64, Vec<u8>)>,
    last: u64,
    pub noisy_bytes: u64,
}

impl Line {
    pub fn write(
        &mut self,
        bytes: &[u8],
        now: u64,
        quality: &Quality,
        random: &mut Random,
    ) -> Unseen {
        let noisy = self.disturb(bytes, quality, random);
        let unseen = unseen(bytes, &noisy);
        let mut at = now + bytes.len() as u64 + random.below(quality.delay + 1);
        if random.happens(quality.stalls) {
            at += random.below(40_000);
        }
        let mut rest = &noisy[..];
        // A reply is not cut: a doubled byte comes with the first one.
        while !rest.is_empty() {
            let cut = if bytes.len() < 4 || random.below(3) > 0 {
                rest.len()
            } else {
                1 + random.below(rest.len() as u64) as usize
            };
            let (piece, after) = rest.split_at(cut);
            at = at.max(self.last);
            self.last = at;
            self.in_flight.push_back((at, piece.to_vec()));
            at += random.below(100);
            rest = after;
        }
        unseen
    }

    fn disturb(&mut self, bytes: &[u8], quality: &Quality, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 8);
        let mut bytes = bytes.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if !random.happens(quality.noise) {
                out.push(byte);
                continue;
            }
            self.noisy_bytes += 1;
            match random.choose(&quality.kinds) {
                Noise::Flip => out.push(byte ^ 1 << random.below(8)),
                Noise::Lose => {}
                Noise::Double => out.extend([byte, byte]),
                Noise::Insert => {
                    out.push(byte);
                    out.push(random.byte() % 32);
                }
                Noise::Swap => {
                    out.extend(bytes.next());
                    out.push(byte);
                }
                Noise::Burst => {
                    for _ in 0..=random.below(6) {
                        bytes.next();
                        out.push(random.byte());
                    }
                }
            }
        }
        out
    }

    pub fn next(&self) -> Option<u64> {
        self.in_flight.front().map(|(at, _)| *at)
    }

    /// All that has arrived by now.
    pub fn read(&mut self, now: u64) -> Vec<u8> {
        let mut read = Vec::new();
        while self.next().is_some_and(|at| at <= now) {
            read.extend(self.in_flight.pop_front().unwrap().1);
        }
        read
    }

    pub fn lose_all(&mut self) {
        self.in_flight.clear();
        self.last = 0;
    }
}

fn unseen(written: &[u8], noisy: &[u8]) -> Unseen {
    if written == noisy {
        return Unseen::default();
    }
    let positive = |byte: &u8| *byte == ACK || *byte == EOT;
    let first = noisy.iter().find(|byte| positive(byte) || **byte == NAK);
    let forged = written.len() < 4 && !written.iter().any(positive) && first.is_some_and(positive);
    // What follows each STX: a frame with another content, which its sum does not tell.
    let content = |frame: &[u8]| {
        let end = frame.iter().position(|byte| matches!(byte, 3 | 0x17))?;
        let (content, rest) = (frame[..=end].to_vec(), &frame[end + 1..]);
        let digits = rest.get(..2).unwrap_or_default();
        let right = digits.eq_ignore_ascii_case(&astm_core::checksum(&content));
        let absent = digits.iter().any(|byte| matches!(byte, 0x0D | 0x0A)) || digits.len() < 2;
        (right || absent).then_some(content)
    };
    let original = content(written.get(1..).unwrap_or_default());
    let starts = (0..noisy.len()).filter(|at| noisy[*at] == STX);
    let blind = starts.filter_map(|at| content(&noisy[at + 1..])).any(|found| {
        // NUL is what the rules must see.
        !found.contains(&0) && Some(found) != original
    });
    Unseen { blind, forged }
}
