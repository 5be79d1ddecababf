//! What senders hear while the store does not do its work. The simulation covers these cases among many
//! others; here each stands alone.

use mllp_pipeline::{
    Answer, Body, CommitOutcome, Epoch, Fact, Graph, Handler, Head, Inbound, LaneId, Limits,
    MessageId, Now, Order, Outbound, Piece, Pipeline, Received, Refusal, Stamp, Start, Ticket,
};

const INBOUND: LaneId = LaneId(1);

fn now(steady: u64) -> Now {
    Now { steady, wall: 1_700_000_000_000 + steady }
}

fn pipeline(limits: Limits) -> Pipeline {
    let graph = Graph {
        inbounds: vec![Inbound::new(INBOUND)],
        handlers: vec![Handler::new(LaneId(2))],
        outbounds: vec![Outbound::new(LaneId(3))],
        orphans: Vec::new(),
        limits,
    };
    let head = |lane| Head::new(LaneId(lane), Epoch(1));
    let heads = (1..=3).map(head).collect();
    let start = Start { heads, next_message: MessageId(1), next_stamp: Stamp(1) };
    Pipeline::new(graph, start, now(0))
}

fn received(ticket: u64, identity: u128) -> Fact {
    let (body, aa) = (Body::Inline((*b"MSH|").into()), Piece::from(&b"AA"[..]));
    Fact::Received(Received { identity, ..Received::new(Ticket(ticket), INBOUND, body, aa) })
}

/// All answers until nothing is left to do, with this outcome for every commit.
fn answers(pipeline: &mut Pipeline, outcome: Option<CommitOutcome>, at: u64) -> Vec<(u64, Answer)> {
    let mut answers = Vec::new();
    while let Some(order) = pipeline.next_order(now(at)) {
        match order {
            Order::Answer { ticket, answer, .. } => answers.push((ticket.0, answer)),
            Order::Commit(_) => {
                if let Some(outcome) = outcome.clone() {
                    pipeline.tell(Fact::Outcome(outcome), now(at));
                }
            }
            _ => {}
        }
    }
    answers
}

#[test]
fn a_store_that_refuses_every_write_gives_no_positive_answer() {
    for refusal in [Refusal::Full, Refusal::Unavailable] {
        let mut pipeline = pipeline(Limits::DEFAULT);
        let mut all = Vec::new();
        for ticket in 1..=1_000 {
            pipeline.tell(received(ticket, ticket.into()), now(ticket * 10));
            let outcome = Some(CommitOutcome::Refused(refusal));
            all.extend(answers(&mut pipeline, outcome, ticket * 10));
        }
        let outcome = Some(CommitOutcome::Refused(refusal));
        all.extend(answers(&mut pipeline, outcome, 100_000));
        assert_eq!(all.len(), 1_000);
        assert!(all.iter().all(|(_, answer)| *answer == Answer::NotStored));
    }
}

#[test]
fn an_unknown_outcome_closes_and_reads_the_lanes_first() {
    let mut pipeline = pipeline(Limits::DEFAULT);
    pipeline.tell(received(1, 1), now(1));
    let closed = answers(&mut pipeline, Some(CommitOutcome::Unknown), 1);
    assert_eq!(closed, [(1, Answer::Close)]);
    // The lane is not read yet: the next message waits, and no commit leaves.
    pipeline.tell(received(2, 2), now(2));
    assert_eq!(pipeline.next_order(now(2)), None);
}

#[test]
fn a_store_that_never_commits_answers_nobody_and_bounds_what_waits() {
    let mut pipeline = pipeline(Limits { waiting: 10, ..Limits::DEFAULT });
    let mut told = 0;
    while pipeline.wants_input(INBOUND, now(told)) {
        told += 1;
        pipeline.tell(received(told, told.into()), now(told));
        assert_eq!(answers(&mut pipeline, None, told), []);
    }
    assert_eq!(told, 10);
}

#[test]
fn a_duplicate_in_the_open_batch_shares_its_outcome() {
    for outcome in [CommitOutcome::Refused(Refusal::Unavailable), CommitOutcome::Unknown] {
        let mut pipeline = pipeline(Limits::DEFAULT);
        pipeline.tell(received(1, 7), now(1));
        let open = pipeline.next_order(now(1));
        assert!(matches!(open, Some(Order::Commit(_))));
        pipeline.tell(received(2, 7), now(2));
        assert_eq!(pipeline.next_order(now(2)), None, "the duplicate waits");
        pipeline.tell(Fact::Outcome(outcome.clone()), now(3));
        let heard: Vec<u64> = answers(&mut pipeline, None, 3).into_iter().map(|it| it.0).collect();
        assert_eq!(heard, [1, 2], "{outcome:?}");
    }
}

#[test]
fn after_a_stop_nothing_is_stored() {
    let mut pipeline = pipeline(Limits::DEFAULT);
    pipeline.stop();
    assert!(!pipeline.wants_input(INBOUND, now(1)));
    pipeline.tell(received(1, 1), now(1));
    assert_eq!(answers(&mut pipeline, None, 1), [(1, Answer::NotStored)]);
    assert!(pipeline.left().is_at_rest());
}
