//! The way of one message, as the store tells it.

use std::fmt;
use std::sync::PoisonError;

use mllp_pipeline::{By, Event, LaneId, MessageId, What};
use mllp_store::{Held, StoredMessage};

use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::names::Names;

/// What has happened to a message, from the store and not from memory.
#[derive(Clone, Debug)]
pub struct Journey {
    /// The message, without its body.
    pub message: StoredMessage,
    events: Vec<Event>,
    names: Names,
}

impl Engine {
    /// What has happened to a message, from the store; `None`: there is no such message.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn journey(&self, id: MessageId) -> Result<Option<Journey>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_mut().ok_or_else(ended)?;
        let Some(message) = reader.message(id)? else { return Ok(None) };
        let events = reader.journey(id)?;
        Ok(Some(Journey::new(message, events, (*self.names).clone())))
    }

    /// The bytes of a message as they were received; `None`: there is no such message, or its body has
    /// expired. They are patients' data: only who may see them should be shown them.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read.
    pub fn payload(&self, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_mut().ok_or_else(ended)?;
        let mut payload = Vec::new();
        let held = Held::Message(id);
        let found = reader.body(held, &mut |piece| payload.extend_from_slice(piece))?;
        Ok(found.then_some(payload))
    }

    /// The name of the inbound that has received a message.
    pub fn inbound_of(&self, message: &StoredMessage) -> String {
        self.names.of(message.message.inbound)
    }
}

impl Journey {
    pub(crate) fn new(message: StoredMessage, events: Vec<Event>, names: Names) -> Self {
        Journey { message, events, names }
    }

    /// What has happened after it was received and answered, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The name of the inbound, handler or outbound that has this lane.
    pub fn name(&self, lane: LaneId) -> String {
        self.names.of(lane)
    }

    fn names(&self, lanes: &[LaneId]) -> String {
        match lanes {
            [] => "nothing".to_owned(),
            lanes => lanes.iter().map(|lane| self.name(*lane)).collect::<Vec<_>>().join(", "),
        }
    }

    fn by(&self, by: &By) -> String {
        let mut text = String::new();
        if !by.who.0.is_empty() {
            text.push_str(&format!("  by {}", by.who.0));
        }
        if !by.reason.0.is_empty() {
            text.push_str(&format!("  \"{}\"", by.reason.0.escape_default()));
        }
        text
    }

    /// What has happened, in words: a line without its time.
    pub fn line(&self, what: &What) -> String {
        match what {
            What::Received { inbound, .. } => format!("received      {}", self.name(*inbound)),
            What::Routed { inbound: None, handlers } => {
                format!("routed        {}", self.names(handlers))
            }
            What::Routed { inbound: Some(inbound), handlers } => {
                format!("routed        {} -> {}", self.name(*inbound), self.names(handlers))
            }
            What::Transformed { handler, outbounds } => {
                format!("transformed   {} -> {}", self.name(*handler), self.names(outbounds))
            }
            What::Attempt { outbound, attempt, failure, note } => {
                let why = failure.name();
                format!("attempt {attempt:<5} {}  {why}  {}", self.name(*outbound), plain(&note.0))
            }
            What::PossiblySent { outbound } => {
                format!("possibly sent {}", self.name(*outbound))
            }
            What::Overtaken { outbound, by } => {
                format!("overtaken     {}  by {by}", self.name(*outbound))
            }
            What::Delivered { outbound, milliseconds, note } => {
                let said = plain(&note.0);
                format!("delivered     {}  {said}  {milliseconds} ms", self.name(*outbound))
            }
            What::Dead { lane, failure } => {
                format!("dead          {}  {}", self.name(*lane), failure.name())
            }
            What::Failed { lane, failure, note } => {
                let said = plain(&note.0);
                format!("failed        {}  {}  {said}", self.name(*lane), failure.name())
            }
            What::Answered { accepted: true } => "answered      accepted".to_owned(),
            What::Answered { accepted: false } => "answered      not delivered".to_owned(),
            What::SameControlId { of } => format!("same ID       as {of}, with other bytes"),
            What::Duplicate { of } => format!("duplicate     of {of}"),
            What::GaveUp { outbound, failure } => {
                format!("gave up       {}  {}  stopped", self.name(*outbound), failure.name())
            }
            What::Held { outbound, failure, by } => {
                let why = failure.map_or("", |it| it.name());
                format!("held          {}  {why}{}", self.name(*outbound), self.by(by))
            }
            What::Released { outbound, newer, by } => {
                format!("released      {}{}{}", self.name(*outbound), self.by(by), after(*newer))
            }
            What::Replayed { to, newer, by } => {
                format!("replayed      to {}{}{}", self.name(*to), self.by(by), after(*newer))
            }
            What::Edited { copy, by } => format!("edited        as {copy}{}", self.by(by)),
            What::Cancelled { lane, by } => {
                format!("cancelled     {}{}", self.name(*lane), self.by(by))
            }
            What::Moved { from, to, by } => {
                let (from, to) = (self.name(*from), self.name(*to));
                format!("moved         {from} -> {to}{}", self.by(by))
            }
        }
    }
}

