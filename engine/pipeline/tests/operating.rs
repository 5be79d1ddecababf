//! What an operator hears, and what is done for him.

mod lane;

use lane::{INBOUND, OUTBOUND, committed, entry, left, now, orders, start};
use mllp_pipeline::{
    Act, Body, By, Command, CommandId, CommandOutcome, Edit, Fact, Graph, Head, IdHash, Keys,
    MessageId, Order, Ordering, Outbound, Piece, Pipeline, Record, Refusal, Room, Seq, Stamp,
    Start, Started, Take, Transaction, What,
};

fn tell(pipeline: &mut Pipeline, act: Act) {
    let command = Box::new(Command { by: By::default(), act, job: None });
    pipeline.tell(Fact::Command { id: CommandId(1), command }, now(0));
}

/// A lane without order, whose first delivery is parked and waits for its next attempt.
fn parked() -> Pipeline {
    let started =
        Started { lane: OUTBOUND, seq: Seq(1), attempt: 1, due: now(60_000).wall, waited: 0 };
    let head = Head { parked: vec![entry(1)], started: vec![started], ..left(2, 1, 1) };
    let outbound = Outbound { ordering: Ordering::Unordered, ..Outbound::new(OUTBOUND) };
    let graph = Graph { outbounds: vec![outbound], ..Graph::default() };
    let (next_message, next_stamp) = (MessageId(100), Stamp(1));
    let start = Start { heads: vec![head], next_message, next_stamp };
    let mut pipeline = Pipeline::new(graph, start, now(0));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    pipeline
}

#[test]
fn a_head_that_the_cursor_has_passed_is_taken() {
    for how in [Take::Hold, Take::Cancel] {
        let mut pipeline = parked();
        let (mut written, mut told, mut is_first) = (Transaction::default(), Vec::new(), true);
        for _ in 0..9 {
            for order in orders(&mut pipeline, 0) {
                match order {
                    Order::Commit(transaction) => {
                        // He asks while what may have been sent is written down.
                        if std::mem::take(&mut is_first) {
                            tell(&mut pipeline, Act::Take { lane: OUTBOUND, how });
                        }
                        written.records.extend(transaction.records.iter().cloned());
                        pipeline.tell(committed(2, 1), now(0));
                    }
                    Order::Load { .. } => {
                        let entries = vec![entry(2)];
                        pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries }, now(0));
                    }
                    Order::Told { outcome, .. } => told.push(outcome),
                    Order::Deliver { seq, .. } => assert_eq!(seq, Seq(2)),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(told, [CommandOutcome::Done(None)]);
        let unparked = Record::Unparked { lane: OUTBOUND, seq: Seq(1) };
        assert!(written.records.contains(&unparked), "{how:?}: {written:?}");
        let is_it = |record: &&Record| match record {
            Record::Event(it) if it.message == MessageId(1) => match how {
                Take::Hold => matches!(it.what, What::Held { .. }),
                Take::Cancel => matches!(it.what, What::Cancelled { .. }),
            },
            _ => false,
        };
        assert_eq!(written.records.iter().filter(is_it).count(), 1, "{how:?}: {written:?}");
    }
}

#[test]
fn an_edited_copy_is_not_stored_from_the_room_that_is_kept_free() {
    let edit = || {
        Act::Edit(Edit {
            original: MessageId(1),
            session: MessageId(1),
            inbound: INBOUND,
            to: INBOUND,
            body: Body::Inline((*b"MSH|").into()),
            control_id: Piece::default(),
            message_type: Piece::default(),
            id_hash: IdHash::NONE,
            keys: Keys::NONE,
            newer: 0,
        })
    };
    let mut pipeline = start(left(0, 0, 0), 1);
    pipeline.tell(Fact::Room(Room { free: 1, size: 1 << 40 }), now(0));
    tell(&mut pipeline, edit());
    let refused = Order::Told { id: CommandId(1), outcome: CommandOutcome::Refused(Refusal::Full) };
    assert_eq!(orders(&mut pipeline, 0), [refused]);
    pipeline.tell(Fact::Room(Room { free: 1 << 39, size: 1 << 40 }), now(0));
    tell(&mut pipeline, edit());
    let stored = orders(&mut pipeline, 0);
    assert!(matches!(stored[..], [Order::Commit(_)]), "{stored:?}");
}
