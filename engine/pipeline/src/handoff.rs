//! Handing a message on: one transaction consumes it from one lane and appends it to the next.

use alloc::vec::Vec;

use crate::batch::{Appended, Batch, Duty};
use crate::body::{IdHash, Keys};
use crate::disposition::{Handoff, Settled};
use crate::event::What;
use crate::fact::{CallFailure, Sent};
use crate::handler::{self, HandlerLane};
use crate::ids::{CallId, LaneId, MessageId, Now, Seq};
use crate::ingress::{self, Branch, BranchState};
use crate::lane::Hold;
use crate::order::Source;
use crate::pipeline::Pipeline;
use crate::record::{Disposition, LaneUpdate, Record, RowBody};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Place, Shared};
use crate::stage::{Stage, Task};

/// A message bound for the next lane.
struct Onward {
    message: MessageId,
    /// What a row without bytes of its own is about, and where these are at hand.
    body: RowBody,
    source: Source,
    /// Whether the row is, and then will be, all its open work.
    sole: bool,
    id_hash: IdHash,
    /// Handlers that have sent it on so far.
    hops: u8,
    /// Length of those bytes.
    len: u64,
}

impl Onward {
    /// For a row that stands here, all of whose open work the next one is not yet known to be.
    fn of(message: MessageId, source: &Source, id_hash: IdHash, at: Option<(LaneId, Seq)>) -> Self {
        let (body, elsewhere) = match at {
            Some((lane, seq)) => (RowBody::Row(lane, seq), Source::Row(lane, seq)),
            None => (RowBody::Message, Source::Message),
        };
        let source = match source {
            Source::Memory(body) => Source::Memory(body.clone()),
            Source::Message | Source::Row(..) => elsewhere,
        };
        Onward { message, body, source, sole: false, id_hash, hops: 0, len: 0 }
    }
}

fn update<R: Task>(stage: &Stage<R>) -> LaneUpdate {
    let cursor = Seq(stage.lane.cursor.0 + stage.committing as u64);
    let consumed = stage.lane.fill.consumed_with(stage.committing);
    LaneUpdate { consumed, ..LaneUpdate::new(stage.lane.id, stage.lane.epoch, cursor) }
}

impl Pipeline {
    /// Adds what is ready in the listed lanes, as long as it fits.
    pub(crate) fn add_handoffs(&mut self, batch: &mut Batch, records: usize, now: Now) {
        for _ in 0..self.shared.handoffs.len() {
            if !batch.fits(records, self.shared.limits.batch_bytes) {
                return;
            }
            let Some(place) = self.shared.handoffs.pop_front() else { return };
            let mark = batch.mark();
            let (update, rest) = match place {
                Place::Ingress(inbound) => self.add_arrived(inbound, batch, records, now),
                Place::Routed(handler) => self.add_rested(handler, batch, records, now),
                Place::Outbound(_) => continue,
            };
            if rest {
                self.shared.handoffs.push_back(place);
            }
            if let Some(update) = update {
                batch.update(update);
                batch.end(Duty::Handoff(place), mark);
            }
        }
    }

    /// The ready messages of an inbound's lane. Also whether some did not fit.
    fn add_arrived(
        &mut self,
        inbound: usize,
        batch: &mut Batch,
        records: usize,
        now: Now,
    ) -> (Option<LaneUpdate>, bool) {
        let limit = self.shared.limits.batch_bytes;
        self.inbounds[inbound].stage.listed = false;
        let mut fits = true;
        while self.inbounds[inbound].stage.committing < self.inbounds[inbound].stage.ready {
            fits = batch.fits(records, limit);
            if !fits || !self.hand_on_arrived(inbound, batch, now) {
                break;
            }
            self.inbounds[inbound].stage.committing += 1;
        }
        let stage = &mut self.inbounds[inbound].stage;
        stage.listed = !fits;
        ((stage.committing > 0).then(|| update(stage)), !fits)
    }

    fn add_rested(
        &mut self,
        handler: usize,
        batch: &mut Batch,
        records: usize,
        now: Now,
    ) -> (Option<LaneUpdate>, bool) {
        let limit = self.shared.limits.batch_bytes;
        self.handlers[handler].stage.listed = false;
        let mut fits = true;
        while self.handlers[handler].stage.committing < self.handlers[handler].stage.ready {
            fits = batch.fits(records, limit);
            if !fits || !self.hand_on_rested(handler, batch, now) {
                break;
            }
            self.handlers[handler].stage.committing += 1;
        }
        let stage = &mut self.handlers[handler].stage;
        stage.listed = !fits;
        ((stage.committing > 0).then(|| update(stage)), !fits)
    }

