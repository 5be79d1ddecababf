//! Upkeep writes without a sync of its own: the next commit makes it durable, and until then losing it
//! is no loss.

use rusqlite::{Connection, TransactionBehavior};

/// Runs a transaction without a sync.
pub(super) fn unsynced<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    let written = (|| {
        let open = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = write(&open)?;
        open.commit()?;
        Ok(written)
    })();
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    written
}
