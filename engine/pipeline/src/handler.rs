//! The lane of a handler: messages that rest before it, and whether others may pass it at once.

use alloc::vec::Vec;

use crate::body::IdHash;
use crate::call::{Item, Purpose};
use crate::event::Note;
use crate::fact::{CallFailure, Sent};
use crate::failure::Failure;
use crate::graph::{self, Limits};
use crate::ids::{CallId, LaneId, MessageId, Millis, Seq};
use crate::lane::{Hold, Row};
use crate::order::{Order, Source, Work};
use crate::shared::{Alarm, Place, Shared};
use crate::stage::{Stage, Task};
use crate::switch::Flow;

/// A call that is not back by then rests.
pub(crate) const FUSED_AT_MOST: Millis = 200;
/// After that the handler is not fused for this long.
pub(crate) const NOT_FUSED: Millis = 60_000;

/// How often handlers may send a message on, to a handler or to an inbound whose router takes it from there. Cycles
/// that were not refused at the start end here.
pub(crate) const DEEPEST: u8 = 8;

/// A message that waits for the handler.
#[derive(Debug)]
pub(crate) struct Resting {
    pub message: MessageId,
    pub source: Source,
    pub sole: bool,
    pub id_hash: IdHash,
    /// Handlers that have sent it on; above 0 the row may have bytes of its own.
    pub hops: u8,
    pub progress: Progress,
}

#[derive(Debug)]
pub(crate) enum Progress {
    New,
    Called(CallId),
    Sent(Vec<Sent>),
    Failed(CallFailure),
}

impl Resting {
    pub fn new(
        message: MessageId,
        source: Source,
        sole: bool,
        id_hash: IdHash,
        hops: u8,
    ) -> Resting {
        Resting { message, source, sole, id_hash, hops, progress: Progress::New }
    }
}

impl Row for Resting {
    fn source(&self) -> &Source {
        &self.source
    }
}

impl Task for Resting {
    fn is_ready(&self) -> bool {
        matches!(self.progress, Progress::Sent(_) | Progress::Failed(_))
    }

    fn goes_to(&self) -> Vec<LaneId> {
        match &self.progress {
            Progress::Sent(sent) => sent.iter().map(|it| it.to).collect(),
            _ => Vec::new(),
        }
    }

