//! What a store holds, as far as the ledgers can be held against it.

use std::collections::{BTreeMap, HashMap, HashSet};

use mllp_pipeline::{
    Disposition, Failure, Head, LaneId, List, MessageId, Position, Seq, Stage, What,
};
use mllp_store::{Held, Reader, Store, StoreError};

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
    /// Deliveries that wait for an operator.
    pub(crate) held: HashSet<(LaneId, MessageId)>,
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
    /// Lanes in which a router or a handler has failed on it.
    pub(crate) failed: Vec<LaneId>,
    pub(crate) passages: Vec<Passage>,
}

/// A message bound for one outbound.
pub(crate) struct Passage {
    pub(crate) handler: LaneId,
    pub(crate) outbound: LaneId,
    pub(crate) delivered: bool,
    pub(crate) dead: Option<Failure>,
    /// An operator has ended it.
    pub(crate) cancelled: bool,
    /// It has left its lane, and waits for an operator.
    pub(crate) held: bool,
    /// How often it was appended to its lane: once, and by operators again.
    pub(crate) appended: u32,
    /// Attempts that have failed, and crashes after which it may have been sent before, since then.
    pub(crate) tried: u32,
    /// Attempts that have failed.
    pub(crate) attempts: u32,
    /// Those where it is unknown whether the partner took the message.
    pub(crate) unsure: u32,
    /// Crashes after which it may have been sent before.
    pub(crate) possibly_sent: u32,
}

impl Passage {
    /// Whether nothing leaves for it any more.
    pub(crate) const fn has_ended(&self) -> bool {
        self.dead.is_some() || self.cancelled || self.held
    }

    /// How often it is listed as possibly sent twice.
    pub(crate) const fn listed(&self) -> u32 {
        self.unsure + self.possibly_sent
    }
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
        let held = held(&mut *reader)?;
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
        Ok(Kept { names, heads, messages, rows, held, at, of })
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
        failed: Vec::new(),
        passages: Vec::new(),
    };
    for event in reader.journey(id)? {
        stored.take(event.what);
    }
    Ok(stored)
}

/// Every delivery in the list of those that are held.
fn held(reader: &mut dyn Reader) -> Result<HashSet<(LaneId, MessageId)>, StoreError> {
    let (mut held, mut after) = (HashSet::new(), Position::START);
    loop {
        let part = reader.listed(List::Held, None, after, PART)?;
        let Some(last) = part.last() else { return Ok(held) };
        after = last.position;
        held.extend(part.iter().map(|it| (it.position.lane, it.position.message)));
    }
}

impl Stored {
    fn take(&mut self, what: What) {
        match what {
            What::Routed { handlers } => self.routed = Some(handlers),
            What::Failed { lane, .. } => self.failed.push(lane),
            What::Transformed { handler, outbounds } => {
                self.passages.extend(outbounds.into_iter().map(|outbound| Passage {
                    handler,
                    outbound,
                    delivered: false,
                    dead: None,
                    cancelled: false,
                    held: false,
                    appended: 1,
                    tried: 0,
                    attempts: 0,
                    unsure: 0,
                    possibly_sent: 0,
                }));
            }
            What::Attempt { outbound, failure, .. } => self.on(outbound, |it| {
                it.attempts += 1;
                it.tried += 1;
                it.unsure += u32::from(matches!(failure, Failure::NoReply | Failure::Transport));
            }),
            What::PossiblySent { outbound } => self.on(outbound, |it| {
                it.possibly_sent += 1;
                it.tried += 1;
            }),
            What::Delivered { outbound, .. } => self.on(outbound, |it| it.delivered = true),
            What::Dead { lane, failure } => self.on(lane, |it| it.dead = Some(failure)),
            What::Held { outbound, .. } => self.on(outbound, |it| it.held = true),
            What::Released { outbound, .. } | What::Replayed { to: outbound, .. } => {
                self.on(outbound, |it| {
                    it.appended += 1;
                    (it.held, it.dead, it.tried) = (false, None, 0);
                });
            }
            What::Cancelled { lane, .. } => {
                self.on(lane, |it| (it.cancelled, it.held) = (true, false));
            }
            _ => {}
        }
    }

    fn on(&mut self, outbound: LaneId, change: impl FnOnce(&mut Passage)) {
        if let Some(passage) = self.passages.iter_mut().find(|it| it.outbound == outbound) {
            change(passage);
        }
    }
}
