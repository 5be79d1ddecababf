//! How long a search takes among a million messages, and what the index costs while they are written.
//!
//! ```sh
//! cargo run --release -p mllp-store --example search -- [MESSAGES]
//! ```

use std::time::Instant;

use mllp_pipeline::{
    Body, Disposition, Keys, LaneId, MessageId, NewMessage, Piece, Record, Stamp, Transaction,
    field_hash,
};
use mllp_store::{Query, Reader, SqliteStore, Store};

/// Messages in one commit.
const BATCH: u64 = 200;

fn message(id: u64) -> NewMessage {
    let patient = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    NewMessage {
        received_at: 1_796_000_000_000 + id * 10,
        control_id: Piece::from(format!("MSG{id:08}").as_bytes()),
        message_type: Piece::from(if id == 77 { &b"MDM^T02"[..] } else { &b"ADT^A01^ADT_A01"[..] }),
        indexed: Keys::new(&[field_hash("PID-3.1", &(patient % 100_000).to_le_bytes())]),
        body: Body::Inline([b'x'; 300][..].into()),
        acknowledgment: Piece::from(&[b'a'; 80][..]),
        ..NewMessage::new(MessageId(id), LaneId(1))
    }
}

fn main() {
    let messages: u64 = std::env::args().nth(1).map_or(1_000_000, |it| it.parse().unwrap());
    let data = tempfile::TempDir::new().unwrap();
    let mut store = SqliteStore::open(data.path()).unwrap();
    let (mut commits, mut slices, mut longest) = (0.0, 0.0, 0.0f64);
    for first in (1..=messages).step_by(BATCH as usize) {
        let records = (first..first + BATCH).flat_map(|id| {
            let (stamp, disposition) = (Stamp(id), Disposition::Processed);
            let outcome = Record::Outcome { message: MessageId(id), stamp, disposition, at: 5 };
            [Record::Message(message(id)), outcome]
        });
        let transaction = Transaction { records: records.collect(), lanes: vec![] };
        let begun = Instant::now();
        store.commit(&transaction).unwrap();
        commits += begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        store.tend().unwrap();
        let slice = begun.elapsed().as_secs_f64();
        (slices, longest) = (slices + slice, longest.max(slice));
    }
    println!("{messages} messages: {commits:.2} s in commits, {slices:.2} s in upkeep");
    println!("longest slice, a checkpoint of 2 MB among it: {:.2} ms", longest * 1e3);
    let begun = Instant::now();
    let mut left = 0;
    while store.tend().unwrap() {
        left += 1;
    }
    println!("then {left} slices in {:.2} s", begun.elapsed().as_secs_f64());
    drop(store);
    let begun = Instant::now();
    let store = SqliteStore::open(data.path()).unwrap();
    let mut reader = store.reader().unwrap();
    println!("opened again after {:.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    search(&mut *reader, messages);
}

fn search(reader: &mut dyn Reader, messages: u64) {
    let text = |text: String| Some(Piece::from(text.as_bytes()));
    let patient = field_hash("PID-3.1", &4711u64.to_le_bytes());
    let hour = 1_796_000_000_000 + messages * 5;
    let none = Query::default;
    let queries = [
        ("control ID, the oldest", Query { control_id: text("MSG00000001".into()), ..none() }),
        (
            "control ID, the newest",
            Query { control_id: text(format!("MSG{messages:08}")), ..none() },
        ),
        ("control ID, not there", Query { control_id: text("MSG".into()), ..none() }),
        ("patient", Query { indexed: Keys::new(&[patient]), ..none() }),
        ("rare type", Query { message_type: text("MDM^T02".into()), ..none() }),
        ("common type", Query { message_type: text("ADT^A01".into()), ..none() }),
        ("common type in an hour", {
            let received = Some(hour..hour + 3_600_000);
            Query { message_type: text("ADT^A01".into()), received, ..none() }
        }),
        ("disposition that none has", {
            Query { disposition: Some(Disposition::Error), ..none() }
        }),
    ];
    for (what, query) in queries {
        for _ in 0..2 {
            let begun = Instant::now();
            let found = reader.search(&query, MessageId(u64::MAX), 50).unwrap();
            let (took, count) = (begun.elapsed().as_secs_f64() * 1e3, found.messages.len());
            println!(
                "{what:28} {count:3} found in {took:7.2} ms, more: {:?}",
                found.next.is_some()
            );
        }
    }
}
