//! How a sender sends.

use std::time::Duration;

use hl7_peek::Scan;
use mllp_core::{Config, Framing, Profile};
use mllp_link::{InitiatorConfig, MAX_RULES, Rules};

use super::actions::ReplyActions;
use crate::inbound::ContentType;
use crate::socket;
use crate::tls::SenderTls;

/// The widest window.
pub(super) const WINDOW: usize = 64;

/// How a sender sends.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// Given to its reports, so that one taker can serve many senders.
    pub number: u32,
    /// Host and port of the partner.
    pub address: (String, u16),
    /// TLS, if the partner speaks it.
    pub tls: Option<SenderTls>,
    /// How answers are cut into frames.
    pub profile: Profile,
    /// The bytes that delimit a frame, both ways.
    pub framing: Framing,
    /// What payloads are. Of [`ContentType::Any`] nothing is read: one delivery at a time leaves, in a
    /// frame that it must fit into.
    pub content_type: ContentType,
    /// Where payloads may be anything: whether the next frame of the partner ends a delivery, whatever
    /// it holds. Without this a delivery ends when the operating system has all of it: what is on the
    /// way when a connection breaks is lost, and nobody knows.
    pub expects_reply: bool,
    /// How delimiters are found in messages and answers.
    pub scan: Scan,
    /// Which answers count as a receipt, beside those with a code of their own.
    pub rules: Rules<MAX_RULES>,
    /// What becomes of a delivery for each answer, in place of what its outcome says.
    pub actions: Option<ReplyActions>,
    /// Deliveries without an answer at a time, from 1 to 64.
    pub window: usize,
    /// The longest answer in bytes.
    pub max_reply: usize,
    /// For connecting, the handshake of TLS included.
    pub connect: Duration,
    /// For the partner to take a delivery; of one above 64 KiB, to take more of it.
    pub send: Duration,
    /// From the last byte of a delivery to its answer.
    pub reply: Duration,
    /// Silence that ends an answer without its trailer, where the profile `resync` waits for it.
    pub trailer: Duration,
    /// Before the second attempt to connect; it doubles with each further one, and half of it is
    /// left to chance.
    pub back_off: Duration,
    /// The longest wait before an attempt to connect.
    pub max_back_off: Duration,
    /// Silence after which TCP probes whether the partner is there; `None`: never.
    pub keep_alive: Option<Duration>,
    /// Begins without a connection, until [`open`](crate::Sender::open).
    pub closed: bool,
    /// A planted fault: an answer to another message completes the first that is open.
    #[cfg(feature = "sabotage")]
    pub foreign_completes: bool,
}

impl SenderOptions {
    /// One delivery at a time, 10 seconds for each step, answers of up to 1 MiB.
    pub fn new(number: u32, host: &str, port: u16) -> Self {
        let step = Duration::from_secs(10);
        SenderOptions {
            number,
            address: (host.into(), port),
            tls: None,
            profile: Profile::Permissive,
            framing: Framing::MLLP,
            content_type: ContentType::Hl7,
            expects_reply: false,
            scan: Scan::SingleByte,
            rules: Rules::default(),
            actions: None,
            window: 1,
            max_reply: 1024 * 1024,
            connect: step,
            send: step,
            reply: step,
            trailer: Duration::from_millis(250),
            back_off: Duration::from_millis(500),
            max_back_off: Duration::from_secs(30),
            keep_alive: Some(Duration::from_secs(60)),
            closed: false,
            #[cfg(feature = "sabotage")]
            foreign_completes: false,
        }
    }

    /// Sets `connect`, `send` and `reply` at once.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        SenderOptions { connect: timeout, send: timeout, reply: timeout, ..self }
    }

    /// Everything that is wrong with them, a text for each. The files of TLS are read for this.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |is_right: bool, what: &str| {
            if !is_right {
                faults.push(what.to_owned());
            }
        };
        check(!self.address.0.is_empty(), "the host is empty");
        check(self.address.1 > 0, "port must be from 1 to 65535");
        check((1..=WINDOW).contains(&self.window), "window must be from 1 to 64");
        let reads = self.content_type == ContentType::Hl7;
        check(reads || self.actions.is_none(), "reply_code_actions need HL7");
        check(self.max_reply > 0, "max_reply must be at least 1");
        // Without an end to a wait its lane would stand still for ever, and nothing would say so.
        check(!self.connect.is_zero(), "connect must be longer than 0");
        check(!self.send.is_zero(), "send must be longer than 0");
        check(!self.reply.is_zero(), "reply must be longer than 0");
        check(!self.back_off.is_zero(), "back_off must be longer than 0");
        check(self.back_off <= self.max_back_off, "back_off must not be longer than max_back_off");
        check(socket::takes(self.keep_alive), "keep_alive must be from 1 to 32767 s");
        if let Some(Err(error)) = self.tls.as_ref().map(|it| it.load(&self.address.0)) {
            faults.push(format!("tls: {error}"));
        }
        faults
    }

    /// Where actions say what becomes of deliveries, the rules only say which answers are credited.
    fn rules_of_link(&self) -> Rules<MAX_RULES> {
        match &self.actions {
            Some(actions) if actions.complete_without_a_code() => {
                Rules::parse("no-msa=accept").unwrap_or_else(|_| self.rules.clone())
            }
            _ => self.rules.clone(),
        }
    }

    pub(super) fn link(&self) -> InitiatorConfig {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        InitiatorConfig {
            decoder: Config {
                profile: self.profile,
                framing: self.framing,
                max_payload_len: self.max_reply,
            },
            rules: self.rules_of_link(),
            window: self.window.clamp(1, WINDOW),
            scan: self.scan,
            send: millis(self.send),
            reply: millis(self.reply),
            trailer: millis(self.trailer),
            application: millis(self.reply),
            // Retries are the engine's: a link that sent again by itself would go uncounted.
            max_attempts: 1,
            ..InitiatorConfig::default()
        }
    }
}
