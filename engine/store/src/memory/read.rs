//! Reading: rows of lanes, messages, journeys.

use std::sync::Arc;

use mllp_pipeline::{
    Body, BodyId, Disposition, Entry, Event, LaneId, MessageId, NewMessage, Piece, RowBody, Seq,
    Stamp,
};

use super::{MemoryStore, search};
use crate::contract::{Held, Identity, Reader, StoredMessage};
use crate::error::StoreError;
use crate::life::Life;
use crate::query::{Found, Query};

impl Reader for MemoryStore {
    fn entries(&mut self, lane: LaneId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let state = &self.lock().state;
        let Some(rows) = state.lanes.get(&lane) else { return Ok(Vec::new()) };
        let places = (after.0 + 1..).take(limit as usize);
        Ok(places.map_while(|seq| rows.entry(lane, Seq(seq))).collect())
    }

    fn message(&mut self, id: MessageId) -> Result<Option<StoredMessage>, StoreError> {
        let state = &self.lock().state;
        Ok(state.messages.get(&id).map(|message| {
            let (disposition, since) = state.disposition(id);
            let (mut message, len) = (message.clone(), message.body.len());
            if let Body::Inline(bytes) = &mut message.body {
                *bytes = [].into();
            }
            let expired = state.retained.body_expired(id);
            let len = expired.map_or(len, |(_, len)| len);
            let body_expired = expired.map(|(at, _)| at);
            StoredMessage { message, len, disposition, since, body_expired }
        }))
    }

    fn search(
        &mut self,
        query: &Query,
        before: MessageId,
        limit: u32,
    ) -> Result<Found, StoreError> {
        search::search(self, query, before, limit)
    }

    fn expired(&mut self, id: MessageId) -> Result<Option<u64>, StoreError> {
        Ok(self.lock().state.retained.expired(id))
    }

    fn expired_control_id(&mut self, control_id: &[u8]) -> Result<Option<u64>, StoreError> {
        Ok(self.lock().state.retained.expired_control_id(control_id))
    }

    fn find(&mut self, of: Held) -> Result<Option<Body>, StoreError> {
        let state = &self.lock().state;
        let own = |lane, seq| match state.row(lane, seq).map(|it| &it.body) {
            Some(RowBody::Own(body)) => Some(body.clone()),
            _ => None,
        };
        Ok(match of {
            Held::Chunks(id) => {
                let chunks = state.chunks.range((id, 0)..=(id, u32::MAX));
                let len: u64 = chunks.map(|(_, bytes)| bytes.len() as u64).sum();
                (len > 0).then_some(Body::Chunked { id, len })
            }
            Held::Message(id) => {
                let message = state.messages.get(&id).map(|it| it.body.clone());
                message.filter(|_| state.retained.body_expired(id).is_none())
            }
            Held::Row(lane, seq) => match state.row(lane, seq).map(|it| &it.body) {
                Some(RowBody::Row(lane, seq)) => own(*lane, *seq),
                _ => own(lane, seq),
            },
        })
    }

    fn chunk(&mut self, body: BodyId, n: u32) -> Result<Option<Piece>, StoreError> {
        let state = &self.lock().state;
        Ok(state.chunks.get(&(body, n)).map(|bytes| Piece(Arc::clone(bytes))))
    }

    fn journey(&mut self, id: MessageId) -> Result<Vec<Event>, StoreError> {
        let state = &self.lock().state;
        let events = state.events.range((id, Stamp(0))..=(id, Stamp(u64::MAX)));
        Ok(events.map(|(_, event)| event.clone()).collect())
    }

    fn life(&mut self, stamp: Stamp) -> Result<Option<Life>, StoreError> {
        let state = &self.lock().state;
        Ok(state.lived.range(..=stamp).next_back().map(|(_, (life, _))| life.clone()))
    }

    fn rows_of(&mut self, lane: LaneId, message: MessageId) -> Result<Vec<Seq>, StoreError> {
        let state = &self.lock().state;
        let rows = state.lanes.get(&lane).map_or(&[][..], |it| &it.rows);
        let its = (1..).map(Seq).zip(rows).filter(|(_, row)| row.message == message);
        Ok(its.map(|(seq, _)| seq).collect())
    }

    fn identities(&mut self, before: MessageId, limit: u32) -> Result<Vec<Identity>, StoreError> {
        let state = &self.lock().state;
        let messages = state.messages.range(..before).rev().map(|(_, message)| message);
        let identity = |message: &NewMessage| Identity {
            message: message.id,
            inbound: message.inbound,
            received_at: message.received_at,
            identity: message.identity,
        };
        let known = messages.filter(|it| it.identity != 0).map(identity);
        Ok(known.take(limit as usize).collect())
    }

    fn dispositions(
        &mut self,
        from: MessageId,
        limit: u32,
    ) -> Result<Vec<(MessageId, Disposition)>, StoreError> {
        let state = &self.lock().state;
        let ids = state.messages.range(from..).map(|(id, _)| *id).take(limit as usize);
        Ok(ids.map(|id| (id, state.disposition(id).0)).collect())
    }
}
