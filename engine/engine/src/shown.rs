//! The way of one message in words.

use std::fmt;

use mllp_pipeline::{By, Event, LaneId, What};

use crate::journey::{Acknowledgment, Change, Journey};
use crate::moment::{date, moment, time};

/// Fields that are named of those that differ.
const NAMED: usize = 12;
/// Characters of a configuration's hash that are shown.
const SHORT: usize = 7;

impl Journey {
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

    /// What has happened, in words: a line without its time, of a transformation one for each
    /// destination.
    pub fn lines(&self, event: &Event) -> Vec<String> {
        match &event.what {
            What::Routed { inbound, handlers } => {
                let at = inbound.map_or(String::new(), |it| format!("  at {}", self.name(it)));
                let router = self.router(event).map_or(String::new(), |it| format!("{it} -> "));
                vec![format!("routed        {router}{}{at}", self.names(handlers))]
            }
            What::Transformed { handler, outbounds } if !outbounds.is_empty() => {
                let unknown = None;
                let changes = self.changes(event).iter().chain(std::iter::repeat(&unknown));
                let lines = outbounds.iter().zip(changes).map(|(to, change)| {
                    let (handler, to) = (self.name(*handler), self.name(*to));
                    format!("transformed   {handler} -> {to}{}", changed(change))
                });
                lines.collect()
            }
            What::PossiblySent { outbound } => {
                let started = self.started(event);
                vec![format!("possibly sent {}  {started}", self.name(*outbound))]
            }
            What::Delivered { outbound, .. } => {
                let was_sent = |it: &&Event| {
                    it.stamp < event.stamp && it.what == What::PossiblySent { outbound: *outbound }
                };
                let before = self.events().iter().rfind(was_sent);
                let before = before.map_or(String::new(), |it| {
                    format!("  possibly sent before {}", self.started(it))
                });
                vec![format!("{}{before}", self.line(&event.what))]
            }
            What::Answered { accepted: true } => {
                vec![acknowledged(&self.acknowledgment())]
            }
            other => vec![self.line(other).trim_end().to_owned()],
        }
    }

    /// When the engine was started that has written this event.
    fn started(&self, event: &Event) -> String {
        let Some(life) = self.life(event.stamp) else { return String::new() };
        let after = if life.after_crash { " after a crash" } else { "" };
        format!("(engine started {}{after})", moment(life.began_at))
    }

    /// What has happened, in words that need nothing but the event.
    fn line(&self, what: &What) -> String {
        match what {
            What::Received { inbound, .. } => format!("received      {}", self.name(*inbound)),
            What::Routed { handlers, .. } => format!("routed        {}", self.names(handlers)),
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
            What::Warned { outbound, note } => {
                format!("warned        {}  {}", self.name(*outbound), plain(&note.0))
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

/// What a transformation has changed.
fn changed(change: &Change) -> String {
    match change.as_deref() {
        None => String::new(),
        Some([]) => " (unchanged)".to_owned(),
        Some([field]) => format!(" (1 field differs: {})", plain(field)),
        Some(fields) => {
            let named = fields.iter().take(NAMED).map(|it| plain(it)).collect::<Vec<_>>();
            let more = if fields.len() > NAMED { ", ..." } else { "" };
            format!(" ({} fields differ: {}{more})", fields.len(), named.join(", "))
        }
    }
}

fn acknowledged(acknowledgment: &Acknowledgment) -> String {
    let Acknowledgment { code, control_id } = acknowledgment;
    match (code.as_str(), control_id.as_str()) {
        ("", _) => "not answered".to_owned(),
        (code, "") => format!("answered {}", plain(code)),
        (code, id) => format!("answered {} (ACK control ID {})", plain(code), plain(id)),
    }
}

/// A number with its thousands set apart.
fn thousands(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
    }
}

impl Journey {
    /// What is known of the message itself.
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message.message;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_default().to_string();
        let (kind, control_id) = (text(&message.message_type.0), text(&message.control_id.0));
        let inbound = self.name(message.inbound);
        write!(f, "{}  {kind}  control ID {control_id}  {inbound}", message.id)?;
        let origin = self.origin();
        if !origin.is_empty() {
            write!(f, "  from {}", plain(&origin))?;
        }
        let (len, session) = (thousands(self.message.len), message.session);
        writeln!(f, "  {len} bytes  session {session}")?;
        if let Some(original) = message.original {
            writeln!(f, "an edited copy of {original}")?;
        }
        if let Some(configuration) = self.configuration() {
            let short =
                configuration.char_indices().nth(SHORT).map_or(configuration.len(), |it| it.0);
            writeln!(f, "configuration {}", plain(&configuration[..short]))?;
        }
        let at = message.received_at;
        writeln!(f, "{} (UTC)", date(at))?;
        writeln!(f, "{}  received      {inbound}", time(at))?;
        let stored = match self.answers_after_delivery() && message.accepted {
            true => "to be answered after delivery".to_owned(),
            false => acknowledged(&self.acknowledgment()),
        };
        writeln!(f, "{:12}  stored, {stored}", "")?;
        match self.message.body_expired {
            None => Ok(()),
            Some(at) => writeln!(f, "{:12}  its body expired on {}", "", date(at)),
        }
    }
}

/// What is known of the message, and a line for each event, with the time of day in UTC; a day that
/// begins has a line of its own.
impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        let mut day = date(self.message.message.received_at);
        for event in self.events() {
            if date(event.at) != day {
                day = date(event.at);
                writeln!(f, "{day} (UTC)")?;
            }
            for line in self.lines(event) {
                writeln!(f, "{}  {line}", time(event.at))?;
            }
        }
        write!(f, "{}", self.message.disposition.name())?;
        match self.message.since {
            0 => Ok(()),
            since => write!(f, " {}", moment(since)),
        }
    }
}
