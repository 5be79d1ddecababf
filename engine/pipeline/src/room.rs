//! How the store stands: whether it writes, and whether it has room for new messages.

use crate::fact::{CommitOutcome, Refusal};
use crate::ids::{Millis, Now};

/// After a commit that found no room, new messages are not tried for this long.
pub(crate) const FULL: Millis = 1_000;
/// A commit that takes longer than this is reported.
const SLOW: Millis = 5_000;
/// The most that is kept free when the configuration says nothing: 512 MiB.
const MIN_FREE: u64 = 512 << 20;

/// The room that a store has, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What it can still write.
    pub free: u64,
    /// The size of the disk it is on.
    pub size: u64,
}

/// What keeps a store from writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// There is less room than is kept free for deliveries: nothing new is stored.
    Low,
    /// A commit found no room.
    Full,
    /// The store refuses for now: locked, or the database is not reachable.
    Unavailable,
    /// It is unknown whether the last commit was written.
    Unknown,
    /// A commit has not returned for more than five seconds.
    Slow,
}

impl Trouble {
    /// The stable name, the same everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Trouble::Low => "low",
            Trouble::Full => "full",
            Trouble::Unavailable => "unavailable",
            Trouble::Unknown => "unknown_outcome",
            Trouble::Slow => "slow",
        }
    }
}

/// How the store stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreState {
    /// What is wrong; `None`: it writes.
    pub trouble: Option<Trouble>,
    /// Since when, by the wall clock; 0 while it writes.
    pub since: u64,
}

impl StoreState {
    /// Whether there is too little room on its disk.
    pub const fn lacks_room(self) -> bool {
        matches!(self.trouble, Some(Trouble::Low | Trouble::Full))
    }

    /// `writing`, `full` or `not_writing`.
    pub const fn name(self) -> &'static str {
        match self.trouble {
            None => "writing",
            Some(Trouble::Low | Trouble::Full) => "full",
            Some(Trouble::Unavailable | Trouble::Unknown | Trouble::Slow) => "not_writing",
        }
    }
}

/// Follows the store by what became of its commits and by its room.
#[derive(Debug, Default)]
pub(crate) struct StoreWatch {
    /// What is kept free; `None`: one per cent of the disk, 512 MiB at most.
    min_free: Option<u64>,
    /// Since when there is less room than is kept free, by the wall clock.
    low: Option<u64>,
    /// What was wrong with the last commit, and since when.
    failing: Option<(Trouble, u64)>,
    /// No commit with new messages before this.
    full_until: Millis,
    /// When the open commit was ordered.
    opened: Option<Now>,
}

impl StoreWatch {
    pub fn new(min_free: Option<u64>) -> StoreWatch {
        StoreWatch { min_free, ..StoreWatch::default() }
    }

    /// Whether new messages may be committed now.
    pub fn takes_messages(&self, now: Millis) -> bool {
        self.low.is_none() && now >= self.full_until
    }

    /// New messages are tried again at this time, unless the room is low.
    pub fn full_until(&self) -> Millis {
        self.full_until
    }

    /// The host has looked how much room there is.
    pub fn has(&mut self, room: Room, now: Now) {
        let least = self.min_free.unwrap_or(MIN_FREE.min(room.size / 100));
        // A quarter more before it ends, or it would begin again at once.
        let enough = if self.low.is_some() { least.saturating_add(least / 4) } else { least };
        if room.free < enough {
            self.low.get_or_insert(now.wall);
            return;
        }
        let was_low = self.low.take().is_some();
        // The disk has room again, and that shows without another message.
        if was_low && self.failing.is_some_and(|(trouble, _)| trouble == Trouble::Full) {
            self.failing = None;
        }
    }

    pub fn ordered(&mut self, now: Now) {
        self.opened = Some(now);
    }

    /// What became of a commit, with new messages in it or without.
    pub fn outcome(&mut self, outcome: &CommitOutcome, had_messages: bool, now: Now) {
        self.opened = None;
        let trouble = match outcome {
            CommitOutcome::Committed(_) => {
                // A commit without new messages finds room where one with them does not.
                let is_full = self.failing.is_some_and(|(trouble, _)| trouble == Trouble::Full);
                if !is_full || had_messages || self.low.is_some() {
                    self.failing = None;
                }
                return;
            }
            CommitOutcome::Fenced(_) => return,
            CommitOutcome::Refused(Refusal::Full) => {
                self.full_until = now.steady + FULL;
                Trouble::Full
            }
            CommitOutcome::Refused(Refusal::Unavailable) => Trouble::Unavailable,
            CommitOutcome::Unknown => Trouble::Unknown,
        };
        if self.failing.is_none_or(|(before, _)| before != trouble) {
            self.failing = Some((trouble, now.wall));
        }
    }

