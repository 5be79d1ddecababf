//! What follows from the outcome of a commit.

use alloc::vec::Vec;

use crate::batch::{Appended, Batch, Duty, Ordered, Unit};
use crate::command::CommandOutcome;
use crate::delivery::Delivery;
use crate::fact::{CommitOutcome, Committed, Head, LaneMark, Refusal};
use crate::handler::Resting;
use crate::ids::{LaneId, Millis, Now};
use crate::ingress::Arrived;
use crate::lane::Hold;
use crate::order::{Answer, Order};
use crate::pipeline::Pipeline;
use crate::shared::{Alarm, Place, Shared, ours_again};

/// The longest wait before a store that does not write is tried again: senders wait for it.
const STORE_AGAIN_AT_MOST: Millis = 1_000;

impl Pipeline {
    pub(crate) fn outcome(&mut self, outcome: CommitOutcome, now: Now) {
        let Some(batch) = self.open.take() else { return };
        let is_intake = |unit: &Unit| matches!(unit.duty, Duty::Intake { .. });
        self.store.outcome(&outcome, batch.units.iter().any(is_intake), now);
        match outcome {
            CommitOutcome::Committed(committed) => self.committed(batch, committed, now),
            CommitOutcome::Refused(refusal) => self.refused(batch, refusal, now),
            CommitOutcome::Unknown => self.unknown(batch),
            CommitOutcome::Fenced(lanes) => self.fenced(batch, &lanes, now),
        }
        self.resolve_all(now);
    }

    fn committed(&mut self, mut batch: Batch, committed: Committed, now: Now) {
        self.refusals = 0;
        committed.lanes.iter().for_each(|mark| self.marked(mark));
        for unit in &batch.units {
            match unit.duty {
                Duty::Intake { inbound, count } => {
                    let intake = &mut self.inbounds[inbound].intake;
                    intake.committed(count, &mut self.load, &mut self.shared);
                }
                Duty::Handoff(Place::Ingress(at)) => {
                    self.inbounds[at].stage.committed(&mut self.shared.shelf);
                }
                Duty::Handoff(Place::Routed(at)) => {
                    self.handlers[at].stage.committed(&mut self.shared.shelf);
                }
                Duty::Deliveries(at) => self.outbounds[at].committed(now.steady, &mut self.shared),
                Duty::Handoff(Place::Outbound(_)) | Duty::Command(_) | Duty::Answers => {}
            }
        }
        let mut appended = core::mem::take(&mut batch.appended);
        for row in &appended {
            if self.appending(row.to) > 0 {
                // The store has not said where its rows stand.
                let lane = self.lane_id(row.to);
                self.forget(lane, Hold::Unread);
                self.shared.orders.push_back(Order::ReadHeads([lane].into()));
            }
        }
        appended.drain(..).for_each(|row| self.keep(row));
        batch.appended = appended;
        batch.take_switches().into_iter().for_each(|switch| self.switched(switch, now));
        for Ordered { id, makes, .. } in batch.commands.drain(..) {
            let outcome = CommandOutcome::Done(makes);
            self.shared.orders.push_back(Order::Told { id, outcome });
        }
        for mark in &committed.lanes {
            if let Some(place) = self.shared.place(mark.lane) {
                self.pump(place, now);
            }
        }
        self.unblock();
        let Shared { verdicts, orders, stopping, .. } = &mut self.shared;
        verdicts.learn(batch.transaction(), &committed);
        verdicts.decide(orders);
        if *stopping {
            verdicts.expire(now.steady, true, orders);
        }
        self.spare = batch;
    }

    /// A lane learns how far it is durable.
    fn marked(&mut self, mark: &LaneMark) {
        match self.shared.place(mark.lane) {
            Some(Place::Ingress(at)) => self.inbounds[at].stage.lane.committed(mark),
            Some(Place::Routed(at)) => self.handlers[at].stage.lane.committed(mark),
            Some(Place::Outbound(at)) => {
                let outbound = &mut self.outbounds[at];
                outbound.lane.committed(mark);
                outbound.sent_to = outbound.sent_to.max(mark.sent_to);
            }
            None => {
                if let Some(orphan) = self.operating.orphan_mut(mark.lane) {
                    orphan.committed(mark.tail);
                }
            }
        }
    }

    /// Keeps a row in memory that is durable by now, if there is room.
    fn keep(&mut self, row: Appended) {
        let Appended { to, message, source, sole, id_hash, keys, hops, len, call } = row;
        let shared = &mut self.shared;
        match to {
            Place::Ingress(at) => {
                let lane = &mut self.inbounds[at].stage.lane;
                let (seq, stays) = lane.place();
                if stays {
                    let source = shared.shelf.take(source, lane.id, seq);
                    lane.push(Arrived::new(message, source, sole, id_hash, hops), len);
                }
            }
            Place::Routed(at) => {
                let lane = &mut self.handlers[at].stage.lane;
                let (seq, stays) = lane.place();
                if stays {
                    let source = shared.shelf.take(source, lane.id, seq);
                    let row = Resting::new(message, source, sole, id_hash, hops);
                    self.handlers[at].push(row, seq, len, call, shared);
                }
            }
            Place::Outbound(at) => {
                let lane = &mut self.outbounds[at].lane;
                let (seq, stays) = lane.place();
                if stays {
                    let source = shared.shelf.take(source, lane.id, seq);
                    let row = Delivery { keys, ..Delivery::new(message, source, sole, id_hash) };
                    lane.push(row, len);
                }
            }
        }
    }

