//! Messages that are not final, held against the work that waits for them.

use std::collections::BTreeMap;

use mllp_pipeline::MessageId;
use rusqlite::{Connection, params};

use super::TOGETHER;
use super::messages::parts_left;
use crate::error::StoreError;
use crate::sqlite::failure::failed;
use crate::sqlite::message;
use crate::verify::{Concern, Report};

/// Messages that were not final when they were looked at, each with the open work that was seen.
#[derive(Default)]
pub(super) struct Open(BTreeMap<i64, i64>);

impl Open {
    pub(super) fn expect(&mut self, message: MessageId) {
        self.0.insert(message.0 as i64, 0);
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= TOGETHER
    }

    /// Holds all of them against the lanes in one snapshot: an engine that runs may have gone on.
    pub(super) fn check(
        &mut self,
        connection: &Connection,
        report: &mut Report<'_>,
    ) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let _snapshot = connection.unchecked_transaction().map_err(failed)?;
        self.count(connection).map_err(failed)?;
        for (id, seen) in std::mem::take(&mut self.0) {
            let id = MessageId(id as u64);
            let (disposition, _) = message::disposition(connection, id)?;
            let expected = match disposition.is_final() {
                true => 0,
                false => parts_left(connection, id).map_err(failed)?.unwrap_or(1),
            };
            report.verified.open_work += seen as u64;
            if seen != expected {
                let name = disposition.name();
                report.found(
                    Concern::Message(id),
                    format!("{name}, and has {seen} open rows in place of {expected}"),
                );
            }
        }
        Ok(())
    }

    /// Counts the open work of each.
    fn count(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut lanes = connection.prepare_cached("SELECT id, cursor FROM lane")?;
        let mut open = connection.prepare_cached(OPEN_ROWS)?;
        let lanes =
            lanes.query_map((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        for lane in lanes {
            let (lane, cursor) = lane?;
            let rows = open.query_map(params![lane, cursor], |row| row.get::<_, i64>(0))?;
            for message in rows {
                if let Some(seen) = self.0.get_mut(&message?) {
                    *seen += 1;
                }
            }
        }
        // A held delivery has left its lane, and its message waits for it.
        let mut held = connection.prepare_cached("SELECT message FROM held")?;
        for message in held.query_map((), |row| row.get::<_, i64>(0))? {
            if let Some(seen) = self.0.get_mut(&message?) {
                *seen += 1;
            }
        }
        Ok(())
    }
}

/// Messages of a lane's rows that are not done, or are parked while the cursor has passed them.
const OPEN_ROWS: &str = "SELECT message FROM work AS it WHERE lane = ?1 AND seq > ?2
         AND NOT EXISTS (SELECT 1 FROM done WHERE done.lane = it.lane AND done.seq = it.seq)
         AND NOT EXISTS (SELECT 1 FROM parked WHERE parked.lane = it.lane AND parked.seq = it.seq)
     UNION ALL SELECT message FROM parked JOIN work USING(lane, seq) WHERE lane = ?1";
