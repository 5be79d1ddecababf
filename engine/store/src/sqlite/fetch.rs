//! Reading the bodies of many rows in one snapshot.

use std::sync::Arc;

use mllp_pipeline::{Body, Entry, Source};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::failed;
use super::row_body::{self, COLUMNS, TABLES};
use crate::error::StoreError;

/// Reads bodies. See [`Reader::fetch`](crate::Reader::fetch).
pub(super) fn fetch(
    connection: &Connection,
    entries: &mut [Entry],
    limit: u64,
) -> Result<(), StoreError> {
    read(connection, entries, limit).map_err(failed)
}

fn read(connection: &Connection, entries: &mut [Entry], limit: u64) -> rusqlite::Result<()> {
    // To take a snapshot and to give it back costs as much as to read a body.
    let snapshot = connection.unchecked_transaction()?;
    let mut of_message = snapshot.prepare_cached("SELECT body FROM message WHERE id = ?1")?;
    let mut of_row = snapshot.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM work {TABLES} WHERE work.lane = ?1 AND work.seq = ?2"
    ))?;
    let mut held = 0;
    for entry in entries {
        if held >= limit {
            break;
        }
        let found = match entry.body {
            Source::Memory(_) => continue,
            Source::Message => of_message.query_row((entry.message.0 as i64,), inline),
            Source::Row(lane, seq) => {
                let row = |row: &Row<'_>| row_body::read(row);
                let found = of_row.query_row(params![lane.0, seq.0 as i64], row);
                found.map(|it| it.map(Arc::from))
            }
        };
        // A body in chunks stays where it is.
        let Some(bytes) = found.optional()?.flatten() else { continue };
        held += bytes.len() as u64;
        entry.body = Source::Memory(Body::Inline(bytes));
    }
    Ok(())
}

fn inline(row: &Row<'_>) -> rusqlite::Result<Option<Arc<[u8]>>> {
    Ok(row.get_ref(0)?.as_blob_or_null()?.map(Arc::from))
}
