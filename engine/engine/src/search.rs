//! Searching the messages of a running engine.

use std::ops::Range;
use std::sync::PoisonError;

use hl7_peek::{Path, Scan};
use mllp_pipeline::{Disposition, Keys, MessageId, Piece, Stage, field_hash};
use mllp_store::{Found, Held, Query, Reader, StoredMessage};

use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::names::Names;

/// What is searched for. A message is found that meets all of it.
#[derive(Clone, Default)]
pub struct Search {
    /// MSH-10.
    pub control_id: Option<String>,
    /// MSH-9, or its first component or two: `ADT` finds `ADT^A01^ADT_A01`.
    pub message_type: Option<String>,
    /// Fields that the inbound indexes, such as `PID-3.1`, each with its value as it stands in the
    /// message.
    pub fields: Vec<(String, String)>,
    /// When it was received: milliseconds since 1970 in UTC.
    pub received: Option<Range<u64>>,
    /// The inbound, handler or outbound that it went through.
    pub connection: Option<String>,
    /// What has become of it.
    pub disposition: Option<Disposition>,
}

/// A field by which messages of an inbound are found.
#[derive(Clone)]
pub(crate) struct IndexedField {
    name: String,
    path: Path,
}

impl IndexedField {
    /// `None`: this is no path to a field.
    pub(crate) fn parse(name: &str) -> Option<IndexedField> {
        let path = Path::parse(name).ok().filter(|it| it.field().is_some())?;
        Some(IndexedField { name: name.to_owned(), path })
    }

    /// Gives out the value of every segment and repetition that has one.
    pub(crate) fn values<'a>(
        &self,
        message: &hl7_peek::Message<'a>,
        each: &mut dyn FnMut(&'a [u8]),
    ) {
        let below = |number: Option<u32>| number.map_or(0, |it| it as usize - 1);
        let path = self.path;
        let segments = message.segments().filter(|it| it.id() == path.segment());
        for field in segments.filter_map(|it| it.field(path.field()? as usize)) {
            for repetition in field.repetitions() {
                let component = repetition.components().nth(below(path.component()));
                let value =
                    component.and_then(|it| it.subcomponents().nth(below(path.subcomponent())));
                value.filter(|it| !it.is_empty()).into_iter().for_each(&mut *each);
            }
        }
    }
}

/// The hashes by which a message is found.
pub(crate) fn indexed(fields: &[IndexedField], payload: &[u8]) -> Vec<u64> {
    let mut hashes = Vec::new();
    values(fields, payload, |field, value| hashes.push(field_hash(&field.name, value)));
    hashes
}

/// Calls `take` with every value of these fields, wherever they stand in the payload.
pub(crate) fn values(
    fields: &[IndexedField],
    payload: &[u8],
    mut take: impl FnMut(&IndexedField, &[u8]),
) {
    if fields.is_empty() {
        return;
    }
    let Some(message) = hl7_peek::Message::parse_lenient(payload, Scan::SingleByte) else { return };
    for field in fields {
        field.values(&message, &mut |value| take(field, value));
    }
}

impl Engine {
    /// Messages below `before` that are searched for, newest first, at most `limit`. A call is bounded and
    /// may find nothing though there is more: [`Found::next`] says where to go on.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`]: there is no such connection, or a field's path is none.
    /// [`Error::Store`]: the store cannot be read.
    pub fn search(
        &self,
        search: &Search,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Found, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        find(reader, &self.names, search, before, limit)
    }
}

