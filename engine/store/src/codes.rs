//! The numbers that stand in every database for dispositions, failures, stages and events. They are
//! part of the format: a number is never given a second meaning.

use mllp_pipeline::{
    By, Disposition, Event, Failure, Flow, Keys, LaneId, List, MessageId, Note, Side, Stage, Stamp,
    What,
};

use crate::error::StoreError;
use crate::retention::ClockDoubt;

const DISPOSITIONS: [Disposition; 7] = [
    Disposition::Received,
    Disposition::Routed,
    Disposition::Unrouted,
    Disposition::Filtered,
    Disposition::Processed,
    Disposition::Error,
    Disposition::Duplicate,
];
const SIDES: [Side; 2] = [Side::Input, Side::Output];
const FLOWS: [Flow; 3] = [Flow::On, Flow::Paused, Flow::Stopped];
const DOUBTS: [ClockDoubt; 2] = [ClockDoubt::Jumped, ClockDoubt::LongAway];
const STAGES: [Stage; 3] = [Stage::Ingress, Stage::Routed, Stage::Outbound];

/// The kind of the event that a message was routed.
pub(crate) const ROUTED: i64 = 1;
/// The kind of the event that a handler has sent it.
const TRANSFORMED: i64 = 2;
/// The kind of the event that a partner took it.
pub(crate) const DELIVERED: i64 = 5;
/// The kind of a row that holds the first two, one after the other.
pub(crate) const ROUTED_AND_TRANSFORMED: i64 = 12;

pub(crate) fn of_disposition(disposition: Disposition) -> i64 {
    position(&DISPOSITIONS, disposition)
}

pub(crate) fn disposition(code: i64) -> Result<Disposition, StoreError> {
    member(&DISPOSITIONS, code, "disposition")
}

pub(crate) fn of_failure(failure: Failure) -> i64 {
    position(&Failure::ALL, failure)
}

pub(crate) fn failure(code: i64) -> Result<Failure, StoreError> {
    member(&Failure::ALL, code, "failure")
}

/// A failure, or none.
pub(crate) fn some_failure(code: i64) -> Result<Option<Failure>, StoreError> {
    if code < 0 { Ok(None) } else { failure(code).map(Some) }
}

pub(crate) fn of_side(side: Side) -> i64 {
    position(&SIDES, side)
}

pub(crate) fn side(code: i64) -> Result<Side, StoreError> {
    member(&SIDES, code, "side")
}

/// The table of a list.
pub(crate) fn table(list: List) -> &'static str {
    match list {
        List::Dead => "dead",
        List::Held => "held",
    }
}

pub(crate) fn of_doubt(doubt: ClockDoubt) -> i64 {
    position(&DOUBTS, doubt)
}

/// What is not known is a doubt as well: nothing is deleted then.
pub(crate) fn doubt(code: i64) -> ClockDoubt {
    member(&DOUBTS, code, "doubt").unwrap_or(ClockDoubt::LongAway)
}

pub(crate) fn of_flow(flow: Flow) -> i64 {
    position(&FLOWS, flow)
}

pub(crate) fn flow(code: i64) -> Result<Flow, StoreError> {
    member(&FLOWS, code, "flow")
}

pub(crate) fn of_stage(stage: Stage) -> i64 {
    position(&STAGES, stage)
}

pub(crate) fn stage(code: i64) -> Result<Stage, StoreError> {
    member(&STAGES, code, "stage")
}

/// Keys as a column; `None` when there are none, which takes the least room.
pub(crate) fn of_keys(keys: &Keys) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = keys.as_slice().iter().flat_map(|key| key.to_le_bytes()).collect();
    (!bytes.is_empty()).then_some(bytes)
}

pub(crate) fn keys(column: Option<&[u8]>) -> Keys {
    let (keys, _) = column.unwrap_or_default().as_chunks::<8>();
    let hashes: Vec<u64> = keys.iter().map(|key| u64::from_le_bytes(*key)).collect();
    Keys::new(&hashes)
}

fn position<T: PartialEq + Copy>(all: &[T], one: T) -> i64 {
    all.iter().position(|it| *it == one).map_or(-1, |at| at as i64)
}

fn member<T: Copy>(all: &[T], code: i64, what: &str) -> Result<T, StoreError> {
    let found = usize::try_from(code).ok().and_then(|at| all.get(at).copied());
    found.ok_or_else(|| StoreError::Corrupt(format!("unknown {what} {code}")))
}

