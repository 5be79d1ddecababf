//! Which message a reply is credited to.

use hl7_peek::Scan;
use mllp_core::{FrameKind, Received};

use super::entry::Entry;
use crate::fate::Fate;
use crate::recent::Recent;
use crate::reply::{Name, Reply, read};
use crate::rules::ReplyKind;
use crate::submission::{InitiatorEvent, Stray};

/// What was received, without its bytes.
pub(super) enum Heard {
    Reply(Found),
    Event(InitiatorEvent),
}

/// Which message a reply belongs to.
pub(super) enum Found {
    /// To this one.
    Reply(usize, ReplyKind),
    /// It names none, and this is the only one that waits.
    Anonymous(usize, ReplyKind),
    /// To none.
    Stray(Stray),
}

/// The messages that a reply may belong to.
pub(super) struct Known<'a, const ID: usize> {
    pub(super) entries: &'a [Entry<ID>],
    pub(super) recent: &'a Recent,
    /// Whether the host keeps a message of this name that the link does not have yet.
    pub(super) held: &'a dyn Fn(&[u8]) -> bool,
}

impl Heard {
    pub(super) fn new<const ID: usize>(
        received: Received<'_>,
        known: &Known<'_, ID>,
        scan: Scan,
    ) -> Heard {
        match received {
            Received::Frame(frame) => Heard::Reply(match frame.kind {
                FrameKind::CommitAck | FrameKind::CommitNak => Found::Stray(Stray::CommitBlock),
                _ => find(known, &read(frame.payload, scan)),
            }),
            Received::Warning { deviation, offset } => {
                Heard::Event(InitiatorEvent::Warning { deviation, offset })
            }
            Received::Fault { fault, offset, .. } => {
                Heard::Event(InitiatorEvent::Fault { fault, offset })
            }
            Received::Discard(discard) => Heard::Event(InitiatorEvent::Discard(discard)),
        }
    }
}

fn find<const ID: usize>(known: &Known<'_, ID>, reply: &Reply<'_>) -> Found {
    match reply {
        Reply::NotHl7 => anonymous(known.entries, ReplyKind::NotHl7, Stray::NotHl7),
        Reply::NoMsa => anonymous(known.entries, ReplyKind::NoMsa, Stray::NoMsa),
        Reply::Acknowledgment { code, name } => {
            let mut plain = [0; ID];
            let plain = name.unescaped(&mut plain);
            named(known, ReplyKind::Code(*code), name, plain)
        }
    }
}

fn in_flight<const ID: usize>(entries: &[Entry<ID>]) -> impl Iterator<Item = (usize, &Entry<ID>)> {
    entries.iter().enumerate().filter(|(_, entry)| entry.in_flight())
}

fn anonymous<const ID: usize>(entries: &[Entry<ID>], kind: ReplyKind, stray: Stray) -> Found {
    let mut waiting = in_flight(entries);
    match (waiting.next(), waiting.next()) {
        (Some((_, entry)), None) if entry.asks_for_nothing() => Found::Stray(stray),
        // Who sends a message without a name takes whatever comes for it. What was stored is not
        // undone by noise.
        (Some((at, entry)), None) if entry.id.is_empty() && entry.is_unanswered() => {
            Found::Reply(at, kind)
        }
        (Some((at, _)), None) => Found::Anonymous(at, kind),
        _ => Found::Stray(stray),
    }
}

fn named<const ID: usize>(
    known: &Known<'_, ID>,
    kind: ReplyKind,
    name: &Name<'_>,
    plain: Option<&[u8]>,
) -> Found {
    let Known { entries, recent, held } = *known;
    // MSA-2 repeats MSH-10, escaped where it could not stand as it was. Trailing blanks do not count,
    // and neither has them any more.
    let is = |id: &[u8]| !id.is_empty() && (id == name.raw || Some(id) == plain);
    let own = in_flight(entries).find(|(_, entry)| is(&entry.id));
    let past = recent.fate(name.raw).or_else(|| recent.fate(plain?));
    let nameless =
        || in_flight(entries).find(|(_, entry)| entry.id.is_empty() && !entry.asks_for_nothing());
    // A message without a control ID takes the first reply that names no other message, sent or
    // still to be sent.
    let is_free = |_: &(usize, &Entry<ID>)| {
        !entries.iter().any(|entry| is(&entry.id)) && !held(name.raw) && !plain.is_some_and(held)
    };
    let first = || nameless().filter(|_| past.is_none()).filter(is_free);
    match (own.or_else(first), past) {
        // Nothing waits for it, and it may be the answer to an earlier message of this name.
        (Some((_, entry)), _) if entry.asks_for_nothing() => Found::Stray(Stray::Unasked),
        (Some((at, _)), _) => Found::Reply(at, kind),
        (None, Some(Fate::Answered)) => Found::Stray(Stray::Doubled),
        (None, Some(Fate::Unasked)) => Found::Stray(Stray::Unasked),
        (None, Some(_)) => Found::Stray(Stray::Late),
        (None, None) => Found::Stray(Stray::Foreign),
    }
}
