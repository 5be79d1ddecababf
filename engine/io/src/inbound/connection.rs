//! One accepted connection: bytes in, messages to the intake, answers out in order.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use ack_gen::{Ack, AckCode, Timestamp};
use hl7_peek::MessageHeader;
use mllp_link::{Millis, Protocol, Refusal, Refuse, Responder, ResponderEvent, Ticket};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Incoming;
use super::acknowledge::acknowledge;
use super::identity::{identity, name};
use super::listener::Shared;
use super::mailbox::{Mailbox, Reply, ReplyTo};
use crate::alarm::Alarm;
use crate::clock;
use crate::storage::Growing;

/// Messages of one connection that may be without an answer; then nothing more is read.
const WINDOW: usize = 64;
const READ_SIZE: usize = 64 * 1024;
/// After our side is shut down for writing the peer gets this long to read its last answers: closing
/// with unread input makes the kernel send a reset, and a reset destroys what was not read yet.
const LINGER: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    stream: TcpStream,
    shared: Arc<Shared>,
    responder: Responder<Growing, Growing, WINDOW>,
    mailbox: Arc<Mailbox>,
    /// Messages without an answer, in the order of their tickets, with what a refusal quotes.
    waiting: VecDeque<Waiting>,
    /// Messages of this read, for the intake.
    incoming: Vec<Incoming>,
    /// Replies of this turn.
    replies: Vec<(u32, Reply)>,
    /// The link was told that the peer has ended.
    ended: bool,
    /// A reply has said to close at once.
    abandoned: bool,
}

struct Waiting {
    ticket: Ticket,
    /// What a refusal quotes: the first segment at least.
    payload: Arc<[u8]>,
}

/// A message above this leaves its memory to its present owner; of its first segment, which is
/// hardly ever as long, this much is kept.
const QUOTED: usize = 64 * 1024;

