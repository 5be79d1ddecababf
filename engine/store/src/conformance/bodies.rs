//! Messages and bodies, whole and in chunks.

use mllp_pipeline::{
    Append, Body, BodyId, IdHash, Keys, LaneId, MessageId, Piece, Record, RowBody, Seq, Source,
};

use super::{Bench, Case, Subject, inline, message};
use crate::contract::{Held, Identity, Reader, Swept};
use crate::error::StoreError;

pub(super) const CASES: &[(&str, Case)] = &[
    ("a message comes back as it was", round_trip),
    ("bytes of every value, and none at all", every_byte),
    ("a body in chunks", chunked),
    ("a body is read chunk by chunk", piecewise),
    ("a body of which a chunk is missing is an error", incomplete),
    ("chunks that nothing holds are swept, and no others", sweeping),
    ("a row's own body", own_body),
    ("a row's own body that is nearly that of its message", nearly_the_same),
    ("bodies that come along are those that are read one by one", fetched),
    ("identities, newest first, in slices", identities),
    ("what is not there is not there", absent),
];

fn bytes(reader: &mut dyn Reader, of: Held) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let found = reader.body(of, &mut |bytes| all.extend_from_slice(bytes)).unwrap();
    found.then_some(all)
}

fn round_trip(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let mut first = message(1, bench.ingress.lane, inline(b"MSH|^~\\&|LAB\rPID|1\r"));
    first.identity = u128::MAX - 5;
    first.accepted = false;
    let mut second = message(2, bench.ingress.lane, inline(b"MSH|again"));
    second.duplicate_of = Some(MessageId(1));
    second.control_id = Piece::default();
    (second.session, second.original) = (MessageId(1), Some(MessageId(1)));
    bench.committed(vec![Record::Message(first.clone()), Record::Message(second.clone())], vec![]);
    let mut reader = bench.store.reader().unwrap();
    for sent in [first, second] {
        let stored = reader.message(sent.id).unwrap().unwrap();
        assert_eq!(stored.len, sent.body.len());
        let Body::Inline(body) = &sent.body else { unreachable!() };
        assert_eq!(bytes(&mut *reader, Held::Message(sent.id)).unwrap(), body[..]);
        let mut expected = sent;
        expected.body = inline(b"");
        assert_eq!(stored.message, expected);
    }
}

fn every_byte(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let all: Vec<u8> = (0..=255).collect();
    let inbound = bench.ingress.lane;
    let records = vec![
        Record::Message(message(1, inbound, inline(&all))),
        Record::Message(message(2, inbound, inline(b""))),
    ];
    bench.committed(records, vec![]);
    let mut reader = bench.store.reader().unwrap();
    assert_eq!(bytes(&mut *reader, Held::Message(MessageId(1))).unwrap(), all);
    assert_eq!(bytes(&mut *reader, Held::Message(MessageId(2))).unwrap(), b"");
}

fn chunked(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let id = BodyId(1);
    let pieces: Vec<Vec<u8>> = (0..5u8).map(|n| vec![n; 256 * 1024 - usize::from(n)]).collect();
    for (n, piece) in (0..).zip(&pieces) {
        let bytes = Piece::from(&piece[..]);
        bench.committed(vec![Record::Chunk { body: id, n, bytes }], vec![]);
    }
    let whole = pieces.concat();
    let body = Body::Chunked { id, len: whole.len() as u64 };
    let own = RowBody::Own(body.clone());
    let append = Append { body: own, ..Append::new(bench.lab.lane, MessageId(1)) };
    let records =
        vec![Record::Message(message(1, bench.ingress.lane, body.clone())), Record::Append(append)];
    bench.committed(records, vec![]);
    let mut reader = bench.store.reader().unwrap();
    let stored = reader.message(MessageId(1)).unwrap().unwrap();
    assert_eq!((stored.len, stored.message.body), (whole.len() as u64, body));
    for of in [Held::Message(MessageId(1)), Held::Row(bench.lab.lane, Seq(1)), Held::Chunks(id)] {
        let mut longest = 0;
        reader.body(of, &mut |bytes| longest = longest.max(bytes.len())).unwrap();
        assert!(longest <= 256 * 1024, "pieces are bounded");
        assert_eq!(bytes(&mut *reader, of).unwrap(), whole);
    }
}