    /// Hands on the next message of an inbound's lane; false if a lane it goes to has to be read
    /// first.
    fn hand_on_arrived(&mut self, inbound: usize, batch: &mut Batch, now: Now) -> bool {
        let stage = &self.inbounds[inbound].stage;
        let (lane, row) = (stage.lane.id, &stage.lane.rows[stage.committing]);
        if let ingress::Progress::Chosen { branches, .. } = &row.progress
            && branches.iter().any(|branch| !self.takes(branch))
        {
            return false;
        }
        if !self.makes_way(inbound) {
            return false;
        }
        let stage = &self.inbounds[inbound].stage;
        let (at, len) = (stage.committing, stage.lane.fill.lens[stage.committing]);
        let seq = stage.lane.seq(at);
        let row = &mut self.inbounds[inbound].stage.lane.rows[at];
        let (message, sole, hops) = (row.message, row.sole, row.hops);
        let own = (hops > 0).then_some((lane, seq));
        let onward = Onward::of(message, &row.source, row.id_hash, own);
        let onward = Onward { sole, hops, len, ..onward };
        let done = ingress::Progress::Chosen { handlers: Vec::new(), branches: Vec::new() };
        match core::mem::replace(&mut row.progress, done) {
            ingress::Progress::Chosen { handlers, branches } => {
                self.hand_on_branches(onward, handlers, branches, batch, now);
            }
            ingress::Progress::Failed(failure) => {
                batch.record(failed(message, lane, failure, &mut self.shared, now));
                let total = Handoff { rows: 0, failed: 1 };
                let settled = total.of(sole, Disposition::Unrouted);
                self.record(settled, message, batch, now);
            }
            ingress::Progress::New | ingress::Progress::Routing(_) => {}
        }
        true
    }

    /// Whether the lanes that a branch leads to may be appended to.
    fn takes(&self, branch: &Branch) -> bool {
        match &branch.state {
            BranchState::Sent(sent) => {
                self.take(sent) && self.handlers[branch.handler].stage.lane.hold != Hold::Unread
            }
            _ => self.handlers[branch.handler].stage.lane.hold != Hold::Unread,
        }
    }

    fn take(&self, sent: &[Sent]) -> bool {
        sent.iter().all(|it| match self.shared.place(it.to) {
            Some(Place::Outbound(outbound)) => self.outbounds[outbound].lane.hold != Hold::Unread,
            Some(Place::Routed(handler)) => self.handlers[handler].stage.lane.hold != Hold::Unread,
            Some(Place::Ingress(inbound)) => self.inbounds[inbound].stage.lane.hold != Hold::Unread,
            None => false,
        })
    }

    fn hand_on_branches(
        &mut self,
        mut onward: Onward,
        handlers: Vec<LaneId>,
        mut branches: Vec<Branch>,
        batch: &mut Batch,
        now: Now,
    ) {
        let message = onward.message;
        // Where a handler had sent it on, the router of its own inbound has chosen somebody.
        let nothing = match handlers.is_empty() && onward.hops == 0 {
            true => Disposition::Unrouted,
            false => Disposition::Filtered,
        };
        // It has come from a handler exactly where its row may have bytes of its own.
        let inbound = match onward.body {
            RowBody::Row(inbound, _) => Some(inbound),
            RowBody::Message | RowBody::Own(_) => None,
        };
        let what = What::Routed { inbound, handlers };
        let routed = self.shared.event(message, now.wall, what);
        batch.record(Record::Event(routed));
        let mut total = Handoff::default();
        for branch in &mut branches {
            // What an earlier message waits for in the handler's lane must not be overtaken.
            let passes = self.handlers[branch.handler].is_passable();
            #[cfg(feature = "sabotage")]
            let passes = passes || self.shared.broken(Sabotage::FuseAlways);
            if !passes && !matches!(branch.state, BranchState::Rests(_)) {
                branch.rest(&mut self.shared);
            }
            match &branch.state {
                BranchState::Sent(sent) => total.rows += sent.len() as u32,
                BranchState::Failed(_) => total.failed += 1,
                BranchState::Rests(_) | BranchState::Called(_) => total.rows += 1,
            }
        }
        let settled = total.of(onward.sole, nothing);
        onward.sole = settled.is_sole();
        for Branch { handler, state } in branches.drain(..) {
            let lane = self.handlers[handler].stage.lane.id;
            match state {
                BranchState::Sent(sent) => self.send(&onward, lane, sent, batch, now),
                BranchState::Failed(failure) => {
                    batch.record(failed(message, lane, failure, &mut self.shared, now));
                }
                BranchState::Rests(call) => self.rest_in(handler, &onward, call, batch),
                BranchState::Called(_) => {
                    self.rest_in(handler, &onward, None, batch);
                }
            }
        }
        self.spare_branches.push(branches);
        self.record(settled, message, batch, now);
    }

