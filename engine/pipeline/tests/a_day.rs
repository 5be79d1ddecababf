//! A partner that is away for a day, in virtual time, while the wall clock jumps about.

mod lane;

use lane::{OUTBOUND, committed, entry, left};
use mllp_pipeline::{
    Fact, Failure, Graph, MessageId, Note, Now, Order, Outbound, Pipeline, Record, Retry, Stamp,
    Start,
};

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// The wall clock is hours ahead and behind by turns.
fn now(steady: u64) -> Now {
    let jumps = [0, 5 * HOUR, 20 * HOUR, HOUR];
    Now { steady, wall: 1_700_000_000_000 + steady + jumps[(steady / HOUR) as usize % 4] }
}

fn pipeline(max_attempts: Option<u32>) -> Pipeline {
    let retry = Retry { max_attempts, ..Retry::DEFAULT };
    let outbounds = vec![Outbound { retry, ..Outbound::new(OUTBOUND) }];
    let graph = Graph { outbounds, ..Graph::default() };
    let (next_message, next_stamp) = (MessageId(100), Stamp(1));
    Pipeline::new(graph, Start { heads: vec![left(1, 0, 0)], next_message, next_stamp }, now(0))
}

/// When the delivery left, and when it died, if the partner answers each attempt with this failure.
fn live(pipeline: &mut Pipeline, hours: std::ops::Range<u64>) -> (Vec<u64>, Option<u64>) {
    let (mut left_at, mut died_at) = (Vec::new(), None);
    for at in (hours.start * HOUR..hours.end * HOUR).step_by(SECOND as usize) {
        pipeline.on_time(now(at));
        while let Some(order) = pipeline.next_order(now(at)) {
            match order {
                Order::Commit(transaction) => {
                    let dead = |it: &Record| matches!(it, Record::Dead { .. });
                    died_at = died_at.or(transaction.records.iter().any(dead).then_some(at));
                    drop(transaction);
                    pipeline.tell(committed(1, 1), now(at));
                }
                Order::Load { .. } => {
                    let entries = vec![entry(1)];
                    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries }, now(at));
                }
                Order::Deliver { seq, .. } => {
                    left_at.push(at);
                    let (failure, note) = (Failure::NoReply, Note::default());
                    pipeline.tell(Fact::Failed { lane: OUTBOUND, seq, failure, note }, now(at));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    (left_at, died_at)
}

#[test]
fn a_partner_that_cannot_be_reached_for_a_day_costs_no_attempt() {
    let mut pipeline = pipeline(Some(1));
    assert_eq!(live(&mut pipeline, 0..24), (Vec::new(), None));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(DAY));
    assert_eq!(live(&mut pipeline, 24..25), (vec![DAY], Some(DAY)), "its one attempt is used now");
}

#[test]
fn a_partner_that_does_not_answer_for_a_day_is_asked_every_five_minutes() {
    let mut pipeline = pipeline(None);
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    let (left_at, died_at) = live(&mut pipeline, 0..24);
    assert_eq!(died_at, None);
    let waits: Vec<u64> = left_at.windows(2).map(|two| (two[1] - two[0]) / SECOND).collect();
    assert!(waits.iter().all(|wait| (3..=300).contains(wait)), "{waits:?}");
    assert!(waits.iter().skip(8).all(|wait| (225..=300).contains(wait)), "{waits:?}");
    assert!((288..400).contains(&left_at.len()), "{}", left_at.len());
}

#[test]
fn by_default_it_is_dead_after_a_hundred_attempts_within_a_working_day() {
    let mut pipeline = pipeline(Retry::DEFAULT.max_attempts);
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    let (left_at, died_at) = live(&mut pipeline, 0..24);
    assert_eq!(left_at.len(), 100);
    assert_eq!(died_at, left_at.last().copied());
    assert!(died_at.is_some_and(|at| (6 * HOUR..9 * HOUR).contains(&at)), "{died_at:?}");
}
