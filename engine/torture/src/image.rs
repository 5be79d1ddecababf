//! What has to hold in the store that a power cut leaves, before an engine has touched it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use mllp_disk::{Disk, Image};
use mllp_pipeline::{Head, LaneId, MessageId, Seq, Stage};
use mllp_store::Store;
use rusqlite::{Connection, OpenFlags};

use crate::ledger::Arrival;
use crate::live::opened;
use crate::load::{Ordering, ordering, window};
use crate::marks::{Seen, parted};
use crate::verdict::Verdict;
use crate::verify::{Kept, Passage, acknowledged, so_far};

/// Opens an image, and holds it against what was seen before the power cut.
pub(crate) fn check(data: &Path, image: &Image, seen: &[Seen], verdict: &mut Verdict) {
    let disk = Disk::from_image(image);
    let mut store = match opened(data, &disk) {
        Ok(store) => store,
        Err(error) => return verdict.found(format!("the store does not open: {error}")),
    };
    match quick_check(data, &disk) {
        Ok(result) if result == "ok" => {}
        Ok(result) => verdict.found(format!("the store is damaged: {result}")),
        Err(error) => verdict.found(format!("the store cannot be checked: {error}")),
    }
    let proven = store
        .reader()
        .and_then(|mut reader| reader.verify(&mut |finding| verdict.found(finding.to_string())));
    if let Err(error) = proven {
        return verdict.found(format!("the store cannot be verified: {error}"));
    }
    let kept = match Kept::read(&mut store) {
        Ok(kept) => kept,
        Err(error) => return verdict.found(format!("the store cannot be read: {error}")),
    };
    let (acks, arrivals) = parted(seen);
    acknowledged(&kept, &acks, verdict);
    for message in kept.messages.iter().filter(|it| !it.is_whole) {
        verdict.found(format!("{}: stored with other bytes than were sent", message.control_id));
    }
    for head in kept.heads.values() {
        lane(&kept, head, verdict);
    }
    let_go(&kept, &arrivals, verdict);
    completed(&kept, &arrivals, verdict);
    nothing_is_between(&kept, verdict);
    so_far(&kept, verdict);
}

fn quick_check(data: &Path, disk: &Disk) -> rusqlite::Result<String> {
    let path = data.join("store.db");
    let store = Connection::open_with_flags_and_vfs(path, OpenFlags::default(), disk.name())?;
    store.query_row("PRAGMA quick_check", (), |row| row.get(0))
}

/// The rows of a lane have no gap, and its marks stand in their order.
fn lane(kept: &Kept, head: &Head, verdict: &mut Verdict) {
    let name = kept.name(head.lane);
    let rows = kept.rows.get(&head.lane).map_or(&[][..], Vec::as_slice);
    if let Some((row, _)) = rows.iter().zip(1..).find(|(row, number)| row.seq.0 != *number) {
        verdict.found(format!("{name}: a gap before row {}", row.seq));
    }
    let (tail, cursor, sent_to) = (head.tail.0, head.cursor.0, head.sent_to.0);
    let has_sent_to =
        stage(kept, head.lane) == Some(Stage::Outbound) && ordering(name) == Ordering::Fifo;
    let in_order = cursor <= tail
        && rows.len() as u64 == tail
        && head.done.iter().all(|seq| cursor < seq.0 && seq.0 <= tail)
        && (!has_sent_to
            || (cursor <= sent_to
                && sent_to <= tail
                && sent_to <= cursor + u64::from(window(name))));
    if !in_order {
        verdict.found(format!(
            "{name}: {} rows, tail {tail}, cursor {cursor}, sent to {sent_to}",
            rows.len()
        ));
    }
}

fn stage(kept: &Kept, lane: LaneId) -> Option<Stage> {
    kept.names.get(&lane).map(|(stage, _)| *stage)
}

/// What has arrived was let go, durably, before.
fn let_go(kept: &Kept, arrivals: &[Arrival], verdict: &mut Verdict) {
    for Arrival { outbound, control_id, .. } in arrivals {
        let covered = kept.outbound(outbound).is_some_and(|lane| {
            let (head, rows) = (&kept.heads[&lane], &kept.rows[&lane]);
            kept.with(control_id).any(|message| {
                let mut its = rows.iter().filter(|it| it.message == message.id);
                message.passage(lane).is_some() && its.any(|it| was_let_go(head, outbound, it.seq))
            })
        });
        if !covered {
            verdict.found(format!("{control_id}: arrived at {outbound} before it was let go"));
        }
    }
}

fn was_let_go(head: &Head, outbound: &str, seq: Seq) -> bool {
    match ordering(outbound) {
        Ordering::Fifo => seq <= head.sent_to,
        _ => !waits(head, seq) || head.started.iter().any(|it| it.seq == seq),
    }
}

/// Whether a row is not completed.
fn waits(head: &Head, seq: Seq) -> bool {
    let is_ahead = seq > head.cursor && !head.done.contains(&seq);
    is_ahead || head.parked.iter().any(|it| it.seq == seq)
}

/// What is recorded as delivered was answered by the partner before.
fn completed(kept: &Kept, arrivals: &[Arrival], verdict: &mut Verdict) {
    let taken: HashSet<_> = arrivals
        .iter()
        .filter(|it| it.answer.may_complete())
        .map(|it| (&it.outbound[..], &it.control_id[..]))
        .collect();
    for head in kept.heads.values().filter(|it| stage(kept, it.lane) == Some(Stage::Outbound)) {
        let name = kept.name(head.lane);
        for row in kept.rows.get(&head.lane).into_iter().flatten() {
            if waits(head, row.seq) {
                continue;
            }
            let Some(message) = kept.message(row.message) else {
                verdict.found(format!("{name}: row {} belongs to no message", row.seq));
                continue;
            };
            let was_taken_out = message.passage(head.lane).is_some_and(Passage::was_taken_out);
            if !was_taken_out && !taken.contains(&(name, &message.control_id[..])) {
                let control_id = &message.control_id;
                verdict.found(format!("{control_id}: completed at {name}, which never took it"));
            }
        }
    }
}

/// Every handoff is one commit: what is not final waits in a lane or for an operator, and what waits is
/// not final.
fn nothing_is_between(kept: &Kept, verdict: &mut Verdict) {
    let mut open: HashMap<MessageId, LaneId> = HashMap::new();
    for head in kept.heads.values() {
        let rows = kept.rows.get(&head.lane).into_iter().flatten();
        let open_rows = rows.filter(|row| waits(head, row.seq));
        open.extend(open_rows.map(|row| (row.message, head.lane)));
    }
    for message in &kept.messages {
        let (control_id, disposition) = (&message.control_id, message.disposition);
        let is_held = || kept.held.keys().any(|(_, it)| *it == message.id);
        match (disposition.is_final(), open.get(&message.id)) {
            (false, None) if !is_held() => verdict.found(format!(
                "{control_id}: message {} is {} and waits nowhere",
                message.id,
                disposition.name()
            )),
            (true, Some(lane)) => verdict.found(format!(
                "{control_id}: message {} is {} and waits at {}",
                message.id,
                disposition.name(),
                kept.name(*lane)
            )),
            _ => {}
        }
    }
}
