//! Building the next commit: everything that waits, completions first, then handoffs, then intake.

use crate::batch::{Appended, Batch, Duty};
use crate::body::{IdHash, Keys};
use crate::event::What;
use crate::fact::Received;
use crate::ids::{LaneId, Now};
use crate::intake::{Standing, Waiting};
use crate::lane::Hold;
use crate::order::{Order, Source};
use crate::pipeline::Pipeline;
use crate::record::{Disposition, NewMessage, Record, RowBody};
use crate::renewal;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Place, Shared};
use crate::verdicts::Answered;

/// A partner that completes at least this many deliveries in a commit, on average, is quick.
const QUICK: u32 = 4;

impl Pipeline {
    /// The next commit, if one may be ordered now and something waits for it.
    pub(crate) fn next_commit(&mut self, now: Now) -> Option<Order> {
        if self.open.is_some() || now.steady < self.commit_after {
            return None;
        }
        let mut batch = match self.kept.take() {
            Some(kept) => self.refreshed(kept, now),
            None => {
                let mut batch = core::mem::take(&mut self.spare).renewed();
                let left_out = self.left_out;
                self.fill(&mut batch, now);
                if batch.is_empty() {
                    // No commit, so no kind of work has had a turn or was left out.
                    self.left_out = left_out;
                }
                batch
            }
        };
        if batch.is_empty() {
            self.spare = batch;
            return None;
        }
        for outbound in &mut self.outbounds {
            outbound.pace = outbound.pace - outbound.pace / 8 + outbound.settling.len() as u32;
        }
        let transaction = batch.share();
        self.store.ordered(now);
        self.open = Some(batch);
        Some(Order::Commit(transaction))
    }

    /// A batch that is committed again: a lane that may not send any more lets nothing new go.
    fn refreshed(&mut self, mut kept: Batch, now: Now) -> Batch {
        for update in kept.updates() {
            if let Some(Place::Outbound(outbound)) = self.shared.place(update.lane)
                && let Some(fresh) = self.outbounds[outbound].update(now.steady, &self.shared)
            {
                update.window = fresh.window;
            }
        }
        kept
    }

    fn fill(&mut self, batch: &mut Batch, now: Now) {
        if !self.takes_messages(now) {
            self.turn_away(true);
        }
        self.take_turns(batch, now);
        self.add_command(batch, now);
        // These are small and no sender waits for them, so they take no room from the others.
        self.add_answers(batch, now);
        for outbound in core::mem::take(&mut self.concerned) {
            self.outbounds[outbound].concerned = false;
            if let Some(update) = self.outbounds[outbound].update(now.steady, &self.shared) {
                batch.update(update);
            }
        }
    }

    /// Records of this batch for what comes in. Where a partner that answers quickly has a backlog, we
    /// are what it waits for, and no more comes in than goes out. One that is slow keeps no sender
    /// waiting.
    pub(crate) fn room_for_intake(&self) -> usize {
        let all = self.shared.limits.batch_records;
        let backlog = u64::from(self.shared.limits.look_ahead / 2);
        let (mut completions, mut is_behind) = (0, false);
        for outbound in &self.outbounds {
            completions += outbound.pace as usize / 8;
            is_behind |= outbound.pace >= 8 * QUICK && outbound.lane.depth() > backlog;
        }
        // A completion takes two records, and so does a message.
        if is_behind { (2 * completions).max(all / 8) } else { all }
    }

    /// Whether there is room for new messages.
    pub(crate) fn takes_messages(&self, now: Now) -> bool {
        let takes = self.store.takes_messages(now.steady);
        #[cfg(feature = "sabotage")]
        let takes = takes || self.shared.broken(Sabotage::UseReserve);
        takes
    }

    /// The batch that is built may have to write the row of this outbound's lane.
    pub(crate) fn concern(&mut self, outbound: usize) {
        if !core::mem::replace(&mut self.outbounds[outbound].concerned, true) {
            self.concerned.push(outbound);
        }
    }

    pub(crate) fn add_deliveries(&mut self, batch: &mut Batch, records: usize, now: Now) {
        while batch.fits(records, self.shared.limits.batch_bytes) {
            let Some(index) = self.shared.deliveries.pop_front() else { return };
            self.concern(index);
            let outbound = &mut self.outbounds[index];
            outbound.listed = false;
            let mark = batch.mark();
            if outbound.can_recover() {
                outbound.recover(batch, &mut self.shared, now);
            }
            outbound.complete(batch, &mut self.shared, now);
            batch.end(Duty::Deliveries(index), mark);
        }
    }

    fn add_answers(&mut self, batch: &mut Batch, now: Now) {
        if self.shared.verdicts.answered.is_empty() {
            return;
        }
        let mark = batch.mark();
        while let Some(Answered { message, accepted }) = self.shared.verdicts.answered.pop_front() {
            let what = What::Answered { accepted };
            batch.record(Record::Event(self.shared.event(message, now.wall, what)));
        }
        batch.end(Duty::Answers, mark);
    }

