//! What must hold when an answer leaves, and what its sender does then.

use mllp_pipeline::{Answer, Disposition, Event, MessageId, Piece, Ticket, What};

use crate::census;
use crate::functions::after_header;
use crate::hours;
use crate::invariant::Invariant::{Acknowledged, Protocol, Verdict};
use crate::message::Message;
use crate::renewing;
use crate::sender::{Sender, acknowledgment};
use crate::store::Store;
use crate::world::World;

/// Messages that were stored with this acknowledgment: the first, and duplicates of it.
fn stored<'a>(store: &'a Store, acknowledgment: &'a [u8]) -> impl Iterator<Item = &'a Message> {
    store.messages.values().filter(move |it| *it.new.acknowledgment.0 == *acknowledgment)
}

/// The bytes of a message; of the first, if it is a duplicate.
fn bytes_of_first(message: MessageId, store: &Store) -> Vec<u8> {
    let it = &store.messages[&message];
    match it.new.duplicate_of {
        Some(first) if it.disposition() == Disposition::Duplicate => store.bytes_of(first),
        _ => store.bytes_of(message),
    }
}

/// What was answered is written down.
pub fn check_noted(event: &Event, store: &Store) {
    if event.what == (What::Answered { accepted: true }) {
        let it = &store.messages[&event.message];
        let first = it.new.duplicate_of.filter(|_| it.new.identity == 0);
        // An operator may have added work since it was answered.
        let outcomes = &store.messages[&first.unwrap_or(event.message)].outcomes;
        let was_good = outcomes.iter().any(|(_, end)| is_good(*end));
        Verdict.check(was_good, format_args!("{} is noted as AA", event.message));
    }
}

fn is_good(end: Disposition) -> bool {
    matches!(end, Disposition::Processed | Disposition::Filtered | Disposition::Unrouted)
}

/// An answer leaves.
pub fn check_answer(
    ticket: Ticket,
    answer: &Answer,
    is_stopping: bool,
    senders: &mut [Sender],
    world: &mut World,
) {
    hours::check_answer(ticket, answer, world);
    let Some(sender) = senders.iter_mut().find(|it| it.waiting.contains_key(&ticket)) else {
        return Protocol.check(false, "an answer that no sender waits for");
    };
    let (bytes, sent_at) = sender.waiting.remove(&ticket).expect("waiting");
    match answer {
        Answer::Acknowledgment(piece) => {
            check_acknowledged(ticket, piece, &bytes, sender, world);
            renewing::count_done(ticket, world);
            sender.acknowledged.push(bytes.clone());
            if world.strikes(world.scenario.doubled) {
                sender.unsent.push_back(bytes);
            }
        }
        Answer::NotStored => {
            let is_stored = stored(&world.store, &acknowledgment(ticket)).next().is_some();
            Acknowledged.check(!is_stored, format_args!("ticket {ticket} is stored"));
            sender.unsent.push_front(bytes);
            sender.not_before = world.now + world.rng.below(300);
        }
        Answer::NotDelivered => {
            check_not_delivered(ticket, &bytes, sent_at, is_stopping, sender, world);
            // It sends again, or leaves it at that.
            if world.rng.one_in(2) {
                sender.unsent.push_front(bytes);
                sender.not_before = world.now + world.rng.below(2_000);
            }
        }
        Answer::Close => {
            sender.unsent.push_front(bytes);
            sender.not_before = world.now + world.rng.below(100);
        }
    }
}

fn check_acknowledged(ticket: Ticket, piece: &Piece, bytes: &[u8], sender: &Sender, world: &World) {
    let same = |it: &&Message| {
        let theirs = world.store.bytes(&it.new.body);
        it.new.inbound == sender.lane && after_header(&theirs) == bytes
    };
    let found = stored(&world.store, &piece.0).find(same);
    Acknowledged.check(found.is_some(), format_args!("ticket {ticket} is not stored"));
    let first = found.expect("found");
    if sender.within.is_some() && first.new.accepted {
        let end = first.disposition();
        Verdict.check(is_good(end), format_args!("{} is answered AA, and {end:?}", first.new.id));
        census::count("answered after the verdict");
    }
}

/// It is stored, and its time is over, or it was not done.
fn check_not_delivered(
    ticket: Ticket,
    bytes: &[u8],
    sent_at: u64,
    is_stopping: bool,
    sender: &Sender,
    world: &mut World,
) {
    let of_sender = |it: &&Message| {
        let theirs = bytes_of_first(it.new.id, &world.store);
        it.new.inbound == sender.lane && it.new.accepted && after_header(&theirs) == bytes
    };
    let all: Vec<_> = world.store.messages.values().filter(of_sender).collect();
    let ends: Vec<_> = all.iter().map(|it| it.disposition()).collect();
    // It waits for its first, or for itself: what is processed again names a first as well.
    let of = all.iter().flat_map(|it| [Some(it.new.id), it.new.duplicate_of]).flatten();
    let held = of.into_iter().any(|id| !world.store.held_of(id).is_empty());
    Acknowledged.check(!ends.is_empty(), format_args!("ticket {ticket} is not stored"));
    let within = sender.within.expect("it waits for a verdict");
    let late = world.now >= sent_at + within;
    let failed = ends.contains(&Disposition::Error);
    if !(late || held || is_stopping) {
        renewing::check_failed(ticket, world);
    }
    let right = late || failed || held || is_stopping;
    Verdict.check(right, format_args!("ticket {ticket} is turned down"));
    census::count(match () {
        () if failed => "answered AE for an ERROR",
        () if held && !late => "answered AE while it is held",
        () => "answered AE in time",
    });
}

/// No sender waits for the verdict on a message of which a delivery is known to be held.
pub fn check_waiting(senders: &[Sender], world: &World) {
    for sender in senders.iter().filter(|it| it.within.is_some()) {
        for ticket in sender.waiting.keys() {
            let acknowledgment = acknowledgment(*ticket);
            let held = stored(&world.store, &acknowledgment)
                .any(|it| !world.store.held_of(it.new.id).is_empty());
            Verdict.check(!held, format_args!("ticket {ticket} waits, and is held"));
        }
    }
}
