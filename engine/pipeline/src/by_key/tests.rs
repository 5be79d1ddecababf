use alloc::vec;
use alloc::vec::Vec;

use super::{ByKey, Parking};
use crate::ids::Seq;

const WINDOW: usize = 4;
const A: u64 = 0xa;
const B: u64 = 0xb;
const C: u64 = 0xc;

/// The example: 1 {A}, 2 {B}, 3 {A, C}, 4 {C}, 5 {B}, 6 without a key, 7 {A}.
struct Example {
    by_key: ByKey,
    entered: usize,
}

impl Example {
    fn new() -> Example {
        Example { by_key: ByKey::default(), entered: 0 }
    }

    fn look(&mut self) {
        let all = [vec![A], vec![B], vec![A, C], vec![C], vec![B], vec![], vec![A]];
        while self.entered < all.len() && self.by_key.is_open() {
            let keys = all[self.entered].clone();
            self.entered += 1;
            let seq = Seq(self.entered as u64);
            match keys.is_empty() {
                true => self.by_key.enter_barrier(seq),
                false => self.by_key.enter(seq, keys),
            }
        }
    }

    /// Starts what may start.
    fn start(&mut self) -> Vec<u64> {
        self.look();
        let rows: Vec<Seq> = self.by_key.startable(WINDOW).collect();
        rows.iter().for_each(|seq| assert!(self.by_key.start(*seq)));
        rows.into_iter().map(|seq| seq.0).collect()
    }

    fn finish(&mut self, seq: u64) -> Vec<u64> {
        self.by_key.finish(Seq(seq));
        self.start()
    }
}

#[test]
fn all_are_delivered() {
    let mut lane = Example::new();
    assert_eq!(lane.start(), [1, 2]);
    assert_eq!(lane.finish(2), [5]);
    assert_eq!(lane.finish(1), [3]);
    assert_eq!(lane.finish(5), []);
    assert_eq!(lane.finish(3), [4]);
    assert_eq!(lane.finish(4), [6], "it waits for all before it");
    assert_eq!(lane.finish(6), [7], "and all after it for it");
    assert_eq!(lane.finish(7), []);
    assert_eq!(lane.by_key, ByKey::default(), "nothing is left");
}

#[test]
fn one_is_refused_for_now() {
    let mut lane = Example::new();
    lane.start();
    lane.by_key.refused(Seq(1), true);
    assert_eq!(lane.start(), []);
    assert_eq!(lane.finish(2), [5]);
    assert_eq!(lane.finish(5), [], "3, 4, 6 and 7 wait");
    lane.by_key.refused(Seq(1), false);
    assert_eq!(lane.finish(1), [3]);
}

#[test]
fn one_that_never_started_is_taken_out() {
    let mut lane = Example::new();
    lane.start();
    assert_eq!(lane.finish(3), [4], "4 waited for nothing else");
    assert_eq!(lane.finish(6), [], "7 shares a key with 1");
    assert_eq!(lane.finish(1), [7]);
}

#[test]
fn a_million_rows_after_one_that_is_stuck_take_no_memory() {
    let mut by_key = ByKey::default();
    by_key.enter(Seq(1), vec![A]);
    by_key.start(Seq(1));
    for n in 2..1_000_000 {
        by_key.enter(Seq(n), vec![n, B]);
        by_key.start(Seq(n));
        by_key.finish(Seq(n));
    }
    assert_eq!((by_key.len(), by_key.queues.len()), (1, 1));
}

#[test]
fn parking_stops_at_its_room_and_at_what_is_with_the_partner() {
    let mut by_key = ByKey::default();
    for (seq, key) in [(1, A), (2, A), (3, B), (4, A), (5, A), (6, A)] {
        by_key.enter(Seq(seq), vec![key]);
    }
    by_key.start(Seq(1));
    by_key.start(Seq(3));
    let parking = |by_key: &ByKey, up_to, room| by_key.parking(Seq(0), Seq(up_to), room, WINDOW);
    assert_eq!(parking(&by_key, 6, 10), None, "nothing is stuck yet");
    by_key.refused(Seq(1), true);
    let rows = |rows: &[u64], cursor| {
        Some(Parking { rows: rows.iter().copied().map(Seq).collect(), cursor: Seq(cursor) })
    };
    assert_eq!(parking(&by_key, 6, 10), rows(&[1, 2], 2), "3 is with the partner");
    by_key.finish(Seq(3));
    assert_eq!(parking(&by_key, 5, 10), rows(&[1, 2, 4, 5], 5));
    assert_eq!(parking(&by_key, 5, 3), rows(&[1, 2, 4], 4));
    assert_eq!(parking(&by_key, 5, 0), None);
    assert_eq!(by_key.parking(Seq(0), Seq(5), 10, 1), None, "the window has no room");
}

#[test]
fn each_row_says_which_one_it_waits_for() {
    let (mut order, [a, b, c]) = (ByKey::default(), [1, 2, 3]);
    order.enter(Seq(1), vec![a]);
    order.enter(Seq(2), vec![b]);
    order.enter(Seq(3), vec![a, c]);
    order.enter(Seq(4), vec![c]);
    order.enter(Seq(5), vec![b]);
    order.enter_barrier(Seq(6));
    let waits = |order: &ByKey| (1..=7).map(|n| order.waits_for(Seq(n))).collect::<Vec<_>>();
    let [one, two, three] = [Seq(1), Seq(2), Seq(3)].map(Some);
    assert_eq!(waits(&order), [None, None, one, three, two, one, Some(Seq(6))]);
    assert!(order.start(Seq(1)));
    order.finish(Seq(1));
    assert_eq!(waits(&order)[2..], [None, three, two, two, Some(Seq(6))]);
    // Without order two rows may have no key, and neither waits.
    let mut order = ByKey::default();
    order.enter(Seq(1), vec![]);
    order.enter(Seq(2), vec![]);
    assert_eq!(order.waits_for(Seq(2)), None);
}
