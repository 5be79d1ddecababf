//! Deleting in memory: all of a pass at once.

use std::collections::{BTreeMap, VecDeque};

use mllp_pipeline::{Body, Disposition, List, MessageId, RowBody};

use super::State;
use crate::query::of_control_id;
use crate::retention::{ControlIds, Expired, Expiry, LastPass};

/// What is remembered of what was deleted.
#[derive(Default)]
pub(super) struct Retained {
    pub(super) last_pass: LastPass,
    pub(super) next_message: u64,
    /// When the body of a message that is there was deleted, and how long it was.
    bodies: BTreeMap<MessageId, (u64, u64)>,
    messages: BTreeMap<MessageId, u64>,
    /// Hashes of control IDs of messages that are gone, and when they went, the oldest first.
    control_ids: VecDeque<(u64, u64)>,
}

impl Retained {
    pub(super) fn body_expired(&self, id: MessageId) -> Option<(u64, u64)> {
        self.bodies.get(&id).copied()
    }

    pub(super) fn expired(&self, id: MessageId) -> Option<u64> {
        self.messages.get(&id).copied()
    }

    pub(super) fn expired_control_id(&self, control_id: &[u8]) -> Option<u64> {
        let hash = of_control_id(control_id);
        let newest = self.control_ids.iter().rev().find(|(its, _)| *its == hash);
        newest.map(|(_, at)| *at)
    }

    fn forget(&mut self, ControlIds { before, most }: ControlIds) {
        self.control_ids.retain(|(_, at)| *at >= before);
        let excess = self.control_ids.len().saturating_sub(most as usize);
        self.control_ids.drain(..excess);
    }
}

impl State {
    pub(super) fn expire(&mut self, expiry: &Expiry) {
        let expired = self.messages.values().map(|message| {
            let (disposition, since) = self.disposition(message.id);
            let ended = (disposition == Disposition::Error).then_some(since);
            let of = || expiry.of(message.inbound, message.received_at, ended);
            let what = if disposition.is_final() { of() } else { Expired::Nothing };
            (message.id, what)
        });
        for (id, expired) in expired.collect::<Vec<_>>() {
            if expired >= Expired::Body && self.retained.body_expired(id).is_none() {
                let len = self.messages.get(&id).map_or(0, |it| it.body.len());
                self.drop_bodies(id);
                self.retained.bodies.insert(id, (expiry.at, len));
            }
            if expired == Expired::Everything {
                let control_id = self.messages.remove(&id).map(|it| it.control_id.0);
                if let Some(control_id) = control_id.filter(|it| !it.is_empty()) {
                    let hash = of_control_id(&control_id);
                    self.retained.control_ids.push_back((hash, expiry.at));
                }
                self.parts.remove(&id);
                self.outcomes.retain(|(message, _), _| *message != id);
                self.events.retain(|(message, _), _| *message != id);
                self.retained.bodies.remove(&id);
                self.retained.messages.insert(id, expiry.at);
                self.retained.next_message = self.retained.next_message.max(id.0 + 1);
            }
        }
        self.retained.forget(expiry.control_ids);
    }

    /// Those of the message and of its rows.
    fn drop_bodies(&mut self, id: MessageId) {
        let mut bodies = Vec::new();
        if let Some(message) = self.messages.get_mut(&id) {
            bodies.push(std::mem::replace(&mut message.body, Body::Inline([].into())));
        }
        let rows = self.lanes.values_mut().flat_map(|lane| &mut lane.rows);
        for row in rows.filter(|it| it.message == id) {
            if let RowBody::Own(body) = std::mem::replace(&mut row.body, RowBody::Message) {
                bodies.push(body);
            }
        }
        self.lists.retain(|(list, ..), it| *list != List::Dead || it.position.message != id);
        for body in bodies {
            if let Body::Chunked { id, .. } = body {
                self.chunks.retain(|(its, _), _| *its != id);
            }
        }
    }
}
