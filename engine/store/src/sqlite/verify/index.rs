//! The index: runs in order, and every message in them under all its hashes.

use mllp_pipeline::{MessageId, NewMessage};
use rusqlite::{Connection, params};

use crate::query::hashes;
use crate::sqlite::index::{Entry, entries};
use crate::sqlite::message;
use crate::verify::{Concern, Report};

/// Messages that are held against the runs at a time: eight bytes of memory for each.
const WINDOW: i64 = 1 << 20;
/// Messages that are read in a slice.
const SLICE: i64 = 4_096;

pub(super) fn check(connection: &Connection, report: &mut Report<'_>) -> rusqlite::Result<()> {
    let covered: i64 =
        connection.query_row("SELECT coalesce(max(last), 0) FROM span", (), |row| row.get(0))?;
    let first = "SELECT coalesce(min(id), ?1) FROM message";
    let mut first: i64 = connection.query_row(first, (covered + 1,), |row| row.get(0))?;
    let mut is_first = true;
    while first <= covered || is_first {
        let last = covered.min(first.saturating_add(WINDOW - 1));
        let mut window = Window::read(connection, first, last)?;
        let _snapshot = connection.unchecked_transaction()?;
        window.subtract(connection, is_first.then_some(&mut *report))?;
        window.compare(connection, report)?;
        is_first = false;
        first = last + 1;
    }
    Ok(())
}

/// For each of some messages the sum of what stands for its entries: of those it has to have, less
/// those in the runs.
struct Window {
    first: i64,
    sums: Vec<u64>,
}

impl Window {
    fn read(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<Window> {
        let len = usize::try_from(last - first + 1).unwrap_or(0);
        let mut window = Window { first, sums: vec![0; len] };
        let sql = format!(
            "SELECT {} FROM message WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT {SLICE}",
            message::COLUMNS
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut next = first;
        while next <= last {
            let rows = statement.query_map((next, last), message::of_row)?;
            next = last + 1;
            for (row, count) in rows.zip(1..) {
                let message = row?.message;
                let id = message.id.0 as i64;
                window.sums[(id - first) as usize] = sum(&message);
                if count == SLICE {
                    next = id + 1;
                }
            }
        }
        Ok(window)
    }

    /// Goes through all runs that are searched, and checks their order if a report is given.
    fn subtract(
        &mut self,
        connection: &Connection,
        mut report: Option<&mut Report<'_>>,
    ) -> rusqlite::Result<()> {
        let mut runs = connection.prepare_cached("SELECT id, entries FROM run WHERE state = 1")?;
        let mut blocks = connection.prepare_cached(
            "SELECT hash, message, entries FROM run_block WHERE run = ?1 ORDER BY hash, message",
        )?;
        let runs = runs.query_map((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        for run in runs {
            let (run, expected) = run?;
            let (mut count, mut last, mut is_sorted) = (0, None, true);
            let mut rows = blocks.query((run,))?;
            while let Some(row) = rows.next()? {
                let key = Entry { hash: row.get(0)?, message: row.get(1)? };
                let block = entries(row.get_ref(2)?.as_blob()?);
                is_sorted &= block.first() == Some(&key);
                for entry in block {
                    is_sorted &= last.is_none_or(|last| last < entry);
                    last = Some(entry);
                    count += 1;
                    self.take(entry);
                }
            }
            if let Some(report) = report.as_deref_mut() {
                if !is_sorted {
                    report.found(Concern::Run(run), "its entries are not in order");
                }
                if count != expected {
                    report.found(
                        Concern::Run(run),
                        format!("it has {count} entries in place of {expected}"),
                    );
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, entry: Entry) {
        let at = usize::try_from(entry.message - self.first).ok();
        if let Some(sum) = at.and_then(|at| self.sums.get_mut(at)) {
            *sum = sum.wrapping_sub(weight(entry.hash as u64));
        }
    }

    /// What is left: messages that came or went meanwhile, and those whose entries are others.
    fn compare(&self, connection: &Connection, report: &mut Report<'_>) -> rusqlite::Result<()> {
        for (left, id) in self.sums.iter().zip(self.first..).filter(|(left, _)| **left != 0) {
            let id = MessageId(id as u64);
            let late = connection.prepare_cached("SELECT 1 FROM late WHERE message = ?1")?;
            let is_late = { late }.exists(params![id.0 as i64])?;
            let Some(row) = message::read(connection, id)? else { continue };
            // It may have come after its number was passed.
            if !is_late && *left != 0u64.wrapping_sub(sum(&row.message)) {
                report.found(
                    Concern::Message(id),
                    "the index has other entries than it has to be found by",
                );
            }
        }
        Ok(())
    }
}

fn sum(message: &NewMessage) -> u64 {
    hashes(message).map(weight).fold(0, u64::wrapping_add)
}

/// Spreads a hash, so that no two sets of hashes are likely to have the same sum.
fn weight(hash: u64) -> u64 {
    let mixed = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1
}
