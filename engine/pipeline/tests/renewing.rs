//! A sender that waits for the verdict sends a message again after it has ended in ERROR: its dead deliveries
//! alone are sent again, once, and the answer is the verdict on these.

mod lane;

use lane::{INBOUND, OUTBOUND, committed, entry, left, now, orders};
use mllp_pipeline::{
    Acknowledge, Act, Answer, Body, By, Command, CommandId, CommandOutcome, CommitOutcome,
    Committed, Disposition, Entry, Epoch, Fact, Failure, First, Graph, Head, Inbound, LaneId, List,
    MessageId, Note, Order, Outbound, Piece, Pipeline, Received, Record, Refusal, Replay, Seq,
    Stamp, Start, Ticket, Transaction,
};

const FIRST: MessageId = MessageId(1);

fn pipeline() -> Pipeline {
    let acknowledge = Acknowledge::Delivered { within: 10_000 };
    let graph = Graph {
        inbounds: vec![Inbound { acknowledge, ..Inbound::new(INBOUND) }],
        outbounds: vec![Outbound::new(OUTBOUND)],
        ..Graph::default()
    };
    let heads = vec![Head::new(INBOUND, Epoch(1)), left(1, 1, 1)];
    let start = Start { heads, next_message: MessageId(100), next_stamp: Stamp(1) };
    let mut pipeline = Pipeline::new(graph, start, now(0));
    let identities = vec![(7, FIRST)];
    pipeline.tell(Fact::Known { inbound: INBOUND, identities }, now(0));
    pipeline
}

fn dead() -> Entry {
    Entry { message: FIRST, ..entry(1) }
}

/// A retry is here and was compared with its first.
fn retry(pipeline: &mut Pipeline, ticket: u64, dead: Vec<(LaneId, Entry)>, was_sent: bool) {
    let (body, aa) = (Body::Inline((*b"MSH|\rPID|").into()), Piece::from(&b"AA"[..]));
    let received = Received::new(Ticket(ticket), INBOUND, body, aa);
    pipeline.tell(Fact::Received(Received { identity: 7, ..received }), now(1));
    let compares = |it: &Order| matches!(it, Order::Compare { with: FIRST, .. });
    assert!(orders(pipeline, 1).iter().any(compares));
    let first = First {
        message: FIRST,
        disposition: Disposition::Error,
        acknowledgment: Piece::from(&b"AA of the first"[..]),
        held: Vec::new(),
        dead,
        was_sent,
    };
    pipeline.tell(Fact::Compared { ticket: Ticket(ticket), first: Some(first) }, now(1));
}

fn commits(orders: &[Order]) -> impl Iterator<Item = &Transaction> {
    orders.iter().filter_map(|it| match it {
        Order::Commit(transaction) => Some(&**transaction),
        _ => None,
    })
}

fn renews(transaction: &Transaction) -> bool {
    let is = |it: &Record| match it {
        Record::Unlisted { list: List::Dead, lane: OUTBOUND, seq: Seq(1), message: FIRST } => true,
        Record::Reopened(it) => it.message == FIRST && it.forgiven == 1,
        Record::Append(it) => it.lane == OUTBOUND && it.message == FIRST && !it.sole,
        _ => false,
    };
    match transaction.records.iter().filter(|it| is(it)).count() {
        0 => false,
        count => count == 3 || panic!("{:?}", transaction.records),
    }
}

fn answer(orders: &[Order]) -> Option<&Answer> {
    orders.iter().find_map(|it| match it {
        Order::Answer { answer, .. } => Some(answer),
        _ => None,
    })
}

/// The renewal is durable: the first is open again.
fn reopened() -> Fact {
    let Fact::Outcome(CommitOutcome::Committed(it)) = committed(2, 2) else { unreachable!() };
    Fact::Outcome(CommitOutcome::Committed(Committed { open: vec![FIRST], ..it }))
}

