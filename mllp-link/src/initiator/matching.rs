//! Which message a reply is credited to.

use super::Entry;
use crate::recent::{Fate, Recent};
use crate::reply::Reply;
use crate::rules::ReplyKind;
use crate::submission::Stray;

/// Which message a reply belongs to.
pub(super) enum Found {
    Reply(usize, ReplyKind),
    Stray(Stray),
}

pub(super) fn find<const ID: usize>(
    entries: &[Entry<ID>],
    recent: &Recent,
    reply: &Reply<'_>,
) -> Found {
    let in_flight = || entries.iter().enumerate().filter(|(_, e)| e.stage.in_flight());
    let only = || {
        let mut all = in_flight();
        all.next().filter(|_| all.next().is_none()).map(|(at, _)| at)
    };
    match *reply {
        Reply::NotHl7 => match only() {
            Some(at) => Found::Reply(at, ReplyKind::NotHl7),
            None => Found::Stray(Stray::NotHl7),
        },
        Reply::NoMsa => match only() {
            Some(at) => Found::Reply(at, ReplyKind::NoMsa),
            None => Found::Stray(Stray::NoMsa),
        },
        Reply::Acknowledgment { code, id } => {
            let named = in_flight().find(|(_, entry)| !id.is_empty() && entry.id == id);
            // A message without a control ID takes the first reply that is nobody else's.
            let nameless = || in_flight().find(|(_, entry)| entry.id.is_empty());
            let known = recent.fate(id);
            match (named.or_else(|| known.is_none().then(nameless).flatten()), known) {
                (Some((at, _)), _) => Found::Reply(at, ReplyKind::Code(code)),
                (None, Some(Fate::Answered)) => Found::Stray(Stray::Doubled),
                (None, Some(Fate::GivenUp)) => Found::Stray(Stray::Late),
                (None, None) => Found::Stray(Stray::Foreign),
            }
        }
    }
}
