//! What operators want, as a commit writes it down. One command is in a commit at a time.

use alloc::collections::{BTreeMap, VecDeque};

use crate::batch::{Appended, Batch, Duty, Ordered};
use crate::body::Keys;
use crate::command::{Act, Command, CommandOutcome, Edit, Parked, Replay};
use crate::disposition::ended;
use crate::event::{By, What};
use crate::fact::{Entry, Refusal};
use crate::ids::{CommandId, LaneId, MessageId, Now, Seq, Stage};
use crate::lane::Hold;
use crate::order::{Order, Source};
use crate::orphan::Orphan;
use crate::pipeline::Pipeline;
use crate::record::{Disposition, LaneUpdate, List, NewMessage, Part, Record, Reopened, RowBody};
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Place;
use crate::switch::{Flow, Side, Switch};

/// Commands that wait, and what they have set.
#[derive(Debug, Default)]
pub(crate) struct Operating {
    pub waiting: VecDeque<(CommandId, Command)>,
    pub switches: BTreeMap<(LaneId, Side), Switch>,
    pub orphans: alloc::vec::Vec<Orphan>,
}

impl Operating {
    pub fn orphan(&self, lane: LaneId) -> Option<&Orphan> {
        self.orphans.iter().find(|it| it.id == lane)
    }

    pub fn orphan_mut(&mut self, lane: LaneId) -> Option<&mut Orphan> {
        self.orphans.iter_mut().find(|it| it.id == lane)
    }
}

impl Pipeline {
    /// An operator wants something.
    pub(crate) fn command(&mut self, id: CommandId, command: Command, now: Now) {
        let told = |outcome| Order::Told { id, outcome };
        match &command.act {
            Act::Retry { lane } => {
                let outcome = self.retry_now(*lane, now);
                self.shared.orders.push_back(told(outcome));
            }
            Act::Take { lane, how } => {
                let Some(Place::Outbound(at)) = self.shared.place(*lane) else {
                    return self.shared.orders.push_back(told(CommandOutcome::Nothing));
                };
                match self.outbounds[at].take(id, *how, command.by) {
                    Ok(()) => self.outbounds[at].pump(now.steady, &mut self.shared),
                    Err(outcome) => self.shared.orders.push_back(told(outcome)),
                }
            }
            _ => self.operating.waiting.push_back((id, command)),
        }
    }

    fn retry_now(&mut self, lane: LaneId, now: Now) -> CommandOutcome {
        let Some(place) = self.shared.place(lane) else { return CommandOutcome::Nothing };
        match place {
            Place::Ingress(at) => self.inbounds[at].stage.not_before = 0,
            Place::Routed(at) => self.handlers[at].stage.not_before = 0,
            Place::Outbound(at) => self.outbounds[at].retry_now(now.steady),
        }
        self.pump(place, now);
        CommandOutcome::Done(None)
    }

    /// Adds the next command, if the lanes it is about are known.
    pub(crate) fn add_command(&mut self, batch: &mut Batch, now: Now) {
        while let Some((id, command)) = self.operating.waiting.pop_front() {
            if !self.makes_sense(&command.act) || self.is_renewed(&command.act, now) {
                let outcome = CommandOutcome::Nothing;
                self.shared.orders.push_back(Order::Told { id, outcome });
                continue;
            }
            // A copy is a new message: the room that is kept free is not for it.
            if matches!(command.act, Act::Edit(_)) && !self.takes_messages(now) {
                let outcome = CommandOutcome::Refused(Refusal::Full);
                self.shared.orders.push_back(Order::Told { id, outcome });
                continue;
            }
            // It would wait for ever, and all behind it.
            if matches!(command.act, Act::Switch { lane, .. } if self.hold_of(lane) == Hold::Lost) {
                let outcome = CommandOutcome::Fenced;
                self.shared.orders.push_back(Order::Told { id, outcome });
                continue;
            }
            if !self.can_be_done(&command.act) {
                return self.operating.waiting.push_front((id, command));
            }
            let Command { by, act, job } = command;
            let mark = batch.mark();
            let mut ordered = Ordered { id, makes: None, lane: None };
            match act {
                Act::Switch { lane, side, flow } => {
                    // It leaves with a lane that is fenced: what is then read may be older.
                    ordered.lane = Some(lane);
                    let at = now.wall;
                    batch.record(Record::Switch(Switch { lane, side, flow, by, at }));
                }
                Act::Release(parked) => {
                    parked.iter().for_each(|it| self.release(it, &by, batch, now))
                }
                Act::Cancel(parked) => {
                    parked.iter().for_each(|it| self.cancel(it, &by, batch, now))
                }
                Act::Replay(all) => all.iter().for_each(|it| self.replay(it, &by, batch, now)),
                Act::Edit(edit) => ordered.makes = Some(self.edit(edit, by, batch, now)),
                Act::Drain { lane, entries, to } => {
                    ordered.lane = Some(lane);
                    self.drain(lane, &entries, to, &by, batch, now);
                }
                Act::Retry { .. } | Act::Take { .. } => {}
            }
            if let Some(job) = job {
                batch.record(Record::Job(job));
            }
            batch.commands.push(ordered);
            return batch.end(Duty::Command(id), mark);
        }
    }

