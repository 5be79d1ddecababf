//! The receiving end of a link: messages in, answers out.

mod feed;

use hl7_peek::whole_fields;
use mllp_core::{Fault, ReceiveBuffer, Received, Scanner, Storage};

use crate::answering::{Answering, Receiving};
use crate::conversation::{Conversation, Notice};
use crate::event::{Arrived, ResponderEvent};
use crate::settings::ResponderConfig;
use crate::timer::Millis;

/// One connection, seen from the end that receives whole messages and answers them.
///
/// `S` stores what is received, `T` the answers that wait, `WINDOW` messages can be without an
/// answer at a time. The loop that drives it is in the crate documentation.
pub type Responder<S, T, const WINDOW: usize> = Answering<Stored<S>, T, WINDOW>;

/// How a [`Responder`] receives: `S` stores payloads until they are whole.
#[derive(Debug)]
pub struct Stored<S> {
    incoming: ReceiveBuffer<S>,
}

impl<S: Storage> Receiving for Stored<S> {
    fn scanner(&self) -> &Scanner {
        self.incoming.scanner()
    }

    fn at_hand(&self) -> &[u8] {
        self.incoming.payload()
    }
}

impl<S: Storage, T: Storage, const WINDOW: usize> Answering<Stored<S>, T, WINDOW> {
    /// A responder for a connection that was accepted at `now`.
    pub fn new(incoming: S, answers: T, config: ResponderConfig, now: Millis) -> Self {
        Answering {
            receiving: Stored { incoming: ReceiveBuffer::new(incoming, config.decoder) },
            conversation: Conversation::new(answers, config, now),
        }
    }

    /// Room for the socket to read into; empty while no input is wanted. Take every event first.
    pub fn spare_mut(&mut self, want: usize) -> &mut [u8] {
        self.conversation.drop_payload();
        if self.wants_input() { self.receiving.incoming.spare_mut(want) } else { &mut [] }
    }

    /// The socket has read `len` bytes into the spare room.
    pub fn commit_read(&mut self, len: usize, now: Millis) {
        let before = self.receiving.incoming.unread().len();
        self.receiving.incoming.commit(len);
        let read = self.receiving.incoming.unread().get(before..).unwrap_or_default();
        self.conversation.recognise(read);
        self.conversation.read(now);
        self.watch(now);
    }

    /// Takes bytes from a buffer of the host's, as many as there is room for, and returns how many.
    pub fn receive(&mut self, bytes: &[u8], now: Millis) -> usize {
        let room = self.spare_mut(bytes.len());
        let len = room.len().min(bytes.len());
        match (room.get_mut(..len), bytes.get(..len)) {
            (Some(room), Some(bytes)) if len > 0 => room.copy_from_slice(bytes),
            _ => return 0,
        }
        self.commit_read(len, now);
        len
    }

    /// What has happened. `None`: read, send, or wait for [`next_deadline`](Self::next_deadline).
    pub fn next_event(&mut self, now: Millis) -> Option<ResponderEvent> {
        let event = self.take_event();
        self.watch(now);
        event
    }

    fn take_event(&mut self) -> Option<ResponderEvent> {
        self.conversation.drop_payload();
        if let Some(notice) = self.conversation.notice() {
            return Some(notice.into());
        }
        if !self.conversation.delivers() {
            return None;
        }
        let mut received = self.receiving.incoming.next_event().map(detach);
        if received.is_none() && self.conversation.is_ending() {
            received = self.receiving.incoming.finish().map(detach);
        } else if received.is_none() && self.conversation.is_idle() {
            received = self.receiving.incoming.idle().map(detach);
        }
        match received {
            Some(detached) => Some(self.report(detached)),
            None => self.conversation.delivered().map(ResponderEvent::from),
        }
    }

    /// The payload of the message, or the beginning of the refused one, that
    /// [`next_event`](Self::next_event) or [`feed`](Self::feed) gave last, until one is called again
    /// or bytes are taken. Empty where `feed` has lent the payload itself. The beginning ends with a
    /// whole field: see [`whole_fields`].
    pub fn payload(&self) -> &[u8] {
        let payload = self.receiving.incoming.payload();
        if self.conversation.is_skipping() { whole_fields(payload) } else { payload }
    }

    fn report(&mut self, detached: Detached) -> ResponderEvent {
        match detached {
            Detached::Frame(arrived) => {
                if let Some(positive) = self.conversation.commit_block(arrived.kind) {
                    return ResponderEvent::Commit { positive };
                }
                match self.conversation.open() {
                    Some(ticket) => ResponderEvent::Message(ticket, arrived),
                    // delivers() has made sure of the room.
                    None => {
                        ResponderEvent::Fault { fault: Fault::TooLarge, offset: arrived.offset }
                    }
                }
            }
            Detached::TooLarge { offset } => match self.conversation.too_large() {
                Some(refusal) => ResponderEvent::TooLarge(refusal, offset),
                None => ResponderEvent::Fault { fault: Fault::TooLarge, offset },
            },
            Detached::Other(event) => {
                if let ResponderEvent::Discard(_) = event {
                    self.conversation.discard();
                }
                event
            }
        }
    }
}

impl From<Notice> for ResponderEvent {
    fn from(notice: Notice) -> ResponderEvent {
        match notice {
            Notice::Protocol(protocol) => ResponderEvent::Protocol(protocol),
            Notice::AnswersLost { answers } => ResponderEvent::AnswersLost { answers },
            Notice::Closing(reason) => ResponderEvent::Closing(reason),
        }
    }
}

/// What the receive buffer reports, without its bytes.
enum Detached {
    Frame(Arrived),
    TooLarge { offset: u64 },
    Other(ResponderEvent),
}

fn detach(received: Received<'_>) -> Detached {
    match received {
        Received::Frame(frame) => Detached::Frame(Arrived {
            offset: frame.offset,
            kind: frame.kind,
            deviations: frame.deviations,
        }),
        Received::Fault { fault: Fault::TooLarge, offset, .. } => Detached::TooLarge { offset },
        Received::Fault { fault, offset, .. } => {
            Detached::Other(ResponderEvent::Fault { fault, offset })
        }
        Received::Warning { deviation, offset } => {
            Detached::Other(ResponderEvent::Warning { deviation, offset })
        }
        Received::Discard(discard) => Detached::Other(ResponderEvent::Discard(discard)),
    }
}
