//! The sending end of a link: messages out, one verdict for each.

mod entry;
mod judging;
mod matching;
mod spans;
mod writing;

use ack_gen::{Inbound, Request};
use heapless::Vec;
use hl7_peek::{MessageHeader, trim_blanks};
use mllp_core::{ReceiveBuffer, Storage};

use crate::fate::Fate;
use crate::recent::Recent;
use crate::submission::{Handle, InitiatorConfig, InitiatorEvent, SubmitError};
use crate::timer::Millis;
use entry::{Entry, News, Stage};
use matching::{Heard, Known};
use spans::Spans;

/// One link, seen from the end that sends messages.
///
/// The payloads stay with the host: [`next_to_send`](Initiator::next_to_send) names the message to
/// write, and a message may be asked for again until its verdict. `S` stores what is received,
/// `WINDOW` messages may be without a verdict at a time, and control IDs have up to `ID` bytes.
#[derive(Debug)]
pub struct Initiator<S, const WINDOW: usize, const ID: usize> {
    incoming: ReceiveBuffer<S>,
    config: InitiatorConfig,
    entries: Vec<Entry<ID>, WINDOW>,
    recent: Recent,
    next: u32,
    connection: Connection,
    /// Failed attempts to connect since the last success.
    failures: u32,
    reconnect: bool,
    suspended: bool,
    /// When the last bytes came; what is known of the silence since then.
    last_read: Millis,
    silence: Silence,
    /// The last event is about the reply whose payload is at hand.
    at_hand: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// None, and none before this time.
    Closed(Millis),
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// More may come.
    Unknown,
    /// Longer than a trailer may take; the receive buffer has not been told yet.
    Pause,
    /// The stream has ended; what is left in the receive buffer has not been reported yet.
    End,
}

impl<S: Storage, const WINDOW: usize, const ID: usize> Initiator<S, WINDOW, ID> {
    /// A link without a connection and without messages.
    pub fn new(incoming: S, config: InitiatorConfig) -> Self {
        Initiator {
            incoming: ReceiveBuffer::new(incoming, config.decoder),
            config,
            entries: Vec::new(),
            recent: Recent::new(),
            next: 0,
            connection: Connection::Closed(0),
            failures: 0,
            reconnect: false,
            suspended: false,
            last_read: 0,
            silence: Silence::Unknown,
            at_hand: false,
        }
    }

    /// Takes a message. The host keeps its payload until the verdict.
    ///
    /// # Errors
    ///
    /// [`SubmitError`]; nothing has changed then.
    pub fn submit(&mut self, payload: &[u8], now: Millis) -> Result<Handle, SubmitError> {
        self.enter(payload, None, now)
    }

    fn enter(
        &mut self,
        payload: &[u8],
        spans: Option<Spans>,
        now: Millis,
    ) -> Result<Handle, SubmitError> {
        if self.entries.is_full() {
            return Err(SubmitError::Full);
        }
        let id = Vec::from_slice(self.check(payload)?).map_err(|_| SubmitError::IdTooLong)?;
        let header = MessageHeader::parse_lenient_with(payload, self.config.scan);
        let handle = Handle(self.next);
        self.next = self.next.wrapping_add(1);
        let request = header.map(|header| Request::new(&header, Inbound::Message));
        let entry = Entry {
            handle,
            id,
            request: request.unwrap_or_default(),
            spans,
            attempts: 0,
            stage: Stage::Queued(now),
            instead: None,
            left: false,
            untouched: false,
            news: None,
        };
        self.entries.push(entry).map_err(|_| SubmitError::Full)?;
        Ok(handle)
    }

