//! What routers and handlers have made of messages.

use alloc::vec::Vec;

use crate::call::{Item, Purpose};
use crate::event::Note;
use crate::fact::{CallFailure, Sent};
use crate::failure::Failure;
use crate::handler::{NOT_FUSED, within_reach};
use crate::ids::{CallId, LaneId, Millis};
use crate::ingress::{Branch, BranchState, Ingress, Progress};
use crate::order::Work;
use crate::pipeline::Pipeline;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Place, Shared};

/// A result that the host did not give.
fn missing() -> CallFailure {
    CallFailure { failure: Failure::Infrastructure, note: Note::default() }
}

/// A name that leads nowhere is a fault of the user's function.
fn unknown_name() -> CallFailure {
    CallFailure { failure: Failure::Content, note: Note("unknown name".into()) }
}

impl Pipeline {
    /// A router has come back.
    pub(crate) fn routed(
        &mut self,
        call: CallId,
        results: Vec<Result<Vec<LaneId>, CallFailure>>,
        now: Millis,
    ) {
        let Some(open) = self.shared.calls.end(call) else { return };
        let Purpose::Route(inbound) = open.purpose else { return };
        if self.inbounds[inbound].call == Some(call) {
            self.inbounds[inbound].call = None;
        }
        let results = results.into_iter().chain(core::iter::repeat_with(|| Err(missing())));
        for (item, result) in open.items.iter().zip(results) {
            if let Err(row) = self.route(inbound, call, *item, result, now) {
                self.inbounds[inbound].fail_from(row, now, &mut self.shared);
                break;
            }
        }
        self.call_fused(inbound, call, &open.items, now);
        self.inbounds[inbound].advance(&mut self.shared);
        self.inbounds[inbound].pump(now, &mut self.shared);
    }

    /// The router's result for one message. `Err(row)` if it has to be called again from there on.
    fn route(
        &mut self,
        inbound: usize,
        call: CallId,
        item: Item,
        result: Result<Vec<LaneId>, CallFailure>,
        now: Millis,
    ) -> Result<(), usize> {
        let Item::Arrived(seq) = item else { return Ok(()) };
        let stage = &mut self.inbounds[inbound].stage;
        let Some(at) = stage.lane.index(seq) else { return Ok(()) };
        let row = &mut stage.lane.rows[at];
        if !matches!(row.progress, Progress::Routing(id) if id == call) {
            return Ok(());
        }
        let handlers = match result {
            Err(failure) if failure.is_tried_again() => return Err(at),
            Err(failure) => {
                row.progress = Progress::Failed(failure);
                return Ok(());
            }
            Ok(handlers) => handlers,
        };
        let mut branches = self.spare_branches.pop().unwrap_or_default();
        for lane in &handlers {
            let Some(Place::Routed(handler)) = self.shared.place(*lane) else {
                row.progress = Progress::Failed(unknown_name());
                return Ok(());
            };
            if branches.iter().any(|branch: &Branch| branch.handler == handler) {
                continue;
            }
            let fused = !self.shared.stopping && self.handlers[handler].is_fused(now);
            #[cfg(feature = "sabotage")]
            let fused = fused || self.shared.broken(Sabotage::FuseAlways);
            let state = if fused {
                let (message, body) = (row.message, row.source.clone());
                let work = Work { message, body, hops: row.hops };
                self.handlers[handler].gather(work, seq);
                BranchState::Called(call)
            } else {
                BranchState::Rests(None)
            };
            branches.push(Branch { handler, state });
        }
        row.progress = Progress::Chosen { handlers, branches };
        stage.succeeded();
        Ok(())
    }

    /// Calls the handlers that the router's call has gathered messages for: each branch that waits
    /// for `routing` waits for its handler from here on.
    fn call_fused(&mut self, inbound: usize, routing: CallId, items: &[Item], now: Millis) {
        let mut calls = core::mem::take(&mut self.fused_calls);
        for handler in 0..self.handlers.len() {
            calls.push(self.handlers[handler].call_gathered(inbound, now, &mut self.shared));
        }
        let stage = &mut self.inbounds[inbound].stage;
        for item in items {
            let Item::Arrived(seq) = *item else { continue };
            let Some(row) = stage.lane.index(seq).map(|at| &mut stage.lane.rows[at]) else {
                continue;
            };
            while let Some(branch) = row.branch(routing) {
                branch.state = match calls[branch.handler] {
                    Some(call) => BranchState::Called(call),
                    None => BranchState::Rests(None),
                };
            }
        }
        calls.clear();
        self.fused_calls = calls;
    }

