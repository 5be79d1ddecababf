//! Deleting what has expired, a slice at a time.
//!
//! A pass goes through the spans that hold something old enough, then through the lanes, whose
//! consumed rows go with their messages, then through the list of dead deliveries and the jobs that have
//! ended, and gives free pages back to the file system. Nothing of it is synced by itself: what a power cut brings back
//! expires again.

mod control_ids;
mod lanes;
mod messages;

use mllp_pipeline::BodyId;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{Trouble, of_commit};
use super::sweep;
use super::unsynced::unsynced;
use crate::codes;
use crate::contract::Swept;
use crate::error::StoreError;
use crate::retention::{Expiry, LastPass};
pub(super) use control_ids::expired as expired_control_id;
use lanes::Lanes;
use messages::Messages;

/// Pages that are given back in a slice.
const PAGES: i64 = 64;
/// So many free pages stay: a store in balance needs them again.
const FREE: i64 = 1_000;

/// A message that comes again is recognised for a day; what is older than two goes.
const RECOGNISED: u64 = 2 * 24 * 60 * 60 * 1000;

/// A pass that is in progress.
pub(super) struct Pass {
    expiry: Expiry,
    step: Step,
    /// Bodies of which chunks are left to delete.
    sweeping: Vec<BodyId>,
    /// The pass before has left lanes that it did not walk to their end.
    lanes_are_due: bool,
}

enum Step {
    Begin,
    Messages(Messages),
    Lanes(Lanes),
    Dead,
    Jobs,
    Identities,
    ControlIds,
    Pages,
    End,
}

impl Pass {
    pub(super) fn new(expiry: &Expiry, lanes_are_due: bool) -> Pass {
        let (expiry, step) = (expiry.clone(), Step::Begin);
        Pass { expiry, step, sweeping: Vec::new(), lanes_are_due }
    }

    /// Whether rows of lanes may be left whose messages have expired.
    pub(super) fn lanes_are_due(&self) -> bool {
        self.lanes_are_due
    }

    /// Whether it is for this.
    pub(super) fn is_for(&self, expiry: &Expiry) -> bool {
        self.expiry == *expiry
    }

    /// Does a slice. Returns whether there is more to do.
    pub(super) fn slice(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        if let Some(body) = self.sweeping.last().copied() {
            return Ok(match sweep::sweep(connection, body..BodyId(body.0 + 1))? {
                Swept::More => true,
                Swept::Done => {
                    self.sweeping.pop();
                    true
                }
                // The next pass tries again.
                Swept::Later => false,
            });
        }
        match self.step(connection) {
            Ok(next) => {
                self.step = next.unwrap_or_else(|| std::mem::replace(&mut self.step, Step::End));
                Ok(!matches!(self.step, Step::End))
            }
            Err(error) => match of_commit(error) {
                // Deleting needs room as well. The next pass tries again.
                Trouble::Full | Trouble::Busy => Ok(false),
                Trouble::Fatal(error) => Err(error),
            },
        }
    }

    /// Returns the next step, once this one is done.
    fn step(&mut self, connection: &Connection) -> rusqlite::Result<Option<Step>> {
        let is_done = match &mut self.step {
            Step::Messages(messages) => {
                messages.slice(connection, &self.expiry, &mut self.sweeping)?
            }
            Step::Lanes(lanes) => lanes.slice(connection, &self.expiry, &mut self.sweeping)?,
            Step::Dead => unsynced(connection, dead)?,
            Step::Jobs => {
                let at = self.expiry.oldest_metadata() as i64;
                unsynced(connection, |open| jobs(open, at))?
            }
            Step::Identities => {
                let at = self.expiry.at.saturating_sub(RECOGNISED) as i64;
                unsynced(connection, |open| identities(open, at))?
            }
            Step::ControlIds => {
                let of = self.expiry.control_ids;
                unsynced(connection, |open| control_ids::forget(open, of))?
            }
            Step::Pages => pages(connection)?,
            Step::Begin | Step::End => true,
        };
        Ok(match &self.step {
            _ if !is_done => None,
            Step::Begin => Some(Step::Messages(Messages::begin(connection, &self.expiry)?)),
            Step::Messages(it) if it.has_dropped || self.lanes_are_due => {
                self.lanes_are_due = true;
                Some(Step::Lanes(Lanes::begin(connection)?))
            }
            Step::Messages(_) => Some(Step::Dead),
            Step::Lanes(_) => {
                self.lanes_are_due = false;
                Some(Step::Dead)
            }
            Step::Dead => Some(Step::Jobs),
            Step::Jobs => Some(Step::Identities),
            Step::Identities => Some(Step::ControlIds),
            Step::ControlIds => Some(Step::Pages),
            Step::Pages | Step::End => Some(Step::End),
        })
    }
}

