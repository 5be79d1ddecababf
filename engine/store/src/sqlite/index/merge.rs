//! Merging runs of one level into one of the next, a slice at a time.

use rusqlite::{Connection, params};

use super::gathered::Entry;
use super::run::{self, Forward, Run, State};
use super::{Index, Sizes};
use crate::sqlite::unsynced::unsynced;

/// Runs of one level that become one of the next.
const FAN: usize = 8;

/// Messages that are looked for in a slice, because they may have been deleted.
const ASKED: usize = 1_000;

/// A merge in progress. What it has written is dropped if it does not come to its end.
pub(super) struct Merge {
    inputs: Vec<Forward>,
    output: Run,
    entries: usize,
    /// Between these numbers messages were deleted, whose entries go.
    expired: Vec<(i64, i64)>,
}

impl Index {
    pub(super) fn wants_merge(&self) -> bool {
        !self.runs_to_merge().is_empty()
    }

    /// The oldest runs of the lowest level that has enough of them.
    fn runs_to_merge(&self) -> Vec<Run> {
        let live = || self.runs.iter().filter(|it| it.state == State::Live);
        let highest = live().map(|it| it.level).max().unwrap_or(0);
        for level in 0..=highest {
            let mut runs: Vec<Run> = live().filter(|it| it.level == level).copied().collect();
            if runs.len() >= FAN {
                runs.sort_unstable_by_key(|it| it.first);
                runs.truncate(FAN);
                return runs;
            }
        }
        Vec::new()
    }

    /// Drops runs of which every message was deleted. None may be in a merge.
    pub(super) fn drop_expired(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let oldest = "SELECT coalesce(min(id), ?1) FROM message";
        let oldest: i64 = connection.query_row(oldest, (i64::MAX,), |row| row.get(0))?;
        let is_expired = |it: &&mut Run| it.state == State::Live && it.last < oldest;
        let ids: Vec<i64> = self.runs.iter_mut().filter(is_expired).map(|it| it.id).collect();
        self.has_expired = false;
        if ids.is_empty() {
            return Ok(());
        }
        unsynced(connection, |open| {
            for id in &ids {
                let sql = "UPDATE run SET state = ?2 WHERE id = ?1";
                open.execute(sql, params![id, State::Dropped as i64])?;
            }
            Ok(())
        })?;
        let dropped = self.runs.iter_mut().filter(|it| ids.contains(&it.id));
        dropped.for_each(|it| it.state = State::Dropped);
        Ok(())
    }

    /// Does a slice of a merge.
    pub(super) fn merge(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        // If it fails, it is begun again, and what it had written is dropped.
        let mut merge = match self.merge.take() {
            Some(merge) => merge,
            None => self.begin(connection)?,
        };
        let Sizes { slice, block, .. } = self.sizes;
        let entries = merge.next(connection, slice * block)?;
        merge.entries += entries.len();
        let is_done = merge.inputs.iter().all(|it| it.peek().is_none());
        unsynced(connection, |open| {
            run::write(open, merge.output.id, &entries, block)?;
            if is_done { merge.finish(open) } else { Ok(()) }
        })?;
        if is_done {
            self.finished(&merge);
        } else {
            self.merge = Some(merge);
        }
        Ok(())
    }

    fn begin(&mut self, connection: &Connection) -> rusqlite::Result<Merge> {
        let runs = self.runs_to_merge();
        let first = runs.iter().map(|it| it.first).min().unwrap_or(0);
        let last = runs.iter().map(|it| it.last).max().unwrap_or(0);
        let level = runs.first().map_or(0, |it| it.level) + 1;
        let id = unsynced(connection, |open| {
            let sql =
                "INSERT INTO run(level, state, first, last, entries) VALUES(?1, ?2, ?3, ?4, 0)";
            open.execute(sql, params![level, State::Building as i64, first, last])?;
            Ok(open.last_insert_rowid())
        })?;
        let output = Run { id, level, state: State::Building, first, last };
        self.runs.push(output);
        let inputs = runs.iter().map(|it| Forward::new(connection, it.id));
        let mut ranges = connection.prepare("SELECT first, last FROM expired ORDER BY first")?;
        let expired = ranges.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (inputs, expired) =
            (inputs.collect::<Result<_, _>>()?, expired.collect::<Result<_, _>>()?);
        Ok(Merge { inputs, output, entries: 0, expired })
    }

    /// The output takes the place of the inputs.
    fn finished(&mut self, merge: &Merge) {
        for run in &mut self.runs {
            if run.id == merge.output.id {
                run.state = State::Live;
            } else if merge.inputs.iter().any(|it| it.run == run.id) {
                run.state = State::Dropped;
            }
        }
    }
}

impl Merge {
    /// The next entries, in order, without those of messages that were deleted.
    fn next(&mut self, connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::with_capacity(limit);
        let mut asked = 0;
        while entries.len() < limit && asked < ASKED {
            let lowest = self.inputs.iter_mut().filter(|it| it.peek().is_some());
            let Some(lowest) = lowest.min_by_key(|it| it.peek()) else { break };
            let entry = lowest.peek();
            lowest.advance(connection)?;
            let Some(entry) = entry else { break };
            let may_be_gone = is_within(&self.expired, entry.message);
            asked += usize::from(may_be_gone);
            if !may_be_gone || is_there(connection, entry.message)? {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn finish(&self, open: &Connection) -> rusqlite::Result<()> {
        let live = "UPDATE run SET state = ?2, entries = ?3 WHERE id = ?1";
        open.execute(live, params![self.output.id, State::Live as i64, self.entries as i64])?;
        for input in &self.inputs {
            let dropped = "UPDATE run SET state = ?2 WHERE id = ?1";
            open.execute(dropped, params![input.run, State::Dropped as i64])?;
        }
        Ok(())
    }
}

/// Whether a number is between two of these, which are in order.
fn is_within(ranges: &[(i64, i64)], number: i64) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= number);
    after > 0 && number <= ranges[after - 1].1
}

fn is_there(connection: &Connection, message: i64) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM message WHERE id = ?1")?.exists((message,))
}
