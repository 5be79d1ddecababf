//! The way of one message, as the store tells it.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use hl7_peek::{Message, Path, Scan};
use mllp_pipeline::{Event, LaneId, MessageId, Seq, Stage, Stamp, What};
use mllp_store::{Held, Life, Reader, StoreError, StoredMessage};

use crate::differences::differences;
use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::names::Names;

/// Bodies above this many bytes are not compared.
const COMPARED: u64 = 4 << 20;

/// What has happened to a message, from the store and not from memory.
#[derive(Clone, Debug)]
pub struct Journey {
    /// The message, without its body.
    pub message: StoredMessage,
    events: Vec<Event>,
    names: Names,
    /// The life that has received it, and those that have written its events.
    lives: Vec<Life>,
    /// What each transformation has changed, by its stamp.
    changes: BTreeMap<Stamp, Vec<Change>>,
}

/// In which fields what a handler has sent differs from what it was given; `None`: a body has expired,
/// or they are too large to compare.
pub type Change = Option<Vec<String>>;

/// The acknowledgment of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledgment {
    /// MSA-1, such as `AA`; empty: the message was not answered.
    pub code: String,
    /// MSH-10 of the acknowledgment itself.
    pub control_id: String,
}

impl Engine {
    /// What has happened to a message, from the store; `None`: there is no such message.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn journey(&self, id: MessageId) -> Result<Option<Journey>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        Ok(Journey::read(reader, &self.names, id)?)
    }

    /// The bytes of a message as they were received; `None`: there is no such message, or its body has
    /// expired. They are patients' data: only who may see them should be shown them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn payload(&self, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        Ok(body(reader, Held::Message(id))?)
    }

    /// The name of the inbound that has received a message.
    pub fn inbound_of(&self, message: &StoredMessage) -> String {
        self.names.of(message.message.inbound)
    }

    /// When retention has deleted a message; `None`: it is there, or there never was one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn expired(&self, id: MessageId) -> Result<Option<u64>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(reader.as_deref_mut().ok_or_else(ended)?.expired(id)?)
    }

    /// When retention has deleted the newest message with this MSH-10 that is gone; `None`: it is not
    /// known that there was one. So many are remembered, and so long, as
    /// [`ControlIds`](mllp_store::ControlIds) says.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn expired_control_id(&self, control_id: &str) -> Result<Option<u64>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        Ok(reader.expired_control_id(control_id.as_bytes())?)
    }
}

impl Journey {
    /// Reads it; `None`: there is no such message.
    pub(crate) fn read(
        reader: &mut dyn Reader,
        names: &Names,
        id: MessageId,
    ) -> Result<Option<Journey>, StoreError> {
        let Some(message) = reader.message(id)? else { return Ok(None) };
        let events = reader.journey(id)?;
        let mut lives = Vec::new();
        // Before anything has happened to it, it is of the life that runs or has run last.
        let newest = Stamp(i64::MAX as u64);
        for stamp in events.iter().map(|it| it.stamp).chain(events.is_empty().then_some(newest)) {
            lives.extend(reader.life(stamp)?);
        }
        lives.dedup_by_key(|it| it.stamp);
        let changes = changes(reader, &message, &events)?;
        Ok(Some(Journey { message, events, names: names.clone(), lives, changes }))
    }

    /// What has happened after it was received and answered, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The name of the inbound, handler or outbound that has this lane.
    pub fn name(&self, lane: LaneId) -> String {
        self.names.of(lane)
    }

    /// Whether this lane is an outbound's.
    pub(crate) fn is_outbound(&self, lane: LaneId) -> bool {
        self.names.stage(lane) == Some(Stage::Outbound)
    }

    /// Where it came from: the address of its sender, or the name of a file; empty if that is not
    /// known.
    pub fn origin(&self) -> String {
        String::from_utf8_lossy(&self.message.message.origin.0).into_owned()
    }

    /// What the program calls the configuration that has routed it; `None`: it was not routed, or
    /// that is not known.
    pub fn configuration(&self) -> Option<&str> {
        let routed = self.events.iter().find(|it| matches!(it.what, What::Routed { .. }))?;
        let configuration = self.life(routed.stamp)?.configuration.as_str();
        (!configuration.is_empty()).then_some(configuration)
    }

    /// The router that has chosen its handlers with this event.
    pub fn router(&self, event: &Event) -> Option<&str> {
        let inbound = match &event.what {
            What::Routed { inbound: Some(inbound), .. } => *inbound,
            _ => self.message.message.inbound,
        };
        let inbounds = &self.life(event.stamp)?.inbounds;
        inbounds.iter().find(|it| it.lane == inbound).map(|it| it.router.as_str())
    }

