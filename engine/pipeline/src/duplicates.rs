//! Which message has the same identity as one that is received. An identity is only a hint: the bytes
//! decide.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use crate::ids::{MessageId, Millis};

/// How long a message is remembered.
pub(crate) const REMEMBERED: Millis = 24 * 60 * 60 * 1_000;
/// How exactly that is kept.
const MARK_EVERY: Millis = 10 * 60 * 1_000;

/// Identities of the messages of one inbound, within a fixed number of entries.
///
/// There are two tables: the younger takes new entries, and when it is full the older is dropped. So
/// at least half of the entries that fit are the newest ones, and nothing is ever moved.
#[derive(Debug)]
pub(crate) struct Identities {
    young: Table,
    old: Table,
    half: usize,
    /// Since when messages from this number on were received, oldest first.
    marks: VecDeque<(Millis, MessageId)>,
    /// Messages below this are too old to count.
    forgotten: MessageId,
    last: MessageId,
}

impl Identities {
    pub fn new(entries: usize) -> Identities {
        let half = (entries / 2).max(1);
        let (young, old) = (Table::default(), Table::default());
        let (forgotten, last) = (MessageId(0), MessageId(0));
        Identities { young, old, half, marks: VecDeque::new(), forgotten, last }
    }

    /// The last message with this identity.
    pub fn find(&mut self, identity: u128, now: Millis) -> Option<MessageId> {
        self.forget(now);
        let key = key(identity);
        let found = self.young.find(key).or_else(|| self.old.find(key));
        found.filter(|message| *message >= self.forgotten)
    }

    pub fn insert(&mut self, identity: u128, message: MessageId, now: Millis) {
        self.forget(now);
        if self.marks.back().is_none_or(|(at, _)| now - at >= MARK_EVERY) {
            self.marks.push_back((now, message));
        }
        if self.young.len >= self.half {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(key(identity), message);
        self.last = self.last.max(message);
    }

    /// Drops the marks that are too old, and with them the messages up to the next mark.
    fn forget(&mut self, now: Millis) {
        while self.marks.front().is_some_and(|(at, _)| now.saturating_sub(*at) > REMEMBERED) {
            self.marks.pop_front();
            self.forgotten = self.marks.front().map_or(MessageId(self.last.0 + 1), |mark| mark.1);
        }
    }
}

/// An identity is a hash, so half of its bits tell as much as a slot has room for.
fn key(identity: u128) -> u64 {
    (identity >> 64) as u64 ^ identity as u64
}

/// Open addressing with linear probing, at most half full. A message number of 0 is an empty slot.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<(u64, u64)>,
    len: usize,
}

impl Table {
    /// The slot with this key, or the empty one where it belongs. The key is a hash already.
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = key as usize & mask;
        while self.slots[at].1 != 0 && self.slots[at].0 != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn find(&self, key: u64) -> Option<MessageId> {
        if self.slots.is_empty() {
            return None;
        }
        Some(MessageId(self.slots[self.slot(key)].1)).filter(|message| message.0 != 0)
    }

    fn insert(&mut self, key: u64, message: MessageId) {
        if (self.len + 1) * 2 > self.slots.len() {
            let room = (self.slots.len() * 2).max(64);
            let old = core::mem::replace(&mut self.slots, vec![(0, 0); room]);
            for (key, message) in old.into_iter().filter(|slot| slot.1 != 0) {
                let at = self.slot(key);
                self.slots[at] = (key, message);
            }
        }
        let at = self.slot(key);
        self.len += usize::from(self.slots[at].1 == 0);
        self.slots[at] = (key, message.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u64) -> u128 {
        u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1) << 64
    }

    #[test]
    fn the_last_message_with_an_identity_is_found() {
        let mut identities = Identities::new(1_000);
        assert_eq!(identities.find(hash(1), 0), None);
        for n in 1..=300 {
            identities.insert(hash(n), MessageId(n), 0);
        }
        assert!((1..=300).all(|n| identities.find(hash(n), 0) == Some(MessageId(n))));
        identities.insert(hash(7), MessageId(301), 0);
        assert_eq!(identities.find(hash(7), 0), Some(MessageId(301)));
        assert_eq!(identities.find(hash(302), 0), None);
    }

    #[test]
    fn the_number_of_entries_is_bounded_and_the_newest_half_stays() {
        let mut identities = Identities::new(100);
        for n in 1..=10_000 {
            identities.insert(hash(n), MessageId(n), 0);
            assert!(identities.young.len + identities.old.len <= 100);
        }
        assert!((9_951..=10_000).all(|n| identities.find(hash(n), 0).is_some()));
        assert!(identities.young.slots.len() <= 256 && identities.old.slots.len() <= 256);
    }

    #[test]
    fn a_day_is_remembered() {
        let mut identities = Identities::new(1_000);
        identities.insert(hash(1), MessageId(1), 1_000);
        identities.insert(hash(2), MessageId(2), 1_000 + REMEMBERED / 2);
        assert!(identities.find(hash(1), REMEMBERED).is_some());
        assert!(identities.find(hash(1), 1_001 + REMEMBERED).is_none());
        assert!(identities.find(hash(2), 1_001 + REMEMBERED).is_some());
        assert!(identities.find(hash(2), 3 * REMEMBERED).is_none(), "nothing came since");
        identities.insert(hash(3), MessageId(3), 3 * REMEMBERED);
        assert!(identities.find(hash(3), 3 * REMEMBERED).is_some());
    }
}
