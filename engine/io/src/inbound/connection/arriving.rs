//! What arrives: bytes become messages, whole in memory or in chunks in the store.

use std::sync::Arc;

use ack_gen::{Ack, AckCode, Outcome};
use hl7_peek::{MessageHeader, whole_fields};
use mllp_core::{Deviation, Fault};
use mllp_link::{Millis, Protocol, Refusal, Refuse, StreamEvent, Ticket};

use super::{Connection, Unread, Waiting};
use crate::clock;
use crate::inbound::acknowledge::{acknowledge, code};
use crate::inbound::identity::{identity, name};
use crate::inbound::incident::Incident;
use crate::inbound::listener::Shared;
use crate::inbound::mailbox::{Reply, ReplyTo};
use crate::inbound::upload::{Kept, Upload};
use crate::inbound::{Incoming, Payload, WHOLE};

const TOO_LARGE: &str = "the message is too large";

impl Connection {
    /// Takes in what was read before, and what is due without any bytes.
    pub(super) fn go_on(&mut self) {
        let Unread { bytes, from } = std::mem::take(&mut self.unread);
        let from = from + self.take_in(&bytes[from..]);
        // Mostly all of it was taken in, and then the memory is let go.
        if from < bytes.len() {
            self.unread = Unread { bytes, from };
        }
    }

    /// Takes in bytes up to where the connection has to wait; returns how many.
    pub(super) fn take_in(&mut self, input: &[u8]) -> usize {
        let now = clock::now();
        let mut taken = 0;
        while !self.abandoned && !self.is_held_up() {
            let step = self.responder.step(&input[taken..], now);
            taken += step.consumed;
            let Some(event) = step.event else { break };
            self.take(event, now);
        }
        if self.part.is_empty() {
            self.part = Vec::new();
        }
        if !self.incoming.is_empty() {
            self.shared.intake.received(&mut self.incoming);
            self.incoming.clear();
        }
        taken
    }

    /// Whether a large message has to be written further before anything else is taken in.
    pub(super) fn is_held_up(&mut self) -> bool {
        let Some(upload) = &mut self.upload else { return false };
        if upload.is_done() {
            self.take_upload();
            return false;
        }
        self.upload.as_mut().is_some_and(|it| !it.advance())
    }

    fn take(&mut self, event: StreamEvent<'_>, now: Millis) {
        if let Some(incident) = Incident::of(&event) {
            self.report(incident);
        }
        match event {
            StreamEvent::Start { .. } => self.drop_part(),
            StreamEvent::Span(bytes) => self.take_span(bytes),
            StreamEvent::End(ticket, arrived) => {
                let begins_anew = arrived.deviations.contains(Deviation::SbInPayload);
                self.fused = begins_anew && self.shared.options.never_fuses();
                match &mut self.upload {
                    Some(upload) => upload.ended = Some(ticket),
                    None => self.take_whole(ticket),
                }
            }
            StreamEvent::Lost { refusal, fault, .. } => {
                let beginning = match self.upload.take() {
                    Some(upload) => Arc::clone(&upload.beginning),
                    None => self.part.as_slice().into(),
                };
                self.drop_part();
                if fault == Fault::TooLarge {
                    self.refuse(refusal, beginning, now);
                }
            }
            // A ClientHello or a request line: its sender waits for an answer in kind.
            StreamEvent::Protocol(protocol) if is_foreign(protocol) => self.abandoned = true,
            _ => {}
        }
    }

    fn report(&mut self, incident: Incident) {
        let kind = 1 << incident.kind();
        if self.reported & kind == 0 {
            self.reported |= kind;
            self.shared.intake.happened(self.shared.options.number, self.peer, incident);
        }
    }

    fn drop_part(&mut self) {
        self.part.clear();
        self.upload = None;
    }

