//! Deleting chunks that nothing holds.

use std::ops::Range;

use mllp_pipeline::BodyId;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{Trouble, of_commit};
use super::unsynced::immediate;
use crate::contract::Swept;
use crate::error::StoreError;

/// Chunks of a slice: 2 MiB.
const SLICE: i64 = 8;

/// Deletes a slice. See [`Store::sweep`](crate::Store::sweep).
pub(super) fn sweep(connection: &Connection, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
    let swept = (|| {
        let first = "SELECT body FROM unheld WHERE body >= ?1 AND body < ?2 LIMIT 1";
        let range = params![bodies.start.0 as i64, bodies.end.0 as i64];
        let body: Option<i64> = connection.query_row(first, range, |row| row.get(0)).optional()?;
        let Some(body) = body else { return Ok(Swept::Done) };
        let open = immediate(connection)?;
        // From the end, so that the number of a body is not given away before it is gone.
        let chunks = "DELETE FROM chunk WHERE body = ?1 AND n IN
             (SELECT n FROM chunk WHERE body = ?1 ORDER BY n DESC LIMIT ?2)";
        open.execute(chunks, params![body, SLICE])?;
        let done = "DELETE FROM unheld WHERE body = ?1
             AND NOT EXISTS (SELECT 1 FROM chunk WHERE body = ?1)";
        open.execute(done, (body,))?;
        open.commit()?;
        Ok(Swept::More)
    })();
    swept.or_else(|error| match of_commit(error) {
        Trouble::Full | Trouble::Busy => Ok(Swept::Later),
        Trouble::Fatal(error) => Err(error),
    })
}