    /// Whether the lanes exist that a command is about, and an orphan stands where its rows begin.
    pub(crate) fn makes_sense(&self, act: &Act) -> bool {
        match act {
            Act::Switch { lane, side, .. } => match self.shared.place(*lane) {
                // What handlers send is never held back, only what becomes of it.
                Some(Place::Ingress(at)) => *side == Side::Output || !self.inbounds[at].takes_sends,
                Some(_) => *side == Side::Output,
                None => false,
            },
            Act::Release(parked) => {
                let outbound = |lane| matches!(self.shared.place(lane), Some(Place::Outbound(_)));
                parked.iter().all(|it| outbound(it.lane))
            }
            Act::Replay(all) => all.iter().all(|it| self.shared.place(it.to).is_some()),
            Act::Edit(edit) => self.shared.place(edit.to).is_some(),
            Act::Drain { lane, entries, to } => {
                let to_stage = to.map(|to| self.shared.place(to).map(stage_of));
                let Some(orphan) = self.operating.orphan(*lane) else { return false };
                let fits = to_stage.is_none_or(|it| it == Some(orphan.stage));
                let first = match entries.first() {
                    Some(entry) => entry.seq == orphan.cursor.next(),
                    None => !orphan.parked.is_empty(),
                };
                fits && (orphan.hold == Hold::Unread || first && orphan.hold == Hold::Owned)
            }
            Act::Cancel(_) | Act::Retry { .. } | Act::Take { .. } => true,
        }
    }

    /// Whether every lane that is appended to or consumed from is known.
    fn can_be_done(&self, act: &Act) -> bool {
        let known = |lane| self.hold_of(lane) != Hold::Unread;
        match act {
            // What is read of a lane may be older than what is written meanwhile.
            Act::Switch { lane, .. } => self.hold_of(*lane) == Hold::Owned,
            Act::Release(parked) => parked.iter().all(|it| known(it.lane)),
            Act::Replay(all) => all.iter().all(|it| known(it.to)),
            Act::Edit(edit) => known(edit.to),
            Act::Drain { lane, to, .. } => {
                let target = to.is_none_or(known);
                target && self.operating.orphan(*lane).is_some_and(|it| it.hold == Hold::Owned)
            }
            _ => true,
        }
    }

    fn hold_of(&self, lane: LaneId) -> Hold {
        self.shared.place(lane).map_or(Hold::Owned, |place| self.hold(place))
    }

    fn release(&mut self, parked: &Parked, by: &By, batch: &mut Batch, now: Now) {
        let Parked { lane, entry, newer } = parked;
        let (list, lane, seq) = (List::Held, *lane, entry.seq);
        batch.record(Record::Unlisted { list, lane, seq, message: entry.message });
        let what = What::Released { outbound: lane, newer: *newer, by: by.clone() };
        batch.record(Record::Event(self.shared.event(entry.message, now.wall, what)));
        self.append(lane, entry, entry.sole, batch);
    }

