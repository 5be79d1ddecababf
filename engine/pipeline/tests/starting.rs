//! A start with work that an earlier life has left: what is asked for, and what may leave when.

mod lane;

use lane::{INBOUND, OUTBOUND, committed, entry, left, now, orders, start};
use mllp_pipeline::{
    Body, By, Epoch, Fact, Graph, Head, LaneId, Leaving, Limits, MessageId, Order, Orphan,
    Outbound, Piece, Pipeline, Received, Record, Seq, Stage, Stamp, Start, Ticket, What,
};

#[test]
fn a_start_reads_the_first_rows_only_and_takes_messages_at_once_whatever_waits() {
    for tail in [10_000, 1_000_000, u64::MAX / 2] {
        let mut pipeline = start(left(tail, 0, 0), 1);
        let asked = orders(&mut pipeline, 0);
        let [Order::Commit(ref window), Order::Load { lane: OUTBOUND, after: Seq(0), limit }] =
            asked[..]
        else {
            panic!("{asked:?}")
        };
        assert!(limit <= Limits::DEFAULT.look_ahead, "{limit} rows");
        assert!(window.records.is_empty(), "how far it may send, and nothing of the rows");
        pipeline.tell(committed(tail, 1), now(0));
        // None of them has come, and a message is stored all the same.
        let (body, aa) = (Body::Inline((*b"MSH|").into()), Piece::from(&b"AA"[..]));
        let received = Received { identity: 1, ..Received::new(Ticket(1), INBOUND, body, aa) };
        pipeline.tell(Fact::Received(received), now(0));
        let stored = orders(&mut pipeline, 0);
        let [Order::Commit(ref transaction)] = stored[..] else { panic!("{stored:?}") };
        assert!(matches!(transaction.records[0], Record::Message(_)), "{stored:?}");
    }
}

#[test]
fn nothing_leaves_before_what_may_have_been_sent_is_listed() {
    let window = 3;
    let mut pipeline = start(left(9, 2, 5), window);
    let load = orders(&mut pipeline, 0);
    assert!(matches!(load[..], [Order::Load { after: Seq(2), .. }]), "{load:?}");
    let entries = (3..=9).map(entry).collect();
    pipeline.tell(Fact::Loaded { lane: OUTBOUND, entries }, now(0));
    let listing = orders(&mut pipeline, 0);
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
    let sent: Vec<u64> = orders(&mut pipeline, 0)
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

#[test]
fn lanes_that_leave_are_emptied_whole_or_not_at_all() {
    let old = LaneId(7);
    let outbounds = vec![Outbound::new(OUTBOUND)];
    let orphans = vec![Orphan { lane: old, stage: Stage::Outbound }];
    let graph = Graph { outbounds, orphans, ..Graph::default() };
    let settle = |lane, rows: std::ops::RangeInclusive<u64>, to| {
        let left = Head { tail: Seq(3), cursor: Seq(1), ..Head::new(old, Epoch(2)) };
        let heads = vec![Head::new(OUTBOUND, Epoch(1)), left];
        let start = Start { heads, next_message: MessageId(9), next_stamp: Stamp(40) };
        let leaving = vec![Leaving { lane, entries: rows.map(entry).collect(), to }];
        Pipeline::settle(graph.clone(), start, leaving, &By::default(), now(0))
    };
    let (moved, next) = settle(old, 2..=3, Some(OUTBOUND)).unwrap();
    let is_append = |it: &&Record| matches!(it, Record::Append(it) if it.lane == OUTBOUND);
    assert_eq!(moved.records.iter().filter(is_append).count(), 2);
    let [update] = moved.lanes[..] else { panic!("{:?}", moved.lanes) };
    assert_eq!((update.lane, update.epoch, update.cursor), (old, Epoch(2), Seq(3)));
    let stamps = moved.records.iter().filter_map(|it| match it {
        Record::Event(event) => Some(event.stamp),
        _ => None,
    });
    assert!(stamps.eq([Stamp(40), Stamp(41)]) && next == Stamp(42));
    let (cancelled, _) = settle(old, 2..=3, None).unwrap();
    assert!(cancelled.records.iter().all(|it| !is_append(&it)));
    assert_eq!(settle(old, 2..=2, None), None, "a row is missing at its end");
    assert_eq!(settle(old, 3..=3, None), None, "or at its beginning");
    assert_eq!(settle(OUTBOUND, 2..=3, None), None, "it is configured");
    assert_eq!(settle(old, 2..=3, Some(LaneId(8))), None, "there is no such lane");
}