    /// Checks a message as [`submit`](Initiator::submit) does, but for the room, and returns its
    /// control ID without blanks at its end; empty when it has none. For a host that keeps messages
    /// until there is room; see [`next_event_beside`](Initiator::next_event_beside).
    ///
    /// # Errors
    ///
    /// [`SubmitError`], but never `Full`.
    pub fn check<'a>(&self, payload: &'a [u8]) -> Result<&'a [u8], SubmitError> {
        self.config.decoder.framing.encode_slices(payload).map_err(SubmitError::Frame)?;
        let header = MessageHeader::parse_lenient_with(payload, self.config.scan);
        let id = trim_blanks(header.map(|header| header.message_control_id()).unwrap_or_default());
        // The null value says that there is none.
        let id = if id == b"\"\"" { &[] } else { id };
        if id.len() > ID {
            return Err(SubmitError::IdTooLong);
        }
        if !id.is_empty() && self.entries.iter().any(|entry| entry.id == id) {
            return Err(SubmitError::IdInUse);
        }
        Ok(id)
    }

    /// Takes back a message that waits: before it was written, between two attempts, or after CA for
    /// its application acknowledgment. It then has no verdict. Returns whether it could be.
    pub fn withdraw(&mut self, handle: Handle) -> bool {
        let waits = |entry: &Entry<ID>| {
            entry.handle == handle && matches!(entry.stage, Stage::Queued(_) | Stage::Stored(_))
        };
        let Some(at) = self.entries.iter().position(waits) else { return false };
        let stored = self.entries.get(at).filter(|entry| matches!(entry.stage, Stage::Stored(_)));
        if let Some(entry) = stored {
            self.recent.remember(&entry.id, Fate::Stored);
        }
        if at < self.entries.len() {
            self.entries.remove(at);
        }
        true
    }

    /// Whether the host should connect now. Take every event of the last connection first.
    pub fn wants_connection(&self, now: Millis) -> bool {
        let due = matches!(self.connection, Connection::Closed(from) if from <= now);
        due && self.silence != Silence::End
            && !self.suspended
            && self.entries.iter().any(Entry::is_queued)
    }

    /// A connection is open. What was received on an earlier one is forgotten.
    pub fn connected(&mut self) {
        self.incoming.reset();
        self.recent.connected();
        self.silence = Silence::Unknown;
        self.connection = Connection::Open;
        self.failures = 0;
        self.reconnect = false;
    }

    /// No connection could be opened.
    pub fn connect_failed(&mut self, now: Millis) {
        self.failures = self.failures.saturating_add(1);
        self.connection = Connection::Closed(now.saturating_add(self.back_off(self.failures)));
    }

    /// The connection was lost or its stream has ended. Replies that had come are still credited;
    /// what it means that the others will not come, the rules say.
    pub fn disconnected(&mut self, now: Millis) {
        if self.connection == Connection::Open {
            self.connection = Connection::Closed(now);
            self.silence = Silence::End;
        }
    }

    /// Room for the socket to read replies into. Take every event first.
    pub fn spare_mut(&mut self, want: usize) -> &mut [u8] {
        self.incoming.spare_mut(want)
    }

    /// The socket has read `len` bytes into the spare room.
    pub fn commit_read(&mut self, len: usize, now: Millis) {
        self.incoming.commit(len);
        self.last_read = now;
        self.silence = Silence::Unknown;
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

    /// What has happened. `None`: write, read, or wait for
    /// [`next_deadline`](Initiator::next_deadline).
    pub fn next_event(&mut self, now: Millis) -> Option<InitiatorEvent> {
        self.next_event_beside(&|_| false, now)
    }

    /// Does what [`next_event`](Initiator::next_event) does, for a host that keeps further messages
    /// for this link until there is room. A message without MSH-10 takes no reply that names one of
    /// them: `held` says whether one has this control ID, in the form that
    /// [`check`](Initiator::check) returns. It is asked only about a reply that would otherwise go
    /// to a message without MSH-10.
    pub fn next_event_beside(
        &mut self,
        held: &dyn Fn(&[u8]) -> bool,
        now: Millis,
    ) -> Option<InitiatorEvent> {
        self.at_hand = false;
        loop {
            if let Some(event) = self.take_news() {
                return Some(event);
            }
            if self.reconnect && self.connection == Connection::Open {
                self.connection = Connection::Closed(now);
                self.reconnect = false;
                self.give_up_replies(now);
                return Some(InitiatorEvent::Reconnect);
            }
            let event = match self.hear(held) {
                Some(Heard::Reply(found)) => {
                    self.at_hand = true;
                    self.on_reply(found, now)
                }
                Some(Heard::Event(event)) => {
                    // Nobody knows what the rest of a lost frame would swallow.
                    let lost = matches!(event, InitiatorEvent::Fault { .. });
                    self.reconnect |= lost && !self.entries.iter().any(Entry::in_flight);
                    Some(event)
                }
                None if self.silence == Silence::End => {
                    self.silence = Silence::Unknown;
                    self.give_up_replies(now);
                    None
                }
                None => return None,
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn hear(&mut self, held: &dyn Fn(&[u8]) -> bool) -> Option<Heard> {
        if let Some(received) = self.incoming.next_event() {
            let known = Known { entries: &self.entries, recent: &self.recent, held };
            return Some(Heard::new(received, &known, self.config.scan));
        }
        let received = match self.silence {
            Silence::Unknown => None,
            Silence::Pause => {
                self.silence = Silence::Unknown;
                self.incoming.idle()
            }
            Silence::End => self.incoming.finish(),
        };
        let known = Known { entries: &self.entries, recent: &self.recent, held };
        received.map(|it| Heard::new(it, &known, self.config.scan))
    }

    /// The payload of the reply that gave the last event, until the next call; `None` when it was no
    /// reply that gave it.
    pub fn reply(&self) -> Option<&[u8]> {
        self.at_hand.then(|| self.incoming.payload())
    }

    /// When [`on_time`](Initiator::on_time) is to be called, unless something else happens before.
    /// A time in the past while [`wants_connection`](Initiator::wants_connection) means just that: a
    /// host that is connecting waits for its connection instead.
    pub fn next_deadline(&self) -> Option<Millis> {
        if self.entries.iter().any(|entry| entry.news.is_some()) {
            return Some(0); // There is an event to take.
        }
        let open = self.connection == Connection::Open;
        let retry = match self.connection {
            Connection::Closed(from) => from,
            Connection::Open => 0,
        };
        let first = self.entries.iter().find(|entry| entry.is_queued());
        let queued = first.filter(|_| !self.suspended).and_then(|entry| match entry.stage {
            Stage::Queued(from) => Some(from.max(retry)),
            _ => None,
        });
        let replies = self.entries.iter().filter_map(|entry| entry.deadline(&self.config));
        // What waits for the socket, or for the reply to another, waits for no time.
        let queued = queued.filter(|_| !open || !self.is_busy());
        replies.chain(queued).chain(self.pause()).min()
    }

    /// When the silence behind an end block is long enough to end its frame.
    fn pause(&self) -> Option<Millis> {
        let trailer = self.config.trailer;
        let awaited = trailer > 0 && self.connection == Connection::Open;
        let awaited = awaited && self.incoming.scanner().awaits_trailer();
        (awaited && self.silence == Silence::Unknown)
            .then(|| self.last_read.saturating_add(trailer))
    }

    /// Time has passed; read what has come first. A reply that has not come is judged by the rules,
    /// and its connection given up, because the reply may still come. Both are different where its
    /// absence was to be expected: a message that asks for no receipt has succeeded, and one that
    /// was stored is accepted.
    pub fn on_time(&mut self, now: Millis) {
        if self.pause().is_some_and(|at| at <= now) {
            self.silence = Silence::Pause;
        }
        for at in 0..self.entries.len() {
            let expired = self.entries.get(at).and_then(|entry| entry.deadline(&self.config));
            if expired.is_some_and(|deadline| deadline <= now) {
                self.reconnect |= !self.judge_expired(at, now);
            }
        }
        if !self.reconnect {
            // What had not left may leave from now on.
            self.entries.iter_mut().for_each(|entry| entry.untouched = false);
        }
    }

    /// Whether a rule has suspended the link: nothing is sent until [`resume`](Initiator::resume).
    pub fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Goes on after a suspension.
    pub fn resume(&mut self) {
        self.suspended = false;
    }

    /// How many messages have no verdict yet.
    pub fn open_messages(&self) -> usize {
        self.entries.len()
    }

    fn take_news(&mut self) -> Option<InitiatorEvent> {
        let at = self.entries.iter().position(|entry| entry.news.is_some())?;
        let entry = self.entries.get_mut(at)?;
        let handle = entry.handle;
        Some(match entry.news.take()? {
            News::Stored => InitiatorEvent::Stored { handle },
            News::Retry(at, verdict) => InitiatorEvent::Retry { handle, at, verdict },
            News::Verdict(verdict, fate) => {
                // The order of the others is the order in which they are sent.
                if at < self.entries.len() {
                    self.entries.remove(at);
                }
                InitiatorEvent::Verdict { handle, verdict, fate }
            }
        })
    }
}
