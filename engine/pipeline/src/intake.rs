//! Messages that were received and are not durable yet, of one inbound.
//!
//! They are committed in the order in which they came. A message that has the identity of an earlier
//! one waits until the bytes are compared, and all behind it wait with it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::body::{Body, Piece, after_header};
use crate::duplicates::Identities;
use crate::fact::{First, Received};
use crate::graph::{Acknowledge, Inbound};
use crate::ids::{MessageId, Millis, Now, Ticket};
use crate::order::{Answer, Order, Sameness, Stored};
use crate::record::Disposition;
use crate::renewal::Dead;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::{Alarm, Shared};
use crate::verdicts::Waiter;

/// A message that waits for its commit.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub id: MessageId,
    /// By the wall clock.
    pub received_at: u64,
    pub received: Received,
    pub standing: Standing,
    /// Its sender waits for the verdict, until then.
    pub deadline: Option<Millis>,
    /// The message whose verdict it may come to wait for.
    watches: Option<MessageId>,
    /// Dead deliveries of its first, which it has sent again.
    pub renews: Vec<Dead>,
    /// An earlier message with the same control ID and other bytes.
    pub namesake: Option<MessageId>,
}

impl Waiting {
    /// Whether it is appended to the lane of its inbound.
    pub fn is_routed(&self) -> bool {
        self.received.accepted && !matches!(self.standing, Standing::Duplicate(_))
    }

    /// What is told of it once it is durable.
    const fn stored(&self) -> Stored {
        let duplicate_of = match self.standing {
            Standing::Duplicate(first) => Some(first),
            _ => None,
        };
        Stored { message: self.id, duplicate_of }
    }
}

impl Waiting {
    /// It is durable, and its sender waits for the verdict.
    fn wait(self, deadline: Millis, shared: &mut Shared) {
        let first = match self.standing {
            Standing::Duplicate(first) => first,
            _ => self.id,
        };
        let watches = self.watches;
        let Received { ticket, acknowledgment, .. } = self.received;
        #[cfg(feature = "sabotage")]
        if shared.broken(Sabotage::AckBeforeVerdict) {
            let answer = Answer::Acknowledgment(acknowledgment);
            return shared.orders.push_back(Order::Answer { ticket, answer, stored: None });
        }
        #[cfg(feature = "sabotage")]
        if shared.broken(Sabotage::ForgetTicket) && ticket.0.is_multiple_of(8) {
            return;
        }
        let waiter = Waiter { ticket, own: self.id, acknowledgment, deadline };
        shared.verdicts.wait(first, waiter);
        shared.wake(deadline, Alarm::Verdict);
        if let Some(first) = watches {
            shared.verdicts.unwatch(first);
        }
    }

