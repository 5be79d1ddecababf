//! Messages to which an operator has added work: their sole rows count as parts.

use std::collections::HashSet;

use mllp_pipeline::{Disposition, MessageId, Reopened};
use rusqlite::{Connection, OptionalExtension};

use super::insert::Statements;
use crate::codes;
use crate::sums;

/// The messages that are reopened, while one transaction is written.
pub(super) struct Reopening<'a> {
    open: &'a Connection,
    messages: HashSet<MessageId>,
}

impl<'a> Reopening<'a> {
    /// There are few at a time, and mostly none.
    pub(super) fn new(open: &'a Connection) -> rusqlite::Result<Self> {
        let mut statement = open.prepare_cached("SELECT message FROM reopened")?;
        let rows = statement.query_map((), |row| row.get::<_, i64>(0))?;
        let messages =
            rows.map(|it| it.map(|id| MessageId(id as u64))).collect::<Result<_, _>>()?;
        Ok(Reopening { open, messages })
    }

    pub(super) fn is_reopened(&self, message: MessageId) -> bool {
        self.messages.contains(&message)
    }

    pub(super) fn reopen(
        &mut self,
        reopened: &Reopened,
        statements: &mut Statements<'_>,
    ) -> rusqlite::Result<()> {
        let Reopened { message, stamp, at, .. } = *reopened;
        let id = message.0 as i64;
        let has_parts = self
            .open
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM part WHERE message = ?1)")?
            .query_row((id,), |row| row.get(0))?;
        let last: Option<i64> = self
            .open
            .prepare_cached(
                "SELECT disposition FROM outcome WHERE message = ?1 ORDER BY stamp DESC LIMIT 1",
            )?
            .query_row((id,), |row| row.get(0))
            .optional()?;
        let disposition = last.and_then(|code| codes::disposition(code).ok());
        let disposition = disposition.unwrap_or(Disposition::Received);
        statements.part(message, stamp, &sums::begun(reopened, has_parts, disposition))?;
        statements.outcome(message, stamp, Disposition::Routed, at)?;
        if self.messages.insert(message) {
            self.open.prepare_cached("INSERT INTO reopened VALUES(?1)")?.execute((id,))?;
        }
        Ok(())
    }

    /// These have become final.
    pub(super) fn close(&mut self, finals: &[(MessageId, Disposition)]) -> rusqlite::Result<()> {
        for (message, _) in finals {
            if !self.messages.remove(message) {
                continue;
            }
            let mut statement =
                self.open.prepare_cached("DELETE FROM reopened WHERE message = ?1")?;
            statement.execute((message.0 as i64,))?;
        }
        Ok(())
    }
}
