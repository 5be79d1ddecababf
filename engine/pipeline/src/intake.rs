//! Messages that were received and are not durable yet, of one inbound.
//!
//! They are committed in the order in which they came. A message that has the identity of an earlier
//! one waits until the bytes are compared, and all behind it wait with it.

use alloc::collections::VecDeque;

use crate::body::{Body, Piece};
use crate::duplicates::Identities;
use crate::fact::{First, Received};
use crate::ids::{MessageId, Now, Ticket};
use crate::order::{Answer, Order};
use crate::record::Disposition;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Shared;

/// A message that waits for its commit.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub id: MessageId,
    /// By the wall clock.
    pub received_at: u64,
    pub received: Received,
    pub standing: Standing,
}

/// Whether it came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not looked at yet.
    Unknown,
    /// The host compares the bytes.
    Comparing,
    New,
    /// The first was not processed, so this one is.
    Anew(MessageId),
    Duplicate(MessageId),
}

/// How many messages and bytes wait, over all inbounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub messages: usize,
    pub bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Intake {
    /// In the order of their numbers.
    pub queue: VecDeque<Waiting>,
    /// The first ones, of which is known whether they came before.
    pub resolved: usize,
    identities: Option<Identities>,
}

/// The bytes that a body occupies in memory.
pub(crate) fn in_memory(body: &Body) -> u64 {
    match body {
        Body::Inline(bytes) => bytes.len() as u64,
        Body::Chunked { .. } => 0,
    }
}

impl Load {
    fn add(&mut self, body: &Body) {
        self.messages += 1;
        self.bytes += in_memory(body);
    }

    pub fn remove(&mut self, body: &Body) {
        self.messages -= 1;
        self.bytes -= in_memory(body);
    }
}

impl Intake {
    pub fn new(identities: Option<usize>) -> Intake {
        let identities = identities.map(Identities::new);
        Intake { queue: VecDeque::new(), resolved: 0, identities }
    }

    pub fn know(&mut self, identity: u128, message: MessageId, now: Now) {
        if let Some(identities) = &mut self.identities {
            identities.insert(identity, message, now.steady);
        }
    }

    pub fn receive(
        &mut self,
        id: MessageId,
        received: Received,
        now: Now,
        load: &mut Load,
        shared: &mut Shared,
    ) {
        load.add(&received.body);
        #[cfg(feature = "sabotage")]
        if shared.broken(Sabotage::AckEarly) {
            let answer = Answer::Acknowledgment(received.acknowledgment.clone());
            shared.orders.push_back(Order::Answer { ticket: received.ticket, answer });
        }
        let standing = Standing::Unknown;
        self.queue.push_back(Waiting { id, received_at: now.wall, received, standing });
        self.resolve(now, load, shared);
    }

    /// Finds out of the next messages whether they came before, as far as that can be known now.
    pub fn resolve(&mut self, now: Now, load: &mut Load, shared: &mut Shared) {
        while self.resolved < self.queue.len() {
            if self.queue[self.resolved].standing == Standing::Unknown {
                let standing = self.look_up(self.resolved, now, shared);
                self.queue[self.resolved].standing = standing;
            }
            match self.queue[self.resolved].standing {
                Standing::Unknown | Standing::Comparing => return,
                Standing::Duplicate(_) => self.drop_body(self.resolved, load),
                Standing::New | Standing::Anew(_) => {
                    let Waiting { id, received, .. } = &self.queue[self.resolved];
                    let (id, identity) = (*id, received.identity);
                    if identity != 0 && received.accepted {
                        self.know(identity, id, now);
                    }
                }
            }
            self.resolved += 1;
        }
    }

