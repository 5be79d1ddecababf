//! The locks of a file and of its shared memory, between the connections of one process.

use std::collections::BTreeMap;

/// One open file handle of SQLite's.
pub(crate) type Holder = u64;

/// SQLite's levels of locks on a database file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

impl Level {
    pub(crate) const fn from_number(number: i32) -> Level {
        match number {
            0 => Level::None,
            1 => Level::Shared,
            2 => Level::Reserved,
            3 => Level::Pending,
            _ => Level::Exclusive,
        }
    }
}

/// Who holds which lock on a file.
#[derive(Default)]
pub(crate) struct FileLocks(BTreeMap<Holder, Level>);

impl FileLocks {
    /// Takes a lock or raises one; returns whether it could be had.
    pub(crate) fn take(&mut self, holder: Holder, wanted: Level) -> bool {
        let highest = self.others(holder).max().unwrap_or_default();
        let free = match wanted {
            Level::None => true,
            // A pending writer lets no new reader in.
            Level::Shared => self.level(holder) >= Level::Shared || highest < Level::Pending,
            Level::Reserved | Level::Pending => highest < Level::Reserved,
            Level::Exclusive => highest == Level::None,
        };
        if free {
            let level = self.level(holder).max(wanted);
            self.0.insert(holder, level);
        } else if wanted == Level::Exclusive && highest < Level::Reserved {
            self.0.insert(holder, Level::Pending);
        }
        free
    }

    /// Lowers a lock.
    pub(crate) fn lower(&mut self, holder: Holder, to: Level) {
        let level = self.level(holder).min(to);
        self.0.insert(holder, level);
    }

    /// Whether anybody holds more than a shared lock.
    pub(crate) fn is_reserved(&self) -> bool {
        self.0.values().any(|level| *level > Level::Shared)
    }

    pub(crate) fn forget(&mut self, holder: Holder) {
        self.0.remove(&holder);
    }

    fn level(&self, holder: Holder) -> Level {
        self.0.get(&holder).copied().unwrap_or_default()
    }

    fn others(&self, holder: Holder) -> impl Iterator<Item = Level> {
        self.0.iter().filter(move |(it, _)| **it != holder).map(|(_, level)| *level)
    }
}

/// Slots of locks on the shared memory of a write-ahead log.
const SLOTS: usize = 8;

/// The index of a write-ahead log, which connections share, and its locks.
#[derive(Default)]
pub(crate) struct SharedMemory {
    /// Each region is made once and stays where it is: SQLite keeps pointers into it. Words, so that
    /// it is aligned for every integer in it.
    pub(crate) regions: Vec<Box<[u64]>>,
    slots: [Slot; SLOTS],
}

#[derive(Default)]
struct Slot {
    shared: Vec<Holder>,
    exclusive: Option<Holder>,
}

impl SharedMemory {
    /// Takes slots, all or none.
    pub(crate) fn take(
        &mut self,
        holder: Holder,
        slots: std::ops::Range<usize>,
        exclusive: bool,
    ) -> bool {
        let Some(wanted) = self.slots.get_mut(slots) else { return false };
        let is_free = |slot: &Slot| {
            let alone = slot.shared.iter().all(|it| *it == holder);
            slot.exclusive.is_none_or(|it| it == holder) && (!exclusive || alone)
        };
        if !wanted.iter().all(is_free) {
            return false;
        }
        for slot in wanted {
            if exclusive {
                slot.exclusive = Some(holder);
            } else if !slot.shared.contains(&holder) {
                slot.shared.push(holder);
            }
        }
        true
    }

    /// Gives slots back.
    pub(crate) fn give_back(&mut self, holder: Holder, slots: std::ops::Range<usize>) {
        for slot in self.slots.get_mut(slots).into_iter().flatten() {
            slot.shared.retain(|it| *it != holder);
            slot.exclusive = slot.exclusive.filter(|it| *it != holder);
        }
    }

    pub(crate) fn forget(&mut self, holder: Holder) {
        self.give_back(holder, 0..SLOTS);
    }
}
