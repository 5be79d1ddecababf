//! How a program declares connections by programs.

use mllp_io::FeedOptions;

use super::ConnectorProgram;
use crate::builder::Builder;
use crate::specs::{Delivers, Feed, OutboundSpec};

impl Builder {
    /// Takes what the process of a program submits, and has the router of that name choose their
    /// handlers.
    #[must_use]
    pub fn inbound_by(self, name: &str, router: &str, program: ConnectorProgram) -> Self {
        self.fed(name, Feed::Connector { program, options: FeedOptions::default() }, router)
    }

    /// Changes how the last inbound takes what is submitted: how long a message may be, and whether it
    /// is HL7.
    #[must_use]
    pub fn feed(self, change: impl FnOnce(&mut FeedOptions)) -> Self {
        self.last_inbound_that("feed", |inbound| match &mut inbound.feed {
            Feed::Connector { options, .. } => {
                change(options);
                Ok(())
            }
            Feed::Listener { .. } | Feed::Handlers => Err("has a listener"),
        })
    }

    /// Has the process of a program deliver, in order, one message at a time.
    #[must_use]
    pub fn outbound_by(mut self, name: &str, program: ConnectorProgram) -> Self {
        let delivers = Delivers::Connector { program, window: 1 };
        self.outbounds.push(OutboundSpec::new(name, delivers));
        self
    }
}