/// What an older message comes after.
fn after(newer: u64) -> String {
    if newer == 0 { String::new() } else { format!("  after {newer} newer") }
}

/// What a partner or an operator said, on one line and without anything that a terminal obeys.
pub(crate) fn plain(text: &str) -> String {
    let shown = |char: char| match char {
        char if char.is_control() => char.escape_default().collect(),
        char => String::from(char),
    };
    text.chars().map(shown).collect()
}

/// A line for each event, with the time of day in UTC; a day that begins has a line of its own.
impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message.message;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_default().to_string();
        writeln!(
            f,
            "{}  {}  control ID {}  {}  {} bytes  session {}",
            message.id,
            text(&message.message_type.0),
            text(&message.control_id.0),
            self.name(message.inbound),
            self.message.len,
            message.session,
        )?;
        let answer = if message.accepted { "accepted" } else { "refused" };
        let mut day = date(message.received_at);
        writeln!(f, "{day} (UTC)")?;
        writeln!(f, "{}  stored, answered {answer}", time(message.received_at))?;
        if let Some(at) = self.message.body_expired {
            writeln!(f, "its body expired on {}", date(at))?;
        }
        for event in &self.events {
            if date(event.at) != day {
                day = date(event.at);
                writeln!(f, "{day} (UTC)")?;
            }
            writeln!(f, "{}  {}", time(event.at), self.line(&event.what).trim_end())?;
        }
        write!(f, "{}", self.message.disposition.name())?;
        match self.message.since {
            0 => Ok(()),
            since => write!(f, " {}", moment(since)),
        }
    }
}

/// The day, in UTC.
pub(crate) fn date(at: u64) -> String {
    // Days since the first of March of the year 0, as Howard Hinnant's calendar counts them.
    let days = at / 86_400_000 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + next)
}

/// A time of the wall clock, milliseconds since 1970, as a day and a time of day in UTC.
pub fn moment(at: u64) -> String {
    format!("{} {}Z", date(at), time(at))
}

/// The time of day, in UTC.
pub(crate) fn time(at: u64) -> String {
    let (seconds, milliseconds) = (at / 1000 % 86_400, at % 1000);
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!("{hour:02}:{minute:02}:{:02}.{milliseconds:03}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_dates() {
        let day = 86_400_000;
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(59 * day), "1970-03-01");
        assert_eq!(date(11_016 * day), "2000-02-29");
        assert_eq!(date(11_017 * day - 1), "2000-02-29");
        assert_eq!(date(1_796_000_000_000), "2026-11-30");
        assert_eq!(date(47_540 * day), "2100-02-28");
        assert_eq!(date(47_541 * day), "2100-03-01");
    }
}
