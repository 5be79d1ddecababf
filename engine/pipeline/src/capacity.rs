//! How full lanes are, and what waits in front of one that is full.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::fact::{Head, Sent};
use crate::graph::Capacity;
use crate::handler;
use crate::ids::LaneId;
use crate::ingress::{self, Branch, BranchState};
use crate::lane::{Lane, Row};
use crate::pipeline::Pipeline;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Place;

/// The bytes of one lane, counted by its store.
#[derive(Debug)]
pub(crate) struct Fill {
    pub capacity: Capacity,
    /// Bytes of all rows that were ever appended.
    pub appended: u64,
    /// Bytes of all rows that were ever consumed.
    consumed: u64,
    /// Bytes that the open commit appends.
    pub appending: u64,
    /// Length of each row that is in memory.
    pub lens: VecDeque<u64>,
}

impl Fill {
    pub fn new(capacity: Capacity) -> Fill {
        Fill { capacity, appended: 0, consumed: 0, appending: 0, lens: VecDeque::new() }
    }

    pub fn restore(&mut self, head: &Head) {
        self.appended = self.appended.max(head.appended);
        self.consumed = head.consumed;
    }

    pub fn forget(&mut self) {
        self.lens.clear();
    }

    /// Bytes that wait in the lane.
    pub fn bytes(&self) -> u64 {
        self.appended.saturating_sub(self.consumed)
    }

    /// Whether the lane may come to so many rows, with so many bytes more.
    pub fn takes(&self, depth: u64, bytes: u64) -> bool {
        let bytes = self.bytes().saturating_add(self.appending).saturating_add(bytes);
        depth <= self.capacity.depth && bytes <= self.capacity.bytes
    }

    /// What the count of consumed bytes is once the first rows are consumed as well.
    pub fn consumed_with(&self, rows: usize) -> u64 {
        self.consumed + self.lens.iter().take(rows).sum::<u64>()
    }

    /// The lane is empty: whatever was consumed without being counted is consumed.
    pub fn empty(&mut self) {
        self.consumed = self.appended;
    }

    pub fn consume(&mut self, rows: usize) {
        self.consumed += self.lens.drain(..rows).sum::<u64>();
    }
}

/// What a message adds to lanes: rows and bytes.
#[derive(Debug, Default)]
pub(crate) struct Demand(Vec<(Place, u64, u64)>);

impl Demand {
    fn add(&mut self, to: Place, bytes: u64) {
        match self.0.iter_mut().find(|(place, ..)| *place == to) {
            Some((_, rows, sum)) => (*rows, *sum) = (*rows + 1, *sum + bytes),
            None => self.0.push((to, 1, bytes)),
        }
    }

    /// Goes back to what it was before the last rows were added.
    fn undo(&mut self, before: &[(Place, u64, u64)]) {
        self.0.clear();
        self.0.extend_from_slice(before);
    }
}

impl Pipeline {
    /// The lanes that have a capacity, and whether they are full.
    pub fn bounded_lanes(&self) -> impl Iterator<Item = (LaneId, bool)> {
        fn of<R: Row>(lane: &Lane<R>) -> Option<(LaneId, bool)> {
            let is_bounded = lane.fill.capacity != Capacity::NONE;
            is_bounded.then(|| (lane.id, !lane.takes(1, 0)))
        }
        // Without any there is nothing to look at.
        let all = |len: usize| if self.bounded { len } else { 0 };
        let inbounds = self.inbounds.iter().take(all(self.inbounds.len()));
        let handlers = self.handlers.iter().take(all(self.handlers.len()));
        let outbounds = self.outbounds.iter().take(all(self.outbounds.len()));
        let inbounds = inbounds.filter_map(|it| of(&it.stage.lane));
        let handlers = handlers.filter_map(|it| of(&it.stage.lane));
        inbounds.chain(handlers).chain(outbounds.filter_map(|it| of(&it.lane)))
    }

