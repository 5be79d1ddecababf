//! Both ends on one line: who may speak.

use core::fmt;

use crate::buffer::Storage;
use crate::event::{ReceiverEvent, Ticket};
use crate::receiver::{Answered, Receiver};
use crate::sender::{SendVerdict, Sender, SenderEvent};
use crate::settings::{Millis, ReceiverConfig, Role, SenderConfig};
use crate::{Error, Times};

/// The settings of a [`Link`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkConfig {
    /// The receiving side.
    pub receiver: ReceiverConfig,
    /// The sending side.
    pub sender: SenderConfig,
}

impl LinkConfig {
    /// A computer, with the defaults of both sides.
    pub const DEFAULT: LinkConfig =
        LinkConfig { receiver: ReceiverConfig::DEFAULT, sender: SenderConfig::DEFAULT };

    /// The defaults of a role.
    pub const fn of(role: Role) -> LinkConfig {
        let times: Times = role.times();
        LinkConfig {
            receiver: ReceiverConfig { times, ..ReceiverConfig::DEFAULT },
            sender: SenderConfig { role, times, ..SenderConfig::DEFAULT },
        }
    }
}

/// A message that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u32);

/// A message is offered already: a queue is the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another message is offered and has no verdict yet")
    }
}

impl core::error::Error for Full {}

/// What happened on a line.
#[derive(Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// On the receiving side.
    Received(ReceiverEvent),
    /// The end of a message that was offered.
    Sent(Handle, SendVerdict),
    /// The peer has no room: it is asked again.
    Busy,
    /// Both ends have asked for the line: the computer yields, the instrument asks again.
    Contention,
    /// The peer asks for the line after so many frames; the message begins again afterwards.
    Interrupted {
        /// Frames that were acknowledged.
        frames: u32,
    },
    /// A byte that answers nothing: noise, or a second listener on the line.
    StrayReply,
}

/// One step of a link.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkFed {
    /// How many bytes of the chunk are done with. The next call takes the rest.
    pub consumed: usize,
    /// What happened. `None`: nothing more, until there are more bytes, until the host has answered, or
    /// until what is outgoing has left.
    pub event: Option<LinkEvent>,
}

/// One end of a line: it receives and sends, one at a time.
///
/// A message that is offered goes when no other side speaks; during the peer's session it waits for EOT. An
/// answer to a query is offered before the query's last frame is accepted, and goes at once after the
/// peer's EOT.
///
/// A reply that comes later than its time would be taken for the answer to another frame: after
/// [`SendVerdict::NoReply`] a host closes its connection, where it has one, and says
/// [`line_lost`](Link::line_lost).
pub struct Link<S> {
    receiver: Receiver<S>,
    sender: Sender,
    offered: Option<Offer>,
    handles: u32,
    /// An event of the sender, found outside `feed`.
    event: Option<SenderEvent>,
    /// So many replies were given to the host.
    replies: usize,
}

#[derive(Clone, Copy, Debug)]
struct Offer {
    handle: Handle,
    len: usize,
    started: bool,
}

impl<S: Storage> Link<S> {
    /// A link on a line that has just been opened.
    pub fn new(storage: S, config: LinkConfig, now: Millis) -> Link<S> {
        Link {
            receiver: Receiver::new(storage, config.receiver, now),
            sender: Sender::new(config.sender),
            offered: None,
            handles: 0,
            event: None,
            replies: 0,
        }
    }

    /// Offers a message of so many bytes, each of its records with its CR. It goes as soon as the line is
    /// free; the host keeps it, and gives it to [`outgoing`](Link::outgoing), until its verdict.
    ///
    /// # Errors
    ///
    /// [`Full`] while the message before has no verdict.
    pub fn offer(&mut self, message_len: usize) -> Result<Handle, Full> {
        if self.offered.is_some() {
            return Err(Full);
        }
        self.handles = self.handles.wrapping_add(1);
        let handle = Handle(self.handles);
        self.offered = Some(Offer { handle, len: message_len, started: false });
        Ok(handle)
    }

    /// Looks at the next bytes of the line, up to the next event. Call it again with what `consumed`
    /// leaves until the event is `None`; after [`on_time`](Link::on_time), with nothing.
    ///
    /// A chunk is one moment: give all that a read brought. What comes together with a reply answers
    /// nothing.
    pub fn feed(&mut self, chunk: &[u8], now: Millis) -> LinkFed {
        let mut consumed = 0usize;
        if let Some(event) = self.event.take().and_then(|event| self.of_sender(event)) {
            return LinkFed { consumed, event: Some(event) };
        }
        loop {
            let rest = chunk.get(consumed..).unwrap_or_default();
            // The ENQ that a sender yields to is the receiver's.
            let asked = match rest.split_at_checked(1) {
                Some((first, _)) if self.sender.is_active() => {
                    match self.sender.receive(first, now).event {
                        Some(SenderEvent::Asked) => Some(first),
                        event => {
                            consumed = consumed.saturating_add(1);
                            if let Some(event) = event.and_then(|event| self.of_sender(event)) {
                                return LinkFed { consumed, event: Some(event) };
                            }
                            continue;
                        }
                    }
                }
                _ => None,
            };
            let fed = self.receiver.feed(asked.unwrap_or(rest), now);
            consumed = consumed.saturating_add(fed.consumed);
            if asked.is_none() || fed.event.is_some() {
                return LinkFed { consumed, event: fed.event.map(LinkEvent::Received) };
            }
        }
    }