/// Finds messages. See [`Engine::search`].
pub(crate) fn find(
    reader: &mut dyn Reader,
    names: &Names,
    search: &Search,
    before: Option<MessageId>,
    limit: u32,
) -> Result<Found, Error> {
    let fields = search.fields.iter().map(|(path, value)| {
        let field = IndexedField::parse(path);
        field.map(|it| (it, value.as_bytes())).ok_or_else(|| refused("no path to a field", path))
    });
    let fields: Vec<_> = fields.collect::<Result<_, _>>()?;
    let lane = search.connection.as_ref().map(|name| {
        let stages = [Stage::Ingress, Stage::Outbound, Stage::Routed];
        let lane = stages.into_iter().find_map(|stage| names.lane(stage, name));
        lane.ok_or_else(|| refused("unknown connection", name))
    });
    let piece = |text: &Option<String>| text.as_ref().map(|it| Piece::from(it.as_bytes()));
    let hash = |(field, value): &(IndexedField, &[u8])| field_hash(&field.name, value);
    let query = Query {
        control_id: piece(&search.control_id),
        message_type: piece(&search.message_type),
        indexed: Keys::new(&fields.iter().map(hash).collect::<Vec<_>>()),
        received: search.received.clone(),
        lane: lane.transpose()?,
        disposition: search.disposition,
    };
    let mut found = reader.search(&query, before.unwrap_or(MessageId(u64::MAX)), limit)?;
    if !fields.is_empty() {
        let mut kept = Vec::new();
        for message in found.messages {
            if holds(reader, &message, &fields)? {
                kept.push(message);
            }
        }
        found.messages = kept;
    }
    Ok(found)
}

/// Whether a message has these values, or its bytes are gone. Two values may share a hash.
fn holds(
    reader: &mut dyn Reader,
    found: &StoredMessage,
    fields: &[(IndexedField, &[u8])],
) -> Result<bool, Error> {
    // The bytes of a duplicate are those of the first.
    let duplicate_of = found.message.duplicate_of.filter(|_| found.len == 0);
    let of = Held::Message(duplicate_of.unwrap_or(found.message.id));
    let mut bytes = Vec::new();
    if !reader.body(of, &mut |part| bytes.extend_from_slice(part))? {
        return Ok(true);
    }
    let Some(message) = hl7_peek::Message::parse_lenient(&bytes, Scan::SingleByte) else {
        return Ok(false);
    };
    Ok(fields.iter().all(|(field, wanted)| {
        let mut is_there = false;
        field.values(&message, &mut |value| is_there |= value == *wanted);
        is_there
    }))
}

fn refused(what: &str, name: &str) -> Error {
    Error::Graph(vec![format!("{what}: \"{name}\"")])
}

#[cfg(test)]
mod tests {
    use mllp_pipeline::{Body, LaneId, NewMessage, Record, Transaction};
    use mllp_store::{MemoryStore, Store};

    use super::*;

    /// As two values with the same hash would have it.
    #[test]
    fn the_bytes_decide_whether_a_message_has_a_value() {
        let mut store = MemoryStore::new();
        let body = |patient: &str| format!("MSH|^~\\&|A\rPID|1||{patient}\r").into_bytes();
        let records = [(1, "7"), (2, "8"), (3, "")].map(|(id, patient)| {
            let is_duplicate = patient.is_empty();
            let bytes = if is_duplicate { Vec::new() } else { body(patient) };
            Record::Message(NewMessage {
                body: Body::Inline(bytes.into()),
                indexed: Keys::new(&[field_hash("PID-3.1", b"7")]),
                duplicate_of: is_duplicate.then_some(MessageId(1)),
                ..NewMessage::new(MessageId(id), LaneId(1))
            })
        });
        store.commit(&Transaction { records: records.into(), lanes: vec![] }).unwrap();
        let mut reader = store.reader().unwrap();
        let fields = [(IndexedField::parse("PID-3.1").unwrap(), &b"7"[..])];
        let mut has = |id| {
            let found = reader.message(MessageId(id)).unwrap().unwrap();
            holds(&mut *reader, &found, &fields).unwrap()
        };
        assert_eq!((has(1), has(2)), (true, false));
        assert!(has(3), "the bytes of a duplicate are those of the first");
    }

    #[test]
    fn every_segment_and_repetition_is_found_by() {
        let payload = b"MSH|^~\\&|A\rPID|1||7^^^X~8&9~^^Y\rNK1|1\rPID|2||10\r";
        let field = IndexedField::parse("PID-3.1").unwrap();
        let hash = |value: &[u8]| field_hash("PID-3.1", value);
        let expected = [hash(b"7"), hash(b"8"), hash(b"10")];
        assert_eq!(indexed(std::slice::from_ref(&field), payload), expected);
        assert_eq!(indexed(&[field], b"no message"), []);
        assert!(IndexedField::parse("PID").is_none());
        assert!(IndexedField::parse("PID-0").is_none());
    }
}
