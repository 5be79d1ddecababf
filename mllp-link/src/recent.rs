//! The names of messages that have their verdict, to tell a late reply from a foreign one.

use heapless::Deque;

use crate::fate::Fate;

/// The last thirty-two of them, by a hash of the control ID: a wrong name in a report is the worst
/// that a collision can do.
///
/// It also knows which answers are *owed*: those to messages whose verdict did not wait for an
/// answer, and whose connection was kept. Such an answer may still come, and must not be credited
/// to another message.
#[derive(Debug)]
pub(crate) struct Recent {
    list: Deque<Known, 32>,
    /// An answer is owed that the list cannot name: to a message without a control ID, or to one
    /// that has left the list.
    owes_unnamed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    hash: u64,
    fate: Fate,
    owed: bool,
}

impl Recent {
    pub(crate) fn new() -> Recent {
        Recent { list: Deque::new(), owes_unnamed: false }
    }

    /// The verdict of this message did not wait for an answer, or no longer does.
    pub(crate) fn remember(&mut self, id: &[u8], fate: Fate) {
        let owed = matches!(fate, Fate::Stored | Fate::Unasked);
        if id.is_empty() {
            self.owes_unnamed |= owed;
            return;
        }
        if self.list.is_full() {
            let forgotten = self.list.pop_front();
            self.owes_unnamed |= forgotten.is_some_and(|it| it.owed);
        }
        let _ = self.list.push_back(Known { hash: hash(id), fate, owed });
    }

    /// What became of the last message of this name.
    pub(crate) fn fate(&self, id: &[u8]) -> Option<Fate> {
        let hash = hash(id);
        self.list.iter().rfind(|known| known.hash == hash).map(|known| known.fate)
    }

    /// Whether the connection owes any answer.
    pub(crate) fn owes_any(&self) -> bool {
        self.owes_unnamed || self.list.iter().any(|known| known.owed)
    }

    /// Whether it owes an answer that could be taken for one to this message: to a message of the
    /// same name, or any at all where there is no name to compare.
    pub(crate) fn owes(&self, id: &[u8]) -> bool {
        if id.is_empty() {
            return self.owes_any();
        }
        let hash = hash(id);
        self.list.iter().any(|known| known.owed && known.hash == hash)
    }

    /// On a new connection nothing is owed.
    pub(crate) fn connected(&mut self) {
        self.owes_unnamed = false;
        self.list.iter_mut().for_each(|known| known.owed = false);
    }
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
