//! Senders that are answered after the last verdict on their message, and what is known of these
//! messages meanwhile.
//!
//! A message of such an inbound is stored first, like any other. From then on its ticket waits here for
//! the commit that makes the message final: PROCESSED, FILTERED and UNROUTED are answered AA. ERROR, a
//! delivery that is held, a stop of the engine and the deadline are answered AE, and delivery goes on. A
//! retry of the sender is recognised as a duplicate, and waits for the same verdict.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::body::Piece;
use crate::fact::{Committed, First};
use crate::ids::{LaneId, MessageId, Millis, Seq, Ticket};
use crate::order::{Answer, Order, Stored};
use crate::record::{Disposition, List, Part, Record, Transaction};

/// What is known of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing that was committed since somebody asks has made it final.
    #[default]
    Open,
    /// A delivery of it waits for an operator.
    Held,
    Final(Disposition),
    /// A commit whose outcome is unknown may have made it final.
    Unknown,
}

/// A ticket that waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub ticket: Ticket,
    /// The message that was stored for it: the one it waits for, or a duplicate of that.
    pub own: MessageId,
    pub acknowledgment: Piece,
    pub deadline: Millis,
}

impl Waiter {
    /// What is told of its message, which waits for the verdict on this one.
    fn stored(&self, first: MessageId) -> Stored {
        Stored { message: self.own, duplicate_of: (self.own != first).then_some(first) }
    }
}

#[derive(Debug, Default)]
struct Entry {
    verdict: Verdict,
    /// Something was committed of it since somebody asked.
    is_news: bool,
    /// A commit that is built or open does again what has failed.
    is_taken: bool,
    /// Its deliveries that were held, and whether they still are; `None`: a commit whose outcome is
    /// unknown says that.
    held: BTreeMap<(LaneId, Seq), Option<bool>>,
    waiting: Vec<Waiter>,
    /// Messages that are not committed and may come to wait for it.
    watchers: usize,
}

impl Entry {
    /// What those who wait are told now, if anything.
    fn verdict(&self) -> Option<Verdict> {
        match self.verdict {
            Verdict::Open if self.held.values().any(|it| *it == Some(true)) => Some(Verdict::Held),
            Verdict::Open if self.held.values().any(Option::is_none) => Some(Verdict::Unknown),
            Verdict::Open => None,
            known => Some(known),
        }
    }
}

/// What was answered, for the journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub message: MessageId,
    pub accepted: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    entries: BTreeMap<MessageId, Entry>,
    /// Messages with tickets that can be answered.
    ready: Vec<MessageId>,
    /// By their deadlines.
    deadlines: BTreeMap<(Millis, Ticket), MessageId>,
    /// Answers that no commit has written down yet.
    pub answered: VecDeque<Answered>,
    /// A planted fault: ERROR is answered like PROCESSED.
    #[cfg(feature = "sabotage")]
    pub errors_are_good: bool,
    /// A planted fault: a delivery that is held is waited for.
    #[cfg(feature = "sabotage")]
    pub waits_for_held: bool,
    /// A planted fault: a verdict stands though work was added.
    #[cfg(feature = "sabotage")]
    pub keeps_old: bool,
}

/// Whether the sender of a message with this end is told that it was done.
pub(crate) const fn is_good(end: Disposition) -> bool {
    matches!(end, Disposition::Processed | Disposition::Filtered | Disposition::Unrouted)
}

/// What a transaction says of the ends of messages.
fn outcomes(transaction: &Transaction) -> impl Iterator<Item = (MessageId, Disposition)> {
    transaction.records.iter().filter_map(|record| match record {
        Record::Outcome { message, disposition, .. } if disposition.is_final() => {
            Some((*message, *disposition))
        }
        _ => None,
    })
}

impl Verdicts {
    /// Takes note of what becomes of this message from now on.
    pub fn watch(&mut self, message: MessageId) {
        self.entries.entry(message).or_default().watchers += 1;
    }

    pub fn unwatch(&mut self, message: MessageId) {
        if let Some(entry) = self.entries.get_mut(&message) {
            entry.watchers = entry.watchers.saturating_sub(1);
            self.forget(message);
        }
    }

    fn forget(&mut self, message: MessageId) {
        let idle = |it: &Entry| it.watchers == 0 && it.waiting.is_empty();
        if self.entries.get(&message).is_some_and(idle) {
            self.entries.remove(&message);
        }
    }

    /// The store has said what it knows of a message that is watched. What was committed since then
    /// counts more.
    pub fn found(&mut self, first: &First) {
        let Some(entry) = self.entries.get_mut(&first.message) else { return };
        if !entry.is_news && first.disposition.is_final() {
            entry.verdict = Verdict::Final(first.disposition);
        }
        for row in &first.held {
            entry.held.entry(*row).or_insert(Some(true));
        }
    }

    /// Whether a message has ended in ERROR, as the store says, and nothing has become of it since.
    pub fn has_failed(&self, message: MessageId) -> bool {
        let entry = self.entries.get(&message).filter(|it| !it.is_news && !it.is_taken);
        entry.is_some_and(|it| it.verdict == Verdict::Final(Disposition::Error))
    }

    /// The same; what has failed is done again, once.
    pub fn takes_failed(&mut self, message: MessageId) -> bool {
        let has_failed = self.has_failed(message);
        if let Some(entry) = self.entries.get_mut(&message) {
            entry.is_taken = true;
        }
        has_failed
    }

