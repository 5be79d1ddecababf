//! One TCP connection after the other on a socket, each with a `StreamResponder`.

use ack_gen::{Ack, AckCode};
use mllp_link::{Arrived, Refusal, Refuse, ResponderConfig, StreamEvent};
use mllp_link::{StreamResponder, Ticket};
use smoltcp::socket::tcp::{Socket, State};

use crate::answer::Answer;
use crate::board::log;
use crate::identity::Identity;
use crate::segments::Segments;
use crate::settings::Settings;
use crate::stack::Stack;

/// The port that IANA has registered for MLLP.
const PORT: u16 = 2575;

/// How long the peer may take to close after this side has, in milliseconds.
const LINGER: u64 = 2000;

/// The protocol on a connection. Of a header, 512 bytes are kept. One message at a time may be without
/// its answer: the next one waits in the memory of TCP.
pub type Link = StreamResponder<[u8; Settings::MAX_ANSWER], 512, 1>;

/// What all connections share.
pub struct Host {
    pub config: ResponderConfig,
    pub identity: Identity,
    pub stack: Stack,
}

/// A socket's peer, if there is one.
pub struct Connection<'m> {
    link: &'m mut Option<Link>,
    message: Message,
    /// When this side has closed the connection.
    closed: Option<u64>,
}

/// The message that is passing by.
struct Message {
    /// Once its header has come.
    segments: Option<Segments>,
    len: u64,
    /// It is none, and nothing on its connection is: the peer speaks another protocol.
    foreign: bool,
}

impl Message {
    const NEW: Message = Message { segments: None, len: 0, foreign: false };
}

impl<'m> Connection<'m> {
    pub fn new(link: &'m mut Option<Link>) -> Connection<'m> {
        Connection { link, message: Message::NEW, closed: None }
    }

    /// Does what there is to do now.
    pub fn serve(&mut self, socket: &mut Socket<'_>, host: &mut Host, now: u64) {
        match socket.state() {
            State::Closed => {
                // With a link, the peer has reset the connection.
                if self.link.take().is_some() || self.closed.take().is_some() {
                    log!("free");
                }
                // It cannot fail: there is a port, and the socket is closed.
                let _ = socket.listen(PORT);
            }
            State::Listen | State::SynReceived => {}
            // Both sides have closed. With so few sockets, none can wait for what may be on its way.
            State::TimeWait => socket.abort(),
            _ => match self.closed {
                None => self.converse(socket, host, now),
                Some(at) if now.saturating_sub(at) > LINGER => socket.abort(),
                // A peer that still sends has not read its last answer yet.
                Some(_) => {
                    let _ = socket.recv(|bytes| (bytes.len(), ()));
                }
            },
        }
    }

    fn converse(&mut self, socket: &mut Socket<'_>, host: &mut Host, now: u64) {
        let message = &mut self.message;
        let link = self.link.get_or_insert_with(|| {
            log!("open");
            *message = Message::NEW;
            Link::new([0; Settings::MAX_ANSWER], host.config, now)
        });
        loop {
            let read = |bytes: &mut [u8]| {
                let consumed = message.pass(bytes, link, host, now);
                (consumed, consumed)
            };
            let consumed = socket.recv(read).unwrap_or(0);
            if message.foreign {
                // The peer waits for an answer in kind.
                return socket.abort();
            }
            let sent = socket.send_slice(link.outgoing()).unwrap_or(0);
            link.sent(sent, now);
            if consumed == 0 && sent == 0 {
                break;
            }
        }
        if !socket.may_recv() {
            link.peer_closed(now);
        }
        link.on_time(now);
        message.pass(&[], link, host, now);
        if link.is_finished() {
            socket.close();
            self.closed = Some(now);
            *self.link = None;
        }
    }
}

impl Message {
    /// Hands bytes of the peer to the protocol, does what it says, and returns how many it took.
    fn pass(&mut self, input: &[u8], link: &mut Link, host: &mut Host, now: u64) -> usize {
        let mut rest = input;
        loop {
            let step = host.stack.measure(|| link.step(rest, now));
            rest = &rest[step.consumed..];
            match step.event {
                Some(StreamEvent::Start { .. }) => *self = Message::NEW,
                // A gateway would pass these bytes on.
                Some(StreamEvent::Span(bytes)) => {
                    self.len += bytes.len() as u64;
                    if let Some(segments) = &mut self.segments {
                        segments.pass(bytes);
                    }
                }
                Some(StreamEvent::Header) => {
                    self.segments = Some(Segments::behind(link.header_bytes()));
                }
                Some(StreamEvent::End(ticket, arrived)) => {
                    self.answer(ticket, &arrived, link, host, now);
                }
                Some(StreamEvent::Lost { refusal, fault, .. }) => {
                    log!("lost: {}", fault.name());
                    if let Some(refusal) = refusal {
                        refuse(refusal, link, host, now);
                    }
                }
                Some(StreamEvent::Protocol(protocol)) if protocol.is_foreign() => {
                    log!("protocol: {}", protocol.name());
                    self.foreign = true;
                    return input.len();
                }
                Some(StreamEvent::Closing(reason)) => {
                    log!("closed: {}{}", reason.name(), host.stack);
                }
                Some(_) => {}
                None => return input.len() - rest.len(),
            }
        }
    }

    fn answer(
        &mut self,
        ticket: Ticket,
        arrived: &Arrived,
        link: &mut Link,
        host: &mut Host,
        now: u64,
    ) {
        // Without the end of a header, nothing was behind it.
        let behind = || Segments::behind(link.header_bytes());
        let mut segments = self.segments.take().unwrap_or_else(behind);
        segments.end();
        let policy = host.config.policy;
        let choose = || Answer::choose(policy, link.header(), &segments, arrived);
        let Some(Answer { code, errors }) = host.stack.measure(choose) else {
            link.leave_unanswered(ticket, now);
            log!("message: {} bytes, answer: none", self.len);
            return;
        };
        let (id, time) = (host.identity.control_id(), host.identity.time(now, policy));
        let ack = Ack { errors, ..Ack::always(code, None, &id, time.as_bytes()) };
        let name = match host.stack.measure(|| link.answer(ticket, &ack, now)) {
            Ok(()) => code.as_str(),
            Err(unanswered) => {
                link.leave_unanswered(unanswered.ticket, now);
                unanswered.error.name()
            }
        };
        log!("message: {} bytes, answer: {name}{}", self.len, host.stack);
    }
}

/// Refuses a message over the limit, if its beginning tells whom to refuse it to.
fn refuse(refusal: Refusal, link: &mut Link, host: &mut Host, now: u64) {
    let (id, time) = (host.identity.control_id(), host.identity.time(now, host.config.policy));
    let ack = Ack::always(AckCode::AR, None, &id, time.as_bytes());
    let refuse = || link.refuse(refusal, Refuse::Reject, &ack, now);
    if let Err(unrefused) = host.stack.measure(refuse) {
        link.leave_unrefused(unrefused.refusal, now);
    }
}