    /// Hands on the next row of a handler's lane; false if a lane it goes to has to be read first.
    fn hand_on_rested(&mut self, handler: usize, batch: &mut Batch, now: Now) -> bool {
        let HandlerLane { stage, .. } = &self.handlers[handler];
        let (lane, at) = (stage.lane.id, stage.committing);
        let seq = stage.lane.seq(at);
        if let handler::Progress::Sent(sent) = &stage.lane.rows[at].progress
            && !(self.take(sent) && self.has_room_for(handler))
        {
            return false;
        }
        let len = self.handlers[handler].stage.lane.fill.lens[at];
        let row = &mut self.handlers[handler].stage.lane.rows[at];
        let (message, sole, hops) = (row.message, row.sole, row.hops);
        let own = (hops > 0).then_some((lane, seq));
        let onward = Onward::of(message, &row.source, row.id_hash, own);
        let done = handler::Progress::Sent(Vec::new());
        let (sent, failure) = match core::mem::replace(&mut row.progress, done) {
            handler::Progress::Failed(failure) => (Vec::new(), Some(failure)),
            handler::Progress::Sent(sent) => (sent, None),
            handler::Progress::New | handler::Progress::Called(_) => (Vec::new(), None),
        };
        let total = Handoff { rows: sent.len() as u32, failed: u32::from(failure.is_some()) };
        let settled = total.of(sole, Disposition::Filtered);
        let onward = Onward { sole: settled.is_sole(), hops, len, ..onward };
        match failure {
            Some(failure) => batch.record(failed(message, lane, failure, &mut self.shared, now)),
            None => self.send(&onward, lane, sent, batch, now),
        }
        self.record(settled, message, batch, now);
        true
    }

    fn record(&mut self, settled: Settled, message: MessageId, batch: &mut Batch, now: Now) {
        if let Some(record) = settled.record(message, now.wall, || self.shared.stamp()) {
            batch.record(record);
        }
    }

    /// Appends what a handler sends to the lanes of outbounds, of handlers that go on with it, and of inbounds whose
    /// routers do.
    fn send(
        &mut self,
        row: &Onward,
        handler: LaneId,
        sent: Vec<Sent>,
        batch: &mut Batch,
        now: Now,
    ) {
        let Onward { message, sole, .. } = *row;
        let outbounds = sent.iter().map(|it| it.to).collect();
        let what = What::Transformed { handler, outbounds };
        batch.record(Record::Event(self.shared.event(message, now.wall, what)));
        for Sent { to: lane, body, id_hash, keys } in sent {
            let Some(to) = self.shared.place(lane) else { continue };
            let (source, body, id_hash) = match body {
                Some(body) => (Source::Memory(body.clone()), RowBody::Own(body), id_hash),
                None => (row.source.clone(), row.body.clone(), row.id_hash),
            };
            let hops = match to {
                Place::Outbound(outbound) => {
                    self.concern(outbound);
                    0
                }
                #[cfg(feature = "sabotage")]
                Place::Ingress(_) if self.shared.broken(Sabotage::ForgetHops) => 0,
                Place::Routed(_) | Place::Ingress(_) => row.hops + 1,
            };
            let len = if let RowBody::Own(body) = &body { body.len() } else { row.len };
            self.appends(to, len);
            let row = Appended { to, message, source, sole, id_hash, keys, hops, len, call: None };
            batch.append(lane, body, row);
        }
    }

    /// Appends a message to the lane of a handler.
    fn rest_in(
        &mut self,
        handler: usize,
        row: &Onward,
        call: Option<(CallId, usize)>,
        batch: &mut Batch,
    ) {
        let lane = &mut self.handlers[handler].stage.lane;
        lane.appends(row.len);
        let (to, source) = (Place::Routed(handler), row.source.clone());
        let Onward { message, sole, id_hash, hops, len, .. } = *row;
        let (body, keys) = (row.body.clone(), Keys::NONE);
        let row = Appended { to, message, source, sole, id_hash, keys, hops, len, call };
        batch.append(lane.id, body, row);
    }
}

fn failed(
    message: MessageId,
    lane: LaneId,
    failure: CallFailure,
    shared: &mut Shared,
    now: Now,
) -> Record {
    let CallFailure { failure, note } = failure;
    Record::Event(shared.event(message, now.wall, What::Failed { lane, failure, note }))
}