    fn lane_takes(&self, place: Place, rows: u64, bytes: u64) -> bool {
        match place {
            Place::Ingress(at) => self.inbounds[at].stage.lane.takes(rows, bytes),
            Place::Routed(at) => self.handlers[at].stage.lane.takes(rows, bytes),
            Place::Outbound(at) => self.outbounds[at].lane.takes(rows, bytes),
        }
    }

    fn fits(&self, demand: &Demand) -> bool {
        #[cfg(feature = "sabotage")]
        if self.shared.broken(Sabotage::Overfill) {
            return true;
        }
        demand.0.iter().all(|(place, rows, bytes)| self.lane_takes(*place, *rows, *bytes))
    }

    /// Adds what a handler sends to outbounds. What it sends to handlers and to inbounds is not held back.
    fn demand(&self, sent: &[Sent], len: u64, demand: &mut Demand) {
        for it in sent {
            if let Some(to @ Place::Outbound(_)) = self.shared.place(it.to) {
                demand.add(to, it.body.as_ref().map_or(len, |body| body.len()));
            }
        }
    }

    /// Whether the next message of an inbound's lane can be handed on now. What a handler sends to a
    /// full lane is thrown away, and the message rests before the handler, as long as there is room
    /// for it; its siblings go on.
    pub(crate) fn makes_way(&mut self, inbound: usize) -> bool {
        if !self.bounded {
            return true;
        }
        let stage = &mut self.inbounds[inbound].stage;
        let at = stage.committing;
        let len = stage.lane.fill.lens[at];
        let ingress::Progress::Chosen { branches, .. } = &mut stage.lane.rows[at].progress else {
            return true;
        };
        let mut branches = core::mem::take(branches);
        let rests = self.resting(&branches, len);
        if let Some(rests) = &rests {
            let resting = branches.iter_mut().zip(rests).filter(|(_, rests)| **rests);
            resting.for_each(|(branch, _)| branch.rest(&mut self.shared));
        }
        let row = &mut self.inbounds[inbound].stage.lane.rows[at];
        if let ingress::Progress::Chosen { branches: place, .. } = &mut row.progress {
            *place = branches;
        }
        self.blocked |= rests.is_none();
        rests.is_some()
    }

    /// Which branches have to rest that would not otherwise; `None`: there is no room even for that.
    fn resting(&self, branches: &[Branch], len: u64) -> Option<Vec<bool>> {
        let mut demand = Demand::default();
        let mut rests = Vec::with_capacity(branches.len());
        for Branch { handler, state } in branches {
            let passes = self.handlers[*handler].is_passable();
            #[cfg(feature = "sabotage")]
            let passes = passes || self.shared.broken(Sabotage::FuseAlways);
            let before = demand.0.clone();
            let goes = match state {
                BranchState::Sent(sent) if passes => {
                    self.demand(sent, len, &mut demand);
                    self.fits(&demand)
                }
                BranchState::Failed(_) => passes,
                _ => false,
            };
            if !goes {
                demand.undo(&before);
                demand.add(Place::Routed(*handler), len);
                if !self.fits(&demand) {
                    return None;
                }
            }
            rests.push(!goes && matches!(state, BranchState::Sent(_)));
        }
        Some(rests)
    }

    /// Whether the next row of a handler's lane can be handed on now.
    pub(crate) fn has_room_for(&mut self, handler: usize) -> bool {
        let stage = &self.handlers[handler].stage;
        let at = stage.committing;
        let handler::Progress::Sent(sent) = &stage.lane.rows[at].progress else { return true };
        if !self.bounded {
            return true;
        }
        let mut demand = Demand::default();
        self.demand(sent, stage.lane.fill.lens[at], &mut demand);
        let fits = self.fits(&demand);
        self.blocked |= !fits;
        fits
    }

    /// A commit may have made room for what waits in front of a full lane.
    pub(crate) fn unblock(&mut self) {
        if !core::mem::take(&mut self.blocked) {
            return;
        }
        self.inbounds.iter_mut().for_each(|ingress| {
            ingress.advance(&mut self.shared);
            ingress.list(&mut self.shared);
        });
        self.handlers.iter_mut().for_each(|handler| handler.advance(&mut self.shared));
    }
}