    fn take_span(&mut self, bytes: &[u8]) {
        if let Some(upload) = &mut self.upload {
            return upload.take(bytes);
        }
        self.part.extend_from_slice(bytes);
        if self.part.len() > WHOLE {
            let intake = Arc::clone(&self.shared.intake);
            let (gate, recognise) = (&self.shared.gate, self.shared.options.recognise);
            let (mailbox, part) = (Arc::clone(&self.mailbox), std::mem::take(&mut self.part));
            let upload = Upload::begin(intake, gate, recognise, mailbox, part);
            self.upload = Some(Box::new(upload));
        }
    }

    fn take_whole(&mut self, ticket: Ticket) {
        let payload: Arc<[u8]> = self.part.as_slice().into();
        self.part.clear();
        let header = self.shared.options.header(&payload);
        let control_id = header.as_ref().map_or(&[][..], |it| it.message_control_id());
        let identity = identity(self.shared.options.recognise, control_id, &payload);
        let beginning = Arc::clone(&payload);
        let whole = Payload::Whole(Arc::clone(&payload));
        self.take_message(ticket, beginning, header.as_ref(), whole, identity);
    }

    /// The large message has ended, and all of it is stored or lost.
    fn take_upload(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        let Some(ticket) = upload.ended.take() else { return };
        // A field that was cut would be another one.
        let beginning: Arc<[u8]> = whole_fields(&upload.beginning).into();
        let header = self.shared.options.header(&beginning);
        let control_id = header.as_ref().map_or(&[][..], |it| it.message_control_id());
        match upload.keep(control_id) {
            Some(Kept { body, len, identity }) => {
                let quoted = Arc::clone(&beginning);
                let stored = Payload::Stored { body, len, beginning: Arc::clone(&beginning) };
                self.take_message(ticket, quoted, header.as_ref(), stored, identity);
            }
            // Of a message without its bytes nothing is stored.
            None => self.answer(ticket, &beginning, &Reply::NotStored, clock::now()),
        }
    }

    /// `header` is that of `beginning`.
    fn take_message(
        &mut self,
        ticket: Ticket,
        beginning: Arc<[u8]>,
        header: Option<&MessageHeader<'_>>,
        payload: Payload,
        identity: u128,
    ) {
        let is_whole = matches!(payload, Payload::Whole(_)) || !is_header_cut(&beginning);
        let is_hl7 = self.shared.options.content_type.is_hl7();
        let (outcome, text) = match header {
            _ if self.fused => (Outcome::Reject, "a message begins within another one"),
            None if !is_hl7 && beginning.is_empty() => (Outcome::Reject, "the message is empty"),
            None if !is_hl7 => (Outcome::Accept, ""),
            Some(_) if is_whole => (Outcome::Accept, ""),
            Some(_) => (Outcome::Reject, "the MSH segment is too long"),
            None => (Outcome::Reject, "the message has no MSH segment"),
        };
        let accepted = outcome == Outcome::Accept;
        let id = self.shared.ids.next();
        let (_, acknowledgment) = self.shared.acknowledge(outcome, header, &id, text);
        let message = self.incoming(ticket.number(), header, payload, acknowledgment);
        let name = header.map_or(0, name);
        self.incoming.push(Incoming { identity, name, accepted, ..message });
        self.waiting.push_back(Waiting { ticket, payload: beginning });
    }

    /// A message, to begin with one that is not accepted.
    fn incoming(
        &mut self,
        number: u32,
        header: Option<&MessageHeader<'_>>,
        payload: Payload,
        acknowledgment: Arc<[u8]>,
    ) -> Incoming {
        let address = || self.peer.to_string().into_bytes().into();
        let origin = self.origin.get_or_insert_with(address);
        Incoming {
            listener: self.shared.options.number,
            reply_to: ReplyTo::new(Arc::clone(&self.mailbox), number),
            payload,
            control_id: header.map_or(&[][..], |it| it.message_control_id()).into(),
            message_type: header.map_or(&[][..], |it| it.message_type()).into(),
            origin: Arc::clone(origin),
            indexed: Vec::new(),
            identity: 0,
            name: 0,
            acknowledgment,
            accepted: false,
        }
    }