impl Connection {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let config = shared.options.responder();
        let (incoming, answers) = (Growing::default(), Growing::default());
        Connection {
            stream,
            responder: Responder::new(incoming, answers, config, clock::now()),
            shared,
            mailbox: Arc::default(),
            waiting: VecDeque::new(),
            incoming: Vec::new(),
            replies: Vec::new(),
            ended: false,
            abandoned: false,
        }
    }

    pub(super) async fn run(mut self) {
        // Small frames leave at once. A peer that is gone is found by its sender's next message.
        let _ = self.stream.set_nodelay(true);
        let mut stop = self.shared.stop.subscribe();
        let mut gate = self.shared.gate.watch();
        let mut alarm = Alarm::new();
        let lost = loop {
            self.take_replies();
            // What leaves makes room for messages that were read already, and what they are may be
            // answered at once.
            if !self.flush() {
                break true;
            }
            self.take_events();
            if !self.flush() {
                break true;
            }
            if self.abandoned || self.responder.is_finished() {
                break self.abandoned;
            }
            if *stop.borrow_and_update() {
                self.responder.close(clock::now());
                self.take_events();
                if self.responder.is_finished() {
                    break false;
                }
            }
            if !self.wait(&mut stop, &mut gate, &mut alarm).await {
                break true;
            }
        };
        if !lost {
            self.end().await;
        }
    }

    /// Waits for whatever comes next, and reads; false: the connection broke.
    async fn wait(
        &mut self,
        stop: &mut watch::Receiver<bool>,
        gate: &mut watch::Receiver<bool>,
        alarm: &mut Alarm,
    ) -> bool {
        let reads = !self.ended && self.responder.wants_input() && *gate.borrow_and_update();
        let writes = !self.responder.outgoing().is_empty();
        let interest = match (reads, writes) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        };
        let deadline = self.responder.next_deadline();
        let stream = &self.stream;
        let ready = async {
            match interest {
                Some(interest) => stream.ready(interest).await.is_ok_and(|it| it.is_readable()),
                None => std::future::pending().await,
            }
        };
        let readable = tokio::select! {
            readable = ready => readable,
            () = self.mailbox.arrived() => false,
            () = alarm.rings(deadline) => false,
            _ = gate.changed() => false,
            _ = stop.changed(), if !*stop.borrow() => false,
        };
        // Whatever ended the wait: what has come is read before a time is said to have run out.
        let whole = !(readable || reads) || self.read();
        self.responder.on_time(clock::now());
        whole
    }

    /// Reads what there is; false: the connection broke.
    fn read(&mut self) -> bool {
        let room = self.responder.spare_mut(READ_SIZE);
        if room.is_empty() {
            return true;
        }
        match self.stream.try_read(room) {
            Ok(0) => {
                self.ended = true;
                self.responder.peer_closed(clock::now());
            }
            Ok(len) => self.responder.commit_read(len, clock::now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => {
                // What was read before is still stored: a sender may leave without waiting.
                self.responder.peer_closed(clock::now());
                self.take_events();
                return false;
            }
        }
        true
    }

    fn take_events(&mut self) {
        let now = clock::now();
        while let Some(event) = self.responder.next_event(now) {
            match event {
                ResponderEvent::Message(ticket, _) => self.take_message(ticket),
                ResponderEvent::TooLarge(refusal, _) => self.refuse(refusal, now),
                // A ClientHello or a request line: its sender waits for an answer in kind.
                ResponderEvent::Protocol(protocol) if is_foreign(protocol) => {
                    self.abandoned = true;
                    return;
                }
                _ => {}
            }
        }
        if !self.incoming.is_empty() {
            self.shared.intake.received(&mut self.incoming);
            self.incoming.clear();
        }
    }

    fn take_message(&mut self, ticket: Ticket) {
        let payload: Arc<[u8]> = self.responder.payload().into();
        let header = MessageHeader::parse_lenient(&payload);
        let header = header.as_ref();
        let control_id = header.map_or(&[][..], |it| it.message_control_id());
        let identity = identity(self.shared.options.recognise, control_id, &payload);
        let (code, text) = match header {
            Some(_) => (AckCode::AA, ""),
            None => (AckCode::AR, "the message has no MSH segment"),
        };
        self.incoming.push(Incoming {
            listener: self.shared.options.number,
            reply_to: ReplyTo::new(Arc::clone(&self.mailbox), ticket.number()),
            control_id: control_id.into(),
            message_type: header.map_or(&[][..], |it| it.message_type()).into(),
            indexed: Vec::new(),
            identity,
            name: header.map_or(0, name),
            acknowledgment: acknowledge(code, header, &self.shared.ids.next(), text),
            accepted: header.is_some(),
            payload: Arc::clone(&payload),
        });
        let quoted = if payload.len() > QUOTED { payload[..QUOTED].into() } else { payload };
        self.waiting.push_back(Waiting { ticket, payload: quoted });
    }

    fn refuse(&mut self, refusal: Refusal, now: Millis) {
        let id = self.shared.ids.next();
        let time = Timestamp::utc(clock::unix_seconds());
        let ack = Ack::always(AckCode::AR, None, id.as_bytes(), time.as_bytes());
        let ack = Ack { text: b"the message is too large", ..ack };
        if let Err(unrefused) = self.responder.refuse(refusal, Refuse::Reject, &ack, now) {
            self.responder.leave_unrefused(unrefused.refusal, now);
        }
    }

    fn take_replies(&mut self) {
        let mut replies = std::mem::take(&mut self.replies);
        self.mailbox.take(&mut replies);
        for (number, reply) in replies.drain(..) {
            let place = self.waiting.iter().position(|it| it.ticket.number() == number);
            let Some(Waiting { ticket, payload }) = place.and_then(|at| self.waiting.remove(at))
            else {
                continue;
            };
            self.answer(ticket, &payload, &reply);
        }
        self.replies = replies;
    }

    fn answer(&mut self, ticket: Ticket, payload: &[u8], reply: &Reply) {
        let now = clock::now();
        let refused;
        let answer = match reply {
            Reply::Acknowledgment(answer) => &answer[..],
            Reply::NotStored | Reply::NotDelivered => {
                let header = MessageHeader::parse_lenient(payload);
                let text = match reply {
                    Reply::NotDelivered => "stored, and not delivered so far",
                    _ => "not stored, please send again",
                };
                let id = self.shared.ids.next();
                refused = acknowledge(AckCode::AE, header.as_ref(), &id, text);
                &refused
            }
            Reply::Close => {
                self.abandoned = true;
                return;
            }
        };
        if let Err(unanswered) = self.responder.answer_with(ticket, answer, now) {
            // It cannot be framed. Silence in its place would hold those behind it for ever.
            self.responder.leave_unanswered(unanswered.ticket, now);
            self.abandoned = true;
        }
    }

    /// Writes what the socket takes; false: the connection broke.
    fn flush(&mut self) -> bool {
        while !self.responder.outgoing().is_empty() {
            match self.stream.try_write(self.responder.outgoing()) {
                Ok(len) => self.responder.sent(len, clock::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        true
    }

    /// Tells the peer that nothing more comes, and waits for it to read its last answers.
    async fn end(mut self) {
        let _ = self.stream.shutdown().await;
        let drained = async {
            let mut rest = vec![0; 4096];
            while self.stream.read(&mut rest).await.is_ok_and(|len| len > 0) {}
        };
        let _ = tokio::time::timeout(LINGER, drained).await;
    }
}

/// Whether nothing of what comes can be a message, though it may hold framing bytes.
const fn is_foreign(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tls | Protocol::Http | Protocol::ProxyV1 | Protocol::ProxyV2)
}