    /// What a transformation has changed, for each of its destinations.
    pub fn changes(&self, event: &Event) -> &[Change] {
        self.changes.get(&event.stamp).map_or(&[], Vec::as_slice)
    }

    /// The life that has written this event, by its engine's start.
    pub fn life(&self, stamp: Stamp) -> Option<&Life> {
        self.lives.iter().rfind(|it| it.stamp <= stamp)
    }

    /// Whether its inbound answered after delivery, when it was received: then the journey says what
    /// was answered, and when.
    pub fn answers_after_delivery(&self) -> bool {
        let inbound = self.message.message.inbound;
        let life = self.lives.first();
        let of = life.and_then(|life| life.inbounds.iter().find(|it| it.lane == inbound));
        of.is_some_and(|it| it.answers_after_delivery)
    }

    /// The acknowledgment that is stored with it.
    pub fn acknowledgment(&self) -> Acknowledgment {
        let bytes = &self.message.message.acknowledgment.0;
        let message = Message::parse_lenient(bytes, Scan::SingleByte);
        let text = |path: &str| {
            let path = Path::parse(path).ok()?;
            let value = message.as_ref()?.get(path)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let [code, control_id] = ["MSA-1", "MSH-10"].map(|it| text(it).unwrap_or_default());
        Acknowledgment { code, control_id }
    }
}

/// A body; `None`: there is none.
pub(crate) fn body(reader: &mut dyn Reader, of: Held) -> Result<Option<Vec<u8>>, StoreError> {
    let mut payload = Vec::new();
    let found = reader.body(of, &mut |piece| payload.extend_from_slice(piece))?;
    Ok(found.then_some(payload))
}

/// What the transformations of a message have changed.
fn changes(
    reader: &mut dyn Reader,
    stored: &StoredMessage,
    events: &[Event],
) -> Result<BTreeMap<Stamp, Vec<Change>>, StoreError> {
    let mut all = BTreeMap::new();
    let transforms = || events.iter().any(|it| matches!(it.what, What::Transformed { .. }));
    if stored.body_expired.is_some() || stored.len > COMPARED || !transforms() {
        return Ok(all);
    }
    let id = stored.message.id;
    let Some(received) = body(reader, Held::Message(id))? else { return Ok(all) };
    let mut rows = Rows { message: id, of: BTreeMap::new() };
    // What handlers have sent to handlers and to inbounds.
    let mut given: BTreeMap<LaneId, Vec<u8>> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Transformed { handler, outbounds } => {
                let given_to_it = given.get(handler).unwrap_or(&received).clone();
                let mut changes = Vec::with_capacity(outbounds.len());
                for lane in outbounds {
                    let row = rows.next(reader, *lane)?;
                    let sent = row.map(|seq| body(reader, Held::Row(*lane, seq))).transpose()?;
                    // A row without bytes of its own is about those of its message.
                    let sent = sent.map(|it| it.unwrap_or_else(|| received.clone()));
                    changes.push(sent.as_ref().map(|sent| differences(&given_to_it, sent)));
                    given.extend(sent.map(|sent| (*lane, sent)));
                }
                all.insert(event.stamp, changes);
            }
            // What a handler has sent to an inbound goes on to the handlers that its router chose.
            What::Routed { inbound: Some(inbound), handlers } => {
                if let Some(sent) = given.get(inbound).cloned() {
                    given.extend(handlers.iter().map(|it| (*it, sent.clone())));
                }
            }
            What::Released { outbound: to, .. }
            | What::Replayed { to, .. }
            | What::Moved { to, .. } => drop(rows.next(reader, *to)?),
            _ => {}
        }
    }
    Ok(all)
}

/// The rows of a message, as its events append them one by one.
struct Rows {
    message: MessageId,
    /// Of each lane, those that no event has had yet, the last one first.
    of: BTreeMap<LaneId, Vec<Seq>>,
}

impl Rows {
    fn next(&mut self, reader: &mut dyn Reader, lane: LaneId) -> Result<Option<Seq>, StoreError> {
        if !self.of.contains_key(&lane) {
            let mut rows = reader.rows_of(lane, self.message)?;
            rows.reverse();
            self.of.insert(lane, rows);
        }
        Ok(self.of.get_mut(&lane).and_then(Vec::pop))
    }
}