    /// Nothing was written: senders are told so unless they wait for room, the rest is committed
    /// again.
    fn refused(&mut self, batch: Batch, refusal: Refusal, now: Now) {
        self.refusals += 1;
        self.not_renewed(batch.transaction());
        let mut had_intake = false;
        for unit in &batch.units {
            let Duty::Intake { inbound, count } = unit.duty else { continue };
            had_intake = true;
            let waits = refusal == Refusal::Full && self.waits_for_room(inbound);
            let ingress = &mut self.inbounds[inbound];
            if waits {
                ingress.list(&mut self.shared);
            } else {
                let (load, shared) = (&mut self.load, &mut self.shared);
                ingress.intake.failed(count, &Answer::NotStored, load, shared);
            }
        }
        if refusal == Refusal::Full {
            self.shared.wake(self.store.full_until(), Alarm::Commit);
        }
        // The rest is committed before them: they would hear nothing as long as the store refuses.
        self.turn_away(refusal == Refusal::Full);
        // Without the messages that came in there may be room for the rest at once.
        if refusal != Refusal::Full || !had_intake {
            self.commit_later(now);
        }
        // Operators decide again; so does the owner of a lane that they would have consumed.
        let refused = CommandOutcome::Refused(refusal);
        let lanes = self.tell_commands(&batch, |it| batch.has(Duty::Command(it.id)), refused);
        let orphans = |lane: &LaneId| self.shared.place(*lane).is_none();
        let lanes: Vec<LaneId> = lanes.into_iter().filter(orphans).collect();
        let stays = |duty: Duty| !matches!(duty, Duty::Intake { .. } | Duty::Command(_));
        self.keep_rest(batch, stays, |lane| !lanes.contains(&lane));
    }

    /// Nothing can be stored: messages that wait are answered so, but for those that wait for room.
    pub(crate) fn turn_away(&mut self, for_room: bool) {
        for at in 0..self.inbounds.len() {
            if !(for_room && self.waits_for_room(at)) {
                self.inbounds[at].intake.turn_away(0, &mut self.load, &mut self.shared);
            }
        }
    }

    fn commit_later(&mut self, now: Now) {
        self.commit_after = now.steady + ours_again(self.refusals).min(STORE_AGAIN_AT_MOST);
        self.shared.wake(self.commit_after, Alarm::Commit);
    }

    /// It may or may not be written: nothing is answered, and every lane of it is read again.
    fn unknown(&mut self, mut batch: Batch) {
        let mut lanes: Vec<LaneId> = Vec::new();
        for unit in &batch.units {
            if let Duty::Intake { inbound, count } = unit.duty {
                let ingress = &mut self.inbounds[inbound];
                ingress.intake.failed(count, &Answer::Close, &mut self.load, &mut self.shared);
            }
        }
        lanes.extend(batch.transaction().lanes.iter().map(|update| update.lane));
        lanes.extend(batch.appended.iter().map(|row| self.lane_id(row.to)));
        lanes.extend(batch.take_switches().iter().map(|switch| switch.lane));
        lanes.sort_unstable();
        lanes.dedup();
        for lane in &lanes {
            self.forget(*lane, Hold::Unread);
        }
        self.tell_commands(&batch, |_| true, CommandOutcome::Unknown);
        let Shared { verdicts, orders, .. } = &mut self.shared;
        verdicts.doubt(batch.transaction());
        verdicts.decide(orders);
        self.spare = batch;
        self.shared.orders.push_back(Order::ReadHeads(lanes));
    }

    /// Somebody else owns these lanes: what consumes from them leaves, the rest is committed again.
    fn fenced(&mut self, batch: Batch, lanes: &[LaneId], now: Now) {
        for lane in lanes {
            self.forget(*lane, Hold::Lost);
        }
        if !lanes.is_empty() {
            self.shared.orders.push_back(Order::ReadHeads(lanes.to_vec()));
        }
        let is_fenced = |lane: LaneId| lanes.contains(&lane);
        if !batch.transaction().lanes.iter().any(|update| is_fenced(update.lane)) {
            // Nothing leaves the batch, so it would be fenced again at once.
            self.refusals += 1;
            self.commit_later(now);
        }
        let places: Vec<Place> = lanes.iter().filter_map(|lane| self.shared.place(*lane)).collect();
        let leaves = |it: &Ordered| it.lane.is_some_and(is_fenced);
        self.tell_commands(&batch, leaves, CommandOutcome::Fenced);
        let left: Vec<_> = batch.commands.iter().filter(|it| leaves(it)).map(|it| it.id).collect();
        let stays = |duty: Duty| match duty {
            Duty::Command(id) => !left.contains(&id),
            _ => duty.consumes().is_none_or(|place| !places.contains(&place)),
        };
        batch.bodies_leaving(stays).for_each(|body| self.shared.give_up_body(body));
        self.keep_rest(batch, stays, |lane| !is_fenced(lane));
    }