    pub fn unwatch(&mut self, shared: &mut Shared) {
        if let Some(first) = self.watches.take() {
            shared.verdicts.unwatch(first);
        }
    }
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
    /// Length of their bodies, also of those in chunks.
    pub len: u64,
    identities: Option<Identities>,
    /// By their senders and control IDs.
    names: Option<Identities>,
    acknowledge: Acknowledge,
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
    /// So many entries are remembered to find duplicates.
    pub fn new(inbound: &Inbound, entries: usize) -> Intake {
        let new = || inbound.deduplicate.then(|| Identities::new(entries));
        let (identities, names, acknowledge) = (new(), new(), inbound.acknowledge);
        Intake { queue: VecDeque::new(), resolved: 0, len: 0, identities, names, acknowledge }
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
        self.len += received.body.len();
        #[cfg(feature = "sabotage")]
        if shared.broken(Sabotage::AckEarly) {
            let answer = Answer::Acknowledgment(received.acknowledgment.clone());
            let ticket = received.ticket;
            shared.orders.push_back(Order::Answer { ticket, answer, stored: None });
        }
        let deadline = match self.acknowledge {
            Acknowledge::Delivered { within } if received.accepted => Some(now.steady + within),
            _ => None,
        };
        self.queue.push_back(Waiting {
            id,
            received_at: now.wall,
            received,
            standing: Standing::Unknown,
            deadline,
            watches: None,
            renews: Vec::new(),
            namesake: None,
        });
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
                    self.look_for_namesake(self.resolved, now);
                }
            }
            self.resolved += 1;
        }
    }

    /// What is known of a message by its identity. It stays unknown while the first is in the open
    /// commit and its bytes are not at hand.
    fn look_up(&mut self, at: usize, now: Now, shared: &mut Shared) -> Standing {
        let Waiting { received, deadline, .. } = &self.queue[at];
        let Received { ticket, identity, accepted, body, control_id, .. } = received;
        let (ticket, identity, is_retry) = (*ticket, *identity, deadline.is_some());
        let Some(identities) = self.identities.as_mut().filter(|_| *accepted && identity != 0)
        else {
            return Standing::New;
        };
        let Some(first) = identities.find(identity, now.steady) else { return Standing::New };
        let Ok(earlier) = self.queue.binary_search_by_key(&first, |waiting| waiting.id) else {
            let (body, with) = (body.clone(), first);
            let what = match is_retry {
                true => Sameness::ControlIdAndBody(control_id.clone()),
                false => Sameness::Bytes,
            };
            self.watch(at, first, shared);
            shared.orders.push_back(Order::Compare { ticket, body, with, what });
            return Standing::Comparing;
        };
        let theirs = &self.queue[earlier].received;
        match (&theirs.body, body) {
            (Body::Inline(one), Body::Inline(other))
                if match is_retry {
                    true => {
                        theirs.control_id == *control_id && after_header(one) == after_header(other)
                    }
                    false => one == other,
                } =>
            {
                let acknowledgment = theirs.acknowledgment.clone();
                self.queue[at].received.acknowledgment = acknowledgment;
                self.watch(at, first, shared);
                Standing::Duplicate(first)
            }
            (Body::Inline(_), Body::Inline(_)) => Standing::New,
            _ => Standing::Unknown,
        }
    }

    /// A message may come to wait for the verdict on an earlier one.
    fn watch(&mut self, at: usize, first: MessageId, shared: &mut Shared) {
        let waiting = &mut self.queue[at];
        if waiting.deadline.is_some() {
            waiting.watches = Some(first);
            shared.verdicts.watch(first);
        }
    }

    /// Takes note of an earlier message with the same control ID that is not the same message.
    fn look_for_namesake(&mut self, at: usize, now: Now) {
        let waiting = &mut self.queue[at];
        let name = u128::from(waiting.received.name.0);
        let Some(names) = self.names.as_mut().filter(|_| name != 0) else { return };
        if waiting.standing == Standing::New {
            waiting.namesake = names.find(name, now.steady);
        }
        names.insert(name, waiting.id, now.steady);
    }

    /// A duplicate is stored without its bytes.
    fn drop_body(&mut self, at: usize, load: &mut Load) {
        let body = &mut self.queue[at].received.body;
        load.bytes -= in_memory(body);
        self.len -= body.len();
        *body = Body::Inline(Piece::default().0);
    }

    pub fn is_comparing(&self, ticket: Ticket) -> bool {
        let waiting = self.queue.get(self.resolved);
        waiting.is_some_and(|it| it.standing == Standing::Comparing && it.received.ticket == ticket)
    }

    /// The host has compared the message that is looked at.
    pub fn compared(&mut self, ticket: Ticket, first: Option<First>, shared: &mut Shared) {
        if !self.is_comparing(ticket) {
            return;
        }
        let waiting = &mut self.queue[self.resolved];
        waiting.standing = match first {
            None => {
                waiting.unwatch(shared);
                Standing::New
            }
            Some(first) if waiting.deadline.is_some() => waiting.comes_again(first, shared),
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
            self.len -= waiting.received.body.len();
            #[cfg(feature = "sabotage")]
            if shared.broken(Sabotage::AckEarly) {
                continue;
            }
            match waiting.deadline {
                Some(deadline) => waiting.wait(deadline, shared),
                None => {
                    let stored = Some(waiting.stored());
                    let Received { ticket, acknowledgment, .. } = waiting.received;
                    let answer = Answer::Acknowledgment(acknowledgment);
                    shared.orders.push_back(Order::Answer { ticket, answer, stored });
                }
            }
        }
    }

    /// The first `count` messages are not durable, or may not be: they and the duplicates of them
    /// that wait are answered so.
    pub fn failed(&mut self, count: usize, answer: &Answer, load: &mut Load, shared: &mut Shared) {
        let Some(last) = count.checked_sub(1) else { return };
        let failed = self.queue[0].id..=self.queue[last].id;
        let resolved = self.resolved;
        let mut at = 0;
        self.queue.retain_mut(|waiting| {
            let first = match waiting.standing {
                Standing::Duplicate(first) => first,
                _ => waiting.id,
            };
            let goes = at < count || failed.contains(&first);
            if goes {
                self.resolved -= usize::from(at < resolved);
                load.remove(&waiting.received.body);
                self.len -= waiting.received.body.len();
                let ticket = waiting.received.ticket;
                waiting.unwatch(shared);
                let answer = answer.clone();
                shared.orders.push_back(Order::Answer { ticket, answer, stored: None });
            }
            at += 1;
            !goes
        });
    }

    /// Nothing can be stored for now: all that wait are answered so, but for the first ones.
    pub fn turn_away(&mut self, but: usize, load: &mut Load, shared: &mut Shared) {
        self.resolved = self.resolved.min(but);
        for mut waiting in self.queue.drain(but..) {
            load.remove(&waiting.received.body);
            self.len -= waiting.received.body.len();
            waiting.unwatch(shared);
            let (ticket, answer) = (waiting.received.ticket, Answer::NotStored);
            shared.orders.push_back(Order::Answer { ticket, answer, stored: None });
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