    /// Nothing was written of what was done again.
    pub fn takes_nothing(&mut self, message: MessageId) {
        if let Some(entry) = self.entries.get_mut(&message) {
            entry.is_taken = false;
        }
    }

    /// A message is durable, and its ticket waits for the verdict on `message`.
    pub fn wait(&mut self, message: MessageId, waiter: Waiter) {
        self.deadlines.insert((waiter.deadline, waiter.ticket), message);
        let entry = self.entries.entry(message).or_default();
        entry.waiting.push(waiter);
        if entry.verdict().is_some() {
            self.ready.push(message);
        }
    }

    /// A transaction is durable. Messages that it has made final are answered by
    /// [`decide`](Verdicts::decide).
    pub fn learn(&mut self, transaction: &Transaction, committed: &Committed) {
        if self.entries.is_empty() {
            return;
        }
        for record in &transaction.records {
            match *record {
                Record::Held { lane, seq, message, .. } => {
                    self.hold(message, (lane, seq), Some(true));
                }
                Record::Unlisted { list: List::Held, lane, seq, message } => {
                    self.hold(message, (lane, seq), Some(false));
                }
                _ => {}
            }
        }
        for (message, disposition) in outcomes(transaction) {
            self.set(message, Verdict::Final(disposition));
        }
        // An operator has added work: the outcome was that of a part.
        for message in &committed.open {
            #[cfg(feature = "sabotage")]
            if self.keeps_old {
                continue;
            }
            self.set(*message, Verdict::Open);
        }
        for (message, disposition) in &committed.finals {
            self.set(*message, Verdict::Final(*disposition));
        }
    }

    /// It is unknown whether a transaction is durable, and so are the verdicts that depend on it.
    pub fn doubt(&mut self, transaction: &Transaction) {
        if self.entries.is_empty() {
            return;
        }
        for (message, _) in outcomes(transaction) {
            self.set(message, Verdict::Unknown);
        }
        for record in &transaction.records {
            match *record {
                Record::Held { lane, seq, message, .. }
                | Record::Unlisted { list: List::Held, lane, seq, message } => {
                    self.hold(message, (lane, seq), None);
                    self.set(message, Verdict::Unknown);
                }
                Record::Part(Part { message, .. }) | Record::Unlisted { message, .. } => {
                    self.set(message, Verdict::Unknown);
                }
                _ => {}
            }
        }
    }

    fn set(&mut self, message: MessageId, verdict: Verdict) {
        if let Some(entry) = self.entries.get_mut(&message) {
            (entry.verdict, entry.is_news) = (verdict, true);
            self.ready.push(message);
        }
    }

    fn hold(&mut self, message: MessageId, row: (LaneId, Seq), is_held: Option<bool>) {
        #[cfg(feature = "sabotage")]
        let is_held = is_held.map(|it| it && !self.waits_for_held);
        if let Some(entry) = self.entries.get_mut(&message) {
            entry.held.insert(row, is_held);
            self.ready.push(message);
        }
    }

    /// Answers the tickets that wait for a verdict which is known.
    pub fn decide(&mut self, orders: &mut VecDeque<Order>) {
        for message in core::mem::take(&mut self.ready) {
            self.answer(message, orders);
        }
    }

    fn answer(&mut self, message: MessageId, orders: &mut VecDeque<Order>) {
        let Some(entry) = self.entries.get_mut(&message) else { return };
        let Some(verdict) = entry.verdict() else { return };
        let accepted = matches!(verdict, Verdict::Final(end) if is_good(end));
        #[cfg(feature = "sabotage")]
        let accepted = accepted || self.errors_are_good && verdict != Verdict::Unknown;
        for waiter in core::mem::take(&mut entry.waiting) {
            self.deadlines.remove(&(waiter.deadline, waiter.ticket));
            let (ticket, stored) = (waiter.ticket, waiter.stored(message));
            let answer = match verdict {
                // A sender that asks again is told what the store says.
                Verdict::Unknown => Answer::Close,
                _ if accepted => Answer::Acknowledgment(waiter.acknowledgment),
                _ => Answer::NotDelivered,
            };
            if answer != Answer::Close {
                self.answered.push_back(Answered { message: waiter.own, accepted });
            }
            let stored = (answer != Answer::Close).then_some(stored);
            orders.push_back(Order::Answer { ticket, answer, stored });
        }
        self.forget(message);
    }

    /// Answers the tickets whose deadline has come; `all`: the engine stops, and every deadline has.
    pub fn expire(&mut self, now: Millis, all: bool, orders: &mut VecDeque<Order>) {
        while let Some(first) = self.deadlines.first_entry() {
            let (at, ticket) = *first.key();
            if at > now && !all {
                return;
            }
            let message = first.remove();
            let Some(entry) = self.entries.get_mut(&message) else { continue };
            let Some(place) = entry.waiting.iter().position(|it| it.ticket == ticket) else {
                continue;
            };
            let waiter = entry.waiting.remove(place);
            self.answered.push_back(Answered { message: waiter.own, accepted: false });
            let (answer, stored) = (Answer::NotDelivered, Some(waiter.stored(message)));
            orders.push_back(Order::Answer { ticket, answer, stored });
            self.forget(message);
        }
    }
}

#[cfg(test)]
mod tests;