/// What a message ends as that has no open part. See [`Part`](mllp_pipeline::Part).
pub(crate) const fn disposition_of(failed: i64, delivered: i64) -> Disposition {
    match (failed, delivered) {
        (0, 0) => Disposition::Filtered,
        (0, _) => Disposition::Processed,
        _ => Disposition::Error,
    }
}

/// An event as the columns of a row.
pub(crate) struct EventRow<'a> {
    pub(crate) kind: i64,
    /// The lane that it is about; 0 for none.
    pub(crate) lane: i64,
    pub(crate) number: i64,
    pub(crate) text: Text<'a>,
}

/// The last column of an event.
pub(crate) enum Text<'a> {
    None,
    Note(&'a str),
    Lanes(Vec<u8>),
    By(String),
}

impl Text<'_> {
    /// The bytes; `None` when there are none, which takes the least room.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Text::None | Text::Note("") => None,
            Text::Note(text) => Some(text.as_bytes()),
            Text::By(text) if text == BY_NOBODY => None,
            Text::By(text) => Some(text.as_bytes()),
            Text::Lanes(bytes) if bytes.is_empty() => None,
            Text::Lanes(bytes) => Some(bytes),
        }
    }
}

impl<'a> EventRow<'a> {
    /// A row for two events with one stamp after the other, if they fit into one: a message was routed,
    /// and then a handler has sent it.
    pub(crate) fn of_both(what: &What, next: &What) -> Option<Self> {
        match (what, next) {
            (
                What::Routed { inbound: None, handlers },
                What::Transformed { handler, outbounds },
            ) => {
                let named = [&handlers[..], &outbounds[..]].concat();
                let (kind, number) = (ROUTED_AND_TRANSFORMED, handlers.len() as i64);
                Some(EventRow { kind, lane: handler.0.into(), number, text: lanes(&named) })
            }
            _ => None,
        }
    }

    pub(crate) fn of(what: &'a What) -> Self {
        let row =
            |kind, lane: LaneId, number, text| EventRow { kind, lane: lane.0.into(), number, text };
        match what {
            What::Received { inbound, accepted } => {
                row(0, *inbound, (*accepted).into(), Text::None)
            }
            What::Routed { inbound, handlers } => {
                row(ROUTED, inbound.unwrap_or(LaneId(0)), 0, lanes(handlers))
            }
            What::Transformed { handler, outbounds } => {
                row(TRANSFORMED, *handler, 0, lanes(outbounds))
            }
            What::Attempt { outbound, attempt, failure, note } => {
                let number = i64::from(*attempt) << 8 | of_failure(*failure);
                row(3, *outbound, number, Text::Note(&note.0))
            }
            What::PossiblySent { outbound } => row(4, *outbound, 0, Text::None),
            What::Overtaken { outbound, by } => row(30, *outbound, by.0 as i64, Text::None),
            What::Delivered { outbound, milliseconds, note } => {
                let number = i64::try_from(*milliseconds).unwrap_or(i64::MAX);
                row(DELIVERED, *outbound, number, Text::Note(&note.0))
            }
            What::Warned { outbound, note } => row(31, *outbound, 0, Text::Note(&note.0)),
            What::Dead { lane, failure } => row(6, *lane, of_failure(*failure), Text::None),
            What::Failed { lane, failure, note } => {
                row(7, *lane, of_failure(*failure), Text::Note(&note.0))
            }
            What::Answered { accepted } => row(10, LaneId(0), (*accepted).into(), Text::None),
            What::SameControlId { of } => row(11, LaneId(0), of.0 as i64, Text::None),
            What::Duplicate { of } => row(8, LaneId(0), of.0 as i64, Text::None),
            What::GaveUp { outbound, failure } => {
                row(20, *outbound, of_failure(*failure), Text::None)
            }
            What::Held { outbound, failure, by } => {
                row(21, *outbound, failure.map_or(-1, of_failure), Text::By(of_by(by)))
            }
            What::Released { outbound, newer, by } => {
                row(22, *outbound, *newer as i64, Text::By(of_by(by)))
            }
            What::Replayed { to, newer, by } => row(23, *to, *newer as i64, Text::By(of_by(by))),
            What::Edited { copy, by } => row(24, LaneId(0), copy.0 as i64, Text::By(of_by(by))),
            What::Cancelled { lane, by } => row(25, *lane, 0, Text::By(of_by(by))),
            What::Moved { from, to, by } => row(26, *from, to.0.into(), Text::By(of_by(by))),
        }
    }
}

