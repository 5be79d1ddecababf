//! What is remembered of messages that retention has deleted.

use mllp_pipeline::{Disposition, Piece, Record};

use super::retaining::{DAY, NOW, days, purge, records};
use super::{Bench, Case, Subject};
use crate::contract::Reader;
use crate::retention::Retention;

pub(super) const CASES: &[(&str, Case)] =
    &[("control IDs of what was deleted are known for a time", control_ids)];

fn control_ids(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let processed = Some((Disposition::Processed, 0));
    let named = |bench: &Bench, id: u64, control_id: &str, age| {
        let mut all = records(bench, id, age, processed);
        if let Record::Message(message) = &mut all[0] {
            message.control_id = Piece::from(control_id.as_bytes());
        }
        all
    };
    // The first of them is older; the fourth has none, and the last stays.
    for (id, (control_id, age)) in
        (1..).zip([("A", 402), ("B", 401), ("C", 401), ("", 401), ("A", 401), ("D", 1)])
    {
        let records = named(&bench, id, control_id, age * DAY);
        bench.committed(records, vec![]);
    }
    let mut reader = bench.store.reader().unwrap();
    let known = |reader: &mut dyn Reader| {
        ["A", "B", "C", "D", ""].map(|it| reader.expired_control_id(it.as_bytes()).unwrap())
    };
    assert_eq!(known(&mut *reader), [None; 5]);
    let before = NOW - DAY;
    purge(&mut *bench.store, &Retention::default(), before);
    assert_eq!(known(&mut *reader), [Some(before), None, None, None, None]);
    purge(&mut *bench.store, &Retention::default(), NOW);
    let all = [Some(NOW), Some(NOW), Some(NOW), None, None];
    assert_eq!(known(&mut *reader), all, "the newest that is gone counts");
    // Of more than so many the oldest go: of two A's, B and C there are three left, then one.
    let mut expiry = Retention::default().at(NOW);
    for (most, left) in [(4, all), (2, [Some(NOW), None, Some(NOW), None, None]), (0, [None; 5])] {
        expiry.control_ids.most = most;
        while bench.store.expire(&expiry).unwrap() {}
        assert_eq!(known(&mut *reader), left, "{most}");
    }
    // They have days of their own.
    bench.committed(named(&bench, 7, "E", 401 * DAY), vec![]);
    purge(&mut *bench.store, &Retention::default(), NOW);
    let day = |days: u64| NOW + days * DAY;
    for (now, left) in [(day(400), Some(NOW)), (day(400) + 1, None)] {
        let forever = Retention { days: days(None), of: vec![] };
        purge(&mut *bench.store, &forever, now);
        assert_eq!(reader.expired_control_id(b"E").unwrap(), left);
    }
}
