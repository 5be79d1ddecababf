//! Deliveries that have left their lanes, switches, jobs.

use mllp_pipeline::{
    Append, By, Failure, Flow, Job, Keys, LaneId, List, MessageId, Note, Piece, Position, Record,
    Seq, Side, Switch,
};

use super::{Bench, Case, Subject};
use crate::lists::{Deliveries, Listed};

pub(super) const CASES: &[(&str, Case)] = &[
    ("dead and held deliveries are listed in the order of acceptance", listed),
    ("what goes off a list is gone from it, and from no other", unlisted),
    ("rows of a lane are found in the order of acceptance", deliveries),
    ("newer rows of a lane are found, without those that are dead or held", newer),
    ("the last switch of each side stands in the head", switches),
    ("a switch outlasts its owner and the store", switch_stays),
    ("a job is known by its key, as far as it has come", jobs),
];

fn dead(lane: LaneId, seq: u64, message: u64) -> Record {
    let (seq, message, why) = (Seq(seq), MessageId(message), Failure::RefusedForGood);
    Record::Dead { lane, seq, message, why, at: 7 }
}

fn held(lane: LaneId, seq: u64, message: u64, why: Option<Failure>) -> Record {
    Record::Held { lane, seq: Seq(seq), message: MessageId(message), why, at: 8 }
}

fn place(message: u64, lane: LaneId, seq: u64) -> Position {
    Position { message: MessageId(message), lane, seq: Seq(seq) }
}

fn read(bench: &Bench, list: List, lane: Option<LaneId>, after: Position) -> Vec<Listed> {
    bench.store.reader().unwrap().listed(list, lane, after, 10).unwrap()
}

fn places(listed: &[Listed]) -> Vec<Position> {
    listed.iter().map(|it| it.position).collect()
}

fn listed(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill) = (bench.lab.lane, bench.bill.lane);
    let records = vec![dead(lab, 1, 5), dead(lab, 2, 3), dead(bill, 9, 3), dead(lab, 3, 3)];
    bench.committed(records, vec![]);
    bench.committed(vec![held(lab, 4, 1, Some(Failure::Transport)), held(lab, 5, 2, None)], vec![]);
    let mut all = [place(3, lab, 2), place(3, lab, 3), place(3, bill, 9), place(5, lab, 1)];
    // A store may number lanes as it likes.
    all.sort_unstable_by_key(|it| (it.message, it.lane, it.seq));
    let found = read(&bench, List::Dead, None, Position::START);
    assert_eq!(places(&found), all);
    assert_eq!((found[0].why, found[0].at), (Some(Failure::RefusedForGood), 7));
    for (at, position) in all.iter().enumerate() {
        assert_eq!(places(&read(&bench, List::Dead, None, *position)), all[at + 1..]);
    }
    let of_lab: Vec<_> = all.into_iter().filter(|it| it.lane == lab).collect();
    assert_eq!(places(&read(&bench, List::Dead, Some(lab), Position::START)), of_lab);
    let mut reader = bench.store.reader().unwrap();
    let two = reader.listed(List::Dead, None, all[0], 2).unwrap();
    assert_eq!(places(&two), all[1..3]);
    let found = read(&bench, List::Held, None, Position::START);
    assert_eq!(places(&found), [place(1, lab, 4), place(2, lab, 5)]);
    assert_eq!(found.iter().map(|it| it.why).collect::<Vec<_>>(), [Some(Failure::Transport), None]);
}

fn unlisted(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lab = bench.lab.lane;
    bench.committed(vec![dead(lab, 1, 1), dead(lab, 2, 2), held(lab, 2, 2, None)], vec![]);
    let off =
        |list, seq| Record::Unlisted { list, lane: lab, seq: Seq(seq), message: MessageId(2) };
    bench.committed(vec![off(List::Dead, 2)], vec![]);
    assert_eq!(places(&read(&bench, List::Dead, None, Position::START)), [place(1, lab, 1)]);
    assert_eq!(places(&read(&bench, List::Held, None, Position::START)), [place(2, lab, 2)]);
    bench.committed(vec![off(List::Held, 2)], vec![]);
    assert!(read(&bench, List::Held, None, Position::START).is_empty());
    // Held again in another row, and listed and taken off in one transaction.
    bench.committed(vec![held(lab, 3, 2, None), off(List::Held, 3), held(lab, 4, 2, None)], vec![]);
    assert_eq!(places(&read(&bench, List::Held, None, Position::START)), [place(2, lab, 4)]);
}