    fn cancel(&mut self, parked: &Parked, by: &By, batch: &mut Batch, now: Now) {
        let Parked { lane, entry, .. } = parked;
        let (list, lane, seq) = (List::Held, *lane, entry.seq);
        batch.record(Record::Unlisted { list, lane, seq, message: entry.message });
        self.end_cancelled(lane, entry, by, batch, now);
    }

    fn end_cancelled(&mut self, lane: LaneId, row: &Entry, by: &By, batch: &mut Batch, now: Now) {
        let what = What::Cancelled { lane, by: by.clone() };
        batch.record(Record::Event(self.shared.event(row.message, now.wall, what)));
        let stamp = self.shared.stamp();
        batch.record(ended(row.message, row.sole, false, now.wall, stamp));
    }

    pub(crate) fn replay(&mut self, replay: &Replay, by: &By, batch: &mut Batch, now: Now) {
        let Replay { entry, to, dead, forgiven, newer } = replay;
        let (message, at, to) = (entry.message, now.wall, *to);
        for (lane, seq) in dead {
            let (list, lane, seq) = (List::Dead, *lane, *seq);
            batch.record(Record::Unlisted { list, lane, seq, message });
        }
        let (stamp, forgiven) = (self.shared.stamp(), *forgiven);
        #[cfg(feature = "sabotage")]
        let is_broken = self.shared.broken(Sabotage::NotReopened);
        #[cfg(not(feature = "sabotage"))]
        let is_broken = false;
        if !is_broken {
            batch.record(Record::Reopened(Reopened { message, stamp, forgiven, at }));
        }
        let what = What::Replayed { to, newer: *newer, by: by.clone() };
        batch.record(Record::Event(self.shared.event(message, at, what)));
        let stamp = self.shared.stamp();
        batch.record(Record::Part(Part { added: 1, ..Part::new(message, stamp, at) }));
        self.append(to, entry, false, batch);
    }

    fn edit(&mut self, edit: Edit, by: By, batch: &mut Batch, now: Now) -> MessageId {
        let (copy, original, at) = (self.new_message(), edit.original, now.wall);
        let what = What::Edited { copy, by: by.clone() };
        batch.record(Record::Event(self.shared.event(original, at, what)));
        batch.record(Record::Message(NewMessage {
            received_at: at,
            control_id: edit.control_id,
            message_type: edit.message_type,
            body: edit.body.clone(),
            session: edit.session,
            original: Some(original),
            ..NewMessage::new(copy, edit.inbound)
        }));
        let to = edit.to;
        let what = What::Replayed { to, newer: edit.newer, by };
        batch.record(Record::Event(self.shared.event(copy, at, what)));
        if edit.to != edit.inbound {
            let (stamp, disposition) = (self.shared.stamp(), Disposition::Routed);
            batch.record(Record::Outcome { message: copy, stamp, disposition, at });
        }
        let entry = Entry {
            seq: Seq(0),
            message: copy,
            body: Source::Message,
            sole: true,
            id_hash: edit.id_hash,
            keys: edit.keys,
            hops: 0,
            len: edit.body.len(),
        };
        self.append(to, &entry, true, batch);
        copy
    }

