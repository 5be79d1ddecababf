//! What a store holds, as far as the ledgers can be held against it.

use std::collections::{BTreeMap, HashMap};

use mllp_pipeline::{Disposition, Head, Job, LaneId, List, MessageId, Position, Seq, Stage};
use mllp_store::{Held, Reader, Store, StoreError};

use super::journey::{Act, Passage};

use crate::load::Sent;

/// Rows that are read at a time.
const PART: u32 = 4_096;

/// A store, read.
pub(crate) struct Kept {
    /// The names of the lanes.
    pub(crate) names: HashMap<LaneId, (Stage, String)>,
    pub(crate) heads: BTreeMap<LaneId, Head>,
    /// In the order of acceptance.
    pub(crate) messages: Vec<Stored>,
    /// The rows of each lane, from the first on.
    pub(crate) rows: BTreeMap<LaneId, Vec<Row>>,
    /// The rows that wait for an operator, and those that are dead: how many of each delivery.
    pub(crate) held: HashMap<(LaneId, MessageId), u32>,
    pub(crate) dead: HashMap<(LaneId, MessageId), u32>,
    /// What operators have begun.
    pub(crate) jobs: Vec<Job>,
    at: HashMap<MessageId, usize>,
    of: HashMap<String, Vec<usize>>,
}

/// A row of a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) seq: Seq,
    pub(crate) message: MessageId,
}

/// A message.
pub(crate) struct Stored {
    pub(crate) id: MessageId,
    pub(crate) control_id: String,
    pub(crate) inbound: LaneId,
    pub(crate) accepted: bool,
    pub(crate) duplicate_of: Option<MessageId>,
    pub(crate) disposition: Disposition,
    /// Whether its bytes are those that were sent.
    pub(crate) is_whole: bool,
    /// The router has chosen handlers, or none.
    pub(crate) routed: Option<Vec<LaneId>>,
    /// How often an operator has sent it to its router again.
    pub(crate) rerouted: u32,
    /// How often a router or a handler has failed on it.
    pub(crate) failed: u32,
    /// Whether it has failed, or was cancelled, since it was routed last.
    pub(crate) has_failed: bool,
    pub(crate) passages: Vec<Passage>,
    /// What operators have done with it, in order.
    pub(crate) acts: Vec<Act>,
}

impl Stored {
    pub(crate) fn sent(&self) -> Option<Sent> {
        Sent::parse(&self.control_id)
    }

    pub(crate) fn is_duplicate(&self) -> bool {
        self.disposition == Disposition::Duplicate
    }

    pub(crate) fn passage(&self, outbound: LaneId) -> Option<&Passage> {
        self.passages.iter().find(|it| it.outbound == outbound)
    }
}

impl Kept {
    pub(crate) fn read(store: &mut dyn Store) -> Result<Kept, StoreError> {
        let lanes = store.lanes()?;
        let ids: Vec<_> = lanes.iter().map(|(id, _)| *id).collect();
        let heads = store.heads(&ids)?.into_iter().map(|head| (head.lane, head)).collect();
        let mut reader = store.reader()?;
        let mut messages = Vec::new();
        let mut next = MessageId(0);
        loop {
            let part = reader.dispositions(next, PART)?;
            let Some((last, _)) = part.last() else { break };
            next = MessageId(last.0 + 1);
            for (id, disposition) in part {
                messages.push(stored(&mut *reader, id, disposition)?);
            }
        }
        let mut rows = BTreeMap::new();
        for id in ids {
            rows.insert(id, rows_of(&mut *reader, id)?);
        }
        let [held, dead] = [List::Held, List::Dead].map(|list| listed(&mut *reader, list));
        let (held, dead, jobs) = (held?, dead?, reader.jobs()?);
        let at = messages.iter().zip(0..).map(|(it, at)| (it.id, at)).collect();
        let mut of: HashMap<String, Vec<usize>> = HashMap::new();
        for (message, at) in messages.iter().zip(0..) {
            of.entry(message.control_id.clone()).or_default().push(at);
        }
        let names: HashMap<_, _> =
            lanes.into_iter().map(|(id, it)| (id, (it.stage, it.name))).collect();
        // What a handler sends to a handler is on its way; that one's own journey says where to.
        let is_outbound = |lane| names.get(&lane).is_some_and(|it| it.0 == Stage::Outbound);
        for message in &mut messages {
            message.passages.retain(|it| is_outbound(it.outbound));
        }
        Ok(Kept { names, heads, messages, rows, held, dead, jobs, at, of })
    }

    pub(crate) fn name(&self, lane: LaneId) -> &str {
        self.names.get(&lane).map_or("?", |(_, name)| name)
    }

    pub(crate) fn outbound(&self, wanted: &str) -> Option<LaneId> {
        let mut names = self.names.iter();
        let found = names.find(|(_, (stage, name))| *stage == Stage::Outbound && name == wanted);
        found.map(|(id, _)| *id)
    }

    pub(crate) fn message(&self, id: MessageId) -> Option<&Stored> {
        self.at.get(&id).and_then(|at| self.messages.get(*at))
    }

    /// The messages with this control ID, in the order of acceptance.
    pub(crate) fn with(&self, control_id: &str) -> impl Iterator<Item = &Stored> {
        let all = self.of.get(control_id).map_or(&[][..], Vec::as_slice);
        all.iter().filter_map(|at| self.messages.get(*at))
    }

    pub(crate) fn control_ids(&self) -> impl Iterator<Item = &str> {
        self.of.keys().map(String::as_str)
    }
}

fn rows_of(reader: &mut dyn Reader, lane: LaneId) -> Result<Vec<Row>, StoreError> {
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let after = rows.last().map_or(Seq(0), |row| row.seq);
        let part = reader.entries(lane, after, PART)?;
        if part.is_empty() {
            return Ok(rows);
        }
        rows.extend(part.into_iter().map(|it| Row { seq: it.seq, message: it.message }));
    }
}

fn stored(
    reader: &mut dyn Reader,
    id: MessageId,
    disposition: Disposition,
) -> Result<Stored, StoreError> {
    let found = reader.message(id)?;
    let it = found.ok_or_else(|| StoreError::Corrupt(format!("message {id} has gone")))?.message;
    let control_id = String::from_utf8_lossy(&it.control_id.0).into_owned();
    let mut bytes = Vec::new();
    // The bytes of a duplicate are those of the first.
    let is_whole = disposition == Disposition::Duplicate
        || reader.body(Held::Message(id), &mut |part| bytes.extend_from_slice(part))?
            && Sent::parse(&control_id).is_none_or(|sent| sent.bytes() == bytes);
    let mut stored = Stored {
        id,
        control_id,
        inbound: it.inbound,
        accepted: it.accepted,
        duplicate_of: it.duplicate_of,
        disposition,
        is_whole,
        routed: None,
        rerouted: 0,
        failed: 0,
        has_failed: false,
        passages: Vec::new(),
        acts: Vec::new(),
    };
    for event in reader.journey(id)? {
        stored.take(event.what);
    }
    Ok(stored)
}

/// The deliveries in a list, and how many rows of each.
fn listed(
    reader: &mut dyn Reader,
    list: List,
) -> Result<HashMap<(LaneId, MessageId), u32>, StoreError> {
    let (mut rows, mut after) = (HashMap::new(), Position::START);
    loop {
        let part = reader.listed(list, None, after, PART)?;
        let Some(last) = part.last() else { return Ok(rows) };
        after = last.position;
        for Position { lane, message, .. } in part.iter().map(|it| it.position) {
            *rows.entry((lane, message)).or_default() += 1;
        }
    }
}
