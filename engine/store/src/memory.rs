//! The store in memory: for simulations and tests, with faults on demand.

mod lane;
mod lists;
mod read;
mod retain;
mod search;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mllp_pipeline::{
    Append, Body, BodyId, CommitOutcome, Committed, Disposition, Epoch, Event, Head, Job, LaneId,
    LaneMark, LaneUpdate, List, MessageId, NewMessage, Position, Record, Refusal, RowBody, Seq,
    Side, Stamp, Switch, Transaction,
};

use crate::contract::{LaneName, Numbers, Reader, Store, Swept};
use crate::error::StoreError;
use crate::life::Life;
use crate::lists::Listed;
use crate::retention::{Expiry, LastPass};
use crate::sums::{self, Sums};
use lane::Lane;
use retain::Retained;

/// A store that lives as long as one of its handles.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
}

/// What goes wrong with a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written.
    Refuse(Refusal),
    /// The outcome is unknown, and this says what it was.
    Unknown {
        /// Whether it was written all the same.
        written: bool,
    },
    /// The store comes to its end, and nothing is written.
    End(StoreError),
}

#[derive(Default)]
struct Shared {
    state: State,
    faults: VecDeque<Fault>,
}

/// What is durable.
#[derive(Default)]
struct State {
    lives: u64,
    /// The lives, each with its end.
    lived: BTreeMap<Stamp, (Life, Option<u64>)>,
    names: Vec<LaneName>,
    lanes: BTreeMap<LaneId, Lane>,
    messages: BTreeMap<MessageId, NewMessage>,
    chunks: BTreeMap<(BodyId, u32), Arc<[u8]>>,
    unheld: BTreeSet<BodyId>,
    parts: BTreeMap<MessageId, Sums>,
    reopened: BTreeSet<MessageId>,
    lists: BTreeMap<(List, LaneId, Seq), Listed>,
    switches: BTreeMap<(LaneId, Side), Switch>,
    jobs: BTreeMap<String, Job>,
    outcomes: BTreeMap<(MessageId, Stamp), (Disposition, u64)>,
    events: BTreeMap<(MessageId, Stamp), Event>,
    retained: Retained,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    /// Lets one of the next commits fail, each call one more of them, in order.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A test that panicked with the lock has left what it had committed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn numbers(&mut self) -> Result<Numbers, StoreError> {
        let state = &mut self.lock().state;
        state.lives += 1;
        let message = state.messages.last_key_value().map_or(1, |(id, _)| id.0 + 1);
        let message = message.max(state.retained.next_message);
        let body = state.chunks.last_key_value().map_or(1, |((id, _), _)| id.0 + 1);
        let stamp = Stamp(state.lives << 40);
        Ok(Numbers { message: MessageId(message), body: BodyId(body), stamp })
    }

    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError> {
        let lived = &mut self.lock().state.lived;
        let after_crash = lived.last_key_value().is_some_and(|(_, (_, ended))| ended.is_none());
        lived.insert(life.stamp, (Life { after_crash, ..life.clone() }, None));
        Ok(())
    }

    fn end_life(&mut self, at: u64) -> Result<(), StoreError> {
        if let Some(mut last) = self.lock().state.lived.last_entry() {
            last.get_mut().1 = Some(at);
        }
        Ok(())
    }

    fn own(&mut self, names: &[LaneName]) -> Result<Vec<Head>, StoreError> {
        let state = &mut self.lock().state;
        let mut heads = Vec::with_capacity(names.len());
        for name in names {
            let known = state.names.iter().position(|it| it == name);
            let at = known.unwrap_or_else(|| {
                state.names.push(name.clone());
                state.names.len() - 1
            });
            let id = LaneId(at as u32 + 1);
            let lane = state.lanes.entry(id).or_default();
            lane.epoch += 1;
            heads.push(lane.head(id, &state.switches));
        }
        Ok(heads)
    }

    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError> {
        let state = &self.lock().state;
        Ok(lanes
            .iter()
            .filter_map(|id| Some(state.lanes.get(id)?.head(*id, &state.switches)))
            .collect())
    }

    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError> {
        let names = self.lock().state.names.clone();
        Ok((1..).map(LaneId).zip(names).collect())
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError> {
        let mut shared = self.lock();
        let fault = shared.faults.pop_front();
        match fault {
            Some(Fault::Refuse(why)) => return Ok(CommitOutcome::Refused(why)),
            Some(Fault::Unknown { written: false }) => return Ok(CommitOutcome::Unknown),
            Some(Fault::End(error)) => return Err(error),
            Some(Fault::Unknown { written: true }) | None => {}
        }
        let outcome = shared.state.apply(transaction);
        Ok(if fault.is_some() { CommitOutcome::Unknown } else { outcome })
    }

    fn tend(&mut self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError> {
        let state = &mut self.lock().state;
        let Some(body) = state.unheld.range(bodies).next().copied() else {
            return Ok(Swept::Done);
        };
        state.unheld.remove(&body);
        state.chunks.retain(|(its, _), _| *its != body);
        Ok(Swept::More)
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError> {
        self.lock().state.expire(expiry);
        Ok(false)
    }

    fn last_pass(&mut self) -> Result<LastPass, StoreError> {
        Ok(self.lock().state.retained.last_pass)
    }

    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError> {
        self.lock().state.retained.last_pass = *pass;
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.clone()))
    }
}

