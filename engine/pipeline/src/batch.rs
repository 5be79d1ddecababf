//! What one commit consists of, and what is left of it when lanes turn out to be somebody else's.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crate::body::{Body, IdHash, Keys};
use crate::ids::{CallId, CommandId, LaneId, MessageId};
use crate::intake::in_memory;
use crate::order::Source;
use crate::record::{Append, LaneUpdate, Record, RowBody, Transaction};
use crate::shared::Place;
use crate::switch::Switch;

/// What a unit of a batch does. All that one lane contributes is one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Stores `count` messages that this inbound has received.
    Intake { inbound: usize, count: usize },
    /// Hands on the first messages of the lane of an inbound or of a handler.
    Handoff(Place),
    /// Completes deliveries of this outbound, or writes down what it may have sent.
    Deliveries(usize),
    /// Does what an operator wants.
    Command(CommandId),
    /// Writes down what senders were answered.
    Answers,
}

impl Duty {
    /// The lane that it consumes from.
    pub fn consumes(self) -> Option<Place> {
        match self {
            Duty::Intake { .. } | Duty::Command(_) | Duty::Answers => None,
            Duty::Handoff(place) => Some(place),
            Duty::Deliveries(outbound) => Some(Place::Outbound(outbound)),
        }
    }
}

/// Records that are committed together or leave the batch together.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub duty: Duty,
    records: Range<usize>,
    appended: Range<usize>,
}

/// A row that the batch appends, as it is kept in memory afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Appended {
    pub to: Place,
    pub message: MessageId,
    pub source: Source,
    pub sole: bool,
    pub id_hash: IdHash,
    pub keys: Keys,
    pub hops: u8,
    pub len: u64,
    /// The call that goes on for it, and its place there.
    pub call: Option<(CallId, usize)>,
}

/// One commit. Once it is shared with the host it does not change.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    building: Transaction,
    shared: Option<Arc<Transaction>>,
    pub units: Vec<Unit>,
    pub appended: Vec<Appended>,
    /// What operators are told once the outcome is known.
    pub commands: Vec<Ordered>,
    has_switches: bool,
    bytes: u64,
    /// Bytes that it may come to now.
    allowed: u64,
}

/// A command in a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ordered {
    pub id: CommandId,
    /// The message that it makes.
    pub makes: Option<MessageId>,
    /// The lane that it consumes from or sets. Without it the command leaves the batch.
    pub lane: Option<LaneId>,
}

impl Batch {
    /// An empty batch in the memory of one that is done.
    pub fn renewed(mut self) -> Batch {
        if let Some(transaction) = self.shared.take().and_then(Arc::into_inner) {
            self.building = transaction;
        }
        self.building.records.clear();
        self.building.lanes.clear();
        self.units.clear();
        self.appended.clear();
        self.commands.clear();
        self.has_switches = false;
        self.bytes = 0;
        self
    }

    pub fn share(&mut self) -> Arc<Transaction> {
        let transaction = Arc::new(core::mem::take(&mut self.building));
        self.shared = Some(Arc::clone(&transaction));
        transaction
    }

    /// What was built, for a host that never sees the batch.
    pub fn into_transaction(self) -> Transaction {
        self.building
    }

    pub fn transaction(&self) -> &Transaction {
        self.shared.as_deref().unwrap_or(&self.building)
    }

    pub fn is_empty(&self) -> bool {
        self.transaction().records.is_empty() && self.transaction().lanes.is_empty()
    }

    /// Sets how many bytes it may hold.
    pub fn allow(&mut self, bytes: u64) {
        self.allowed = bytes;
    }

    pub fn fits(&self, records: usize, bytes: u64) -> bool {
        self.building.records.len() < records && self.bytes < bytes.min(self.allowed)
    }

    pub fn record(&mut self, record: Record) {
        if let Record::Message(message) = &record {
            self.bytes += in_memory(&message.body);
        }
        self.has_switches |= matches!(record, Record::Switch(_));
        self.building.records.push(record);
    }

    /// Appends a row. `source` is where its bytes are at hand.
    pub fn append(&mut self, lane: LaneId, body: RowBody, row: Appended) {
        if let RowBody::Own(body) = &body {
            self.bytes += in_memory(body);
        }
        let Appended { message, sole, id_hash, hops, len, .. } = row;
        let keys = row.keys.clone();
        let append = Append { lane, message, body, sole, id_hash, keys, hops, len };
        self.building.records.push(Record::Append(append));
        self.appended.push(row);
    }

    pub fn update(&mut self, update: LaneUpdate) {
        self.building.lanes.push(update);
    }

    pub fn updates(&mut self) -> &mut [LaneUpdate] {
        &mut self.building.lanes
    }

    /// Where the next unit begins.
    pub fn mark(&self) -> (usize, usize) {
        (self.building.records.len(), self.appended.len())
    }

    /// Ends the unit that began at `mark`.
    pub fn end(&mut self, duty: Duty, mark: (usize, usize)) {
        let records = mark.0..self.building.records.len();
        let appended = mark.1..self.appended.len();
        self.units.push(Unit { duty, records, appended });
    }

    pub fn has(&self, duty: Duty) -> bool {
        self.units.iter().any(|unit| unit.duty == duty)
    }

    /// The switches that it sets.
    pub fn take_switches(&mut self) -> Vec<Switch> {
        if !core::mem::take(&mut self.has_switches) {
            return Vec::new();
        }
        let switch = |record: &Record| match record {
            Record::Switch(switch) => Some(switch.clone()),
            _ => None,
        };
        self.transaction().records.iter().filter_map(switch).collect()
    }

    /// What handlers have sent in the units that do not stay.
    pub fn bodies_leaving(&self, stays: impl Fn(Duty) -> bool) -> impl Iterator<Item = &Body> {
        let is_left =
            move |unit: &&Unit| matches!(unit.duty, Duty::Handoff(_)) && !stays(unit.duty);
        let records = |unit: &Unit| &self.transaction().records[unit.records.clone()];
        self.units.iter().filter(is_left).flat_map(records).filter_map(|record| match record {
            Record::Append(Append { body: RowBody::Own(body), .. }) => Some(body),
            _ => None,
        })
    }

    /// What is left when only these units stay, and these lanes' rows.
    pub fn filtered(
        &self,
        stays: impl Fn(Duty) -> bool,
        updates: impl Fn(LaneId) -> bool,
    ) -> Batch {
        let mut rest = Batch::default();
        for unit in self.units.iter().filter(|unit| stays(unit.duty)) {
            let mark = rest.mark();
            let records = &self.transaction().records[unit.records.clone()];
            rest.building.records.extend_from_slice(records);
            rest.appended.extend_from_slice(&self.appended[unit.appended.clone()]);
            rest.end(unit.duty, mark);
        }
        let lanes = self.transaction().lanes.iter().filter(|update| updates(update.lane));
        rest.building.lanes.extend(lanes.copied());
        // What an operator is told of a head is told with its lane.
        let stays = |it: &&Ordered| match it.lane {
            _ if self.has(Duty::Command(it.id)) => rest.has(Duty::Command(it.id)),
            Some(lane) => updates(lane),
            None => true,
        };
        rest.commands = self.commands.iter().filter(stays).copied().collect();
        rest.has_switches = self.has_switches;
        rest
    }
}
