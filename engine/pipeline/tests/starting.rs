//! A start with work that an earlier life has left: what is asked for, and what may leave when.

use mllp_pipeline::{
    Body, CommitOutcome, Committed, Entry, Epoch, Fact, Graph, Handler, Head, IdHash, Inbound,
    Keys, LaneId, LaneMark, Limits, MessageId, Now, Order, Outbound, Piece, Pipeline, Received,
    Record, Seq, Source, Stamp, Start, Ticket, What,
};

const INBOUND: LaneId = LaneId(1);
const OUTBOUND: LaneId = LaneId(3);

fn now(steady: u64) -> Now {
    Now { steady, wall: 1_700_000_000_000 + steady }
}

/// A pipeline whose outbound has this row in the store.
fn start(head: Head, window: u32) -> Pipeline {
    let graph = Graph {
        inbounds: vec![Inbound::new(INBOUND)],
        handlers: vec![Handler::new(LaneId(2))],
        outbounds: vec![Outbound { window, ..Outbound::new(OUTBOUND) }],
        limits: Limits::DEFAULT,
    };
    let heads = vec![Head::new(INBOUND, Epoch(1)), Head::new(LaneId(2), Epoch(1)), head];
    let start = Start { heads, next_message: MessageId(2_000_000), next_stamp: Stamp(1) };
    let mut pipeline = Pipeline::new(graph, start, now(0));
    pipeline.tell(Fact::Ready { lane: OUTBOUND, ready: true }, now(0));
    pipeline
}

fn left(tail: u64, cursor: u64, sent_to: u64) -> Head {
    let (tail, cursor, sent_to) = (Seq(tail), Seq(cursor), Seq(sent_to));
    Head { tail, cursor, sent_to, ..Head::new(OUTBOUND, Epoch(2)) }
}

fn entry(seq: u64) -> Entry {
    Entry {
        seq: Seq(seq),
        message: MessageId(seq),
        body: Source::Message,
        sole: true,
        id_hash: IdHash::NONE,
        keys: Keys::NONE,
        hops: 0,
    }
}

/// The commit of the outbound's row is durable.
fn committed(tail: u64, sent_to: u64) -> Fact {
    let lanes = vec![LaneMark { lane: OUTBOUND, tail: Seq(tail), sent_to: Seq(sent_to) }];
    Fact::Outcome(CommitOutcome::Committed(Committed { lanes, finals: Vec::new() }))
}

/// Everything that is ordered now.
fn orders(pipeline: &mut Pipeline) -> Vec<Order> {
    std::iter::from_fn(|| pipeline.next_order(now(0))).collect()
}

#[test]
fn a_start_reads_the_first_rows_only_and_takes_messages_at_once_whatever_waits() {
    for tail in [10_000, 1_000_000, u64::MAX / 2] {
        let mut pipeline = start(left(tail, 0, 0), 1);
        let asked = orders(&mut pipeline);
        let [Order::Load { lane: OUTBOUND, after: Seq(0), limit }, Order::Commit(ref window)] =
            asked[..]
        else {
            panic!("{asked:?}")
        };
        assert!(limit <= Limits::DEFAULT.look_ahead, "{limit} rows");
        assert!(window.records.is_empty(), "how far it may send, and nothing of the rows");
        pipeline.tell(committed(tail, 1), now(0));
        // None of them has come, and a message is stored all the same.
        pipeline.tell(
            Fact::Received(Received {
                ticket: Ticket(1),
                inbound: INBOUND,
                identity: 1,
                control_id: Piece::default(),
                message_type: Piece::default(),
                body: Body::Inline((*b"MSH|").into()),
                acknowledgment: Piece::from(&b"AA"[..]),
                accepted: true,
                session: None,
            }),
            now(0),
        );
        let stored = orders(&mut pipeline);
        let [Order::Commit(ref transaction)] = stored[..] else { panic!("{stored:?}") };
        assert!(matches!(transaction.records[0], Record::Message(_)), "{stored:?}");
    }
}

#[test]
fn nothing_leaves_before_what_may_have_been_sent_is_listed() {
    let window = 3;
    let mut pipeline = start(left(9, 2, 5), window);
    let load = orders(&mut pipeline);
    assert!(matches!(load[..], [Order::Load { after: Seq(2), .. }]), "{load:?}");
    let entries = (3..=9).map(entry).collect();
    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries }, now(0));
    let listing = orders(&mut pipeline);
    let [Order::Commit(ref transaction)] = listing[..] else { panic!("{listing:?}") };
    let listed: Vec<u64> = transaction
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Event(event) if matches!(event.what, What::PossiblySent { .. }) => {
                Some(event.message.0)
            }
            _ => None,
        })
        .collect();
    assert_eq!(listed, [3, 4, 5], "no more than the window, and each of them");
    drop(listing);
    pipeline.tell(committed(9, 5), now(0));
    let sent: Vec<u64> = orders(&mut pipeline)
        .into_iter()
        .filter_map(|order| match order {
            Order::Deliver { seq, attempt, .. } => {
                assert_eq!(attempt, 2, "what the crash has cut off was the first");
                Some(seq.0)
            }
            _ => None,
        })
        .collect();
    assert_eq!(sent, [3, 4, 5], "first, and in order");
}
