//! Upkeep writes without a sync of its own: the next commit makes it durable, and until then losing it
//! is no loss.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Begins a transaction that writes. The connection is shared with a backup, which is between two of its
/// slices then.
pub(super) fn immediate(connection: &Connection) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
}

/// Runs a transaction without a sync.
pub(super) fn unsynced<T>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("PRAGMA synchronous = NORMAL")?;
    let written = (|| {
        let open = immediate(connection)?;
        let written = write(&open)?;
        open.commit()?;
        Ok(written)
    })();
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    written
}
