//! Merging runs of one level into one of the next, a slice at a time.

use rusqlite::{Connection, params};

use super::gathered::Entry;
use super::run::{self, Forward, Run, State};
use super::{Index, Sizes, unsynced};

/// Runs of one level that become one of the next.
const FAN: usize = 8;

/// A merge in progress. What it has written is dropped if it does not come to its end.
pub(super) struct Merge {
    inputs: Vec<Forward>,
    output: Run,
    entries: usize,
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

    /// Does a slice of a merge.
    pub(super) fn merge(&mut self, connection: &mut Connection) -> rusqlite::Result<()> {
        // If it fails, it is begun again, and what it had written is dropped.
        let mut merge = match self.merge.take() {
            Some(merge) => merge,
            None => self.begin(connection)?,
        };
        let Sizes { slice, block, .. } = self.sizes;
        let entries = merge.next(connection, slice * block)?;
        merge.entries += entries.len();
        let is_done = entries.len() < slice * block;
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

    fn begin(&mut self, connection: &mut Connection) -> rusqlite::Result<Merge> {
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
        Ok(Merge { inputs: inputs.collect::<Result<_, _>>()?, output, entries: 0 })
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
    /// The next entries, in order.
    fn next(&mut self, connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::with_capacity(limit);
        while entries.len() < limit {
            let lowest = self.inputs.iter_mut().filter(|it| it.peek().is_some());
            let Some(lowest) = lowest.min_by_key(|it| it.peek()) else { break };
            entries.extend(lowest.peek());
            lowest.advance(connection)?;
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
