//! A compact log of what messages are recognised by when they come again. It is written with the runs:
//! to read it costs a fraction of reading the messages.

use mllp_pipeline::{LaneId, MessageId};
use rusqlite::{Connection, Row, params};

use crate::contract::Identity;

const ENTRY: usize = 36;

/// Appends the identities of messages that runs cover from now on. `covered`: the last one that they
/// have covered so far.
pub(super) fn write(
    open: &Connection,
    covered: i64,
    identities: &[Identity],
) -> rusqlite::Result<()> {
    let (late, new): (Vec<Identity>, Vec<Identity>) =
        identities.iter().copied().partition(|it| it.message.0 as i64 <= covered);
    row(open, covered + 1, &new, false)?;
    late.iter().try_for_each(|it| row(open, it.message.0 as i64, std::slice::from_ref(it), true))
}

fn row(open: &Connection, first: i64, of: &[Identity], is_late: bool) -> rusqlite::Result<()> {
    let Some(latest) = of.iter().map(|it| it.received_at).max() else { return Ok(()) };
    let bytes: Vec<u8> = of.iter().flat_map(to_bytes).collect();
    let sql = "INSERT INTO identity_log VALUES(?1, ?2, ?3, ?4) ON CONFLICT(first) DO UPDATE
         SET latest = max(latest, excluded.latest), entries = CAST(entries || excluded.entries AS BLOB)";
    let values = params![first, latest as i64, is_late, bytes];
    open.prepare_cached(sql)?.execute(values).map(drop)
}

/// Identities of messages below a number, newest first. See
/// [`Reader::identities`](crate::Reader::identities).
pub(in crate::sqlite) fn read(
    connection: &Connection,
    before: i64,
    limit: u32,
) -> rusqlite::Result<Vec<Identity>> {
    let _snapshot = connection.unchecked_transaction()?;
    let covered = "SELECT coalesce(max(last), 0) FROM span";
    let covered: i64 = connection.query_row(covered, (), |row| row.get(0))?;
    // What is in the log of messages alone. One condition for both would read every message.
    let sql = "SELECT id, inbound, received_at, identity FROM message
             WHERE id > ?2 AND id < ?1 AND identity IS NOT NULL
         UNION ALL SELECT id, inbound, received_at, identity
             FROM late CROSS JOIN message ON id = late.message
             WHERE id <= ?2 AND id < ?1 AND identity IS NOT NULL
         ORDER BY id DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found: Vec<Identity> =
        statement.query_map(params![before, covered, limit], of_row)?.collect::<Result<_, _>>()?;
    let sql = "SELECT is_late, entries FROM identity_log WHERE first < ?1 ORDER BY first DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((before,))?;
    let (mut logged, mut is_late) = (0, false);
    // A late one stands before the row among whose numbers its own is.
    while logged < limit as usize || is_late {
        let Some(row) = rows.next()? else { break };
        is_late = row.get(0)?;
        let (entries, _) = row.get_ref(1)?.as_blob()?.as_chunks::<ENTRY>();
        let below = entries.iter().map(from_bytes).filter(|it| (it.message.0 as i64) < before);
        let had = found.len();
        found.extend(below);
        logged += found.len() - had;
    }
    found.sort_unstable_by_key(|it| std::cmp::Reverse(it.message));
    found.truncate(limit as usize);
    Ok(found)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        message: MessageId(row.get::<_, i64>(0)? as u64),
        inbound: LaneId(row.get(1)?),
        received_at: row.get::<_, i64>(2)? as u64,
        identity: u128::from_be_bytes(row.get(3)?),
    })
}

fn to_bytes(it: &Identity) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..8].copy_from_slice(&it.message.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&it.inbound.0.to_le_bytes());
    bytes[12..20].copy_from_slice(&it.received_at.to_le_bytes());
    bytes[20..].copy_from_slice(&it.identity.to_le_bytes());
    bytes
}

fn from_bytes(bytes: &[u8; ENTRY]) -> Identity {
    let number = |at: usize| bytes[at..].first_chunk().map_or(0, |it| u64::from_le_bytes(*it));
    Identity {
        message: MessageId(number(0)),
        inbound: LaneId(number(8) as u32),
        received_at: number(12),
        identity: u128::from(number(20)) | u128::from(number(28)) << 64,
    }
}
