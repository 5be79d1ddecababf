//! What a lane has had already when an older message is appended to it again: an old ADT that is sent
//! after a newer one may undo it, so the operator is told.

use std::collections::BTreeMap;

use mllp_pipeline::{Act, Keys, LaneId, MessageId, Seq};
use mllp_store::{Reader, StoreError};

/// Rows of a lane that are looked at, from its tail back, so that a long history delays no command.
const LOOKS: u64 = 100_000;
const PAGE: u32 = 10_000;

/// A message that is to be appended, and where its count goes.
struct Older<'a> {
    message: MessageId,
    keys: Keys,
    newer: &'a mut u64,
}

/// Writes to everything that an act appends how many newer messages its lane has had. Those that are dead
/// or held have gone nowhere and do not count; one that was cancelled does, because its row does not
/// say so. Returns how many are appended after a newer one.
pub(crate) fn tell(reader: &mut dyn Reader, act: &mut Act) -> Result<u64, StoreError> {
    let mut lanes: BTreeMap<LaneId, Vec<Older<'_>>> = BTreeMap::new();
    match act {
        Act::Release(all) => all.iter_mut().for_each(|it| {
            let (message, keys) = (it.entry.message, it.entry.keys.clone());
            lanes.entry(it.lane).or_default().push(Older { message, keys, newer: &mut it.newer });
        }),
        Act::Replay(all) => all.iter_mut().for_each(|it| {
            let (message, keys) = (it.entry.message, it.entry.keys.clone());
            lanes.entry(it.to).or_default().push(Older { message, keys, newer: &mut it.newer });
        }),
        Act::Edit(edit) => {
            let (message, keys) = (edit.original, edit.keys.clone());
            let older = Older { message, keys, newer: &mut edit.newer };
            lanes.entry(edit.to).or_default().push(older);
        }
        _ => {}
    }
    let mut after_newer = 0;
    for (lane, mut older) in lanes {
        count(reader, lane, &mut older)?;
        after_newer += older.iter().filter(|it| *it.newer > 0).count() as u64;
    }
    Ok(after_newer)
}

fn count(reader: &mut dyn Reader, lane: LaneId, older: &mut [Older<'_>]) -> Result<(), StoreError> {
    let Some(oldest) = older.iter().map(|it| it.message).min() else { return Ok(()) };
    let Some((_, tail)) = reader.extent(lane)? else { return Ok(()) };
    let (mut rows, mut after) = (Vec::new(), Seq(tail.0.saturating_sub(LOOKS)));
    while after < tail {
        let page = reader.newer(lane, oldest, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.position.seq;
        rows.extend(page);
    }
    // A message that was sent again has several rows, and counts once.
    rows.sort_unstable_by_key(|it| it.position.message);
    for of_one in rows.chunk_by(|one, other| one.position.message == other.position.message) {
        let older = older.iter_mut().filter(|it| it.message < of_one[0].position.message);
        let about = older.filter(|it| of_one.iter().any(|row| may_share(&it.keys, &row.keys)));
        about.for_each(|it| *it.newer += 1);
    }
    Ok(())
}

/// Whether two may be about the same. What has no key may be about anything; without order by key
/// nothing has one.
pub(crate) fn may_share(one: &Keys, other: &Keys) -> bool {
    let (one, other) = (one.as_slice(), other.as_slice());
    one.is_empty() || other.is_empty() || one.iter().any(|key| other.contains(key))
}