/// The events that a row stands for.
///
/// # Errors
///
/// As for [`event`].
pub(crate) fn events(
    message: MessageId,
    stamp: Stamp,
    at: u64,
    (kind, lane, number): (i64, i64, i64),
    text: &[u8],
) -> Result<Vec<Event>, StoreError> {
    if kind != ROUTED_AND_TRANSFORMED {
        return Ok(vec![event(message, stamp, at, (kind, lane, number), text)?]);
    }
    let handlers = usize::try_from(number).ok().and_then(|it| it.checked_mul(4));
    let (handlers, outbounds) =
        handlers.and_then(|it| text.split_at_checked(it)).ok_or_else(|| corrupt("event"))?;
    let next = Stamp(stamp.0 + 1);
    Ok(vec![
        event(message, stamp, at, (ROUTED, 0, 0), handlers)?,
        event(message, next, at, (TRANSFORMED, lane, 0), outbounds)?,
    ])
}

/// The event that a row stands for.
///
/// # Errors
///
/// [`StoreError::Corrupt`]: the row has numbers that are never written.
pub(crate) fn event(
    message: MessageId,
    stamp: Stamp,
    at: u64,
    (kind, lane, number): (i64, i64, i64),
    text: &[u8],
) -> Result<Event, StoreError> {
    let lane = LaneId(u32::try_from(lane).map_err(|_| corrupt("lane"))?);
    let note = || Note(String::from_utf8_lossy(text).into_owned());
    let what = match kind {
        0 => What::Received { inbound: lane, accepted: number != 0 },
        ROUTED => {
            What::Routed { inbound: (lane.0 > 0).then_some(lane), handlers: read_lanes(text) }
        }
        TRANSFORMED => What::Transformed { handler: lane, outbounds: read_lanes(text) },
        3 => What::Attempt {
            outbound: lane,
            attempt: u32::try_from(number >> 8).map_err(|_| corrupt("attempt"))?,
            failure: failure(number & 0xff)?,
            note: note(),
        },
        4 => What::PossiblySent { outbound: lane },
        30 => What::Overtaken { outbound: lane, by: MessageId(number as u64) },
        DELIVERED => What::Delivered { outbound: lane, milliseconds: number as u64, note: note() },
        31 => What::Warned { outbound: lane, note: note() },
        6 => What::Dead { lane, failure: failure(number)? },
        7 => What::Failed { lane, failure: failure(number)?, note: note() },
        8 => What::Duplicate { of: MessageId(number as u64) },
        20 => What::GaveUp { outbound: lane, failure: failure(number)? },
        21 => What::Held { outbound: lane, failure: some_failure(number)?, by: by(text) },
        22 => What::Released { outbound: lane, newer: number as u64, by: by(text) },
        23 => What::Replayed { to: lane, newer: number as u64, by: by(text) },
        24 => What::Edited { copy: MessageId(number as u64), by: by(text) },
        25 => What::Cancelled { lane, by: by(text) },
        26 => What::Moved { from: lane, to: LaneId(number as u32), by: by(text) },
        10 => What::Answered { accepted: number != 0 },
        11 => What::SameControlId { of: MessageId(number as u64) },
        _ => return Err(corrupt("event")),
    };
    Ok(Event { message, stamp, at, what })
}

/// The lanes that the text of an event names.
pub(crate) fn lanes_of(kind: i64, text: Option<&[u8]>) -> Vec<LaneId> {
    let names_lanes = matches!(kind, ROUTED | TRANSFORMED | ROUTED_AND_TRANSFORMED);
    text.filter(|_| names_lanes).map(read_lanes).unwrap_or_default()
}

const BY_NOBODY: &str = "\n";

/// Who, and on the following lines why.
pub(crate) fn of_by(by: &By) -> String {
    format!("{}\n{}", by.who.0.replace('\n', " "), by.reason.0)
}

pub(crate) fn by(text: &[u8]) -> By {
    let text = String::from_utf8_lossy(text);
    let (who, reason) = text.split_once('\n').unwrap_or_default();
    By { who: Note(who.to_owned()), reason: Note(reason.to_owned()) }
}

fn lanes<'a>(lanes: &[LaneId]) -> Text<'a> {
    Text::Lanes(lanes.iter().flat_map(|lane| lane.0.to_le_bytes()).collect())
}

fn read_lanes(bytes: &[u8]) -> Vec<LaneId> {
    let (lanes, _) = bytes.as_chunks::<4>();
    lanes.iter().map(|lane| LaneId(u32::from_le_bytes(*lane))).collect()
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("unknown {what} in the journey of a message"))
}
