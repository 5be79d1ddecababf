//! What operators read.

use mllp_pipeline::{Append, Disposition, Job, LaneId, List, MessageId, Position, Reopened, Seq};

use super::{MemoryStore, State};
use crate::error::StoreError;
use crate::lists::{Deliveries, Listed, Lists, Newer};
use crate::sums;

impl Lists for MemoryStore {
    fn listed(
        &mut self,
        list: List,
        lane: Option<LaneId>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Listed>, StoreError> {
        let state = &self.lock().state;
        let all = state.lists.iter().filter(|((of, its, _), it)| {
            *of == list && lane.is_none_or(|lane| lane == *its) && it.position > after
        });
        let mut rows: Vec<Listed> = all.map(|(_, it)| *it).collect();
        rows.sort_unstable_by_key(|it| it.position);
        rows.truncate(limit as usize);
        Ok(rows)
    }

    fn deliveries(&mut self, of: &Deliveries, limit: u32) -> Result<Vec<Position>, StoreError> {
        let state = &self.lock().state;
        let rows = state.lanes.get(&of.lane).map_or(&[][..], |it| &it.rows);
        let at = |(seq, row): (u64, &Append)| {
            let (message, lane) = (row.message, of.lane);
            Position { message, lane, seq: Seq(seq) }
        };
        let rows = (1..=of.up_to.0).zip(rows).map(at);
        let fits = |it: &Position| of.messages.contains(&it.message) && *it > of.after;
        let mut rows: Vec<Position> = rows.filter(fits).collect();
        rows.sort_unstable();
        rows.truncate(limit as usize);
        Ok(rows)
    }

    fn newer(
        &mut self,
        lane: LaneId,
        than: MessageId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<Newer>, StoreError> {
        let state = &self.lock().state;
        let rows = state.lanes.get(&lane).map_or(&[][..], |it| &it.rows);
        let is_listed = |seq| {
            [List::Dead, List::Held].iter().any(|it| state.lists.contains_key(&(*it, lane, seq)))
        };
        let rows = (1..).map(Seq).zip(rows);
        let newer =
            rows.filter(|(seq, row)| *seq > after && row.message > than && !is_listed(*seq));
        let newer = newer.map(|(seq, row)| {
            let position = Position { message: row.message, lane, seq };
            Newer { position, keys: row.keys.clone() }
        });
        Ok(newer.take(limit as usize).collect())
    }

    fn extent(&mut self, lane: LaneId) -> Result<Option<(Seq, Seq)>, StoreError> {
        let state = &self.lock().state;
        Ok(state.lanes.get(&lane).map(|it| (Seq(it.cursor), Seq(it.rows.len() as u64))))
    }

    fn failures(&mut self, id: MessageId) -> Result<u32, StoreError> {
        let state = &self.lock().state;
        if let Some(sums) = state.parts.get(&id) {
            return Ok(u32::try_from(sums.failed).unwrap_or(0));
        }
        Ok((state.disposition(id).0 == Disposition::Error).into())
    }

    fn jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        Ok(self.lock().state.jobs.values().cloned().collect())
    }
}

impl State {
    pub(super) fn list(&mut self, list: List, listed: Listed) {
        let Position { lane, seq, .. } = listed.position;
        self.lists.insert((list, lane, seq), listed);
    }

    pub(super) fn reopen(&mut self, reopened: &Reopened) {
        let Reopened { message, stamp, at, .. } = *reopened;
        let (disposition, _) = self.disposition(message);
        let begun = sums::begun(reopened, self.parts.contains_key(&message), disposition);
        self.parts.entry(message).or_default().add(begun);
        self.reopened.insert(message);
        self.outcomes.insert((message, stamp), (Disposition::Routed, at));
    }
}