    /// Since when the open commit has not returned, by the wall clock, if that is longer than this.
    pub fn open_since(&self, longer: Millis, now: Now) -> Option<u64> {
        let is_longer = |it: &Now| now.steady.saturating_sub(it.steady) > longer;
        self.opened.filter(is_longer).map(|it| it.wall)
    }

    pub fn state(&self, now: Now) -> StoreState {
        let slow = self.open_since(SLOW, now).map(|since| (Trouble::Slow, since));
        let low = self.low.map(|since| (Trouble::Low, since));
        match self.failing.or(slow).or(low) {
            Some((trouble, since)) => StoreState { trouble: Some(trouble), since },
            None => StoreState::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Committed;

    fn at(steady: u64) -> Now {
        Now { steady, wall: 1_000_000 + steady }
    }

    fn room(free: u64) -> Room {
        Room { free, size: 1_000_000 }
    }

    fn committed() -> CommitOutcome {
        CommitOutcome::Committed(Committed::default())
    }

    const FULL_DISK: CommitOutcome = CommitOutcome::Refused(Refusal::Full);

    #[test]
    fn it_is_low_below_the_mark_and_a_quarter_more_ends_it() {
        let mut watch = StoreWatch::new(Some(1_000));
        watch.has(room(1_000), at(1));
        assert!(watch.takes_messages(1));
        watch.has(room(999), at(2));
        assert!(!watch.takes_messages(2));
        let low = StoreState { trouble: Some(Trouble::Low), since: 1_000_002 };
        assert_eq!(watch.state(at(3)), low);
        watch.outcome(&FULL_DISK, false, at(4));
        assert_eq!(watch.state(at(4)).trouble, Some(Trouble::Full), "not even deliveries");
        watch.outcome(&committed(), false, at(4));
        watch.has(room(1_249), at(5));
        assert!(!watch.takes_messages(5));
        assert_eq!(watch.state(at(5)), low, "deliveries go on, and it is low since then");
        watch.has(room(1_250), at(6));
        assert!(!watch.takes_messages(6) && watch.takes_messages(4 + FULL));
        assert_eq!(watch.state(at(6)), StoreState::default());
    }

    #[test]
    fn without_a_word_one_per_cent_is_kept_and_512_mebibytes_at_most() {
        let mut watch = StoreWatch::default();
        watch.has(Room { free: 9_999, size: 1_000_000 }, at(1));
        assert!(!watch.takes_messages(1));
        watch.has(Room { free: MIN_FREE - 1, size: u64::MAX }, at(1));
        assert!(!watch.takes_messages(1));
        watch.has(Room { free: MIN_FREE * 2, size: u64::MAX }, at(1));
        assert!(watch.takes_messages(1));
    }

    /// As with a quota: the file system says that there is room.
    #[test]
    fn a_commit_that_finds_no_room_makes_it_full_until_one_with_messages_succeeds() {
        let mut watch = StoreWatch::default();
        watch.outcome(&FULL_DISK, true, at(10));
        assert!(!watch.takes_messages(10 + FULL - 1) && watch.takes_messages(10 + FULL));
        let full = StoreState { trouble: Some(Trouble::Full), since: 1_000_010 };
        watch.has(room(900_000), at(20));
        watch.outcome(&committed(), false, at(30));
        assert_eq!(watch.state(at(30)), full);
        watch.outcome(&FULL_DISK, true, at(2_000));
        assert_eq!(watch.state(at(2_000)), full, "one episode");
        watch.outcome(&committed(), true, at(4_000));
        assert_eq!(watch.state(at(4_000)), StoreState::default());
    }

    #[test]
    fn room_ends_an_episode_that_lack_of_room_began() {
        let mut watch = StoreWatch::new(Some(1_000));
        watch.outcome(&FULL_DISK, true, at(10));
        watch.has(room(10), at(11));
        assert_eq!(watch.state(at(11)).trouble, Some(Trouble::Full));
        watch.has(room(500_000), at(12));
        assert_eq!(watch.state(at(12)).trouble, None, "without another message");
    }

    #[test]
    fn a_store_that_does_not_write_is_named_with_its_reason() {
        let mut watch = StoreWatch::default();
        for (outcome, trouble) in [
            (CommitOutcome::Refused(Refusal::Unavailable), Trouble::Unavailable),
            (CommitOutcome::Unknown, Trouble::Unknown),
        ] {
            watch.outcome(&outcome, false, at(1));
            assert_eq!(watch.state(at(9)), StoreState { trouble: Some(trouble), since: 1_000_001 });
            watch.outcome(&committed(), false, at(2));
            assert_eq!(watch.state(at(9)), StoreState::default());
        }
        watch.ordered(at(100));
        assert_eq!(watch.state(at(100 + SLOW)), StoreState::default());
        let slow = StoreState { trouble: Some(Trouble::Slow), since: 1_000_100 };
        assert_eq!(watch.state(at(101 + SLOW)), slow);
    }
}
