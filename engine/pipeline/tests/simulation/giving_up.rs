//! Large results of handlers that are not used: their bodies go, and only theirs.

use mllp_pipeline::{Body, BodyId, RowBody};

use crate::invariant::Invariant::Handoff;
use crate::store::Store;

impl Store {
    /// Nothing will hold this body.
    pub fn give_up(&mut self, body: BodyId) {
        let is = |it: &Body| matches!(it, Body::Chunked { id, .. } if *id == body);
        let mut rows = self.lanes.values().flat_map(|lane| &lane.rows);
        let held = rows.any(|row| matches!(&row.body, RowBody::Own(own) if is(own)))
            || self.messages.values().any(|message| is(&message.new.body));
        Handoff.check(!held, "a body is given up that something holds");
        let was_there = self.chunks.remove(&body.0).is_some();
        Handoff.check(was_there, "a body is given up twice");
        self.given_up += 1;
    }
}
