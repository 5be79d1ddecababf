//! A disk that is full at each write of a life of the store in turn, and has room again: every commit
//! is there whole or not at all, and when it was tried again the store is what it would have been.

use mllp_disk::{Disk, Image, Trouble};
use mllp_pipeline::{
    Append, Body, BodyId, CommitOutcome, Disposition, Event, Head, LaneId, LaneUpdate, MessageId,
    NewMessage, Part, Piece, Record, Refusal, Seq, Stage, Stamp, Transaction, What,
};
use mllp_store::{CHUNK, Held, LaneName, SqliteStore, Store};
use tempfile::TempDir;

fn open(data: &TempDir, disk: &Disk) -> SqliteStore {
    SqliteStore::open_with_vfs(data.path(), Some(disk.name())).unwrap()
}

/// Messages that one life takes in and delivers, one of them with a body in chunks.
const MESSAGES: u64 = 3;
/// Chunks that stand in the log before, so that the life comes to a checkpoint.
const CHUNKS: u32 = 16;

fn names() -> [LaneName; 2] {
    let name = |stage, name: &str| LaneName { stage, name: name.into() };
    [name(Stage::Ingress, "IN"), name(Stage::Outbound, "OUT")]
}

fn chunk(n: u32) -> Transaction {
    let bytes = Piece::from(&vec![n as u8; CHUNK][..]);
    let records = vec![Record::Chunk { body: BodyId(1), n, bytes }];
    Transaction { records, lanes: Vec::new() }
}

fn received(ingress: &Head, id: u64) -> Transaction {
    let body = match id {
        1 => Body::Chunked { id: BodyId(1), len: u64::from(CHUNKS) * CHUNK as u64 },
        _ => Body::Inline([id as u8; 9000][..].into()),
    };
    let message = NewMessage { body, ..NewMessage::new(MessageId(id), ingress.lane) };
    let what = What::Received { inbound: ingress.lane, accepted: true };
    let event = Event { message: MessageId(id), stamp: Stamp(id * 10), at: 1, what };
    let append = Record::Append(Append::new(ingress.lane, MessageId(id)));
    Transaction {
        records: vec![Record::Message(message), append, Record::Event(event)],
        lanes: vec![],
    }
}

fn handed_on(ingress: &Head, outbound: &Head, id: u64) -> Transaction {
    let message = MessageId(id);
    let part = Part {
        message,
        stamp: Stamp(id * 10 + 1),
        added: 1,
        sole: true,
        finished: 0,
        delivered: 0,
        failed: 0,
        at: 2,
    };
    let append = Record::Append(Append::new(outbound.lane, message));
    let lanes = vec![LaneUpdate::new(ingress.lane, ingress.epoch, Seq(id))];
    Transaction { records: vec![append, Record::Part(part)], lanes }
}

fn delivered(outbound: &Head, id: u64) -> Transaction {
    let (message, stamp, at) = (MessageId(id), Stamp(id * 10 + 2), 3);
    let outcome = Record::Outcome { message, stamp, disposition: Disposition::Processed, at };
    let update = LaneUpdate::new(outbound.lane, outbound.epoch, Seq(id));
    Transaction { records: vec![outcome], lanes: vec![LaneUpdate { window: Some(2), ..update }] }
}

/// The disk on which each life begins: the chunks of the first message, nearly a slice of log.
fn before(data: &TempDir) -> Image {
    let disk = Disk::new();
    let mut store = open(data, &disk);
    store.own(&names()).unwrap();
    for n in 0..CHUNKS {
        assert!(matches!(store.commit(&chunk(n)), Ok(CommitOutcome::Committed(_))));
    }
    disk.contents()
}

/// Where a life has found no room at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nowhere,
    InACommit,
    InUpkeep,
}

/// Lives once; each commit that finds no room is tried again when there is some.
fn live(store: &mut SqliteStore, disk: &Disk) -> Found {
    let [ingress, outbound] = store.heads(&[LaneId(1), LaneId(2)]).unwrap().try_into().unwrap();
    let steps = (1..=MESSAGES).flat_map(|id| {
        [received(&ingress, id), handed_on(&ingress, &outbound, id), delivered(&outbound, id)]
    });
    let mut found = Found::Nowhere;
    let mut find = |place| {
        if found == Found::Nowhere && disk.failed() > 0 {
            found = place;
        }
        found
    };
    for transaction in steps {
        loop {
            let failed = disk.failed();
            match store.commit(&transaction).unwrap() {
                CommitOutcome::Committed(_) => break,
                CommitOutcome::Refused(Refusal::Full) => drop(find(Found::InACommit)),
                other => panic!("{other:?}"),
            }
            assert!(disk.failed() > failed, "it was refused for nothing");
            disk.trouble(None, false);
        }
        store.tend().unwrap();
        find(Found::InUpkeep);
    }
    find(Found::Nowhere)
}

/// Everything that a reader can see of it: lanes and messages, and the bytes.
fn contents(store: &mut SqliteStore) -> (String, Vec<u8>) {
    let heads = store.heads(&[LaneId(1), LaneId(2)]).unwrap();
    let mut reader = store.reader().unwrap();
    let (mut text, mut bytes) = (format!("{heads:?}\n"), Vec::new());
    for lane in [LaneId(1), LaneId(2)] {
        text += &format!("{:?}\n", reader.entries(lane, Seq(0), 100).unwrap());
    }
    for id in (0..=MESSAGES + 1).map(MessageId) {
        let of = Held::Message(id);
        let there = reader.body(of, &mut |part| bytes.extend_from_slice(part)).unwrap();
        let (message, journey) = (reader.message(id).unwrap(), reader.journey(id).unwrap());
        text += &format!("{there} {message:?} {journey:?}\n");
    }
    (text, bytes)
}

#[test]
fn at_each_write_in_turn_until_there_is_room() {
    at_each_write_in_turn(Trouble::Full, true);
}

#[test]
fn in_the_midst_of_each_write_in_turn() {
    at_each_write_in_turn(Trouble::FullHalfway, false);
}

fn at_each_write_in_turn(trouble: Trouble, lasts: bool) {
    let data = TempDir::new().unwrap();
    let image = before(&data);
    let plain = {
        let disk = Disk::from_image(&image);
        let mut store = open(&data, &disk);
        assert_eq!(live(&mut store, &disk), Found::Nowhere);
        contents(&mut store)
    };
    let (mut write, mut in_commits, mut in_upkeep) = (0, 0, 0);
    loop {
        let disk = Disk::from_image(&image);
        let mut store = open(&data, &disk);
        disk.trouble(Some((trouble, write)), lasts);
        let found = live(&mut store, &disk);
        disk.trouble(None, false);
        assert!(contents(&mut store) == plain, "{trouble:?} at write {write}");
        // What the next life finds.
        let next = Disk::from_image(&disk.contents());
        drop(store);
        assert!(contents(&mut open(&data, &next)) == plain, "{trouble:?} at write {write}");
        match found {
            Found::Nowhere => break,
            Found::InACommit => (in_commits, write) = (in_commits + 1, write + 1),
            // A checkpoint writes hundreds of pages, one like the other.
            Found::InUpkeep => (in_upkeep, write) = (in_upkeep + 1, write + 8),
        }
    }
    assert!(in_commits > 50 && in_upkeep > 50, "{in_commits} in commits, {in_upkeep} in upkeep");
}
