//! What a program has said of each connection.

use mllp_io::{FeedOptions, ListenerOptions, SenderOptions};
use mllp_pipeline::{Acknowledge, Capacity, Closed, GiveUp, OnFull, Ordering, Retry};
use mllp_store::Days;

use crate::connector::ConnectorProgram;
use crate::schedule::Schedule;
use crate::search::IndexedField;

/// What brings messages to an inbound.
#[derive(Clone)]
pub(crate) enum Feed {
    Listener {
        address: String,
        options: Box<ListenerOptions>,
    },
    Connector {
        program: ConnectorProgram,
        options: FeedOptions,
    },
    /// Handlers of the graph, and nothing else.
    Handlers,
}

/// Who carries out the deliveries of an outbound.
#[derive(Clone)]
pub(crate) enum Delivers {
    Sender(Box<SenderOptions>),
    /// With how many deliveries may be open.
    Connector {
        program: ConnectorProgram,
        window: usize,
    },
}

#[derive(Clone)]
pub(crate) struct InboundSpec {
    pub(crate) name: String,
    pub(crate) router: String,
    pub(crate) deduplicate: bool,
    pub(crate) indexed: Vec<IndexedField>,
    pub(crate) keep: Option<Days>,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) on_full: OnFull,
    pub(crate) capacity: Capacity,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) closed: Closed,
    pub(crate) feed: Feed,
}

#[derive(Clone)]
pub(crate) struct OutboundSpec {
    pub(crate) name: String,
    pub(crate) delivers: Delivers,
    pub(crate) retry: Retry,
    pub(crate) give_up: GiveUp,
    pub(crate) ordering: Ordering,
    /// Where its keys stand.
    pub(crate) keys: Vec<IndexedField>,
    pub(crate) connections: usize,
    pub(crate) capacity: Capacity,
    pub(crate) schedule: Option<Schedule>,
}

impl InboundSpec {
    pub(crate) fn new(name: &str, feed: Feed, router: &str) -> InboundSpec {
        InboundSpec {
            name: name.to_owned(),
            router: router.to_owned(),
            deduplicate: true,
            indexed: Vec::new(),
            keep: None,
            acknowledge: Acknowledge::Stored,
            on_full: OnFull::Refuse,
            capacity: Capacity::NONE,
            schedule: None,
            closed: Closed::default(),
            feed,
        }
    }

    /// Whether something outside brings it messages.
    pub(crate) fn receives(&self) -> bool {
        !matches!(self.feed, Feed::Handlers)
    }
}

impl OutboundSpec {
    pub(crate) fn new(name: &str, delivers: Delivers) -> OutboundSpec {
        OutboundSpec {
            name: name.to_owned(),
            delivers,
            retry: Retry::DEFAULT,
            give_up: GiveUp::DEFAULT,
            ordering: Ordering::Fifo,
            keys: Vec::new(),
            connections: 1,
            capacity: Capacity::NONE,
            schedule: None,
        }
    }

    /// How many deliveries may be open.
    pub(crate) fn window(&self) -> usize {
        match &self.delivers {
            Delivers::Sender(options) => options.window.max(self.connections),
            Delivers::Connector { window, .. } => *window,
        }
    }
}
