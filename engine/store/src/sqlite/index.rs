//! The index: under which hashes messages are found, without a B-tree on a random key in the path of
//! a commit.
//!
//! ```text
//! commit ─► gathered, in memory ─► a run of level 0 ─► level 1 ─► ...
//!                                  sorted blocks        eight runs become one of the next level
//! ```
//!
//! A commit leaves its entries in memory. Slices of upkeep between two commits write them into runs
//! and merge the runs. None of that is synced by itself: what a power cut takes is read again from
//! the messages, and so is what was in memory when the last life has ended. Until that is done, a
//! search looks at those messages one by one.

mod gathered;
mod identities;
mod merge;
mod run;

use mllp_pipeline::{NewMessage, Record, Transaction};
use rusqlite::{Connection, params};

use super::failure::{Trouble, of_commit};
use super::message;
use super::unsynced::unsynced;
use crate::error::StoreError;
use gathered::Gathered;
pub(super) use gathered::{Entry, InMemory, SharedGathered};
pub(super) use identities::read as identities;
use merge::Merge;
pub(super) use run::{Backward, entries};
use run::{Run, State};

/// How much is done at a time.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// A run of level 0 is written when this many entries, or messages, are in memory. While they
    /// cannot be written, four times as many are kept; the messages beyond are read again.
    gathered: usize,
    /// Messages that are read again in a slice.
    read: usize,
    /// Entries of a block.
    block: usize,
    /// Blocks that are written or deleted in a slice.
    slice: usize,
}

impl Sizes {
    /// A block of 8,000 bytes fills a page; a slice is 256 KiB, and so is a run of level 0.
    const DEFAULT: Sizes = Sizes { gathered: 16_384, read: 500, block: 500, slice: 32 };
    /// As many runs of hundreds of messages as there are of millions otherwise.
    #[cfg(feature = "conformance")]
    const SMALL: Sizes = Sizes { gathered: 48, read: 10, block: 5, slice: 3 };
}

/// The writer's end of the index.
pub(super) struct Index {
    gathered: SharedGathered,
    /// Messages up to this one are in runs, but for those in the table `late`.
    covered: i64,
    runs: Vec<Run>,
    merge: Option<Merge>,
    /// A pass of retention has ended since runs were last looked at.
    has_expired: bool,
    sizes: Sizes,
}

impl Index {
    /// Reads how far the runs go. The messages beyond are read in slices.
    pub(super) fn open(connection: &Connection) -> rusqlite::Result<Index> {
        let last =
            "SELECT coalesce(max(last), 0) FROM span WHERE first = (SELECT max(first) FROM span)";
        let covered = connection.query_row(last, (), |row| row.get(0))?;
        let mut gathered = Gathered { next: covered + 1, ..Gathered::default() };
        let sql = format!("SELECT {} FROM message WHERE id IN late", message::COLUMNS);
        let mut statement = connection.prepare(&sql)?;
        for row in statement.query_map((), message::of_row)? {
            gathered.add(&row?.message, covered);
        }
        let shared = SharedGathered::default();
        *shared.lock() = gathered;
        Ok(Index {
            gathered: shared,
            covered,
            runs: run::all(connection)?,
            merge: None,
            has_expired: false,
            sizes: Sizes::DEFAULT,
        })
    }

    /// Makes runs so small that a short test sees all of their life.
    #[cfg(feature = "conformance")]
    pub(super) fn write_small_runs(&mut self) {
        self.sizes = Sizes::SMALL;
    }

    /// Retention has deleted messages: their entries go, in slices.
    pub(super) fn expired(&mut self) {
        self.has_expired = true;
    }

    /// For a reader.
    pub(super) fn gathered(&self) -> SharedGathered {
        self.gathered.clone()
    }

    /// Inside the transaction: notes messages with numbers below those that runs cover already. One
    /// inbound may wait for a comparison while the others go on.
    pub(super) fn note(
        &self,
        open: &Connection,
        transaction: &Transaction,
    ) -> rusqlite::Result<()> {
        for message in messages(transaction).filter(|it| it.id.0 as i64 <= self.covered) {
            let (id, at) = (message.id.0 as i64, message.received_at as i64);
            open.prepare_cached("INSERT INTO late VALUES(?1)")?.execute((id,))?;
            let widen = "UPDATE span
                 SET earliest = min(earliest, ?2), latest = max(latest, ?2), bodies = 1
                 WHERE first = (SELECT max(first) FROM span WHERE first <= ?1) AND last >= ?1";
            if open.prepare_cached(widen)?.execute(params![id, at])? == 0 {
                // Retention has taken all the others.
                let sql = "INSERT INTO span(first, last, earliest, latest) VALUES(?1, ?1, ?2, ?2)";
                open.prepare_cached(sql)?.execute(params![id, at])?;
            }
        }
        Ok(())
    }