    fn reset(&mut self) -> Vec<Sent> {
        match core::mem::replace(&mut self.progress, Progress::New) {
            Progress::Sent(sent) => sent,
            _ => Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct HandlerLane {
    pub stage: Stage<Resting>,
    /// Open calls for rows of this lane: one of its own, or those that went on when their messages
    /// came to rest here.
    calls: Vec<CallId>,
    /// Not fused before this.
    pub fuse_after: Millis,
    /// Messages that the open gathering calls the handler for.
    gathered: (Vec<Work>, Vec<Item>),
    index: usize,
}

impl HandlerLane {
    pub fn new(handler: &graph::Handler, limits: &Limits, index: usize) -> HandlerLane {
        let stage = Stage::new(handler.lane, limits.look_ahead, handler.capacity);
        HandlerLane { stage, calls: Vec::new(), fuse_after: 0, gathered: Default::default(), index }
    }

    pub fn forget(&mut self, hold: Hold, shared: &mut Shared) {
        self.stage.forget(hold, shared);
        self.calls.clear();
    }

    /// Whether a message may pass this handler without resting in its lane.
    pub fn is_passable(&self) -> bool {
        self.stage.lane.is_empty()
    }

    /// Whether the handler is called together with the router.
    pub fn is_fused(&self, now: Millis) -> bool {
        self.is_passable() && now >= self.fuse_after && self.stage.flow == Flow::On
    }

    /// Adds a message to the call that [`HandlerLane::call_gathered`] orders.
    pub fn gather(&mut self, work: Work, seq: Seq) {
        self.gathered.0.push(work);
        self.gathered.1.push(Item::Arrived(seq));
    }

    pub fn call_gathered(
        &mut self,
        inbound: usize,
        now: Millis,
        shared: &mut Shared,
    ) -> Option<CallId> {
        if self.gathered.0.is_empty() {
            return None;
        }
        let (work, items) = core::mem::take(&mut self.gathered);
        let call = shared.calls.begin(Purpose::Fused { inbound, handler: self.index }, items);
        shared.wake(now + FUSED_AT_MOST, Alarm::Call(call));
        let handler = self.stage.lane.id;
        shared.orders.push_back(Order::Transform { call, handler, work });
        Some(call)
    }

    /// Loads rows, and calls the handler for those that are new. One call at a time: its result is
    /// handed on before that of any later row.
    pub fn pump(&mut self, now: Millis, shared: &mut Shared) {
        let stage = &mut self.stage;
        shared.orders.extend(stage.lane.load(now));
        let new = stage.lane.rows.len() - stage.called;
        if new == 0 || !self.calls.is_empty() || shared.stopping || !stage.is_open(now) {
            return;
        }
        let count = new.min(shared.limits.call.max(1));
        let range = stage.called..stage.called + count;
        let items = range.clone().map(|at| Item::Row(stage.lane.seq(at))).collect();
        let call = shared.calls.begin(Purpose::Rows(self.index), items);
        let mut work = Vec::with_capacity(count);
        for row in stage.lane.rows.range_mut(range) {
            row.progress = Progress::Called(call);
            let body = row.source.clone();
            work.push(Work { message: row.message, body, hops: row.hops });
        }
        stage.called += count;
        self.calls.push(call);
        shared.orders.push_back(Order::Transform { call, handler: stage.lane.id, work });
    }

    /// A row that has just come to the end of the lane. If a call for it is open and nothing before
    /// it is new, the call goes on as its own.
    pub fn push(
        &mut self,
        mut row: Resting,
        seq: Seq,
        len: u64,
        call: Option<(CallId, usize)>,
        shared: &mut Shared,
    ) {
        let all_called = self.stage.called == self.stage.lane.rows.len();
        if let Some((id, item)) = call.filter(|_| all_called)
            && let Some(open) = shared.calls.get(id)
        {
            open.items[item] = Item::Row(seq);
            row.progress = Progress::Called(id);
            self.stage.called += 1;
            if !self.calls.contains(&id) {
                self.calls.push(id);
            }
        }
        self.stage.lane.push(row, len);
    }

    /// A call has come back.
    pub fn end(&mut self, call: CallId) {
        self.calls.retain(|open| *open != call);
    }

    /// The result of a call for one row, if that row still waits for it. `Err(row)` if the call has
    /// to be made again from this row on.
    pub fn result(
        &mut self,
        call: CallId,
        seq: Seq,
        result: Result<Vec<Sent>, CallFailure>,
        shared: &mut Shared,
    ) -> Result<(), usize> {
        let at = self.stage.lane.index(seq);
        let waits = |at: &usize| matches!(self.stage.lane.rows[*at].progress, Progress::Called(id) if id == call);
        let Some(at) = at.filter(waits) else {
            shared.give_up(result.unwrap_or_default());
            return Ok(());
        };
        let row = &mut self.stage.lane.rows[at];
        row.progress = match within_reach(row.hops, result, shared) {
            Ok(sent) => Progress::Sent(sent),
            Err(failure) if failure.is_tried_again() => return Err(at),
            Err(failure) => Progress::Failed(failure),
        };
        self.stage.succeeded();
        Ok(())
    }

    pub fn fail_from(&mut self, row: usize, now: Millis, shared: &mut Shared) {
        let at = self.stage.fail_from(row, now, shared);
        shared.wake(at, Alarm::Lane(Place::Routed(self.index)));
    }

    pub fn advance(&mut self, shared: &mut Shared) {
        if self.stage.advance() {
            shared.handoffs.push_back(Place::Routed(self.index));
        }
    }
}

/// What a handler has made of a message, unless handlers have sent that on too often already.
pub(crate) fn within_reach(
    hops: u8,
    result: Result<Vec<Sent>, CallFailure>,
    shared: &mut Shared,
) -> Result<Vec<Sent>, CallFailure> {
    match result {
        Ok(sent) if hops >= DEEPEST && goes_on(&sent, shared) => {
            shared.give_up(sent);
            let note = Note("chain too deep".into());
            Err(CallFailure { failure: Failure::Content, note })
        }
        result => result,
    }
}

/// Whether a handler or a router is to go on with it.
fn goes_on(sent: &[Sent], shared: &Shared) -> bool {
    let place = |it: &Sent| shared.place(it.to);
    sent.iter().any(|it| matches!(place(it), Some(Place::Routed(_) | Place::Ingress(_))))
}