fn deliveries(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill) = (bench.lab.lane, bench.bill.lane);
    let row = |lane, message| Record::Append(Append::new(lane, MessageId(message)));
    let rows = [4, 2, 3, 2, 5].map(|message| row(lab, message));
    bench.committed(rows.into_iter().chain([row(bill, 2)]).collect(), vec![]);
    let of = |messages: std::ops::RangeInclusive<u64>, up_to, after| Deliveries {
        lane: lab,
        messages: MessageId(*messages.start())..=MessageId(*messages.end()),
        up_to: Seq(up_to),
        after,
    };
    let mut reader = bench.store.reader().unwrap();
    let mut find = |of: Deliveries, limit| reader.deliveries(&of, limit).unwrap();
    let all = [(2, 2), (2, 4), (3, 3), (4, 1), (5, 5)].map(|(id, seq)| place(id, lab, seq));
    assert_eq!(find(of(0..=u64::MAX, u64::MAX, Position::START), 10), all);
    assert_eq!(find(of(0..=u64::MAX, 4, Position::START), 10), all[..4]);
    assert_eq!(find(of(3..=4, 5, Position::START), 10), all[2..4]);
    assert_eq!(find(of(0..=9, 5, all[0]), 2), all[1..3]);
    assert_eq!(find(of(0..=9, 5, all[4]), 2), []);
    assert_eq!(reader.extent(lab).unwrap(), Some((Seq(0), Seq(5))));
    assert_eq!(reader.extent(LaneId(9_999)).unwrap(), None);
}

fn newer(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (lab, bill) = (bench.lab.lane, bench.bill.lane);
    let keys = |message| Keys::new(&[message, u64::MAX - message]);
    let row = |lane, message| {
        let append = Append::new(lane, MessageId(message));
        Record::Append(Append { keys: keys(message), ..append })
    };
    let rows = [4, 9, 3, 7, 5, 8].map(|message| row(lab, message));
    bench.committed(rows.into_iter().chain([row(bill, 9)]).collect(), vec![]);
    bench.committed(vec![dead(lab, 2, 9), held(lab, 4, 7, None)], vec![]);
    let mut reader = bench.store.reader().unwrap();
    let mut find = |than, after, limit| {
        let found = reader.newer(lab, MessageId(than), Seq(after), limit).unwrap();
        assert!(found.iter().all(|it| it.keys == keys(it.position.message.0)));
        found.iter().map(|it| it.position).collect::<Vec<_>>()
    };
    let (four, five, eight) = (place(4, lab, 1), place(5, lab, 5), place(8, lab, 6));
    assert_eq!(find(3, 0, 10), [four, five, eight]);
    assert_eq!(find(4, 0, 10), [five, eight]);
    assert_eq!(find(0, 1, 2), [place(3, lab, 3), five]);
    assert_eq!(find(8, 0, 10), []);
}

fn switch(lane: LaneId, side: Side, flow: Flow, at: u64) -> Switch {
    let by = By { who: Note("anna".into()), reason: Note("the partner\nis moving".into()) };
    Switch { lane, side, flow, by, at }
}

fn switches(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let (ingress, lab) = (bench.ingress.lane, bench.lab.lane);
    assert!(bench.head(lab).switches.is_empty());
    let all = [
        switch(ingress, Side::Output, Flow::Paused, 1),
        switch(ingress, Side::Input, Flow::Stopped, 2),
        switch(lab, Side::Output, Flow::Stopped, 3),
        switch(lab, Side::Output, Flow::On, 4),
    ];
    bench.committed(all.iter().cloned().map(Record::Switch).collect(), vec![]);
    assert_eq!(bench.head(ingress).switches, [all[1].clone(), all[0].clone()]);
    assert_eq!(bench.head(lab).switches, [all[3].clone()]);
    assert!(bench.head(bench.bill.lane).switches.is_empty());
    let unnamed = Switch { by: By::default(), ..switch(lab, Side::Output, Flow::Paused, 5) };
    bench.committed(vec![Record::Switch(unnamed.clone())], vec![]);
    assert_eq!(bench.head(lab).switches, [unnamed]);
}

fn switch_stays(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let paused = switch(bench.lab.lane, Side::Output, Flow::Paused, 1);
    bench.committed(vec![Record::Switch(paused.clone())], vec![]);
    drop(bench);
    let mut bench = Bench::of(subject);
    assert_eq!(bench.lab.switches, std::slice::from_ref(&paused), "told to the next owner");
    assert_eq!(bench.head(paused.lane).switches, [paused]);
}

fn jobs(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let job = |key: &str, done, has_ended| Job {
        key: Note(key.into()),
        what: Piece::from(&b"replay\0\xff"[..]),
        by: By { who: Note("anna".into()), reason: Note(String::new()) },
        at: 5,
        total: 7,
        done,
        newer: done / 2,
        after: place(done, bench.lab.lane, 2 * done),
        has_ended,
    };
    let (begun, other, ended) = (job("a", 2, false), job("b", 0, false), job("a", 7, true));
    let known = |bench: &Bench| bench.store.reader().unwrap().jobs().unwrap();
    assert!(known(&bench).is_empty());
    bench.committed(vec![Record::Job(begun.clone()), Record::Job(other.clone())], vec![]);
    assert_eq!(known(&bench), [begun, other.clone()]);
    bench.committed(vec![Record::Job(ended.clone())], vec![]);
    drop(bench);
    let bench = Bench::of(subject);
    assert_eq!(known(&bench), [ended, other]);
}
