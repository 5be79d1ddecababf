//! The way of one message, as Python sees it.

use mllp_engine::{By, Event, LaneId, What};
use pyo3::prelude::*;

use crate::stored::MessageRecord;

/// What has happened to a message, in facts and, as `text`, a line for each event.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct Journey {
    message: MessageRecord,
    configuration: Option<String>,
    answer: Option<String>,
    ack_control_id: Option<String>,
    events: Vec<JourneyEvent>,
    text: String,
}

/// One line of a journey.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone, Default)]
pub(crate) struct JourneyEvent {
    at: u64,
    kind: &'static str,
    text: String,
    connection: Option<String>,
    router: Option<String>,
    to: Vec<String>,
    differs: Vec<Option<Vec<String>>>,
    engine_started: Option<u64>,
    after_crash: Option<bool>,
    attempt: Option<u32>,
    failure: Option<&'static str>,
    said: Option<String>,
    milliseconds: Option<u64>,
    message: Option<u64>,
    accepted: Option<bool>,
    newer: Option<u64>,
    by: Option<String>,
    because: Option<String>,
}

impl From<mllp_engine::Journey> for Journey {
    fn from(journey: mllp_engine::Journey) -> Journey {
        let inbound = journey.name(journey.message.message.inbound);
        let events = journey.events().iter().map(|it| JourneyEvent::new(&journey, it)).collect();
        let message = MessageRecord::new(&journey.message, inbound);
        let acknowledgment = journey.acknowledgment();
        Journey {
            message,
            configuration: journey.configuration().map(str::to_owned),
            answer: spoken(&acknowledgment.code).filter(|_| !journey.answers_after_delivery()),
            ack_control_id: spoken(&acknowledgment.control_id),
            events,
            text: journey.to_string(),
        }
    }
}

fn spoken(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl JourneyEvent {
    fn new(journey: &mllp_engine::Journey, event: &Event) -> JourneyEvent {
        let name = |lane: &LaneId| Some(journey.name(*lane));
        let names = |lanes: &[LaneId]| lanes.iter().map(|it| journey.name(*it)).collect();
        let text = journey.lines(event).join("\n");
        let base = JourneyEvent { at: event.at, text, ..JourneyEvent::default() };
        match &event.what {
            What::Received { inbound, accepted } => {
                let (connection, accepted) = (name(inbound), Some(*accepted));
                JourneyEvent { kind: "received", connection, accepted, ..base }
            }
            What::Routed { inbound, handlers } => {
                let (connection, to) = (inbound.as_ref().and_then(name), names(handlers));
                let router = journey.router(event).map(str::to_owned);
                JourneyEvent { kind: "routed", connection, router, to, ..base }
            }
            What::Transformed { handler, outbounds } => {
                let (connection, to) = (name(handler), names(outbounds));
                let differs = journey.changes(event).to_vec();
                JourneyEvent { kind: "transformed", connection, to, differs, ..base }
            }
            What::Attempt { outbound, attempt, failure, note } => JourneyEvent {
                kind: "attempt",
                connection: name(outbound),
                attempt: Some(*attempt),
                failure: Some(failure.name()),
                said: spoken(&note.0),
                ..base
            },
            What::PossiblySent { outbound } => {
                let life = journey.life(event.stamp);
                let engine_started = life.map(|it| it.began_at);
                let after_crash = life.map(|it| it.after_crash);
                let connection = name(outbound);
                JourneyEvent {
                    kind: "possibly_sent",
                    connection,
                    engine_started,
                    after_crash,
                    ..base
                }
            }
            What::Overtaken { outbound, by } => {
                let (connection, message) = (name(outbound), Some(by.0));
                JourneyEvent { kind: "overtaken", connection, message, ..base }
            }
            What::Delivered { outbound, milliseconds, note } => JourneyEvent {
                kind: "delivered",
                connection: name(outbound),
                milliseconds: Some(*milliseconds),
                said: spoken(&note.0),
                ..base
            },
            What::Warned { outbound, note } => {
                let (connection, said) = (name(outbound), spoken(&note.0));
                JourneyEvent { kind: "warned", connection, said, ..base }
            }
            other => JourneyEvent::ended(journey, other, base),
        }
    }

    /// How it has ended at one place, and what it has to do with others.
    fn ended(journey: &mllp_engine::Journey, what: &What, base: JourneyEvent) -> JourneyEvent {
        let name = |lane: &LaneId| Some(journey.name(*lane));
        match what {
            What::Dead { lane, failure } => {
                JourneyEvent { kind: "dead", connection: name(lane), ..base }.failed(failure.name())
            }
            What::Failed { lane, failure, note } => {
                let (connection, said) = (name(lane), spoken(&note.0));
                JourneyEvent { kind: "failed", connection, said, ..base }.failed(failure.name())
            }
            What::Answered { accepted } => {
                JourneyEvent { kind: "answered", accepted: Some(*accepted), ..base }
            }
            What::SameControlId { of } => {
                JourneyEvent { kind: "same_control_id", message: Some(of.0), ..base }
            }
            What::Duplicate { of } => {
                JourneyEvent { kind: "duplicate", message: Some(of.0), ..base }
            }
            other => JourneyEvent::operated(journey, other, base),
        }
    }

    /// What an operator or a rule has done.
    fn operated(journey: &mllp_engine::Journey, what: &What, base: JourneyEvent) -> JourneyEvent {
        let name = |lane: &LaneId| Some(journey.name(*lane));
        match what {
            What::GaveUp { outbound, failure } => {
                let connection = name(outbound);
                JourneyEvent { kind: "gave_up", connection, ..base }.failed(failure.name())
            }
            What::Held { outbound, failure, by } => {
                let failure = failure.map(|it| it.name());
                JourneyEvent { kind: "held", connection: name(outbound), failure, ..base }.by(by)
            }
            What::Released { outbound, newer, by } => {
                let (connection, newer) = (name(outbound), Some(*newer));
                JourneyEvent { kind: "released", connection, newer, ..base }.by(by)
            }
            What::Replayed { to, newer, by } => {
                let (connection, newer) = (name(to), Some(*newer));
                JourneyEvent { kind: "replayed", connection, newer, ..base }.by(by)
            }
            What::Edited { copy, by } => {
                JourneyEvent { kind: "edited", message: Some(copy.0), ..base }.by(by)
            }
            What::Cancelled { lane, by } => {
                JourneyEvent { kind: "cancelled", connection: name(lane), ..base }.by(by)
            }
            What::Moved { from, to, by } => {
                let to = vec![journey.name(*to)];
                JourneyEvent { kind: "moved", connection: name(from), to, ..base }.by(by)
            }
            // The rest is told by its line alone.
            _ => JourneyEvent { kind: "other", ..base },
        }
    }

    fn failed(self, failure: &'static str) -> JourneyEvent {
        JourneyEvent { failure: Some(failure), ..self }
    }

    fn by(self, by: &By) -> JourneyEvent {
        JourneyEvent { by: spoken(&by.who.0), because: spoken(&by.reason.0), ..self }
    }
}

/// The fields in which two messages differ.
#[pyfunction]
#[pyo3(signature = (before, after, /))]
pub(crate) fn differences(before: &[u8], after: &[u8]) -> Vec<String> {
    mllp_engine::differences(before, after)
}
