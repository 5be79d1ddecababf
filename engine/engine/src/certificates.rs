//! Until when the certificates of the connections are valid.

use mllp_io::Certificates;
use mllp_pipeline::Stage;

use crate::engine::Engine;

/// A certificate that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The inbound or outbound.
    pub connection: String,
    /// `ingress` or `outbound`.
    pub stage: &'static str,
    /// Whose it is.
    pub whose: Whose,
    /// Until when it is valid, in milliseconds since 1970 in UTC. Of a chain it is the certificate that ends
    /// first.
    pub valid_until: u64,
}

/// Who shows a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The engine.
    Own,
    /// The partner.
    Partner,
}

impl Whose {
    /// `own` or `partner`.
    pub const fn name(self) -> &'static str {
        match self {
            Whose::Own => "own",
            Whose::Partner => "partner",
        }
    }
}

impl Engine {
    /// The certificates in use: what an inbound that listens shows, and of an outbound what it has read
    /// and been shown when it connected last. Those of the clients of inbounds are not among them.
    pub fn certificates(&self) -> Vec<Certificate> {
        let of = |stage: Stage, connection: &str, told: Certificates| {
            let both = [(Whose::Own, told.own), (Whose::Partner, told.partner)];
            let shown = both.into_iter().filter_map(|(whose, valid_until)| {
                let (connection, stage) = (connection.to_owned(), stage.name());
                valid_until.map(|it| Certificate { connection, stage, whose, valid_until: it })
            });
            shown.collect::<Vec<_>>()
        };
        let inbounds = self.listeners.certificates();
        let inbounds = inbounds.iter().flat_map(|(name, told)| of(Stage::Ingress, name, *told));
        let outbounds = self.senders.iter().flat_map(|(lane, outlet)| {
            of(Stage::Outbound, &self.names.of(*lane), outlet.certificates())
        });
        inbounds.chain(outbounds).collect()
    }
}