    pub(crate) fn drain(
        &mut self,
        lane: LaneId,
        entries: &[Entry],
        to: Option<LaneId>,
        by: &By,
        batch: &mut Batch,
        now: Now,
    ) {
        let Some(orphan) = self.operating.orphan_mut(lane) else { return };
        let (epoch, sent_to, stage) = (orphan.epoch, orphan.sent_to, orphan.stage);
        let (mut cursor, orphan_cursor) = (orphan.cursor, orphan.cursor);
        let contiguous = (cursor.0 + 1..).zip(entries).take_while(|(seq, it)| it.seq.0 == *seq);
        let entries = &entries[..contiguous.count()];
        cursor.0 += entries.len() as u64;
        while orphan.done.binary_search(&cursor.next()).is_ok() {
            cursor = cursor.next();
        }
        orphan.moving_to = cursor;
        // Those that were parked come before all others.
        orphan.moves_parked = true;
        let (parked, started, done) =
            (orphan.parked.clone(), orphan.started.clone(), orphan.done.clone());
        for entry in &parked {
            batch.record(Record::Unparked { lane, seq: entry.seq });
        }
        let left = entries.iter().filter(|it| done.binary_search(&it.seq).is_err());
        let behind = orphan_cursor.next();
        for entry in parked.iter().chain(left) {
            let let_go = entry.seq >= behind && entry.seq <= sent_to;
            let let_go = let_go || started.binary_search(&entry.seq).is_ok();
            if let_go && stage == Stage::Outbound {
                let what = What::PossiblySent { outbound: lane };
                batch.record(Record::Event(self.shared.event(entry.message, now.wall, what)));
            }
            let Some(to) = to else {
                self.end_cancelled(lane, entry, by, batch, now);
                continue;
            };
            let what = What::Moved { from: lane, to, by: by.clone() };
            batch.record(Record::Event(self.shared.event(entry.message, now.wall, what)));
            // Its keys are those of the lane that it leaves; without one it waits for all before it.
            let entry = Entry { keys: Keys::NONE, ..entry.clone() };
            self.append(to, &entry, entry.sole, batch);
        }
        batch.update(LaneUpdate::new(lane, epoch, cursor));
    }

    /// Appends a row with the bytes of another.
    fn append(&mut self, to: LaneId, row: &Entry, sole: bool, batch: &mut Batch) {
        let Some(place) = self.shared.place(to) else { return };
        let body = match &row.body {
            Source::Memory(body) => RowBody::Own(body.clone()),
            Source::Message => RowBody::Message,
            Source::Row(lane, seq) => RowBody::Row(*lane, *seq),
        };
        self.appends(place, row.len);
        if let Place::Outbound(at) = place {
            self.concern(at);
        }
        let (message, source, id_hash) = (row.message, row.body.clone(), row.id_hash);
        let (keys, hops, len, call) = (row.keys.clone(), row.hops, row.len, None);
        let row = Appended { to: place, message, source, sole, id_hash, keys, hops, len, call };
        batch.append(to, body, row);
    }

    /// A switch is durable.
    pub(crate) fn switched(&mut self, switch: Switch, now: Now) {
        let Switch { lane, side, flow, .. } = switch;
        self.operating.switches.insert((lane, side), switch.clone());
        // What belongs to it is open before anything is given to it.
        self.shared.orders.push_back(Order::Switched(switch));
        if side == Side::Output
            && let Some(place) = self.shared.place(lane)
        {
            match place {
                Place::Ingress(at) => self.inbounds[at].stage.flow = flow,
                Place::Routed(at) => self.handlers[at].stage.flow = flow,
                Place::Outbound(at) => {
                    let was = core::mem::replace(&mut self.outbounds[at].flow, flow);
                    if flow == Flow::On && was != Flow::On {
                        self.outbounds[at].begin_again(now.steady);
                    }
                }
            }
            self.pump(place, now);
        }
    }

    /// What the store says of the sides of a lane.
    pub(crate) fn restore_switches(&mut self, lane: LaneId, stored: &[Switch], now: Now) {
        let output = stored.iter().find(|it| it.side == Side::Output);
        let flow = output.map_or(Flow::On, |it| it.flow);
        match self.shared.place(lane) {
            Some(Place::Ingress(at)) => self.inbounds[at].stage.flow = flow,
            Some(Place::Routed(at)) => self.handlers[at].stage.flow = flow,
            Some(Place::Outbound(at)) => self.outbounds[at].flow = flow,
            None => {}
        }
        for switch in stored {
            if self.operating.switches.get(&(lane, switch.side)) != Some(switch) {
                self.switched(switch.clone(), now);
            }
        }
    }
}

fn stage_of(place: Place) -> Stage {
    match place {
        Place::Ingress(_) => Stage::Ingress,
        Place::Routed(_) => Stage::Routed,
        Place::Outbound(_) => Stage::Outbound,
    }
}
