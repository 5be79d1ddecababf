//! What a message waits for at each place of its way, from its journey and from how the lanes stand.

use mllp_pipeline::{Event, Flow, Keys, LaneId, MessageId, Note, Seq, Stage, Trouble, What};
use mllp_store::{Reader, StoreError, StoredMessage};

use crate::names::Names;
use crate::newer::may_share;
use crate::status::{LaneState, Status};
use crate::why::{Answer, Attempts, Reason};
use crate::worker::ToWorkers;

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
            What::Routed { handlers } => {
                self.ends(inbound, None);
                handlers.iter().for_each(|it| self.opens(*it));
            }
            What::Transformed { handler, outbounds } => {
                self.ends(*handler, None);
                outbounds.iter().for_each(|it| self.opens(*it));
            }
            What::Attempt { outbound, attempt, failure, note } => {
                let (count, failure, said) = (*attempt, Some(*failure), note.clone());
                self.at(*outbound).attempts = Attempts { count, failure, said, due_in: 0 };
            }
            What::Delivered { outbound, note, .. } => {
                let said = note.clone();
                self.ends(*outbound, Some(Reason::Delivered { at, said }));
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
        // With little room it is intake alone that waits.
        let store = self.status.store;
        if store.trouble.is_some_and(|it| it != Trouble::Low) {
            return Ok(Reason::Store(store));
        }
        let status = self.status;
        let Some(stage) = self.names.stage(lane) else { return Ok(Reason::Orphaned) };
        let name = self.names.of(lane);
        let Some(state) = status.lane(stage, &name) else { return Ok(Reason::Next) };
        if state.is_orphaned {
            return Ok(Reason::Orphaned);
        }
        if let Some(setting) = state.output.as_ref().filter(|it| it.flow != Flow::On) {
            return Ok(Reason::Switched(setting.clone()));
        }
        match stage {
            Stage::Outbound => self.at_outbound(id, lane, state, attempts),
            _ => Ok(self.before_function(id, lane, stage, state)),
        }
    }

    fn before_function(
        &self,
        id: MessageId,
        lane: LaneId,
        stage: Stage,
        state: &LaneState,
    ) -> Reason {
        let its = self.workers.filter(|it| it.run_lane(lane));
        let workers = its.and_then(ToWorkers::status).unwrap_or_default();
        if workers.runs_alone(id, &state.name, stage) {
            return Reason::RunsAlone;
        }
        if let Some(since) = workers.runs(id, &state.name, stage) {
            return Reason::Running { since };
        }
        let head = state.head.map(MessageId).filter(|head| *head != id);
        if let Some(head) = head {
            return Reason::Behind { head, attempts: Attempts::default() };
        }
        if let Some(refusal) = workers.refusal.filter(|it| it.is_now) {
            return Reason::NoWorker(refusal);
        }
        let ingress = Stage::Ingress.name();
        let full = self.status.lanes.iter().find(|it| it.is_full && it.stage != ingress);
        full.map_or(Reason::Next, |it| Reason::Full { lane: it.name.clone() })
    }

    fn at_outbound(
        &mut self,
        id: MessageId,
        lane: LaneId,
        state: &LaneState,
        attempts: Attempts,
    ) -> Result<Reason, StoreError> {
        if !state.ready {
            return Ok(Reason::NotConnected(state.lost.clone()));
        }
        if !state.keeps_order
            && let Some(with) = self.shares_key(id, lane)?
        {
            return Ok(Reason::SharesKey { with });
        }
        let head = state.head.map(MessageId);
        match head {
            Some(head) if head != id && state.keeps_order => {
                let of_head = self.attempts(head, lane)?;
                let attempts = Attempts { due_in: state.due_in, ..of_head };
                Ok(Reason::Behind { head, attempts })
            }
            Some(head) if head == id && state.due_in > 0 => {
                Ok(Reason::Retries(Attempts { due_in: state.due_in, ..attempts }))
            }
            Some(head) if head == id && state.in_flight > 0 => Ok(Reason::WithPartner),
            _ if attempts.failure.is_some() => Ok(Reason::Retries(attempts)),
            _ => Ok(Reason::Next),
        }
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
}
