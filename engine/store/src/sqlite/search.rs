//! Searching: candidates by hash or by number, the newest first, and whether each is meant.

use mllp_pipeline::MessageId;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::failed;
use super::index::{Backward, InMemory, SharedGathered};
use super::message;
use crate::contract::StoredMessage;
use crate::error::StoreError;
use crate::query::{Found, Query, SEARCH_LOOKS};

/// Searches. See [`Reader::search`](crate::Reader::search).
pub(super) fn search(
    connection: &Connection,
    gathered: &SharedGathered,
    query: &Query,
    before: MessageId,
    limit: u32,
) -> Result<Found, StoreError> {
    let mut next = i64::try_from(before.0).unwrap_or(i64::MAX);
    let hash = query.key().map(|it| it as i64);
    // Memory first: what goes from there into a run meanwhile is found in the run as well.
    let in_memory = hash.map(|hash| gathered.find(hash, next));
    // One snapshot, or a merge that ends meanwhile would hide what it has merged.
    let _snapshot = connection.unchecked_transaction().map_err(failed)?;
    let mut candidates =
        Candidates::new(connection, query, hash, in_memory, next).map_err(failed)?;
    let mut found = Found::default();
    for _ in 0..SEARCH_LOOKS {
        if found.messages.len() >= limit as usize {
            break;
        }
        let Some(id) = candidates.below(next).map_err(failed)? else { return Ok(found) };
        next = id;
        found.messages.extend(meant(connection, query, MessageId(id as u64))?);
    }
    found.next = Some(MessageId(next as u64));
    Ok(found)
}

/// The message, if it is meant.
fn meant(
    connection: &Connection,
    query: &Query,
    id: MessageId,
) -> Result<Option<StoredMessage>, StoreError> {
    let Some(row) = message::read(connection, id).map_err(failed)? else {
        // Retention took it, and its entry goes when the run is merged.
        return Ok(None);
    };
    if !query.meets(&row.message) {
        return Ok(None);
    }
    let (disposition, since) = message::disposition(connection, id)?;
    let is_meant = query.disposition.is_none_or(|it| it == disposition)
        && match query.lane {
            Some(lane) => message::passed(connection, &row.message, lane).map_err(failed)?,
            None => true,
        };
    Ok(is_meant.then(|| row.stored(disposition, since)))
}

/// Messages that may be meant.
struct Candidates<'a> {
    connection: &'a Connection,
    /// `None`: every message may be.
    by_hash: Option<ByHash>,
    /// Numbers between which messages may have been received at the right time, the newest last.
    spans: Vec<(i64, i64)>,
}

struct ByHash {
    runs: Vec<Backward>,
    in_memory: InMemory,
}

impl<'a> Candidates<'a> {
    fn new(
        connection: &'a Connection,
        query: &Query,
        hash: Option<i64>,
        in_memory: Option<InMemory>,
        before: i64,
    ) -> rusqlite::Result<Self> {
        let spans = spans(connection, query)?;
        let newest = spans.last().map_or(0, |(_, last)| *last).min(before.saturating_sub(1));
        let oldest = spans.first().map_or(0, |(first, _)| *first);
        let by_hash = match (hash, in_memory) {
            (Some(hash), Some(in_memory)) => {
                let sql = "SELECT id FROM run WHERE state = 1 AND first <= ?1 AND last >= ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let ids =
                    statement.query_map(params![newest, oldest], |row| row.get::<_, i64>(0))?;
                let seek = |id| Backward::seek(connection, id?, hash, newest.saturating_add(1));
                Some(ByHash { runs: ids.map(seek).collect::<Result<_, _>>()?, in_memory })
            }
            _ => None,
        };
        Ok(Candidates { connection, by_hash, spans })
    }

    /// The newest one below a number.
    fn below(&mut self, before: i64) -> rusqlite::Result<Option<i64>> {
        while let Some(&(first, last)) = self.spans.last() {
            let before = before.min(last.saturating_add(1));
            let found = match &mut self.by_hash {
                Some(by_hash) => by_hash.below(self.connection, before)?,
                None => message_below(self.connection, before)?,
            };
            match found {
                None => return Ok(None),
                Some(id) if id >= first => return Ok(Some(id)),
                Some(_) => drop(self.spans.pop()),
            }
        }
        Ok(None)
    }
}

impl ByHash {
    fn below(&mut self, connection: &Connection, before: i64) -> rusqlite::Result<Option<i64>> {
        let mut newest = None;
        for run in &mut self.runs {
            newest = newest.max(run.below(connection, before)?);
        }
        while self.in_memory.messages.pop_if(|it| *it >= before).is_some() {}
        newest = newest.max(self.in_memory.messages.last().copied());
        let unread = match self.in_memory.unread {
            Some(from) => message_below(connection, before)?.filter(|it| *it >= from),
            None => None,
        };
        Ok(newest.max(unread))
    }
}

fn message_below(connection: &Connection, before: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM message WHERE id < ?1 ORDER BY id DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row((before,), |row| row.get(0)).optional()
}

/// Between which numbers the messages stand that were received when it is asked for. The clock may
/// have jumped, so each span is looked at. What is above all spans may have been received at any time.
fn spans(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<(i64, i64)>> {
    let Some(received) = &query.received else { return Ok(vec![(0, i64::MAX - 1)]) };
    let time = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
    let sql = "SELECT first, last FROM span WHERE earliest < ?2 AND latest >= ?1 ORDER BY first";
    let mut statement = connection.prepare_cached(sql)?;
    let values = params![time(received.start), time(received.end)];
    let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut spans: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
    let covered = "SELECT coalesce(max(last), 0) FROM span";
    let covered: i64 = connection.query_row(covered, (), |row| row.get(0))?;
    spans.push((covered + 1, i64::MAX - 1));
    Ok(spans)
}
