//! The names of messages that have their verdict, to tell a late reply from a foreign one.

use heapless::Deque;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A reply was taken for it.
    Answered,
    /// It was given up, or sent again, without one.
    GivenUp,
}

/// The last thirty-two of them, by a hash of the control ID: a wrong name in a report is the worst
/// that a collision can do.
#[derive(Debug)]
pub(crate) struct Recent(Deque<(u64, Fate), 32>);

impl Recent {
    pub(crate) fn new() -> Recent {
        Recent(Deque::new())
    }

    pub(crate) fn remember(&mut self, id: &[u8], fate: Fate) {
        if id.is_empty() {
            return;
        }
        if self.0.is_full() {
            let _ = self.0.pop_front();
        }
        let _ = self.0.push_back((hash(id), fate));
    }

    pub(crate) fn fate(&self, id: &[u8]) -> Option<Fate> {
        let hash = hash(id);
        self.0.iter().rfind(|(known, _)| *known == hash).map(|(_, fate)| *fate)
    }
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