fn piecewise(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let id = BodyId(1);
    for (n, piece) in [(0, &b"first"[..]), (1, b"second")] {
        bench.committed(vec![Record::Chunk { body: id, n, bytes: Piece::from(piece) }], vec![]);
    }
    let (body, lane) = (Body::Chunked { id, len: 11 }, bench.lab.lane);
    let held = message(1, bench.ingress.lane, body.clone());
    let own =
        Append { body: RowBody::Own(body.clone()), len: 11, ..Append::new(lane, MessageId(1)) };
    let shared =
        Append { body: RowBody::Row(lane, Seq(1)), ..Append::new(bench.bill.lane, MessageId(1)) };
    let small = Append { body: RowBody::Own(inline(b"small")), ..Append::new(lane, MessageId(1)) };
    let unchanged = Append::new(lane, MessageId(1));
    bench.committed(vec![Record::Message(held), Record::Append(own)], vec![]);
    bench.committed([shared, small, unchanged].map(Record::Append).to_vec(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let chunked =
        [Held::Message(MessageId(1)), Held::Row(lane, Seq(1)), Held::Row(bench.bill.lane, Seq(1))];
    for of in chunked.into_iter().chain([Held::Chunks(id)]) {
        assert_eq!(reader.find(of).unwrap(), Some(body.clone()), "{of:?}");
    }
    assert_eq!(reader.find(Held::Row(lane, Seq(2))).unwrap(), Some(inline(b"small")));
    assert_eq!(reader.find(Held::Row(lane, Seq(3))).unwrap(), None, "no body of its own");
    assert_eq!(reader.find(Held::Chunks(BodyId(2))).unwrap().filter(|it| !it.is_empty()), None);
    assert_eq!(reader.chunk(id, 1).unwrap(), Some(Piece::from(&b"second"[..])));
    assert_eq!(reader.chunk(id, 2).unwrap(), None);
    assert_eq!(reader.chunk(BodyId(2), 0).unwrap(), None);
}

fn incomplete(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    for (id, n) in [(1, 0), (2, 0), (2, 2)] {
        let (body, bytes) = (BodyId(id), Piece::from(&[7; 100][..]));
        bench.committed(vec![Record::Chunk { body, n, bytes }], vec![]);
    }
    // The end of the first is missing, and the middle of the second.
    let (end, middle) = ((BodyId(1), 150), (BodyId(2), 300));
    let body = |(id, len)| Body::Chunked { id, len };
    let row = Append {
        body: RowBody::Own(body(middle)),
        len: 300,
        ..Append::new(bench.lab.lane, MessageId(1))
    };
    let row_of_end = Append {
        body: RowBody::Own(body(end)),
        len: 150,
        ..Append::new(bench.lab.lane, MessageId(1))
    };
    let records = vec![
        Record::Message(message(1, bench.ingress.lane, body(end))),
        Record::Message(message(2, bench.ingress.lane, body(middle))),
        Record::Append(row),
        Record::Append(row_of_end),
    ];
    bench.committed(records, vec![]);
    let mut reader = bench.store.reader().unwrap();
    let rows = [1, 2].map(|seq| Held::Row(bench.lab.lane, Seq(seq)));
    for of in [Held::Message(MessageId(1)), Held::Message(MessageId(2))].into_iter().chain(rows) {
        let read = reader.body(of, &mut |_| {});
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{of:?}: {read:?}");
    }
}

fn sweeping(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let first = bench.numbers.body.0;
    let [with_message, with_row, orphan, long_orphan, coming] =
        [0, 1, 2, 3, 4].map(|n| BodyId(first + n));
    for (id, chunks) in
        [(with_message, 1), (with_row, 2), (orphan, 1), (long_orphan, 20), (coming, 1)]
    {
        for n in 0..chunks {
            let bytes = Piece::from(&[n as u8; 70_000][..]);
            bench.committed(vec![Record::Chunk { body: id, n, bytes }], vec![]);
        }
    }
    let body = |id, chunks: u64| Body::Chunked { id, len: chunks * 70_000 };
    let own = RowBody::Own(body(with_row, 2));
    let row = Append { body: own, ..Append::new(bench.lab.lane, MessageId(1)) };
    let held = message(1, bench.ingress.lane, body(with_message, 1));
    bench.committed(vec![Record::Message(held), Record::Append(row)], vec![]);
    let mut slices = 0;
    while bench.store.sweep(with_message..coming).unwrap() == Swept::More {
        slices += 1;
        assert!(slices < 100, "it comes to an end");
    }
    let mut reader = bench.store.reader().unwrap();
    for (id, len) in [(with_message, 70_000), (with_row, 140_000), (coming, 70_000)] {
        assert_eq!(bytes(&mut *reader, Held::Chunks(id)).unwrap().len(), len);
    }
    for id in [orphan, long_orphan] {
        assert_eq!(bytes(&mut *reader, Held::Chunks(id)), None);
    }
}

/// Of an outbound, and of an inbound that handlers send to.
fn own_body(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    for lane in [bench.lab.lane, bench.ingress.lane] {
        own_body_in(lane, &mut bench);
    }
}

fn own_body_in(lane: LaneId, bench: &mut Bench) {
    let row = |body| {
        let (message, id_hash) = (MessageId(1), IdHash(u64::MAX));
        let keys = Keys::new(&[7, u64::MAX, 7]);
        let row =
            Append { body, sole: false, id_hash, keys, hops: 3, ..Append::new(lane, message) };
        Record::Append(row)
    };
    let rows = [RowBody::Own(inline(b"changed")), RowBody::Message];
    bench.committed(rows.map(row).into(), vec![]);
    bench.committed(vec![row(RowBody::Row(lane, Seq(1)))], vec![]);
    let of_others = [3, 2].map(|seq| RowBody::Row(lane, Seq(seq)));
    bench.committed(of_others.map(row).into(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let entries = reader.entries(lane, Seq(0), 9).unwrap();
    assert_eq!(entries[0].body, Source::Row(lane, Seq(1)));
    assert_eq!(entries[1].body, Source::Message);
    for shared in &entries[2..4] {
        assert_eq!(shared.body, Source::Row(lane, Seq(1)), "the row that has them");
    }
    assert_eq!(entries[4].body, Source::Message);
    assert!(!entries[0].sole);
    assert_eq!(entries[0].id_hash, IdHash(u64::MAX));
    assert_eq!((entries[0].keys.as_slice(), entries[0].hops), (&[7, u64::MAX][..], 3));
    assert_eq!(bytes(&mut *reader, Held::Row(lane, Seq(1))).unwrap(), b"changed");
    assert_eq!(bytes(&mut *reader, Held::Row(lane, Seq(2))), None);
    assert_eq!(bytes(&mut *reader, Held::Row(lane, Seq(3))).unwrap(), b"changed");
    assert_eq!(bytes(&mut *reader, Held::Row(lane, Seq(4))).unwrap(), b"changed");
    assert_eq!(bytes(&mut *reader, Held::Row(lane, Seq(5))), None);
}

/// Each stands with the message it is about, in one commit and in the next.
fn nearly_the_same(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lane = bench.lab.lane;
    let received: Vec<u8> = (0..3_000u32).map(|at| ((at * at) >> 7) as u8).collect();
    let (start, end) = received.split_at(1_700);
    let bodies = [
        received.clone(),
        vec![],
        start.to_vec(),
        end.to_vec(),
        [start, b"LAB", end].concat(),
        [&start[..1_600], end].concat(),
        [b"MSH|", &received[..]].concat(),
        [&received[..], b"Z"].concat(),
        [&received[..], &received].concat(),
        received.iter().map(|byte| byte ^ 1).collect(),
        [&start[..40], b"x", &end[1_290..]].concat(),
    ];
    let row = |body: &Vec<u8>| {
        let row = Append::new(lane, MessageId(1));
        Record::Append(Append { body: RowBody::Own(inline(body)), len: body.len() as u64, ..row })
    };
    let message = Record::Message(message(1, bench.ingress.lane, inline(&received)));
    bench.committed([message].into_iter().chain(bodies.iter().map(row)).collect(), vec![]);
    bench.committed(bodies.iter().map(row).collect(), vec![]);
    let of_rows = (1..=bodies.len() as u64).map(|seq| RowBody::Row(lane, Seq(seq)));
    let bill = Append::new(bench.bill.lane, MessageId(1));
    let other = of_rows.map(|body| Record::Append(Append { body, ..bill.clone() }));
    bench.committed(other.collect(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let each = (1..).zip(bodies.iter().chain(&bodies));
    for (seq, body) in each {
        assert_eq!(bytes(&mut *reader, Held::Row(lane, Seq(seq))).unwrap(), *body, "{seq}");
        if seq <= bodies.len() as u64 {
            let shared = Held::Row(bench.bill.lane, Seq(seq));
            assert_eq!(bytes(&mut *reader, shared).unwrap(), *body, "{seq}");
        }
    }
    for lane in [lane, bench.bill.lane] {
        let mut entries = reader.entries(lane, Seq(0), 99).unwrap();
        reader.fetch(&mut entries, u64::MAX).unwrap();
        for (entry, body) in entries.iter().zip(bodies.iter().chain(&bodies)) {
            if let Source::Memory(found) = &entry.body {
                assert_eq!(*found, inline(body), "{}", entry.seq);
            }
        }
    }
}

fn fetched(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let lane = bench.lab.lane;
    let chunks = BodyId(700);
    let chunk = Record::Chunk { body: chunks, n: 0, bytes: Piece::from(&b"in a chunk"[..]) };
    bench.committed(vec![chunk], vec![]);
    let large = RowBody::Own(Body::Chunked { id: chunks, len: 10 });
    let rows = [RowBody::Own(inline(b"changed")), RowBody::Message, large];
    let rows = rows.into_iter().chain([RowBody::Row(lane, Seq(1)), RowBody::Own(inline(b""))]);
    let row = |body| Record::Append(Append { body, ..Append::new(lane, MessageId(1)) });
    let received = Record::Message(message(1, bench.ingress.lane, inline(b"MSH|received")));
    bench.committed([received].into_iter().chain(rows.map(row)).collect(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let one_by_one = reader.entries(lane, Seq(0), 9).unwrap();
    let where_they_are = |source: &Source| match source {
        Source::Row(lane, seq) => Held::Row(*lane, *seq),
        _ => Held::Message(MessageId(1)),
    };
    for limit in [0, 1, 8, u64::MAX] {
        let mut entries = one_by_one.clone();
        reader.fetch(&mut entries, limit).unwrap();
        let mut before = 0;
        for (entry, alone) in entries.iter().zip(&one_by_one) {
            let Source::Memory(body) = &entry.body else {
                assert_eq!(entry, alone);
                continue;
            };
            assert!(before <= limit, "{before} bytes are there, and {limit} were asked for");
            before += body.len();
            let bytes = bytes(&mut *reader, where_they_are(&alone.body)).unwrap();
            assert_eq!(*body, inline(&bytes));
        }
    }
}

fn identities(subject: &mut dyn Subject) {
    let mut bench = Bench::of(subject);
    let inbound = bench.ingress.lane;
    let records = (1..=5u64).map(|id| {
        let mut one = message(id, inbound, inline(b"MSH|"));
        one.identity = if id == 3 { 0 } else { u128::from(id) << 64 | 7 };
        Record::Message(one)
    });
    bench.committed(records.collect(), vec![]);
    let mut reader = bench.store.reader().unwrap();
    let newest = reader.identities(MessageId(u64::MAX), 3).unwrap();
    assert_eq!(newest.iter().map(|it| it.message.0).collect::<Vec<_>>(), [5, 4, 2]);
    let received_at = 1_796_000_000_005;
    let identity = 5u128 << 64 | 7;
    assert_eq!(newest[0], Identity { message: MessageId(5), inbound, received_at, identity });
    let rest = reader.identities(MessageId(2), 3).unwrap();
    assert_eq!(rest.iter().map(|it| it.message.0).collect::<Vec<_>>(), [1]);
}

fn absent(subject: &mut dyn Subject) {
    let bench = Bench::of(subject);
    let mut reader = bench.store.reader().unwrap();
    assert!(reader.message(MessageId(1)).unwrap().is_none());
    assert!(reader.journey(MessageId(1)).unwrap().is_empty());
    assert_eq!(bytes(&mut *reader, Held::Message(MessageId(1))), None);
    assert_eq!(bytes(&mut *reader, Held::Row(bench.lab.lane, Seq(1))), None);
    assert!(reader.identities(MessageId(u64::MAX), 9).unwrap().is_empty());
    assert!(reader.dispositions(MessageId(0), 9).unwrap().is_empty());
}