#[test]
fn a_dead_delivery_is_sent_again_and_the_sender_waits_for_it() {
    for end in [Disposition::Processed, Disposition::Error] {
        let mut pipeline = pipeline();
        retry(&mut pipeline, 1, vec![(OUTBOUND, dead())], true);
        let ordered = orders(&mut pipeline, 2);
        assert!(commits(&ordered).any(renews));
        drop(ordered);
        pipeline.tell(reopened(), now(3));
        assert_eq!(answer(&orders(&mut pipeline, 3)), None, "it waits");
        pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(4));
        let leaves = |it: &Order| matches!(it, Order::Deliver { seq: Seq(2), .. });
        assert!(orders(&mut pipeline, 4).iter().any(leaves));
        let (lane, seq, note, failure) =
            (OUTBOUND, Seq(2), Note::default(), Failure::RefusedForGood);
        pipeline.tell(
            match end {
                Disposition::Processed => Fact::Delivered { lane, seq, milliseconds: 1, note },
                _ => Fact::Failed { lane, seq, failure, note },
            },
            now(5),
        );
        drop(orders(&mut pipeline, 5));
        let Fact::Outcome(CommitOutcome::Committed(it)) = committed(2, 2) else { unreachable!() };
        let it = Committed { finals: vec![(FIRST, end)], ..it };
        pipeline.tell(Fact::Outcome(CommitOutcome::Committed(it)), now(6));
        let aa = Answer::Acknowledgment(Piece::from(&b"AA of the first"[..]));
        let right = if end == Disposition::Processed { aa } else { Answer::NotDelivered };
        assert_eq!(answer(&orders(&mut pipeline, 6)), Some(&right));
    }
}

#[test]
fn two_retries_send_it_again_once() {
    let mut pipeline = pipeline();
    retry(&mut pipeline, 1, vec![(OUTBOUND, dead())], true);
    let ordered = orders(&mut pipeline, 2);
    assert!(commits(&ordered).any(renews));
    drop(ordered);
    // What the store says of it is older than the commit.
    retry(&mut pipeline, 2, vec![(OUTBOUND, dead())], true);
    pipeline.tell(reopened(), now(3));
    let ordered = orders(&mut pipeline, 3);
    assert_eq!(commits(&ordered).count(), 1);
    assert!(!commits(&ordered).any(renews));
}

#[test]
fn an_operator_does_not_send_again_what_a_sender_has() {
    for written in [false, true] {
        let mut pipeline = pipeline();
        retry(&mut pipeline, 1, vec![(OUTBOUND, dead())], true);
        drop(orders(&mut pipeline, 2));
        let nothing = Fact::Outcome(CommitOutcome::Refused(Refusal::Unavailable));
        pipeline.tell(if written { reopened() } else { nothing }, now(3));
        drop(orders(&mut pipeline, 3));
        let dead_rows = vec![(OUTBOUND, Seq(1))];
        let replay = Replay { entry: dead(), to: OUTBOUND, dead: dead_rows, forgiven: 1, newer: 0 };
        let (by, act) = (By::default(), Act::Replay(vec![replay]));
        let command = Box::new(Command { by, act, job: None });
        pipeline.tell(Fact::Command { id: CommandId(1), command }, now(10_000));
        let ordered = orders(&mut pipeline, 10_000);
        let nothing =
            |it: &Order| matches!(it, Order::Told { outcome: CommandOutcome::Nothing, .. });
        assert_eq!(ordered.iter().any(nothing), written, "{ordered:?}");
        assert_eq!(commits(&ordered).any(renews), !written);
    }
}

#[test]
fn what_was_sent_and_is_not_dead_is_not_sent_again() {
    let mut pipeline = pipeline();
    retry(&mut pipeline, 1, Vec::new(), true);
    let ordered = orders(&mut pipeline, 2);
    let appends = |it: &Record| matches!(it, Record::Append(_));
    assert!(!commits(&ordered).any(|it| it.records.iter().any(appends)));
    drop(ordered);
    pipeline.tell(committed(1, 1), now(3));
    assert_eq!(answer(&orders(&mut pipeline, 3)), Some(&Answer::NotDelivered));
}

#[test]
fn a_message_that_came_to_no_outbound_is_processed_anew() {
    let mut pipeline = pipeline();
    retry(&mut pipeline, 1, Vec::new(), false);
    let ordered = orders(&mut pipeline, 2);
    let anew = |it: &Record| matches!(it, Record::Message(new) if new.duplicate_of == Some(FIRST) && new.identity == 7);
    let routed = |it: &Record| matches!(it, Record::Append(row) if row.lane == INBOUND && row.message == MessageId(100));
    let all: Vec<&Record> = commits(&ordered).flat_map(|it| &it.records).collect();
    assert!(all.iter().any(|it| anew(it)) && all.iter().any(|it| routed(it)), "{all:?}");
}
