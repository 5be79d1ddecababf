//! How a listener receives.

use std::time::Duration;

use ack_gen::Policy;
use hl7_peek::MessageHeader;
use mllp_core::{Config, Framing, Profile};
use mllp_link::{OverLimit, ResponderConfig, Times};

use super::identity::Recognise;
use crate::allow::Network;
use crate::socket;
use crate::tls::ListenerTls;

/// Which acknowledgment the sender of a message gets once the message is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AckMode {
    /// AA, AE or AR for every message, whatever it asks for.
    #[default]
    Original,
    /// What the message asks for in MSH-15 and MSH-16: CA if it wants an accept acknowledgment, else
    /// AA if it wants an application acknowledgment, else nothing; without these fields as
    /// `Original`. Where both are wanted the accept acknowledgment is sent: what a message becomes
    /// later is not known yet.
    Enhanced,
    /// None. A sender whose message cannot be stored sees its connection close.
    None,
}

/// What the payloads of a connection are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentType {
    /// HL7: a message begins with MSH. One that does not is kept and refused.
    #[default]
    Hl7,
    /// Anything. Nothing is read from it, so it has no control ID and is not recognised when it comes
    /// again; an acknowledgment, if one is wanted, names no message.
    ///
    /// A start block in the midst of a message says that its sender began anew on the same connection.
    /// Two messages are never taken for one: both together are kept and refused.
    Any,
}

impl ContentType {
    pub(super) const fn is_hl7(self) -> bool {
        matches!(self, ContentType::Hl7)
    }
}

/// How a listener receives.
#[derive(Clone, Debug)]
pub struct ListenerOptions {
    /// Given to every message, so that one intake can serve many listeners.
    pub number: u32,
    /// How the stream is cut into frames. `resync` never fuses two messages of a sender that died in
    /// the middle of one.
    pub profile: Profile,
    /// The bytes that delimit a frame.
    pub framing: Framing,
    /// What payloads are.
    pub content_type: ContentType,
    /// The longest payload in bytes. Payloads above 64 KiB never lie in memory whole, so this bounds
    /// what a message takes of the disk. [`Times::frame`] is for a whole message: a slow line needs
    /// more of it for a long one.
    pub max_message: usize,
    /// By what a message is recognised when it comes again. An engine chooses it by what it answers.
    pub recognise: Recognise,
    /// What a message over the limit does: it is refused with AR, or ends its connection.
    pub over_limit: OverLimit,
    /// Which acknowledgment a message gets.
    pub ack_mode: AckMode,
    /// How an acknowledgment mirrors its message.
    pub policy: Policy,
    /// MLLP release 2: each message is committed with a block of its own before it is answered.
    pub commit_blocks: bool,
    /// Connections at a time; further ones are closed at once.
    pub max_connections: usize,
    /// Networks that may connect; empty: any peer may.
    pub allow: Vec<Network>,
    /// TLS, if the listener speaks it.
    pub tls: Option<ListenerTls>,
    /// For the handshake of TLS.
    pub connect: Duration,
    /// How long a peer may take. Without a byte between two messages it may take for ever: feeds are
    /// quiet at night, and the probes of TCP find a peer that is gone.
    pub times: Times,
    /// Silence after which TCP probes whether the peer is there; `None`: never.
    pub keep_alive: Option<Duration>,
    /// How long connections may take to end once the listener is told to stop.
    pub stop: Duration,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        ListenerOptions {
            number: 0,
            profile: Profile::Resync,
            framing: Framing::MLLP,
            content_type: ContentType::Hl7,
            max_message: 128 * 1024 * 1024,
            recognise: Recognise::Bytes,
            over_limit: OverLimit::Refuse,
            ack_mode: AckMode::Original,
            policy: Policy::Always,
            commit_blocks: false,
            max_connections: 10_000,
            allow: Vec::new(),
            tls: None,
            connect: Duration::from_secs(10),
            times: Times { idle: 0, ..Times::DEFAULT },
            keep_alive: Some(Duration::from_secs(60)),
            stop: Duration::from_secs(10),
        }
    }
}

impl ListenerOptions {
    /// Everything that is wrong with them, a text for each. The files of TLS are read for this.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |is_right: bool, what: &str| {
            if !is_right {
                faults.push(what.to_owned());
            }
        };
        check(self.max_message > 0, "max_message must be at least 1");
        check(self.max_connections > 0, "max_connections must be at least 1");
        check(!self.connect.is_zero(), "connect must be longer than 0");
        check(socket::takes(self.keep_alive), "keep_alive must be from 1 to 32767 s");
        check(
            !(self.commit_blocks && self.ack_mode == AckMode::None),
            "commit_blocks are acknowledgments, which ack_mode none forbids",
        );
        check(
            self.profile != Profile::Resync || self.framing.trailer().is_some(),
            "profile resync needs a framing with a trailer",
        );
        if let Some(Err(error)) = self.tls.as_ref().map(ListenerTls::load) {
            faults.push(format!("tls: {error}"));
        }
        faults
    }

    /// Whether a start block inside a message is never taken for a part of it. With MLLP's framing the
    /// profile `resync` sees to that.
    pub(super) const fn never_fuses(&self) -> bool {
        !self.content_type.is_hl7() || self.framing.trailer().is_none()
    }

    /// The header of a message that has one.
    pub(super) fn header<'a>(&self, beginning: &'a [u8]) -> Option<MessageHeader<'a>> {
        match self.content_type {
            ContentType::Hl7 => MessageHeader::parse_lenient(beginning),
            ContentType::Any => None,
        }
    }

    pub(super) fn responder(&self) -> ResponderConfig {
        ResponderConfig {
            decoder: Config {
                profile: self.profile,
                framing: self.framing,
                max_payload_len: self.max_message,
            },
            policy: self.policy,
            over_limit: self.over_limit,
            times: self.times,
            commit_blocks: self.commit_blocks,
            ..ResponderConfig::DEFAULT
        }
    }
}
