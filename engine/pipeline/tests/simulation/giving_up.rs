//! Large results of handlers that are not used: their bodies go, only theirs, and all of them.

use std::collections::BTreeSet;

use mllp_pipeline::{Body, BodyId, Fact, Record, RowBody, Transaction};

use crate::calls::RESULTS;
use crate::invariant::Invariant::Handoff;
use crate::store::Store;

impl Store {
    /// Nothing will hold this body.
    pub fn give_up(&mut self, body: BodyId) {
        Handoff.check(!self.holds(body), "a body is given up that something holds");
        let was_there = self.chunks.remove(&body.0).is_some();
        Handoff.check(was_there, "a body is given up twice");
        self.given_up += 1;
    }

    fn holds(&self, body: BodyId) -> bool {
        let is = |it: &Body| matches!(it, Body::Chunked { id, .. } if *id == body);
        let mut rows = self.lanes.values().flat_map(|lane| &lane.rows);
        rows.any(|row| matches!(&row.body, RowBody::Own(own) if is(own)))
            || self.messages.values().any(|message| is(&message.new.body))
    }

    fn unheld_results(&self) -> Vec<u64> {
        let results = self.chunks.range(RESULTS..).map(|(id, _)| *id);
        results.filter(|id| !self.holds(BodyId(*id))).collect()
    }

    /// A life begins: what earlier ones have left is swept.
    pub fn sweep(&mut self) {
        for id in self.unheld_results() {
            self.chunks.remove(&id);
            self.given_up += 1;
        }
        self.in_doubt.clear();
    }

    /// It is unknown whether this is written. What it holds is left for the next life.
    pub fn doubt(&mut self, transaction: &Transaction) {
        for record in &transaction.records {
            if let Record::Append(row) = record
                && let RowBody::Own(Body::Chunked { id, .. }) = &row.body
            {
                self.in_doubt.insert(id.0);
            }
        }
    }

    /// At rest nothing is left that nothing holds, but for what is still on its way to the pipeline.
    pub fn check_given_up<'a>(&self, coming: impl Iterator<Item = &'a Fact>) {
        let results = coming.filter_map(|fact| match fact {
            Fact::Transformed { results, .. } => Some(results),
            _ => None,
        });
        let sent = results.flatten().flatten().flatten();
        let coming: BTreeSet<u64> = sent
            .filter_map(|it| match it.body {
                Some(Body::Chunked { id, .. }) => Some(id.0),
                _ => None,
            })
            .collect();
        for id in self.unheld_results() {
            let may_stay = coming.contains(&id) || self.in_doubt.contains(&id);
            Handoff
                .check(may_stay, format_args!("body {id} is not given up, and nothing holds it"));
        }
    }
}