    /// A handler has come back.
    pub(crate) fn transformed(
        &mut self,
        call: CallId,
        results: Vec<Result<Vec<Sent>, CallFailure>>,
        now: Millis,
    ) {
        let Some(open) = self.shared.calls.end(call) else {
            results.into_iter().flatten().for_each(|sent| self.shared.give_up(sent));
            return;
        };
        self.shared.silence_ended_calls();
        let handler = match open.purpose {
            Purpose::Route(_) => return,
            Purpose::Fused { handler, .. } | Purpose::Rows(handler) => handler,
        };
        let Pipeline { handlers, inbounds, shared, .. } = self;
        let lane = &mut handlers[handler];
        lane.end(call);
        let mut again = None;
        let results = results.into_iter().chain(core::iter::repeat_with(|| Err(missing())));
        for (item, result) in open.items.iter().zip(results) {
            let result = result.and_then(|sent| check_names(sent, inbounds, shared));
            match (*item, open.purpose) {
                (Item::Row(seq), _) if again.is_none() => {
                    again = lane.result(call, seq, result, shared).err();
                }
                (Item::Arrived(seq), Purpose::Fused { inbound, .. }) => {
                    let stage = &mut inbounds[inbound].stage;
                    let row = stage.lane.index(seq).map(|at| &mut stage.lane.rows[at]);
                    let hops = row.as_ref().map_or(0, |row| row.hops);
                    match row.and_then(|row| row.branch(call)) {
                        Some(branch) => {
                            branch.state = fused_result(within_reach(hops, result, shared));
                        }
                        None => shared.give_up(result.unwrap_or_default()),
                    }
                }
                _ => shared.give_up(result.unwrap_or_default()),
            }
        }
        if let Some(row) = again {
            lane.fail_from(row, now, shared);
        }
        lane.advance(shared);
        lane.pump(now, shared);
        if let Purpose::Fused { inbound, .. } = open.purpose {
            inbounds[inbound].advance(shared);
            inbounds[inbound].pump(now, shared);
        }
    }

    /// A fused call is not back in time: its messages rest in the handler's lane, and it goes on.
    pub(crate) fn rest(&mut self, call: CallId, now: Millis) {
        let Some(open) = self.shared.calls.get(call) else { return };
        let Purpose::Fused { inbound, handler } = open.purpose else { return };
        self.handlers[handler].fuse_after = now + NOT_FUSED;
        let stage = &mut self.inbounds[inbound].stage;
        for (n, item) in open.items.iter().enumerate() {
            let Item::Arrived(seq) = *item else { continue };
            let row = stage.lane.index(seq).map(|at| &mut stage.lane.rows[at]);
            if let Some(branch) = row.and_then(|row| row.branch(call)) {
                branch.state = BranchState::Rests(Some((call, n)));
            }
        }
        self.inbounds[inbound].advance(&mut self.shared);
    }
}

/// What a fused handler has made of a message. What has failed through our own fault is tried again
/// from the handler's lane, so that nothing else waits for it.
fn fused_result(result: Result<Vec<Sent>, CallFailure>) -> BranchState {
    match result {
        Ok(sent) => BranchState::Sent(sent),
        Err(failure) if failure.is_tried_again() => BranchState::Rests(None),
        Err(failure) => BranchState::Failed(failure),
    }
}

fn check_names(
    sent: Vec<Sent>,
    inbounds: &[Ingress],
    shared: &mut Shared,
) -> Result<Vec<Sent>, CallFailure> {
    let is_known = |it: &Sent| match shared.place(it.to) {
        Some(Place::Ingress(at)) => inbounds[at].takes_sends,
        place => place.is_some(),
    };
    if sent.iter().all(is_known) {
        return Ok(sent);
    }
    shared.give_up(sent);
    Err(unknown_name())
}
