//! Searching. The hashes are an ordinary index here.

use mllp_pipeline::{LaneId, MessageId};

use super::read::{PostgresReader, message_of, number};
use crate::codes;
use crate::contract::StoredMessage;
use crate::error::StoreError;
use crate::query::{Found, Query, SEARCH_LOOKS};

/// Messages that are read at a time.
const PART: u32 = 500;

/// Searches. See [`Reader::search`](crate::Reader::search).
pub(super) fn search(
    reader: &mut PostgresReader,
    query: &Query,
    before: MessageId,
    limit: u32,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let mut next = i64::try_from(before.0).unwrap_or(i64::MAX);
    for _ in 0..SEARCH_LOOKS / PART {
        let part = candidates(reader, query, next)?;
        let is_last = part.len() < PART as usize;
        let Some(last) = part.last().map(|it| it.message.id) else { return Ok(found) };
        for candidate in part {
            if found.messages.len() >= limit as usize {
                return Ok(found);
            }
            next = candidate.message.id.0 as i64;
            found.next = Some(candidate.message.id);
            if query.means(&candidate) && passed(reader, &candidate, query.lane)? {
                found.messages.push(candidate);
            }
        }
        if is_last && next == last.0 as i64 && found.messages.len() < limit as usize {
            found.next = None;
            return Ok(found);
        }
    }
    Ok(found)
}

/// The newest messages below a number that may be meant.
fn candidates(
    reader: &mut PostgresReader,
    query: &Query,
    before: i64,
) -> Result<Vec<StoredMessage>, StoreError> {
    let time = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
    let (from, to) =
        query.received.as_ref().map_or((0, i64::MAX), |it| (time(it.start), time(it.end)));
    let columns = super::read::COLUMNS;
    let limit = i64::from(PART);
    let rows = match query.key() {
        Some(hash) => {
            let sql = format!(
                "SELECT {columns} FROM message JOIN indexed ON message.id = indexed.message
                 WHERE hash = $1 AND indexed.message < $2 AND received_at >= $3 AND received_at < $4
                 ORDER BY indexed.message DESC LIMIT $5"
            );
            reader.rows(&sql, &[&(hash as i64), &before, &from, &to, &limit])?
        }
        None => {
            let sql = format!(
                "SELECT {columns} FROM message
                 WHERE id < $1 AND received_at >= $2 AND received_at < $3
                 ORDER BY id DESC LIMIT $4"
            );
            reader.rows(&sql, &[&before, &from, &to, &limit])?
        }
    };
    let messages = rows.iter().map(message_of).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<i64> = messages.iter().map(|it| it.message.id.0 as i64).collect();
    let dispositions = reader.dispositions_of(&ids)?;
    let stored = messages.into_iter().zip(dispositions);
    Ok(stored.map(|(row, (_, disposition, since))| row.stored(disposition, since)).collect())
}

/// Whether a message went through the lane that is asked for.
fn passed(
    reader: &mut PostgresReader,
    candidate: &StoredMessage,
    lane: Option<LaneId>,
) -> Result<bool, StoreError> {
    let message = &candidate.message;
    let Some(lane) = lane.filter(|it| *it != message.inbound) else { return Ok(true) };
    let sql = "SELECT lane, kind, text FROM event WHERE message = $1";
    let rows = reader.rows(sql, &[&(message.id.0 as i64)])?;
    Ok(rows.iter().any(|row| {
        number(row, 0) == u64::from(lane.0)
            || codes::lanes_of(row.get(1), row.get(2)).contains(&lane)
    }))
}