    /// What is known of a message by its identity. It stays unknown while the first is in the open
    /// commit and its bytes are not at hand.
    fn look_up(&mut self, at: usize, now: Now, shared: &mut Shared) -> Standing {
        let Received { ticket, identity, accepted, body, .. } = &self.queue[at].received;
        let (ticket, identity) = (*ticket, *identity);
        let Some(identities) = self.identities.as_mut().filter(|_| *accepted && identity != 0)
        else {
            return Standing::New;
        };
        let Some(first) = identities.find(identity, now.steady) else { return Standing::New };
        let Ok(earlier) = self.queue.binary_search_by_key(&first, |waiting| waiting.id) else {
            let (body, with) = (body.clone(), first);
            shared.orders.push_back(Order::Compare { ticket, body, with });
            return Standing::Comparing;
        };
        match (&self.queue[earlier].received.body, body) {
            (Body::Inline(first_bytes), Body::Inline(bytes)) if first_bytes == bytes => {
                let acknowledgment = self.queue[earlier].received.acknowledgment.clone();
                self.queue[at].received.acknowledgment = acknowledgment;
                Standing::Duplicate(first)
            }
            (Body::Inline(_), Body::Inline(_)) => Standing::New,
            _ => Standing::Unknown,
        }
    }

    /// A duplicate is stored without its bytes.
    fn drop_body(&mut self, at: usize, load: &mut Load) {
        let body = &mut self.queue[at].received.body;
        load.bytes -= in_memory(body);
        *body = Body::Inline(Piece::default().0);
    }

    pub fn is_comparing(&self, ticket: Ticket) -> bool {
        let waiting = self.queue.get(self.resolved);
        waiting.is_some_and(|it| it.standing == Standing::Comparing && it.received.ticket == ticket)
    }

    /// The host has compared the message that is looked at.
    pub fn compared(&mut self, ticket: Ticket, first: Option<First>) {
        if !self.is_comparing(ticket) {
            return;
        }
        let waiting = &mut self.queue[self.resolved];
        waiting.standing = match first {
            None => Standing::New,
            Some(first) if answers_for_another(first.disposition) => {
                waiting.received.acknowledgment = first.acknowledgment;
                Standing::Duplicate(first.message)
            }
            Some(first) => Standing::Anew(first.message),
        };
    }

    /// The first `count` messages are durable: they are answered.
    pub fn committed(&mut self, count: usize, load: &mut Load, shared: &mut Shared) {
        self.resolved -= count;
        for waiting in self.queue.drain(..count) {
            load.remove(&waiting.received.body);
            #[cfg(feature = "sabotage")]
            if shared.broken(Sabotage::AckEarly) {
                continue;
            }
            let Received { ticket, acknowledgment, .. } = waiting.received;
            let answer = Answer::Acknowledgment(acknowledgment);
            shared.orders.push_back(Order::Answer { ticket, answer });
        }
    }

    /// The first `count` messages are not durable, or may not be: they and the duplicates of them
    /// that wait are answered so.
    pub fn failed(&mut self, count: usize, answer: &Answer, load: &mut Load, shared: &mut Shared) {
        let Some(last) = count.checked_sub(1) else { return };
        let failed = self.queue[0].id..=self.queue[last].id;
        let resolved = self.resolved;
        let mut at = 0;
        self.queue.retain(|waiting| {
            let first = match waiting.standing {
                Standing::Duplicate(first) => first,
                _ => waiting.id,
            };
            let goes = at < count || failed.contains(&first);
            if goes {
                self.resolved -= usize::from(at < resolved);
                load.remove(&waiting.received.body);
                let ticket = waiting.received.ticket;
                shared.orders.push_back(Order::Answer { ticket, answer: answer.clone() });
            }
            at += 1;
            !goes
        });
    }

    /// Nothing can be stored for now: all that wait are answered so.
    pub fn turn_away(&mut self, load: &mut Load, shared: &mut Shared) {
        self.resolved = 0;
        for waiting in self.queue.drain(..) {
            load.remove(&waiting.received.body);
            let (ticket, answer) = (waiting.received.ticket, Answer::NotStored);
            shared.orders.push_back(Order::Answer { ticket, answer });
        }
    }

    #[cfg(feature = "sabotage")]
    pub fn order_by_time(&mut self) {
        let resolved = self.resolved;
        self.queue.make_contiguous()[..resolved].sort_by_key(|waiting| waiting.received_at);
    }
}

/// Whether the acknowledgment of a first in this disposition serves for its duplicates.
fn answers_for_another(disposition: Disposition) -> bool {
    match disposition {
        Disposition::Received | Disposition::Routed | Disposition::Processed => true,
        Disposition::Duplicate => true,
        Disposition::Unrouted | Disposition::Filtered | Disposition::Error => false,
    }
}
