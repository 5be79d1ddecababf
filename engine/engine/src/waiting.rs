//! What a message waits for at each place of its way, from its journey and from how the lanes stand.

use mllp_pipeline::{
    Delivering, Event, Flow, Keys, LaneId, MessageId, Note, Ordering, Progress, Seq, Stage,
    Standing, StoreState, Trouble, What,
};
use mllp_store::{Reader, StoreError, StoredMessage};

use crate::names::Names;
use crate::newer::may_share;
use crate::outages::Outage;
use crate::reason::{Attempts, Reason};
use crate::seats::Seats;
use crate::status::{LaneState, Status};
use crate::why::Answer;
use crate::worker::{ToWorkers, Workers};

/// Rows of a lane in which a message with the same key is looked for.
const LOOKS: u32 = 10_000;
/// Journeys that are read for it.
const JOURNEYS: usize = 100;

/// Where answers are taken from.
pub(crate) struct Waiting<'a> {
    pub(crate) reader: &'a mut dyn Reader,
    pub(crate) status: &'a Status,
    pub(crate) names: &'a Names,
    pub(crate) workers: Option<&'a ToWorkers>,
    pub(crate) seats: &'a Seats,
}

/// What the journey tells of one lane.
#[derive(Default)]
struct Place {
    /// Rows of the message there that are not done.
    open: u32,
    attempts: Attempts,
    /// What became of the last one that is done.
    end: Option<Reason>,
}

/// The places of a message, in the order of its way.
#[derive(Default)]
struct Places(Vec<(LaneId, Place)>);

impl Places {
    fn of(stored: &StoredMessage, events: &[Event]) -> Places {
        let mut places = Places::default();
        let message = &stored.message;
        if message.accepted && message.duplicate_of.is_none() && message.original.is_none() {
            places.opens(message.inbound);
        }
        events.iter().for_each(|event| places.take(message.inbound, event));
        places
    }

    fn at(&mut self, lane: LaneId) -> &mut Place {
        if let Some(at) = self.0.iter().position(|it| it.0 == lane) {
            return &mut self.0[at].1;
        }
        self.0.push((lane, Place::default()));
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }

    fn opens(&mut self, lane: LaneId) {
        let place = self.at(lane);
        (place.open, place.attempts) = (place.open + 1, Attempts::default());
    }

    fn ends(&mut self, lane: LaneId, end: Option<Reason>) {
        let place = self.at(lane);
        (place.open, place.end) = (place.open.saturating_sub(1), end);
    }

    fn said(&mut self, lane: LaneId) -> Note {
        self.at(lane).attempts.said.clone()
    }

    fn take(&mut self, inbound: LaneId, event: &Event) {
        let at = event.at;
        match &event.what {
            What::Routed { inbound: again, handlers } => {
                self.ends(again.unwrap_or(inbound), None);
                handlers.iter().for_each(|it| self.opens(*it));
            }
            What::Transformed { handler, outbounds } => {
                self.ends(*handler, None);
                outbounds.iter().for_each(|it| self.opens(*it));
            }
            What::Attempt { outbound, attempt, failure, note } => {
                let (count, failure, said) = (*attempt, Some(*failure), note.clone());
                self.at(*outbound).attempts =
                    Attempts { count, failure, said, ..Attempts::default() };
            }
            What::Delivered { outbound, note, milliseconds } => {
                let (said, milliseconds) = (note.clone(), *milliseconds);
                self.ends(*outbound, Some(Reason::Delivered { at, said, milliseconds }));
            }
            What::Dead { lane, failure } => {
                let (failure, said) = (*failure, self.said(*lane));
                self.ends(*lane, Some(Reason::Dead { failure, at, said }));
            }
            What::Held { outbound, failure, by } => {
                let (failure, said, by) = (*failure, self.said(*outbound), by.clone());
                self.ends(*outbound, Some(Reason::Held { failure, at, said, by }));
            }
            What::Cancelled { lane, by } => {
                self.ends(*lane, Some(Reason::Cancelled { at, by: by.clone() }));
            }
            What::Failed { lane, note, .. } => {
                self.ends(*lane, Some(Reason::Failed { at, error: note.clone() }));
            }
            What::Released { outbound: to, .. } | What::Replayed { to, .. } => self.opens(*to),
            What::Moved { from, to, .. } => {
                self.ends(*from, None);
                self.opens(*to);
            }
            _ => {}
        }
    }
}