    /// Refuses a message over the limit, unless its connection ends. Its beginning is handed over to
    /// be looked at; the refusal does not wait for that.
    fn refuse(&mut self, refusal: Option<Refusal>, beginning: Arc<[u8]>, now: Millis) {
        let header = self.shared.options.header(whole_fields(&beginning));
        let id = self.shared.ids.next();
        let (code, acknowledgment) =
            self.shared.acknowledge(Outcome::Reject, header.as_ref(), &id, TOO_LARGE);
        // Where it is not refused, no answer waits for this number.
        let number = refusal.as_ref().map_or(u32::MAX, Refusal::number);
        let time = clock::timestamp();
        let acknowledgment = match (refusal, code) {
            (Some(refusal), Some(code)) => {
                let ack = Ack::always(code, None, id.as_bytes(), time.as_bytes());
                let ack = Ack { text: TOO_LARGE.as_bytes(), ..ack };
                let refused = self.responder.refuse(refusal, Refuse::Reject, &ack, now);
                if let Err(unrefused) = refused {
                    self.responder.leave_unrefused(unrefused.refusal, now);
                }
                acknowledgment
            }
            (Some(refusal), None) => {
                self.responder.leave_unrefused(refusal, now);
                acknowledgment
            }
            (None, _) => Arc::default(),
        };
        let payload = Payload::Whole(Arc::clone(&beginning));
        let message = self.incoming(number, header.as_ref(), payload, acknowledgment);
        self.incoming.push(message);
    }

    /// The connection is gone: a large message that has come whole is still stored.
    pub(super) async fn finish_upload(&mut self) {
        while self.upload.as_ref().is_some_and(|it| it.ended.is_some()) {
            // The peer is gone: answers go nowhere.
            self.mailbox.take(&mut Vec::new());
            if !self.is_held_up() {
                break;
            }
            match self.upload.as_ref().and_then(|it| it.wanted()) {
                Some(wanted) => {
                    let permit = wanted.acquire_owned().await.ok();
                    if let Some(upload) = &mut self.upload {
                        upload.permit = permit;
                    }
                }
                None => self.mailbox.arrived().await,
            }
        }
        if !self.incoming.is_empty() {
            self.shared.intake.received(&mut self.incoming);
        }
    }
}

/// Whether the header of a message that begins so goes on beyond. No partner could be sent it either.
pub(in crate::inbound) fn is_header_cut(beginning: &[u8]) -> bool {
    let end = beginning.iter().rposition(|byte| matches!(byte, b'\r' | b'\n'));
    let segments = &beginning[..end.map_or(0, |at| at + 1)];
    MessageHeader::parse_lenient(segments).is_none()
}

impl Shared {
    /// The acknowledgment of a message, and its code.
    fn acknowledge(
        &self,
        outcome: Outcome,
        header: Option<&MessageHeader<'_>>,
        control_id: &str,
        text: &str,
    ) -> (Option<AckCode>, Arc<[u8]>) {
        let code = code(self.options.ack_mode, header, outcome);
        (code, acknowledge(code, self.options.policy, header, control_id, text))
    }

    /// The refusal for now of a message; empty if it gets none.
    pub(super) fn refusal(&self, payload: &[u8], reply: &Reply) -> Arc<[u8]> {
        let header = self.options.header(payload);
        let text = match reply {
            Reply::NotDelivered => "stored, and not delivered so far",
            _ => "not stored, please send again",
        };
        self.acknowledge(Outcome::Error, header.as_ref(), &self.ids.next(), text).1
    }
}

/// Whether nothing of what comes can be a message, though it may hold framing bytes.
const fn is_foreign(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tls | Protocol::Http | Protocol::ProxyV1 | Protocol::ProxyV2)
}
