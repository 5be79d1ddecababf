//! The messages of an engine that is stopped, or of a backup, and what can be proven of each.

use std::fmt;
use std::path::Path;

use mllp_pipeline::{Event, LaneId, MessageId, Seq, What};
use mllp_store::{Digest, Found, Held, Reader, Stopped, StoredMessage, hexadecimal};

use crate::error::Error;
use crate::journey::{Journey, body};
use crate::moment::moment;
use crate::names::Names;
use crate::search::{Search, find};
use crate::shown::plain;

/// The store of an engine that is stopped, to be read. No engine can be started on it meanwhile.
pub struct Offline {
    stopped: Stopped,
    names: Names,
}

/// What proves that a message was received, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its position in the log: its number among the messages, and its row in the lane of its inbound.
    pub message: MessageId,
    /// That row; `None`: it was not queued there.
    pub row: Option<Seq>,
    /// The inbound.
    pub inbound: String,
    /// SHA-256 of the bytes that were received, in hexadecimal digits; `None`: they have expired.
    pub sha256: Option<String>,
    /// The acknowledgment that was stored with it; empty: there was none.
    pub acknowledgment: Vec<u8>,
    /// Where its deliveries have ended or stand, in the order in which they were first mentioned.
    pub deliveries: Vec<Ended>,
}

/// Where the deliveries of a message to an outbound have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The outbound.
    pub outbound: String,
    /// `delivered`, `dead`, `held`, `cancelled` or `moved`; `open`: it has not ended.
    pub how: &'static str,
    /// When that was written, by the wall clock.
    pub at: u64,
    /// What the partner said; empty if nothing.
    pub said: String,
}

impl Offline {
    /// Opens the store of a directory.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: there is none, an engine uses it, or it has another format.
    pub fn open(data: &Path) -> Result<Offline, Error> {
        let stopped = Stopped::open(data)?;
        let mut names = Names::default();
        stopped.lanes.iter().for_each(|(lane, it)| names.add(*lane, it.stage, &it.name));
        Ok(Offline { stopped, names })
    }

    /// Messages below `before`, newest first, at most `limit`, as a running engine finds them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn search(
        &mut self,
        search: &Search,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Found, Error> {
        find(&mut *self.stopped.reader, &self.names, search, before, limit)
    }

    /// The name of the inbound that has received a message.
    pub fn inbound_of(&self, message: &StoredMessage) -> String {
        self.names.of(message.message.inbound)
    }

    /// What has happened to a message, and its receipt; `None`: there is no such message.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn show(&mut self, id: MessageId) -> Result<Option<(Journey, Receipt)>, Error> {
        let reader = &mut *self.stopped.reader;
        let Some(journey) = Journey::read(reader, &self.names, id)? else { return Ok(None) };
        let receipt = Receipt::read(reader, &journey)?;
        Ok(Some((journey, receipt)))
    }

    /// When retention has deleted a message; `None`: it is there, or there never was one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn expired(&mut self, id: MessageId) -> Result<Option<u64>, Error> {
        Ok(self.stopped.reader.expired(id)?)
    }

    /// As [`Engine::expired_control_id`](crate::Engine::expired_control_id).
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn expired_control_id(&mut self, control_id: &str) -> Result<Option<u64>, Error> {
        Ok(self.stopped.reader.expired_control_id(control_id.as_bytes())?)
    }

    /// The bytes of a message as they were received; `None`: there is no such message, or they have
    /// expired. They are patients' data: only who may see them should be shown them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn payload(&mut self, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        Ok(body(&mut *self.stopped.reader, Held::Message(id))?)
    }
}

impl Receipt {
    fn read(reader: &mut dyn Reader, journey: &Journey) -> Result<Receipt, Error> {
        let message = &journey.message.message;
        let mut digest = Digest::default();
        // The bytes of a duplicate are those of the first.
        let duplicate_of = message.duplicate_of.filter(|_| journey.message.len == 0);
        let of = Held::Message(duplicate_of.unwrap_or(message.id));
        let is_there = reader.body(of, &mut |piece| digest.add(piece))?;
        Ok(Receipt {
            message: message.id,
            row: reader.rows_of(message.inbound, message.id)?.first().copied(),
            inbound: journey.name(message.inbound),
            sha256: is_there.then(|| hexadecimal(&digest.end())),
            acknowledgment: message.acknowledgment.0.to_vec(),
            deliveries: deliveries(journey),
        })
    }
}

/// Where deliveries have ended: the last that has happened at each outbound counts.
fn deliveries(journey: &Journey) -> Vec<Ended> {
    let mut all: Vec<(LaneId, Ended)> = Vec::new();
    let mut set = |lane: LaneId, how: &'static str, at: u64, said: &str| {
        if !journey.is_outbound(lane) {
            return;
        }
        let ended = Ended { outbound: journey.name(lane), how, at, said: plain(said) };
        match all.iter_mut().find(|(its, _)| *its == lane) {
            Some((_, it)) => *it = ended,
            None => all.push((lane, ended)),
        }
    };
    for Event { at, what, .. } in journey.events() {
        match what {
            What::Transformed { outbounds, .. } => {
                outbounds.iter().for_each(|it| set(*it, "open", *at, ""));
            }
            What::Delivered { outbound, note, .. } => set(*outbound, "delivered", *at, &note.0),
            What::Attempt { outbound, note, .. } => set(*outbound, "open", *at, &note.0),
            What::Dead { lane, .. } => set(*lane, "dead", *at, ""),
            What::Held { outbound, .. } => set(*outbound, "held", *at, ""),
            What::Cancelled { lane, .. } => set(*lane, "cancelled", *at, ""),
            What::Released { outbound: to, .. } | What::Replayed { to, .. } => {
                set(*to, "open", *at, "");
            }
            What::Moved { from, to, .. } => {
                set(*from, "moved", *at, "");
                set(*to, "open", *at, "");
            }
            _ => {}
        }
    }
    all.into_iter().map(|(_, ended)| ended).collect()
}

/// A line for each fact.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position      message {}", self.message)?;
        if let Some(row) = self.row {
            write!(f, ", row {row} of {}", self.inbound)?;
        }
        let expired = "expired with its body";
        writeln!(f, "\nSHA-256       {}", self.sha256.as_deref().unwrap_or(expired))?;
        match self.acknowledgment.is_empty() {
            true => writeln!(f, "acknowledged  nothing was answered when it was stored")?,
            false => {
                let text = String::from_utf8_lossy(&self.acknowledgment);
                let lines = text.split('\r').filter(|it| !it.is_empty());
                for (n, line) in lines.enumerate() {
                    let head = if n == 0 { "acknowledged" } else { "" };
                    writeln!(f, "{head:12}  {}", plain(line))?;
                }
            }
        }
        for Ended { outbound, how, at, said } in &self.deliveries {
            let line = format!("{how:<12}  {outbound}  {}  {said}", moment(*at));
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