impl Waiting<'_> {
    pub(crate) fn answers(&mut self, stored: &StoredMessage) -> Result<Vec<Answer>, StoreError> {
        let id = stored.message.id;
        let places = Places::of(stored, &self.reader.journey(id)?);
        let mut answers = Vec::new();
        for (lane, place) in places.0 {
            let reason = match place.open {
                0 => place.end,
                _ => Some(self.waits(id, lane, place.attempts)?),
            };
            answers.extend(reason.map(|reason| Answer { place: self.names.of(lane), reason }));
        }
        Ok(answers)
    }

    fn waits(
        &mut self,
        id: MessageId,
        lane: LaneId,
        attempts: Attempts,
    ) -> Result<Reason, StoreError> {
        let status = self.status;
        // With little room it is intake alone that waits.
        if status.store.trouble.is_some_and(|it| it != Trouble::Low) {
            return Ok(Reason::Store(status.store));
        }
        if let Some(since) = status.commits_since {
            return Ok(Reason::Store(StoreState { trouble: Some(Trouble::Slow), since }));
        }
        let Some(stage) = self.names.stage(lane) else { return Ok(Reason::Orphaned) };
        let name = self.names.of(lane);
        let Some(state) = status.lane(stage, &name) else { return Ok(Reason::Next) };
        if state.is_orphaned {
            return Ok(Reason::Orphaned);
        }
        let here = status.standings.iter().find(|it| it.lane == lane).copied();
        match here.map(|it| it.progress) {
            Some(Progress::Ends) => return Ok(Reason::Ends),
            // A lane that is stopped lets answers come that are due.
            Some(Progress::Sent) if state.outage.is_none() => return Ok(Reason::WithPartner),
            _ => {}
        }
        if let Some(running) = self.running(id, lane, state, stage) {
            return Ok(running);
        }
        if let Some(setting) = state.output.as_ref().filter(|it| it.flow != Flow::On) {
            return Ok(Reason::Switched(setting.clone()));
        }
        if let (Stage::Outbound, Some(hours)) =
            (stage, state.hours.as_ref().filter(|it| !it.is_open))
        {
            return Ok(Reason::Closed { opens: hours.until });
        }
        match (stage, &state.delivering) {
            (Stage::Outbound, Some(delivering)) if state.ready => {
                self.at_outbound(id, lane, state, delivering, here, attempts)
            }
            (Stage::Outbound, _) => Ok(self.not_connected(state)),
            _ => self.before_function(id, lane, state, here),
        }
    }

    /// The function that runs on it, or runs alone on it next.
    fn running(
        &self,
        id: MessageId,
        lane: LaneId,
        state: &LaneState,
        stage: Stage,
    ) -> Option<Reason> {
        if stage == Stage::Outbound {
            return None;
        }
        let workers = self.workers_of(lane);
        if workers.runs_alone(id, &state.name, stage) {
            return Some(Reason::RunsAlone);
        }
        if let Some(since) = workers.runs(id, &state.name, stage) {
            return Some(Reason::Running { since });
        }
        // Of a message that its router has just left the handler may run while it stands at the inbound.
        let seated = self.seats.of(id).filter(|it| it.lane == lane || stage == Stage::Ingress);
        let ago = seated.map(|it| it.since.elapsed().as_millis() as u64);
        ago.map(|ago| Reason::Running { since: self.status.now.wall.saturating_sub(ago) })
    }

    fn workers_of(&self, lane: LaneId) -> Workers {
        let its = self.workers.filter(|it| it.run_lane(lane));
        its.and_then(ToWorkers::status).unwrap_or_default()
    }

    fn before_function(
        &mut self,
        id: MessageId,
        lane: LaneId,
        state: &LaneState,
        here: Option<Standing>,
    ) -> Result<Reason, StoreError> {
        if let Some(Standing { progress: Progress::HasNoRoom(lane), .. }) = here {
            return Ok(Reason::Full { lane: self.names.of(lane) });
        }
        if let Some(head) = state.head.map(MessageId).filter(|head| *head != id) {
            let (before, attempts) = (self.before(id, lane, here)?, Attempts::default());
            return Ok(Reason::Behind { head, before, attempts });
        }
        let refusal = self.workers_of(lane).refusal.filter(|it| it.is_now);
        Ok(refusal.map_or(Reason::Next, Reason::NoWorker))
    }

    fn at_outbound(
        &mut self,
        id: MessageId,
        lane: LaneId,
        state: &LaneState,
        delivering: &Delivering,
        here: Option<Standing>,
        attempts: Attempts,
    ) -> Result<Reason, StoreError> {
        let now = self.status.now;
        let limit = delivering.max_attempts;
        let due = |in_ms: u64| if in_ms > 0 { now.wall + in_ms } else { 0 };
        match here.map(|it| it.progress) {
            Some(Progress::Failed(until)) => {
                let due_in = until.saturating_sub(now.steady);
                let due = due(due_in);
                return Ok(Reason::Retries(Attempts { limit, due, due_in, ..attempts }));
            }
            Some(Progress::WaitsFor(row)) => {
                let entry = self.reader.entries(lane, Seq(row.0.saturating_sub(1)), 1)?;
                if let Some(with) = entry.first().map(|it| it.message) {
                    return Ok(Reason::SharesKey { with });
                }
            }
            // Its connection is being opened.
            Some(Progress::Sent) => return Ok(self.not_connected(state)),
            Some(_) => {}
            None if delivering.ordering != Ordering::Fifo => {
                if let Some(with) = self.shares_key(id, lane)? {
                    return Ok(Reason::SharesKey { with });
                }
            }
            None => {}
        }
        if delivering.ordering != Ordering::Fifo {
            let Delivering { window, started, .. } = *delivering;
            let is_full = started >= window;
            return Ok(if is_full { Reason::WindowFull { window } } else { Reason::Next });
        }
        let Some(head) = state.head.map(MessageId).filter(|head| *head != id) else {
            return Ok(Reason::Next);
        };
        let attempts = Attempts {
            limit,
            due: due(state.due_in),
            due_in: state.due_in,
            is_sent: delivering.head_is_sent && state.outage.is_none(),
            ..self.attempts(head, lane)?
        };
        Ok(Reason::Behind { head, before: self.before(id, lane, here)?, attempts })
    }

    /// How many rows of a lane are before the message.
    fn before(
        &mut self,
        id: MessageId,
        lane: LaneId,
        here: Option<Standing>,
    ) -> Result<u64, StoreError> {
        if let Some(here) = here {
            return Ok(here.before);
        }
        let Some((cursor, tail)) = self.reader.extent(lane)? else { return Ok(0) };
        let mut after = cursor;
        while after < tail {
            let rows = self.reader.entries(lane, after, LOOKS)?;
            if let Some(row) = rows.iter().find(|it| it.message == id) {
                return Ok(row.seq.0.saturating_sub(cursor.0 + 1));
            }
            let Some(last) = rows.last() else { break };
            after = last.seq;
        }
        Ok(tail.0 - cursor.0)
    }

    /// What a message has gone through in a lane.
    fn attempts(&mut self, id: MessageId, lane: LaneId) -> Result<Attempts, StoreError> {
        let Some(stored) = self.reader.message(id)? else { return Ok(Attempts::default()) };
        let mut places = Places::of(&stored, &self.reader.journey(id)?);
        Ok(std::mem::take(&mut places.at(lane).attempts))
    }

    /// The first unfinished message before this one that shares a key with it.
    fn shares_key(&mut self, id: MessageId, lane: LaneId) -> Result<Option<MessageId>, StoreError> {
        let Some((cursor, _)) = self.reader.extent(lane)? else { return Ok(None) };
        let rows = self.reader.entries(lane, Seq(cursor.0), LOOKS)?;
        let Some(own) = rows.iter().position(|it| it.message == id) else { return Ok(None) };
        let keys: Keys = rows[own].keys.clone();
        if rows[..=own].iter().all(|it| it.keys == Keys::NONE) {
            return Ok(None);
        }
        let earlier = rows[..own].iter().filter(|it| may_share(&it.keys, &keys));
        let earlier: Vec<_> = earlier.map(|it| it.message).take(JOURNEYS).collect();
        for message in earlier {
            let Some(stored) = self.reader.message(message)? else { continue };
            if Places::of(&stored, &self.reader.journey(message)?).at(lane).open > 0 {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Before the first dial has an end, an outbound is not connected since the start of the engine.
    fn not_connected(&self, state: &LaneState) -> Reason {
        let (outage, now) = (state.outage.as_ref(), self.status.now);
        Reason::NotConnected {
            since: outage.map_or(now.wall.saturating_sub(now.steady), |it| it.since),
            why: outage.and_then(Outage::words),
            next: outage.and_then(|it| it.next),
        }
    }
}