/// Takes dead deliveries whose bodies have expired off the list.
fn dead(open: &Connection) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM dead WHERE (lane, seq) IN (
             SELECT dead.lane, dead.seq FROM dead LEFT JOIN message ON message.id = dead.message
             WHERE message.id IS NULL OR message.body_expired IS NOT NULL LIMIT 500)";
    Ok(open.prepare_cached(sql)?.execute(())? < 500)
}

/// Takes jobs of operators that have ended.
fn jobs(open: &Connection, before: i64) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM job WHERE id IN
         (SELECT id FROM job WHERE has_ended = 1 AND at < ?1 LIMIT 500)";
    Ok(open.prepare_cached(sql)?.execute((before,))? < 500)
}

/// Takes what messages were recognised by off the compact log. It is some 100 KiB a row.
fn identities(open: &Connection, before: i64) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM identity_log WHERE first IN
         (SELECT first FROM identity_log WHERE latest < ?1 ORDER BY first LIMIT 4)";
    Ok(open.prepare_cached(sql)?.execute((before,))? < 4)
}

/// Gives free pages back.
fn pages(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let (free, all) = (number("PRAGMA freelist_count")?, number("PRAGMA page_count")?);
    if free <= FREE.max(all / 10) {
        return Ok(true);
    }
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    let freed = connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"));
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    freed.map(|()| false)
}

/// When a message was deleted that is not there any more.
pub(super) fn expired(connection: &Connection, message: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT at FROM expired WHERE first <= ?1 AND last >= ?1 ORDER BY first DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row((message,), |row| row.get(0)).optional()
}

/// What is kept for the guard of the clock.
pub(super) fn last_pass(connection: &Connection) -> rusqlite::Result<LastPass> {
    let sql = "SELECT passed_at, doubt FROM retention";
    let row = |row: &rusqlite::Row<'_>| {
        let stopped = row.get::<_, Option<i64>>(1)?.map(codes::doubt);
        Ok(LastPass { at: row.get::<_, i64>(0)? as u64, stopped })
    };
    Ok(connection.query_row(sql, (), row).optional()?.unwrap_or_default())
}

pub(super) fn keep_pass(connection: &Connection, pass: &LastPass) -> rusqlite::Result<()> {
    let sql = "INSERT INTO retention(id, passed_at, doubt) VALUES(1, ?1, ?2)
         ON CONFLICT(id) DO UPDATE SET passed_at = excluded.passed_at, doubt = excluded.doubt";
    let doubt = pass.stopped.map(codes::of_doubt);
    connection.execute(sql, params![pass.at as i64, doubt]).map(drop)
}

/// Marks a body in chunks as held by nothing, to be deleted in slices.
fn release(open: &Connection, chunks: i64, sweeping: &mut Vec<BodyId>) -> rusqlite::Result<()> {
    open.prepare_cached("INSERT OR IGNORE INTO unheld VALUES(?1)")?.execute((chunks,))?;
    sweeping.push(BodyId(chunks as u64));
    Ok(())
}