    /// Keeps what is left of a batch, to be committed before anything else.
    fn keep_rest(
        &mut self,
        batch: Batch,
        stays: impl Fn(Duty) -> bool,
        updates: impl Fn(LaneId) -> bool,
    ) {
        let rest = batch.filtered(stays, updates);
        for row in &batch.appended {
            match row.to {
                Place::Ingress(at) => self.inbounds[at].stage.lane.appends_nothing(),
                Place::Routed(at) => self.handlers[at].stage.lane.appends_nothing(),
                Place::Outbound(at) => self.outbounds[at].lane.appends_nothing(),
            }
        }
        rest.appended.iter().for_each(|row| self.appends(row.to, row.len));
        if !rest.is_empty() {
            self.kept = Some(rest);
        }
        self.spare = batch;
    }

    /// Tells what became of some commands of a batch. Returns the lanes that these would have consumed.
    fn tell_commands(
        &mut self,
        batch: &Batch,
        which: impl Fn(&Ordered) -> bool,
        outcome: CommandOutcome,
    ) -> Vec<LaneId> {
        let told = batch.commands.iter().filter(|it| which(it));
        told.filter_map(|Ordered { id, lane, .. }| {
            self.shared.orders.push_back(Order::Told { id: *id, outcome });
            *lane
        })
        .collect()
    }

    fn appending(&self, place: Place) -> u32 {
        match place {
            Place::Ingress(at) => self.inbounds[at].stage.lane.appending,
            Place::Routed(at) => self.handlers[at].stage.lane.appending,
            Place::Outbound(at) => self.outbounds[at].lane.appending,
        }
    }

    /// The batch appends one more row to a lane.
    pub(crate) fn appends(&mut self, place: Place, len: u64) {
        match place {
            Place::Ingress(at) => self.inbounds[at].stage.lane.appends(len),
            Place::Routed(at) => self.handlers[at].stage.lane.appends(len),
            Place::Outbound(at) => self.outbounds[at].lane.appends(len),
        }
    }

    fn lane_id(&self, place: Place) -> LaneId {
        match place {
            Place::Ingress(at) => self.inbounds[at].stage.lane.id,
            Place::Routed(at) => self.handlers[at].stage.lane.id,
            Place::Outbound(at) => self.outbounds[at].lane.id,
        }
    }

    fn forget(&mut self, lane: LaneId, hold: Hold) {
        match self.shared.place(lane) {
            Some(Place::Ingress(at)) => self.inbounds[at].forget(hold, &mut self.shared),
            Some(Place::Routed(at)) => self.handlers[at].forget(hold, &mut self.shared),
            Some(Place::Outbound(at)) => self.outbounds[at].forget(hold, &mut self.shared),
            None => {
                if let Some(orphan) = self.operating.orphan_mut(lane) {
                    orphan.forget(hold);
                }
            }
        }
    }

    /// The rows of lanes that were asked for.
    pub(crate) fn heads(&mut self, heads: &[Head], now: Now) {
        for head in heads {
            let Some(place) = self.shared.place(head.lane) else {
                if let Some(orphan) = self.operating.orphan_mut(head.lane) {
                    orphan.restore(head);
                }
                continue;
            };
            let last = match place {
                Place::Ingress(at) => self.inbounds[at].stage.lane.is_last_answer(),
                Place::Routed(at) => self.handlers[at].stage.lane.is_last_answer(),
                Place::Outbound(at) => self.outbounds[at].lane.is_last_answer(),
            };
            if !last {
                continue;
            }
            if self.hold(place) == Hold::Owned {
                // Nobody asked. It may still know of rows that another node has appended.
                self.appended(head.lane, head.tail, now);
                continue;
            }
            match place {
                Place::Ingress(at) => self.inbounds[at].stage.lane.restore(head),
                Place::Routed(at) => self.handlers[at].stage.lane.restore(head),
                Place::Outbound(at) => self.outbounds[at].restore(head, now, &mut self.shared),
            }
            self.restore_switches(head.lane, &head.switches, now);
            self.pump(place, now);
        }
        // Handoffs and messages that waited for these lanes go on.
        for ingress in &mut self.inbounds {
            ingress.advance(&mut self.shared);
            ingress.list(&mut self.shared);
        }
        self.handlers.iter_mut().for_each(|handler| handler.advance(&mut self.shared));
    }

    pub(crate) fn hold(&self, place: Place) -> Hold {
        match place {
            Place::Ingress(at) => self.inbounds[at].stage.lane.hold,
            Place::Routed(at) => self.handlers[at].stage.lane.hold,
            Place::Outbound(at) => self.outbounds[at].lane.hold,
        }
    }
}
