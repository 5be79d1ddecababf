//! Stores as a long life leaves them, written without an engine.

use std::path::Path;
use std::time::Instant;

use mllp_pipeline::{
    Append, Body, CommitOutcome, Disposition, Event, Head, IdHash, LaneUpdate, MessageId,
    NewMessage, Note, Piece, Record, RowBody, Seq, Stage, Stamp, Transaction, What,
};
use mllp_store::{LaneName, Query, SqliteStore, Store};

use crate::engine::PARTNERS;
use crate::message;

/// Messages in one commit.
const EACH: u64 = 1000;
/// When they were received.
const AT: u64 = 1_780_000_000_000;

fn open(data: &Path, names: &[(Stage, String)]) -> (SqliteStore, Vec<Head>, MessageId, Stamp) {
    let mut store = SqliteStore::open(data).expect("a store");
    let numbers = store.numbers().expect("numbers");
    let name = |(stage, name): &(Stage, String)| LaneName { stage: *stage, name: name.clone() };
    let heads = store.own(&names.iter().map(name).collect::<Vec<_>>()).expect("lanes");
    (store, heads, numbers.message, numbers.stamp)
}

fn commit(store: &mut SqliteStore, records: Vec<Record>, lanes: Vec<LaneUpdate>) {
    let outcome = store.commit(&Transaction { records, lanes }).expect("it commits");
    assert!(matches!(outcome, CommitOutcome::Committed(_)));
}

fn received(id: MessageId, inbound: &Head) -> Record {
    let acknowledgment = format!(
        "MSH|^~\\&|HIS|H|BENCH|FASTMLLP|20260101000000||ACK^A08^ACK|{:016}|T|2.5\rMSA|AA|{:011}\r",
        id.0, id.0
    );
    Record::Message(NewMessage {
        received_at: AT + id.0,
        identity: u128::from(id.0) << 64 | 1,
        control_id: Piece::from(format!("{:011}", id.0).as_bytes()),
        message_type: Piece::from(&b"ADT^A08"[..]),
        body: Body::Inline(message(0, id.0).into()),
        acknowledgment: Piece::from(acknowledgment.as_bytes()),
        ..NewMessage::new(id, inbound.lane)
    })
}

/// Messages that four partners took, with all that the engine writes of them.
pub fn fill(data: &Path, count: u64) {
    let inbound = [(Stage::Ingress, "FILLED".to_owned()), (Stage::Routed, "change".to_owned())];
    let outbounds = (0..PARTNERS).map(|at| (Stage::Outbound, format!("OUT{at}")));
    let names: Vec<_> = inbound.into_iter().chain(outbounds).collect();
    let (mut store, heads, first, mut stamp) = open(data, &names);
    let mut cursors: Vec<Seq> = heads.iter().map(|head| head.tail).collect();
    for from in (first.0..first.0 + count).step_by(EACH as usize) {
        let mut records = Vec::new();
        for id in (from..first.0 + count).take(EACH as usize).map(MessageId) {
            let at = 2 + id.0 as usize % PARTNERS;
            let (ingress, handler, outbound) = (&heads[0], heads[1].lane, heads[at].lane);
            records.push(received(id, ingress));
            records.push(Record::Append(Append::new(ingress.lane, id)));
            let body = RowBody::Own(Body::Inline(message(1, id.0).into()));
            let id_hash = IdHash(id.0);
            records.push(Record::Append(Append { body, id_hash, ..Append::new(outbound, id) }));
            for what in [
                What::Routed { inbound: None, handlers: vec![handler] },
                What::Transformed { handler, outbounds: vec![outbound] },
                What::Delivered { outbound, milliseconds: 1, note: Note("AA".into()) },
            ] {
                stamp.0 += 1;
                records.push(Record::Event(Event { message: id, stamp, at: AT + id.0, what }));
            }
            stamp.0 += 1;
            let disposition = Disposition::Processed;
            records.push(Record::Outcome { message: id, stamp, disposition, at: AT + id.0 });
            cursors[0].0 += 1;
            cursors[at].0 += 1;
        }
        let consumed = |at: usize| LaneUpdate::new(heads[at].lane, heads[at].epoch, cursors[at]);
        commit(&mut store, records, (0..heads.len()).filter(|at| *at != 1).map(consumed).collect());
        store.tend().expect("it is tended");
    }
}

/// Messages that wait for a partner.
pub fn queue(data: &Path, count: u64) {
    let names = [(Stage::Ingress, "QUEUED".to_owned()), (Stage::Outbound, "LATE".to_owned())];
    let (mut store, heads, first, _) = open(data, &names);
    for from in (first.0..first.0 + count).step_by(EACH as usize) {
        let ids = (from..first.0 + count).take(EACH as usize).map(MessageId);
        let each = |id| [received(id, &heads[0]), Record::Append(Append::new(heads[1].lane, id))];
        commit(&mut store, ids.flat_map(each).collect(), vec![]);
        store.tend().expect("it is tended");
    }
}

/// Dies, as by SIGKILL, before anything of the log was copied back.
pub fn log(data: &Path, megabytes: u64) {
    let names = [(Stage::Ingress, "QUEUED".to_owned()), (Stage::Outbound, "LATE".to_owned())];
    let (mut store, heads, mut next, _) = open(data, &names);
    let long = || data.join("store.db-wal").metadata().map_or(0, |it| it.len());
    while long() < megabytes << 20 {
        let ids = (next.0..next.0 + EACH).map(MessageId);
        let each = |id| [received(id, &heads[0]), Record::Append(Append::new(heads[1].lane, id))];
        commit(&mut store, ids.flat_map(each).collect(), vec![]);
        next.0 += EACH;
    }
    std::process::abort();
}

/// Microseconds to find one message of those that `fill` has written, by its control ID.
pub fn search(data: &Path, count: u64) {
    let (store, ..) = open(data, &[]);
    let mut reader = store.reader().expect("a reader");
    let mut times = Vec::new();
    for part in 1..100 {
        let id = (count * part / 100).max(1);
        let control_id = Some(Piece::from(format!("{id:011}").as_bytes()));
        let query = Query { control_id, ..Query::default() };
        let began = Instant::now();
        let (mut before, mut found) = (Some(MessageId(i64::MAX as u64)), 0);
        while let Some(below) = before {
            let part = reader.search(&query, below, 10).expect("it is searched");
            found += part.messages.len();
            before = part.next;
        }
        times.push((began.elapsed().as_micros() as u64, found));
    }
    times.sort_unstable();
    let found = times.iter().filter(|(_, found)| *found > 0).count();
    let ((p50, _), (max, _)) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{{\"p50_us\":{p50},\"max_us\":{max},\"found\":{found}}}");
}