impl State {
    fn apply(&mut self, transaction: &Transaction) -> CommitOutcome {
        let owns = |update: &&LaneUpdate| {
            self.lanes.get(&update.lane).is_some_and(|it| Epoch(it.epoch) == update.epoch)
        };
        let fenced: Vec<_> =
            transaction.lanes.iter().filter(|it| !owns(it)).map(|it| it.lane).collect();
        if !fenced.is_empty() {
            return CommitOutcome::Fenced(fenced);
        }
        let mut touched = BTreeSet::new();
        let mut finals = Vec::new();
        let mut last: BTreeMap<MessageId, (Stamp, u64)> = BTreeMap::new();
        for record in &transaction.records {
            match record {
                Record::Append(append) => {
                    if let RowBody::Own(body) = &append.body {
                        self.hold(body);
                    }
                    touched.insert(append.lane);
                    let append = Append { body: self.origin(&append.body), ..append.clone() };
                    self.lanes.entry(append.lane).or_default().push(append);
                }
                Record::Part(part) => {
                    let sums = Sums::of(part, self.reopened.contains(&part.message));
                    self.parts.entry(part.message).or_default().add(sums);
                    last.insert(part.message, (part.stamp, part.at));
                }
                Record::Outcome { message, stamp, disposition, at }
                    if disposition.is_final() && self.reopened.contains(message) =>
                {
                    self.parts.entry(*message).or_default().add(sums::ended(*disposition));
                    last.insert(*message, (*stamp, *at));
                }
                other => self.insert(other),
            }
        }
        for (&message, &(stamp, at)) in &last {
            if let Some(disposition) = self.parts.get(&message).and_then(Sums::end) {
                self.outcomes.insert((message, stamp), (disposition, at));
                self.reopened.remove(&message);
                finals.push((message, disposition));
            }
        }
        let open = last.into_keys().filter(|it| self.reopened.contains(it)).collect();
        for update in &transaction.lanes {
            self.lanes.entry(update.lane).or_default().update(update);
            touched.insert(update.lane);
        }
        let mark = |lane: LaneId| {
            let row = self.lanes.get(&lane)?;
            let tail = Seq(row.rows.len() as u64);
            let (sent_to, appended) = (Seq(row.sent_to), row.appended);
            Some(LaneMark { lane, tail, sent_to, appended })
        };
        let lanes = touched.into_iter().filter_map(mark).collect();
        CommitOutcome::Committed(Committed { lanes, finals, open })
    }

    fn insert(&mut self, record: &Record) {
        match record {
            Record::Message(message) => {
                self.hold(&message.body);
                self.messages.insert(message.id, message.clone());
            }
            Record::Chunk { body, n, bytes } => {
                if *n == 0 {
                    self.unheld.insert(*body);
                }
                self.chunks.insert((*body, *n), Arc::clone(&bytes.0));
            }
            Record::Done { lane, seq } => {
                let lane = self.lanes.entry(*lane).or_default();
                lane.done.insert(*seq);
                lane.started.remove(seq);
            }
            Record::Started(it) => {
                self.lanes.entry(it.lane).or_default().started.insert(it.seq, *it);
            }
            Record::Parked { lane, seq } => {
                self.lanes.entry(*lane).or_default().parked.insert(*seq);
            }
            Record::Unparked { lane, seq } => {
                let lane = self.lanes.entry(*lane).or_default();
                lane.parked.remove(seq);
                lane.started.remove(seq);
            }
            Record::Outcome { message, stamp, disposition, at } => {
                self.outcomes.insert((*message, *stamp), (*disposition, *at));
            }
            Record::Event(event) => {
                self.events.insert((event.message, event.stamp), event.clone());
            }
            Record::Dead { lane, seq, message, why, at } => {
                let position = Position { message: *message, lane: *lane, seq: *seq };
                self.list(List::Dead, Listed { position, why: Some(*why), at: *at });
            }
            Record::Held { lane, seq, message, why, at } => {
                let position = Position { message: *message, lane: *lane, seq: *seq };
                self.list(List::Held, Listed { position, why: *why, at: *at });
            }
            Record::Unlisted { list, lane, seq, .. } => {
                self.lists.remove(&(*list, *lane, *seq));
            }
            Record::Reopened(reopened) => self.reopen(reopened),
            Record::Switch(switch) => {
                self.switches.insert((switch.lane, switch.side), switch.clone());
            }
            Record::Job(job) => {
                self.jobs.insert(job.key.0.clone(), job.clone());
            }
            // Written by the caller.
            Record::Append(_) | Record::Part(_) => {}
        }
    }

    fn hold(&mut self, body: &Body) {
        if let Body::Chunked { id, .. } = body {
            self.unheld.remove(id);
        }
    }

    fn disposition(&self, id: MessageId) -> (Disposition, u64) {
        let outcomes = self.outcomes.range((id, Stamp(0))..=(id, Stamp(u64::MAX)));
        if let Some((_, outcome)) = outcomes.last() {
            return *outcome;
        }
        let mut events = self.events.range((id, Stamp(0))..=(id, Stamp(u64::MAX)));
        let routed = events.find(|(_, it)| matches!(it.what, mllp_pipeline::What::Routed { .. }));
        routed.map_or((Disposition::Received, 0), |(_, it)| (Disposition::Routed, it.at))
    }

    /// A row that is about the bytes of another row names the one that has them.
    fn origin(&self, body: &RowBody) -> RowBody {
        let RowBody::Row(lane, seq) = body else { return body.clone() };
        match self.row(*lane, *seq).map(|it| &it.body) {
            Some(other @ (RowBody::Row(..) | RowBody::Message)) => other.clone(),
            Some(RowBody::Own(_)) | None => body.clone(),
        }
    }

    fn row(&self, lane: LaneId, seq: Seq) -> Option<&Append> {
        self.lanes.get(&lane)?.rows.get(usize::try_from(seq.0.checked_sub(1)?).ok()?)
    }
}