    /// After the transaction is durable: takes its entries.
    pub(super) fn committed(&self, transaction: &Transaction) {
        let mut gathered = self.gathered.lock();
        for message in messages(transaction) {
            let is_next = message.id.0 as i64 >= gathered.next;
            if is_next && gathered.entries.len().max(gathered.messages) >= 4 * self.sizes.gathered {
                gathered.is_complete = false;
            }
            if !is_next || gathered.is_complete {
                gathered.add(message, self.covered);
            }
        }
    }

    /// Does one slice. Returns whether there is more to do.
    pub(super) fn tend(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        let done = if self.is_full() {
            self.write(connection)
        } else if !self.gathered.lock().is_complete {
            self.read(connection)
        } else if self.has_expired && self.merge.is_none() {
            self.drop_expired(connection)
        } else if let Some(at) = self.dropped().filter(|_| self.merge.is_none()) {
            // First of all: a merge that had no room has left its blocks, and the next needs room.
            self.delete(connection, at)
        } else if self.merge.is_some() || self.wants_merge() {
            self.merge(connection)
        } else {
            return Ok(false);
        };
        done.map(|()| true).or_else(|error| match of_commit(error) {
            // Nothing waits for it.
            Trouble::Full | Trouble::Busy => Ok(false),
            Trouble::Fatal(error) => Err(error),
        })
    }

    fn is_full(&self) -> bool {
        let gathered = self.gathered.lock();
        gathered.entries.len().max(gathered.messages) >= self.sizes.gathered
    }

    /// Reads messages that are in no run and not in memory.
    fn read(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut gathered = self.gathered.lock();
        let sql =
            format!("SELECT {} FROM message WHERE id >= ?1 ORDER BY id LIMIT ?2", message::COLUMNS);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut count = 0;
        for row in
            statement.query_map(params![gathered.next, self.sizes.read as i64], message::of_row)?
        {
            gathered.add(&row?.message, self.covered);
            count += 1;
        }
        gathered.is_complete = count < self.sizes.read;
        Ok(())
    }

    /// Writes what is in memory into a run.
    fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let (mut entries, late, span, known) = {
            let gathered = self.gathered.lock();
            let known = gathered.identities.clone();
            (gathered.entries.clone(), gathered.late.clone(), gathered.span, known)
        };
        entries.sort_unstable();
        let first = entries.iter().map(|it| it.message).min();
        let last = entries.iter().map(|it| it.message).max();
        let (covered, block) = (self.covered, self.sizes.block);
        let run = unsynced(connection, |open| {
            if let Some(span) = span {
                let sql = "INSERT INTO span(first, last, earliest, latest) VALUES(?1, ?2, ?3, ?4)";
                open.execute(sql, params![covered + 1, span.last, span.earliest, span.latest])?;
            }
            identities::write(open, covered, &known)?;
            for id in late {
                open.prepare_cached("DELETE FROM late WHERE message = ?1")?.execute((id,))?;
            }
            let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
            let sql =
                "INSERT INTO run(level, state, first, last, entries) VALUES(0, ?1, ?2, ?3, ?4)";
            open.execute(sql, params![State::Live as i64, first, last, entries.len() as i64])?;
            let id = open.last_insert_rowid();
            run::write(open, id, &entries, block)?;
            Ok(Some(Run { id, level: 0, state: State::Live, first, last }))
        })?;
        self.runs.extend(run);
        self.covered = span.map_or(covered, |it| it.last);
        self.gathered.lock().clear();
        Ok(())
    }

    /// The place of a run of which blocks are left to delete. One that is not being built is
    /// left from a merge that was cut off.
    fn dropped(&self) -> Option<usize> {
        self.runs.iter().position(|it| it.state != State::Live)
    }

    /// Deletes blocks of a run.
    fn delete(&mut self, connection: &Connection, at: usize) -> rusqlite::Result<()> {
        let (id, slice) = (self.runs[at].id, self.sizes.slice);
        let is_gone = unsynced(connection, |open| {
            let sql = "DELETE FROM run_block WHERE rowid IN (SELECT rowid FROM run_block
                 WHERE run = ?1 ORDER BY hash, message LIMIT ?2)";
            let deleted = open.prepare_cached(sql)?.execute(params![id, slice as i64])?;
            if deleted < slice {
                open.execute("DELETE FROM run WHERE id = ?1", (id,))?;
            }
            Ok(deleted < slice)
        })?;
        if is_gone {
            self.runs.remove(at);
        }
        Ok(())
    }
}

fn messages(transaction: &Transaction) -> impl Iterator<Item = &NewMessage> {
    transaction.records.iter().filter_map(|record| match record {
        Record::Message(message) => Some(message),
        _ => None,
    })
}
