//! The sending end of a link: messages out, one verdict for each.

mod matching;

use ack_gen::{AckCode, Condition, Inbound, Request};
use heapless::Vec;
use hl7_peek::MessageHeader;
use mllp_core::{FrameKind, ReceiveBuffer, Received, Storage};

use crate::recent::{Fate, Recent};
use crate::reply::read;
use crate::rules::{Action, ReplyKind, Verdict};
use crate::submission::{Handle, InitiatorConfig, InitiatorEvent, Stray, SubmitError};
use crate::timer::Millis;
use matching::{Found, find};

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// None, and none before this time.
    Closed(Millis),
    Open,
}

#[derive(Debug)]
struct Entry<const ID: usize> {
    handle: Handle,
    id: Vec<u8, ID>,
    request: Request,
    attempts: u32,
    stage: Stage,
    /// A reply for another message came while this one waited.
    mistaken: bool,
    /// A reply or its absence was judged and has not been reported.
    news: Option<News>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued(Millis),
    Writing,
    /// Waiting for the reply since then.
    Sent(Millis),
    /// CA came then; waiting for the application acknowledgment.
    Stored(Millis),
    /// It has its verdict.
    Done,
}

impl Stage {
    const fn in_flight(self) -> bool {
        matches!(self, Stage::Writing | Stage::Sent(_) | Stage::Stored(_))
    }
}

