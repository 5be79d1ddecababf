//! The lives of an engine: what wrote down what has happened, and with which configuration.

use mllp_pipeline::{LaneId, Stamp};

/// A life of an engine, from its start or reload to its stop or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// The first of its stamps. All are below those of the next life.
    pub stamp: Stamp,
    /// When it began, by the wall clock, milliseconds since 1970 in UTC.
    pub began_at: u64,
    /// What the program calls its configuration, such as the hash of its files; may be empty.
    pub configuration: String,
    /// Its inbounds.
    pub inbounds: Vec<LivedInbound>,
    /// Whether the life before it has not ended by a stop.
    /// A store finds that out by itself.
    pub after_crash: bool,
}

/// An inbound of a life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivedInbound {
    /// Its lane.
    pub lane: LaneId,
    /// Its router.
    pub router: String,
    /// Whether its senders are answered after delivery.
    pub answers_after_delivery: bool,
}

impl Life {
    /// The inbounds as a text: a line for each.
    pub(crate) fn inbounds_text(&self) -> String {
        let line = |it: &LivedInbound| {
            let answers = if it.answers_after_delivery { "delivered" } else { "stored" };
            format!("{} {answers} {}", it.lane, it.router.replace('\n', " "))
        };
        self.inbounds.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The inbounds of such a text.
    pub(crate) fn inbounds_of(text: &str) -> Vec<LivedInbound> {
        let inbound = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            let lane = LaneId(parts.next()?.parse().ok()?);
            let answers_after_delivery = parts.next()? == "delivered";
            let router = parts.next()?.to_owned();
            Some(LivedInbound { lane, router, answers_after_delivery })
        };
        text.lines().filter_map(inbound).collect()
    }
}
