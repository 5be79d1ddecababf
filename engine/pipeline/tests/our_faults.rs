//! Ten minutes in which our own parts fail: no message is blamed, nothing is sent twice, and the number of
//! tries is bounded.

mod lane;

use lane::{OUTBOUND, committed, entry, left, now, orders, start};
use mllp_pipeline::{
    CommitOutcome, Fact, Failure, Note, Order, Pipeline, Record, Refusal, Seq, Transaction, What,
};

const TEN_MINUTES: u64 = 600_000;
/// Twice a second: far from the rate at which the store could refuse.
const TRIES: u64 = 1_200;

/// A pipeline whose one delivery is with the partner for the first time.
fn delivering() -> Pipeline {
    let mut pipeline = start(left(1, 0, 0), 1);
    let first = orders(&mut pipeline, 0);
    assert!(matches!(first[..], [Order::Commit(_), Order::Load { .. }]), "{first:?}");
    drop(first);
    pipeline.tell(committed(1, 1), now(0));
    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries: vec![entry(1)] }, now(0));
    let sent = orders(&mut pipeline, 0);
    assert!(matches!(sent[..], [Order::Deliver { attempt: 1, .. }]), "{sent:?}");
    pipeline
}

/// Lets time pass to each deadline, ten minutes long.
fn pass(pipeline: &mut Pipeline, mut at_each: impl FnMut(&mut Pipeline, Vec<Order>, u64)) {
    let mut at = 0;
    loop {
        let todo = orders(pipeline, at);
        if todo.is_empty() {
            let next = pipeline.next_deadline().expect("something is tried again");
            assert!(next > at, "it turns in a circle");
            if next > TEN_MINUTES {
                return;
            }
            at = next;
            pipeline.on_time(now(at));
        }
        at_each(pipeline, todo, at);
    }
}

fn blames(transaction: &Transaction) -> bool {
    transaction.records.iter().any(|record| match record {
        Record::Dead { .. } => true,
        Record::Event(event) => matches!(event.what, What::Dead { .. } | What::Attempt { .. }),
        _ => false,
    })
}

#[test]
fn a_store_that_refuses_for_ten_minutes_costs_no_attempt_and_sends_nothing_twice() {
    let mut pipeline = delivering();
    let note = Note("AA".into());
    pipeline.tell(Fact::Delivered { lane: OUTBOUND, seq: Seq(1), milliseconds: 3, note }, now(0));
    let mut tries = 0;
    pass(&mut pipeline, |pipeline, todo, at| {
        for order in todo {
            let Order::Commit(transaction) = order else { panic!("{order:?}") };
            assert!(!blames(&transaction), "{transaction:?}");
            tries += 1;
            drop(transaction);
            let refused = CommitOutcome::Refused(Refusal::Unavailable);
            pipeline.tell(Fact::Outcome(refused), now(at));
        }
    });
    assert!((2..=TRIES).contains(&tries), "{tries} commits");
    // It is back: what the partner has taken is written down, once.
    let at = pipeline.next_deadline().unwrap();
    pipeline.on_time(now(at));
    let written = orders(&mut pipeline, at);
    let [Order::Commit(ref transaction)] = written[..] else { panic!("{written:?}") };
    assert_eq!(transaction.lanes[0].cursor, Seq(1));
    drop(written);
    pipeline.tell(committed(1, 1), now(at));
    assert_eq!(orders(&mut pipeline, at), []);
    assert!(pipeline.status().all(|lane| lane.depth == 0));
}

#[test]
fn a_body_that_cannot_be_read_for_ten_minutes_costs_no_attempt() {
    let mut pipeline = delivering();
    let failed = || Fact::Failed {
        lane: OUTBOUND,
        seq: Seq(1),
        failure: Failure::Infrastructure,
        note: Note("the body cannot be read".into()),
    };
    pipeline.tell(failed(), now(0));
    let mut tries = 0;
    pass(&mut pipeline, |pipeline, todo, at| {
        for order in todo {
            match order {
                Order::Deliver { attempt, .. } => {
                    assert_eq!(attempt, 1, "ours does not count");
                    tries += 1;
                    pipeline.tell(failed(), now(at));
                }
                Order::Commit(transaction) => {
                    assert!(!blames(&transaction), "{transaction:?}");
                    drop(transaction);
                    pipeline.tell(committed(1, 1), now(at));
                }
                other => panic!("{other:?}"),
            }
        }
    });
    assert!((1..=TRIES).contains(&tries), "{tries} attempts");
}