#[derive(Clone, Copy, Debug)]
enum News {
    Verdict(Verdict),
    Retry(Millis, Verdict),
    Stored,
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
        }
    }

    /// Takes a message. The host keeps its payload until the verdict.
    ///
    /// # Errors
    ///
    /// [`SubmitError`]; nothing has changed then.
    pub fn submit(&mut self, payload: &[u8], now: Millis) -> Result<Handle, SubmitError> {
        if self.entries.is_full() {
            return Err(SubmitError::Full);
        }
        if self.config.decoder.framing.encode_slices(payload).is_err() {
            return Err(SubmitError::NotFramable);
        }
        let header = MessageHeader::parse_lenient(payload);
        let id = header.map(|header| header.message_control_id).unwrap_or_default();
        let id = Vec::from_slice(id).map_err(|_| SubmitError::IdTooLong)?;
        if !id.is_empty() && self.entries.iter().any(|entry| entry.id == id) {
            return Err(SubmitError::IdInUse);
        }
        let handle = Handle(self.next);
        self.next = self.next.wrapping_add(1);
        let request = header.map(|header| Request::new(&header, Inbound::Message));
        let entry = Entry {
            handle,
            id,
            request: request.unwrap_or_default(),
            attempts: 0,
            stage: Stage::Queued(now),
            mistaken: false,
            news: None,
        };
        self.entries.push(entry).map_err(|_| SubmitError::Full)?;
        Ok(handle)
    }

    /// Whether the host should connect now.
    pub fn wants_connection(&self, now: Millis) -> bool {
        let due = matches!(self.connection, Connection::Closed(from) if from <= now);
        due && !self.suspended && self.entries.iter().any(|e| matches!(e.stage, Stage::Queued(_)))
    }

    /// A connection is open. What was received on an earlier one is forgotten.
    pub fn connected(&mut self) {
        self.incoming.reset();
        self.connection = Connection::Open;
        self.failures = 0;
        self.reconnect = false;
    }

    /// No connection could be opened.
    pub fn connect_failed(&mut self, now: Millis) {
        self.failures = self.failures.saturating_add(1);
        self.connection = Connection::Closed(now.saturating_add(self.back_off(self.failures)));
    }

    /// The connection was lost. Messages in flight have no reply: what that means, the rules say.
    pub fn disconnected(&mut self, now: Millis) {
        self.connection = Connection::Closed(now);
        self.reconnect = false;
        self.give_up_replies(now);
    }

    /// The message to write now, whole and framed, and nothing else before
    /// [`sent`](Initiator::sent).
    pub fn next_to_send(&mut self, now: Millis) -> Option<Handle> {
        if self.connection != Connection::Open || self.suspended || self.reconnect {
            return None;
        }
        if self.entries.iter().any(|entry| entry.stage == Stage::Writing) {
            return None;
        }
        // In order: a message that waits for its next attempt is not overtaken.
        let entry = self.entries.iter_mut().find(|e| matches!(e.stage, Stage::Queued(_)))?;
        match entry.stage {
            Stage::Queued(from) if from <= now => {
                entry.stage = Stage::Writing;
                entry.attempts = entry.attempts.saturating_add(1);
                Some(entry.handle)
            }
            _ => None,
        }
    }

    /// The last byte of the message has been written.
    pub fn sent(&mut self, handle: Handle, now: Millis) {
        let writing =
            |entry: &&mut Entry<ID>| entry.handle == handle && entry.stage == Stage::Writing;
        if let Some(entry) = self.entries.iter_mut().find(writing) {
            entry.stage = Stage::Sent(now);
        }
    }

    /// Room for the socket to read replies into. Take every event first.
    pub fn spare_mut(&mut self, want: usize) -> &mut [u8] {
        self.incoming.spare_mut(want)
    }

    /// The socket has read `len` bytes into the spare room.
    pub fn commit_read(&mut self, len: usize) {
        self.incoming.commit(len);
    }

    /// Takes bytes from a buffer of the host's, as many as there is room for, and returns how many.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let room = self.spare_mut(bytes.len());
        let len = room.len().min(bytes.len());
        match (room.get_mut(..len), bytes.get(..len)) {
            (Some(room), Some(bytes)) => room.copy_from_slice(bytes),
            _ => return 0,
        }
        self.commit_read(len);
        len
    }

    /// What has happened. `None`: write, read, or wait for
    /// [`next_deadline`](Initiator::next_deadline).
    pub fn next_event(&mut self, now: Millis) -> Option<InitiatorEvent> {
        loop {
            if let Some(event) = self.take_news() {
                return Some(event);
            }
            if self.reconnect && self.connection == Connection::Open {
                self.connection = Connection::Closed(now);
                self.give_up_replies(now);
                return Some(InitiatorEvent::Reconnect);
            }
            let event = match self.incoming.next_event()? {
                Received::Frame(frame) => {
                    let commit = matches!(frame.kind, FrameKind::CommitAck | FrameKind::CommitNak);
                    let found = if commit {
                        Found::Stray(Stray::CommitBlock)
                    } else {
                        find(&self.entries, &self.recent, &read(frame.payload))
                    };
                    self.on_reply(found, now)
                }
                Received::Warning { deviation, offset } => {
                    Some(InitiatorEvent::Warning { deviation, offset })
                }
                Received::Fault { fault, offset, .. } => {
                    Some(InitiatorEvent::Fault { fault, offset })
                }
                Received::Discard(discard) => Some(InitiatorEvent::Discard(discard)),
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// The payload of the reply that gave the last event, until the next call.
    pub fn reply(&self) -> &[u8] {
        self.incoming.payload()
    }

    /// When [`on_time`](Initiator::on_time) is to be called, unless something else happens before.
    /// A time in the past while [`wants_connection`](Initiator::wants_connection) means just that: a
    /// host that is connecting waits for its connection instead.
    pub fn next_deadline(&self) -> Option<Millis> {
        let open = self.connection == Connection::Open;
        let retry = match self.connection {
            Connection::Closed(from) => from,
            Connection::Open => 0,
        };
        let first = self.entries.iter().find(|e| matches!(e.stage, Stage::Queued(_)));
        let queued = first.filter(|_| !self.suspended).and_then(|entry| match entry.stage {
            Stage::Queued(from) => Some(from.max(retry)),
            _ => None,
        });
        let replies = self.entries.iter().filter_map(|entry| self.reply_deadline(entry));
        // What waits for the socket waits for no time.
        let writing = self.entries.iter().any(|entry| entry.stage == Stage::Writing);
        let queued = queued.filter(|_| !open || !writing);
        replies.chain(queued).min()
    }

    /// Time has passed. A reply that has not come is judged by the rules, and its connection given
    /// up: the reply may still be on its way.
    pub fn on_time(&mut self, now: Millis) {
        for at in 0..self.entries.len() {
            let expired = self.entries.get(at).and_then(|entry| self.reply_deadline(entry));
            if expired.is_some_and(|deadline| deadline <= now) {
                self.judge_absence(at, now);
                self.reconnect = true;
            }
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

    fn reply_deadline(&self, entry: &Entry<ID>) -> Option<Millis> {
        let (since, time) = match entry.stage {
            Stage::Sent(since) => (since, self.config.reply),
            Stage::Stored(since) => (since, self.config.application),
            Stage::Queued(_) | Stage::Writing | Stage::Done => return None,
        };
        (time > 0).then(|| since.saturating_add(time))
    }

    fn take_news(&mut self) -> Option<InitiatorEvent> {
        let at = self.entries.iter().position(|entry| entry.news.is_some())?;
        let entry = self.entries.get_mut(at)?;
        let handle = entry.handle;
        Some(match entry.news.take()? {
            News::Stored => InitiatorEvent::Stored { handle },
            News::Retry(at, verdict) => InitiatorEvent::Retry { handle, at, verdict },
            News::Verdict(verdict) => {
                // The order of the others is the order in which they are sent.
                if at < self.entries.len() {
                    self.entries.remove(at);
                }
                InitiatorEvent::Verdict { handle, verdict }
            }
        })
    }

    fn on_reply(&mut self, found: Found, now: Millis) -> Option<InitiatorEvent> {
        match found {
            Found::Stray(stray) => {
                if matches!(stray, Stray::Late | Stray::Foreign | Stray::Doubled) {
                    let waiting = self.entries.iter_mut().filter(|e| e.stage.in_flight());
                    waiting.for_each(|entry| entry.mistaken = true);
                }
                Some(InitiatorEvent::Stray(stray))
            }
            Found::Reply(at, kind) => {
                let entry = self.entries.get_mut(at)?;
                let verdict = self.config.rules.judge(kind);
                let stored = kind == ReplyKind::Code(AckCode::CA)
                    && verdict.action == Action::Accept
                    && entry.request.application == Condition::Always;
                if !stored {
                    self.apply(at, verdict, now);
                    return None;
                }
                if matches!(entry.stage, Stage::Stored(_)) {
                    return Some(InitiatorEvent::Stray(Stray::Doubled));
                }
                entry.stage = Stage::Stored(now);
                entry.news = Some(News::Stored);
                None
            }
        }
    }

    /// No reply came, or only replies for other messages.
    fn judge_absence(&mut self, at: usize, now: Millis) {
        let mistaken = self.entries.get(at).is_some_and(|entry| entry.mistaken);
        let kind = if mistaken { ReplyKind::WrongId } else { ReplyKind::NoReply };
        let verdict = self.config.rules.judge(kind);
        self.apply(at, verdict, now);
    }

    fn give_up_replies(&mut self, now: Millis) {
        for at in 0..self.entries.len() {
            // An application acknowledgment may come on another connection.
            let lost = self.entries.get(at).map(|entry| entry.stage);
            if let Some(Stage::Writing | Stage::Sent(_)) = lost {
                self.judge_absence(at, now);
            }
        }
    }

    fn apply(&mut self, at: usize, verdict: Verdict, now: Millis) {
        let attempts = self.entries.get(at).map_or(0, |entry| entry.attempts);
        let delay = self.back_off(attempts);
        let exhausted = attempts >= self.config.max_attempts;
        let Some(entry) = self.entries.get_mut(at) else { return };
        let answered = !matches!(verdict.reply, ReplyKind::NoReply | ReplyKind::WrongId);
        let fate = if answered { Fate::Answered } else { Fate::GivenUp };
        self.recent.remember(&entry.id, fate);
        entry.mistaken = false;
        if verdict.action == Action::Retry && !exhausted {
            let from = now.saturating_add(delay);
            entry.stage = Stage::Queued(from);
            entry.news = Some(News::Retry(from, verdict));
            return;
        }
        entry.stage = Stage::Done;
        entry.news = Some(News::Verdict(verdict));
        self.suspended |= verdict.action == Action::Suspend;
    }

    /// The time after this many failures: it doubles, up to its limit.
    fn back_off(&self, failures: u32) -> Millis {
        let doublings = failures.saturating_sub(1).min(32);
        let time = self.config.back_off.saturating_mul(1 << doublings);
        time.min(self.config.max_back_off)
    }
}