    pub(crate) fn add_intakes(&mut self, batch: &mut Batch, records: usize, now: Now) {
        for _ in 0..self.shared.intakes.len() {
            if !batch.fits(records, self.shared.limits.batch_bytes) {
                return;
            }
            let Some(inbound) = self.shared.intakes.pop_front() else { return };
            let ingress = &mut self.inbounds[inbound];
            ingress.listed = false;
            if ingress.stage.lane.hold == Hold::Unread {
                continue;
            }
            #[cfg(feature = "sabotage")]
            if self.shared.broken(Sabotage::OrderByTime) {
                ingress.intake.order_by_time();
            }
            let (mark, mut count, mut is_full) = (batch.mark(), 0, false);
            let mut renewing = 0;
            let lane = ingress.stage.lane.id;
            for waiting in ingress.intake.queue.range(..ingress.intake.resolved) {
                let room = records.saturating_sub(renewing);
                let fits = batch.fits(room, self.shared.limits.batch_bytes);
                if !fits || !waiting.can_renew(&self.outbounds, &self.shared) {
                    break;
                }
                let len = waiting.received.body.len();
                let fits = !waiting.is_routed() || ingress.stage.lane.takes(1, len);
                #[cfg(feature = "sabotage")]
                let fits = fits || self.shared.broken(Sabotage::Overfill);
                if !fits {
                    is_full = true;
                    break;
                }
                store(waiting, lane, Place::Ingress(inbound), batch, &mut self.shared, now);
                if waiting.is_routed() {
                    ingress.stage.lane.appends(len);
                }
                renewing += renewal::RECORDS * waiting.renews.len();
                count += 1;
            }
            if is_full && self.shared.stopping {
                // The lane will not be emptied any more.
                ingress.intake.turn_away(count, &mut self.load, &mut self.shared);
            } else if is_full {
                self.blocked = true;
            } else if count < ingress.intake.resolved
                // Else it is listed when the lanes that it waits for are read.
                && ingress.intake.queue[count].can_renew(&self.outbounds, &self.shared)
            {
                ingress.list(&mut self.shared);
            }
            if renewing > 0 {
                let renewals = ingress.intake.queue.range(..count).filter_map(Waiting::renewal);
                let renewals = renewals.collect();
                self.renew(renewals, batch, now);
            }
            if count > 0 {
                batch.end(Duty::Intake { inbound, count }, mark);
            }
        }
    }
}

/// Adds a message that was received.
fn store(
    waiting: &Waiting,
    lane: LaneId,
    to: Place,
    batch: &mut Batch,
    shared: &mut Shared,
    now: Now,
) {
    let Waiting { id, received_at, received, standing, namesake, .. } = waiting;
    let Received { identity, control_id, message_type, body, .. } = received;
    let Received { acknowledgment, accepted, session, indexed, origin, .. } = received;
    let (duplicate_of, is_duplicate) = match standing {
        Standing::Duplicate(first) => (Some(*first), true),
        Standing::Anew(first) => (Some(*first), false),
        _ => (None, false),
    };
    // After a restart a message that comes again has to find the first, not a duplicate of it.
    let is_first = *accepted && !is_duplicate;
    batch.record(Record::Message(NewMessage {
        id: *id,
        inbound: lane,
        received_at: *received_at,
        identity: if is_first { *identity } else { 0 },
        control_id: control_id.clone(),
        message_type: message_type.clone(),
        body: body.clone(),
        acknowledgment: acknowledgment.clone(),
        accepted: *accepted,
        duplicate_of,
        session: session.unwrap_or(*id),
        original: None,
        indexed: indexed.clone(),
        origin: origin.clone(),
    }));
    if let Some(of) = *namesake {
        batch.record(Record::Event(shared.event(*id, now.wall, What::SameControlId { of })));
    }
    let disposition = match (is_duplicate, accepted) {
        (true, _) => Disposition::Duplicate,
        (false, false) => Disposition::Error,
        (false, true) => {
            let (message, source) = (*id, Source::Memory(body.clone()));
            let id_hash = IdHash::of(&control_id.0);
            let (sole, keys, hops, len, call) = (true, Keys::NONE, 0, body.len(), None);
            let row = Appended { to, message, source, sole, id_hash, keys, hops, len, call };
            return batch.append(lane, RowBody::Message, row);
        }
    };
    if let (true, Some(of)) = (is_duplicate, duplicate_of) {
        batch.record(Record::Event(shared.event(*id, now.wall, What::Duplicate { of })));
    }
    let stamp = shared.stamp();
    batch.record(Record::Outcome { message: *id, stamp, disposition, at: now.wall });
}
