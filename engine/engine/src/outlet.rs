//! Who carries out the deliveries of an outbound.

use mllp_io::{Certificates, Content, Senders};
use mllp_pipeline::MessageId;

use crate::connector::{Given, ToConnector};

/// The senders of an outbound, or its connector.
pub(crate) enum Outlet {
    Senders(Senders),
    Connector(ToConnector),
}

/// Which delivery something is, and of which generation: see [`Senders`].
#[derive(Clone, Copy)]
pub(crate) struct Name {
    pub(crate) generation: u64,
    /// Its number in its lane.
    pub(crate) number: u64,
    pub(crate) message: MessageId,
    /// Counted from 1.
    pub(crate) attempt: u32,
}

impl Outlet {
    /// See [`Senders::deliver`].
    pub(crate) fn deliver(&self, name: Name, content: impl Into<Content>) {
        let Name { generation, number, message, attempt } = name;
        match self {
            Outlet::Senders(senders) => senders.deliver(generation, number, content),
            Outlet::Connector(connector) => {
                let content = content.into();
                connector.deliver(generation, number, Given { message, attempt, content });
            }
        }
    }

    /// See [`Senders::abandon`].
    pub(crate) fn abandon(&self, generation: u64) {
        match self {
            Outlet::Senders(senders) => senders.abandon(generation),
            Outlet::Connector(connector) => connector.abandon(generation),
        }
    }

    /// See [`Senders::close`].
    pub(crate) fn close(&self) {
        match self {
            Outlet::Senders(senders) => senders.close(),
            Outlet::Connector(connector) => connector.close(),
        }
    }

    /// See [`Senders::open`].
    pub(crate) fn open(&self) {
        match self {
            Outlet::Senders(senders) => senders.open(),
            Outlet::Connector(connector) => connector.open(),
        }
    }

    /// See [`Senders::certificates`]. A connector shows none that the engine knows of.
    pub(crate) fn certificates(&self) -> Certificates {
        match self {
            Outlet::Senders(senders) => senders.certificates(),
            Outlet::Connector(_) => Certificates::default(),
        }
    }

    /// See [`Senders::dial`].
    pub(crate) fn dial(&self) {
        match self {
            Outlet::Senders(senders) => senders.dial(),
            Outlet::Connector(connector) => connector.hurry(),
        }
    }
}
