//! What a graph says of its inbounds and outbounds.

use mllp_io::{ListenerOptions, SenderOptions};
use mllp_pipeline::{Acknowledge, Capacity, GiveUp, OnFull, Ordering, Retry};
use mllp_store::Days;

use crate::search::IndexedField;

#[derive(Clone)]
pub(crate) struct InboundSpec {
    pub(crate) name: String,
    pub(crate) feed: Feed,
    pub(crate) router: String,
    pub(crate) deduplicate: bool,
    pub(crate) indexed: Vec<IndexedField>,
    pub(crate) keep: Option<Days>,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) on_full: OnFull,
    pub(crate) capacity: Capacity,
    pub(crate) options: ListenerOptions,
}

/// What brings messages to an inbound.
#[derive(Clone)]
pub(crate) enum Feed {
    /// A listener at this address.
    Listener(String),
    /// Handlers of the graph, and nothing else.
    Handlers,
}

#[derive(Clone)]
pub(crate) struct OutboundSpec {
    pub(crate) name: String,
    pub(crate) options: SenderOptions,
    pub(crate) retry: Retry,
    pub(crate) give_up: GiveUp,
    pub(crate) ordering: Ordering,
    /// Where its keys stand.
    pub(crate) keys: Vec<IndexedField>,
    pub(crate) connections: usize,
    pub(crate) capacity: Capacity,
}

impl InboundSpec {
    /// Whether something outside brings it messages.
    pub(crate) fn receives(&self) -> bool {
        !matches!(self.feed, Feed::Handlers)
    }
}
