//! Proving from the tables that nothing is lost, open without work, or done and still open.
//!
//! It goes through the tables in slices, each in a snapshot of its own, so it can run beside an
//! engine; its memory does not grow with the number of messages.

mod bodies;
mod index;
mod lanes;
mod messages;
mod open_work;

use rusqlite::{Connection, OptionalExtension};

use super::failure::failed;
use crate::error::StoreError;
use crate::verify::{Concern, Finding, Report, Verified};

/// Messages of which something is kept until it is looked at together.
const TOGETHER: usize = 65_536;

/// Verifies the tables. See [`Reader::verify`](crate::Reader::verify).
pub(super) fn tables(
    connection: &Connection,
    tell: &mut dyn FnMut(Finding),
) -> Result<Verified, StoreError> {
    let mut report = Report::new(tell);
    messages::check(connection, &mut report)?;
    lanes::check(connection, &mut report)?;
    bodies::check(connection, &mut report).map_err(failed)?;
    index::check(connection, &mut report).map_err(failed)?;
    Ok(report.verified)
}

/// SQLite's own check of the file, then the tables.
pub(super) fn file(
    connection: &Connection,
    tell: &mut dyn FnMut(Finding),
) -> Result<Verified, StoreError> {
    let mut damages = Vec::new();
    let checked = (|| {
        let mut statement = connection.prepare("PRAGMA integrity_check(100)")?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            damages.push(row.get::<_, String>(0)?);
        }
        Ok(())
    })();
    match checked.map_err(failed) {
        Err(StoreError::Corrupt(why)) => damages.push(why),
        other => other?,
    }
    damages.retain(|it| it != "ok");
    let count = damages.len() as u64;
    damages.into_iter().for_each(|what| tell(Finding { concerns: Concern::File, what }));
    match tables(connection, tell) {
        Ok(verified) => Ok(Verified { findings: verified.findings + count, ..verified }),
        // The tables cannot be read for the damage that was told.
        Err(StoreError::Corrupt(_)) if count > 0 => {
            Ok(Verified { findings: count, ..Verified::default() })
        }
        Err(error) => Err(error),
    }
}

/// Whether there is a message, or retention took it.
fn is_known(connection: &Connection, message: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM message WHERE id = ?1";
    let found = connection.prepare_cached(sql)?.query_row((message,), |_| Ok(())).optional()?;
    Ok(found.is_some() || super::retain::expired(connection, message)?.is_some())
}
