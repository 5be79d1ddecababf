//! The tables of mllp-core once more, byte by byte: what is a complete frame in a stream.

use mllp_core::Profile;

/// What a receiver has to report, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Message(Vec<u8>),
    /// The payload up to the limit.
    TooLarge(Vec<u8>),
}

enum State {
    Outside,
    Frame(Vec<u8>),
    /// An end block came, and the profile wants to see what follows.
    End(Vec<u8>),
    /// Over the limit, up to the end block.
    Skipped,
}

pub struct Reference {
    profile: Profile,
    limit: usize,
    state: State,
}

impl Reference {
    pub fn new(profile: Profile, limit: usize) -> Reference {
        Reference { profile, limit, state: State::Outside }
    }

    /// Whether a frame is open, skipped or not.
    pub fn in_frame(&self) -> bool {
        !matches!(self.state, State::Outside)
    }

    pub fn read(&mut self, bytes: &[u8]) -> Vec<Item> {
        bytes.iter().filter_map(|byte| self.read_byte(*byte)).collect()
    }

    /// The line is idle, or the stream has ended: behind an end block that is a trailer.
    pub fn pause(&mut self) -> Option<Item> {
        match std::mem::replace(&mut self.state, State::Outside) {
            State::End(payload) if self.profile == Profile::Resync => Some(Item::Message(payload)),
            state => {
                self.state = state;
                None
            }
        }
    }

    fn read_byte(&mut self, byte: u8) -> Option<Item> {
        let strict = self.profile == Profile::Strict;
        let (state, item) = match std::mem::replace(&mut self.state, State::Outside) {
            State::Outside if byte == 0x0B => (State::Frame(Vec::new()), None),
            State::Outside => (State::Outside, None),
            State::Skipped if byte == 0x1C => (State::Outside, None),
            State::Skipped => (State::Skipped, None),
            State::Frame(payload) => match byte {
                0x1C if self.profile == Profile::Permissive => {
                    (State::Outside, Some(Item::Message(payload)))
                }
                0x1C => (State::End(payload), None),
                0x0B if self.profile != Profile::Permissive => (State::Frame(Vec::new()), None),
                _ if strict && !is_legal(&payload, byte) => (State::Outside, None),
                _ => self.grown(payload, &[byte]),
            },
            State::End(payload) => match byte {
                b'\r' => (State::Outside, Some(Item::Message(payload))),
                0x0B if strict => (State::Frame(Vec::new()), None),
                _ if strict => (State::Outside, None),
                b'\n' => (State::Outside, Some(Item::Message(payload))),
                0x0B => (State::Frame(Vec::new()), Some(Item::Message(payload))),
                0x1C => unreachable!("nobody writes two end blocks"),
                _ => self.grown(payload, &[0x1C, byte]),
            },
        };
        self.state = state;
        item
    }

    fn grown(&self, mut payload: Vec<u8>, bytes: &[u8]) -> (State, Option<Item>) {
        if payload.len() + bytes.len() <= self.limit {
            payload.extend(bytes);
            return (State::Frame(payload), None);
        }
        let skips = self.profile == Profile::Permissive;
        (if skips { State::Skipped } else { State::Outside }, Some(Item::TooLarge(payload)))
    }
}

/// The grammar: `20`..`FF` and carriage return, or a commit byte alone.
fn is_legal(payload: &[u8], byte: u8) -> bool {
    match payload {
        [] if matches!(byte, 0x06 | 0x15) => true,
        [0x06 | 0x15] => false,
        _ => byte >= 0x20 || byte == b'\r',
    }
}
