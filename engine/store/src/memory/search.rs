//! Searching in memory: every message is looked at.

use mllp_pipeline::{LaneId, MessageId, Stamp};

use super::{MemoryStore, State};
use crate::codes::{EventRow, lanes_of};
use crate::contract::Reader;
use crate::error::StoreError;
use crate::query::{Found, Query, SEARCH_LOOKS};

/// Searches. See [`Reader::search`].
pub(super) fn search(
    store: &mut MemoryStore,
    query: &Query,
    before: MessageId,
    limit: u32,
) -> Result<Found, StoreError> {
    let ids: Vec<_> = {
        let state = &store.lock().state;
        let newest = state.messages.range(..before).rev().map(|(id, _)| *id);
        newest.take(SEARCH_LOOKS as usize).collect()
    };
    let mut found = Found::default();
    for (id, looked) in ids.into_iter().zip(1..) {
        let passed = query.lane.is_none_or(|lane| store.lock().state.passed(id, lane));
        let stored = store.message(id)?.filter(|it| passed && query.means(it));
        found.messages.extend(stored);
        if found.messages.len() >= limit as usize || looked == SEARCH_LOOKS {
            found.next = Some(id);
            break;
        }
    }
    Ok(found)
}

impl State {
    fn passed(&self, id: MessageId, lane: LaneId) -> bool {
        let events = self.events.range((id, Stamp(0))..=(id, Stamp(u64::MAX)));
        self.messages.get(&id).is_some_and(|it| it.inbound == lane)
            || events.map(|(_, it)| EventRow::of(&it.what)).any(|row| {
                row.lane == i64::from(lane.0)
                    || lanes_of(row.kind, row.text.bytes()).contains(&lane)
            })
    }
}