    /// Writes what is to leave now, and returns its length. `message` is the one that was offered.
    ///
    /// # Errors
    ///
    /// Those of [`Sender::outgoing`].
    pub fn outgoing(&mut self, message: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        self.take_the_line();
        let replies = self.receiver.outgoing();
        let (room, rest) = out.split_at_mut_checked(replies.len()).ok_or(Error::BufferTooSmall)?;
        room.copy_from_slice(replies);
        self.replies = replies.len();
        let len = self.sender.outgoing(message, rest)?;
        Ok(len.saturating_add(room.len()))
    }

    /// The last byte of what was [`outgoing`](Link::outgoing) has left.
    pub fn sent(&mut self, now: Millis) {
        self.receiver.sent(core::mem::take(&mut self.replies));
        self.sender.sent(now);
    }

    /// When [`on_time`](Link::on_time) is to be called.
    pub fn next_deadline(&self) -> Option<Millis> {
        match (self.receiver.next_deadline(), self.sender.next_deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Time has passed. Then [`feed`](Link::feed) gives the events, and there may be something
    /// [`outgoing`](Link::outgoing).
    pub fn on_time(&mut self, now: Millis) {
        self.receiver.on_time(now);
        if self.event.is_none() {
            self.event = self.sender.on_time(now);
        }
    }

    /// The connection is lost, and what comes next is a new one. What is offered and not begun stays
    /// offered: there may be something [`outgoing`](Link::outgoing).
    pub fn line_lost(&mut self, now: Millis) {
        self.receiver.line_lost(now);
        if let Some(event) = self.sender.line_lost() {
            self.event = Some(event);
        }
    }

    /// Takes the offered message back: it cannot be sent.
    pub fn withdraw(&mut self) {
        if self.offered.take().is_some_and(|offer| offer.started) {
            self.sender.give_up();
        }
    }

    /// [`Receiver::message`].
    pub fn message(&self) -> &[u8] {
        self.receiver.message()
    }

    /// [`Receiver::text`].
    pub fn text(&self) -> &[u8] {
        self.receiver.text()
    }

    /// [`Receiver::accept`].
    pub fn accept(&mut self, ticket: Ticket, now: Millis) -> Answered {
        self.receiver.accept(ticket, now)
    }

    /// [`Receiver::refuse`].
    pub fn refuse(&mut self, ticket: Ticket, now: Millis) -> Answered {
        self.receiver.refuse(ticket, now)
    }

    /// [`Receiver::accept_and_interrupt`].
    pub fn accept_and_interrupt(&mut self, ticket: Ticket, now: Millis) -> Answered {
        self.receiver.accept_and_interrupt(ticket, now)
    }

    /// [`Receiver::set_ready`].
    pub fn set_ready(&mut self, ready: bool) {
        self.receiver.set_ready(ready);
    }

    /// Whether bytes would be consumed: the host owes no answer, and its replies have left.
    pub fn wants_input(&self) -> bool {
        self.sender.is_active() || self.receiver.wants_input()
    }

    /// The receiving side.
    pub const fn receiver(&self) -> &Receiver<S> {
        &self.receiver
    }

    /// Sends what is offered, if the line is free.
    fn take_the_line(&mut self) {
        let Some(offer) = &mut self.offered else { return };
        let busy = self.receiver.in_session() || !self.receiver.wants_input();
        if busy || self.sender.is_active() || self.event.is_some() {
            return;
        }
        if self.sender.is_waiting() {
            self.sender.resume();
        } else if !offer.started {
            offer.started = true;
            self.sender.start(offer.len);
        }
    }

    fn of_sender(&mut self, event: SenderEvent) -> Option<LinkEvent> {
        match event {
            SenderEvent::Verdict(verdict) => {
                self.offered.take().map(|offer| LinkEvent::Sent(offer.handle, verdict))
            }
            SenderEvent::Busy => Some(LinkEvent::Busy),
            SenderEvent::Contention => Some(LinkEvent::Contention),
            SenderEvent::Interrupted { frames } => Some(LinkEvent::Interrupted { frames }),
            SenderEvent::Stray => Some(LinkEvent::StrayReply),
            SenderEvent::Asked => None,
        }
    }
}

impl<S> fmt::Debug for Link<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut link = f.debug_struct("Link");
        link.field("receiver", &self.receiver).field("sender", &self.sender);
        link.field("offered", &self.offered).finish_non_exhaustive()
    }
}
