//! A stream responder reports and answers what a responder does, however the stream is cut.

mod messages;

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::Scan;
use messages::{ack, frame, message};
use mllp_core::{Config, Discard, Fault, Framing, Profile};
use mllp_link::{
    Arrived, CloseReason, OverLimit, Protocol, Refuse, Responder, ResponderConfig, ResponderEvent,
    StreamEvent, StreamResponder, Times,
};

/// What a host sees of a connection, payloads joined.
#[derive(Debug, PartialEq)]
enum Seen {
    /// With the reason why it was not answered.
    Message(Vec<u8>, Arrived, Option<&'static str>),
    Lost(Option<Option<&'static str>>, Fault, u64),
    Commit(bool),
    Warning(&'static str, u64),
    Discard(Discard),
    Protocol(Protocol),
    AnswersLost(u32),
    Closing(CloseReason),
}

/// What comes from the peer.
#[derive(Clone, Debug)]
enum Op {
    Bytes(Vec<u8>),
    Idle,
    Eof,
}

/// Only a missing trailer has a time.
const TIMES: Times = Times { idle: 0, byte: 0, frame: 0, send: 0, trailer: 100 };

/// How bytes come to a responder.
#[derive(Clone, Copy)]
enum Way {
    /// All of them, and then the events.
    Received,
    /// Lent, from event to event, and answered at once into a buffer of so many bytes.
    Fed(usize),
}

type Whole = Responder<[u8; 2048], [u8; 1024], 4>;
type Streaming = StreamResponder<[u8; 1024], 512, 4>;

fn by_responder(ops: &[Op], config: ResponderConfig, ack: &Ack<'_>) -> (Vec<Seen>, Vec<u8>) {
    by_whole_messages(ops, config, ack, Way::Received)
}

/// A host of whole messages, for the time of one event.
struct Host<'a> {
    ack: &'a Ack<'a>,
    now: u64,
    way: Way,
    sent: &'a mut Vec<u8>,
}

impl Host<'_> {
    fn handled(
        &mut self,
        link: &mut Whole,
        event: ResponderEvent,
        payload: Option<Vec<u8>>,
    ) -> Seen {
        match event {
            ResponderEvent::Message(ticket, arrived) => {
                let payload = payload.unwrap_or_else(|| link.payload().to_vec());
                let answered = match self.way {
                    Way::Received => link.answer(ticket, self.ack, self.now),
                    Way::Fed(room) => {
                        let mut out = vec![0; room];
                        let answered =
                            link.answer_now(ticket, &payload, self.ack, &mut out, self.now);
                        answered.map(|len| self.sent.extend(&out[..len]))
                    }
                };
                let error = answered.err().map(|unanswered| {
                    link.leave_unanswered(unanswered.ticket, self.now);
                    unanswered.error.name()
                });
                Seen::Message(payload, arrived, error)
            }
            ResponderEvent::TooLarge(refusal, offset) => {
                let refused = link.refuse(refusal, Refuse::Reject, self.ack, self.now);
                let error = refused.err().map(|unrefused| {
                    link.leave_unrefused(unrefused.refusal, self.now);
                    unrefused.error.name()
                });
                Seen::Lost(Some(error), Fault::TooLarge, offset)
            }
            ResponderEvent::Commit { positive } => Seen::Commit(positive),
            ResponderEvent::Warning { deviation, offset } => {
                Seen::Warning(deviation.name(), offset)
            }
            ResponderEvent::Fault { fault, offset } => Seen::Lost(None, fault, offset),
            ResponderEvent::Discard(discard) => Seen::Discard(discard),
            ResponderEvent::Protocol(protocol) => Seen::Protocol(protocol),
            ResponderEvent::AnswersLost { answers } => Seen::AnswersLost(answers),
            ResponderEvent::Closing(reason) => Seen::Closing(reason),
        }
    }
}

fn by_whole_messages(
    ops: &[Op],
    config: ResponderConfig,
    ack: &Ack<'_>,
    way: Way,
) -> (Vec<Seen>, Vec<u8>) {
    let mut link: Whole = Responder::new([0; 2048], [0; 1024], config, 0);
    let (mut now, mut seen, mut sent) = (0, Vec::new(), Vec::new());
    for op in ops {
        let mut rest = &[][..];
        match (op, way) {
            (Op::Bytes(bytes), Way::Received) if link.wants_input() => {
                assert_eq!(link.receive(bytes, now), bytes.len());
            }
            (Op::Bytes(bytes), Way::Fed(_)) => rest = bytes,
            (Op::Bytes(_), _) => {}
            (Op::Idle, _) => {
                now += 100;
                link.on_time(now);
            }
            (Op::Eof, _) => link.peer_closed(now),
        }
        let wanted = link.wants_input();
        loop {
            let fed = link.feed(rest, now);
            rest = &rest[fed.consumed..];
            let Some(event) = fed.event else { break };
            let payload = fed.payload.map(<[u8]>::to_vec);
            let mut host = Host { ack, now, way, sent: &mut sent };
            seen.push(host.handled(&mut link, event, payload));
            while !link.outgoing().is_empty() {
                sent.extend(link.outgoing());
                link.sent(link.outgoing().len(), now);
            }
        }
        assert!(rest.is_empty() || !wanted || !link.wants_input(), "bytes are left");
        sent.extend(link.outgoing());
        link.sent(link.outgoing().len(), now);
    }
    (seen, sent)
}

/// What a host of a stream has of the frame that is arriving.
#[derive(Default)]
struct Frame {
    payload: Option<Vec<u8>>,
    headers: u32,
}

impl Frame {
    /// `None`: it is about a part of the frame.
    fn handled(
        &mut self,
        link: &mut Streaming,
        event: StreamEvent<'_>,
        ack: &Ack<'_>,
        now: u64,
    ) -> Option<Seen> {
        Some(match event {
            StreamEvent::Start { .. } => {
                assert_eq!(self.payload.replace(Vec::new()), None, "a frame in a frame");
                self.headers = 0;
                return None;
            }
            StreamEvent::Header => {
                self.headers += 1;
                assert!(self.headers == 1 && self.payload.is_some(), "one header in a frame");
                let payload = self.payload.as_ref().expect("a frame");
                assert_eq!(link.header_bytes(), payload, "behind the span with its end");
                return None;
            }
            StreamEvent::Span(bytes) => {
                assert!(!bytes.is_empty(), "an empty span");
                self.payload.as_mut().expect("a frame").extend(bytes);
                return None;
            }
            StreamEvent::End(ticket, arrived) => {
                let payload = self.payload.take().expect("a frame");
                let error = link.answer(ticket, ack, now).err().map(|unanswered| {
                    link.leave_unanswered(unanswered.ticket, now);
                    unanswered.error.name()
                });
                Seen::Message(payload, arrived, error)
            }
            StreamEvent::Lost { refusal, fault, offset } => {
                self.payload = None;
                let refusal = refusal.map(|refusal| {
                    let refused = link.refuse(refusal, Refuse::Reject, ack, now);
                    refused.err().map(|unrefused| {
                        link.leave_unrefused(unrefused.refusal, now);
                        unrefused.error.name()
                    })
                });
                Seen::Lost(refusal, fault, offset)
            }
            StreamEvent::Commit { positive } => {
                self.payload = None;
                Seen::Commit(positive)
            }
            StreamEvent::Warning { deviation, offset } => Seen::Warning(deviation.name(), offset),
            StreamEvent::Discard(discard) => Seen::Discard(discard),
            StreamEvent::Protocol(protocol) => Seen::Protocol(protocol),
            StreamEvent::AnswersLost { answers } => Seen::AnswersLost(answers),
            StreamEvent::Closing(reason) => Seen::Closing(reason),
        })
    }
}

fn by_stream(ops: &[Op], config: ResponderConfig, ack: &Ack<'_>) -> (Vec<Seen>, Vec<u8>) {
    let mut link: Streaming = StreamResponder::new([0; 1024], config, 0);
    let (mut now, mut seen, mut sent) = (0, Vec::new(), Vec::new());
    let mut frame = Frame::default();
    for op in ops {
        let mut input = &[][..];
        match op {
            Op::Bytes(bytes) => input = bytes,
            Op::Idle => {
                now += 100;
                link.on_time(now);
            }
            Op::Eof => link.peer_closed(now),
        }
        let wanted = link.wants_input();
        loop {
            let step = link.step(input, now);
            input = &input[step.consumed..];
            let Some(event) = step.event else { break };
            let Some(one) = frame.handled(&mut link, event, ack, now) else { continue };
            seen.push(one);
            while !link.outgoing().is_empty() {
                sent.extend(link.outgoing());
                link.sent(link.outgoing().len(), now);
            }
        }
        assert!(input.is_empty() || !wanted || !link.wants_input(), "input is left");
        sent.extend(link.outgoing());
        link.sent(link.outgoing().len(), now);
    }
    (seen, sent)
}

/// Every way to cut the bytes: whole, single bytes, and two parts at each position.
fn chunkings(ops: &[Op]) -> Vec<Vec<Op>> {
    let single = |op: &Op| match op {
        Op::Bytes(bytes) => bytes.iter().map(|byte| Op::Bytes(vec![*byte])).collect(),
        other => vec![other.clone()],
    };
    let mut all = vec![ops.to_vec(), ops.iter().flat_map(single).collect()];
    for (at, op) in ops.iter().enumerate() {
        let Op::Bytes(bytes) = op else { continue };
        for split in 1..bytes.len() {
            let (head, tail) = bytes.split_at(split);
            let mut cut = ops.to_vec();
            cut.splice(at..=at, [Op::Bytes(head.to_vec()), Op::Bytes(tail.to_vec())]);
            all.push(cut);
        }
    }
    all
}

#[track_caller]
fn assert_same(id: &str, ops: &[Op], config: ResponderConfig, ack: &Ack<'_>) {
    let config = ResponderConfig { times: TIMES, max_answer_len: 200, ..config };
    let expected = by_responder(ops, config, ack);
    for cut in chunkings(ops) {
        let seen = by_stream(&cut, config, ack);
        assert_eq!(seen.0, expected.0, "{id}: {cut:?}");
        assert_eq!(seen.1, expected.1, "{id}: other answers, {cut:?}");
        assert_eq!(by_responder(&cut, config, ack).1, expected.1, "{id}: {cut:?}");
        for room in [0, 1000] {
            let fed = by_whole_messages(&cut, config, ack, Way::Fed(room));
            assert_eq!(fed, expected, "{id}: fed, answered in {room}, {cut:?}");
        }
    }
}

const PROFILES: [Profile; 3] = [Profile::Permissive, Profile::Resync, Profile::Strict];

fn configs(profile: Profile, max_payload_len: usize) -> Vec<ResponderConfig> {
    let decoder = Config { profile, max_payload_len, ..Config::DEFAULT };
    let base = ResponderConfig { decoder, ..ResponderConfig::DEFAULT };
    let over_limit = OverLimit::Refuse;
    vec![
        base,
        ResponderConfig { policy: Policy::Conformant, over_limit, ..base },
        ResponderConfig { commit_blocks: true, over_limit, ..base },
    ]
}

#[test]
fn the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/mllp_frames.json");
    let text = std::fs::read_to_string(path).expect("the vectors");
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases = vectors["decode"].as_array().expect("cases");
    assert!(cases.len() >= 40);
    for case in cases {
        let op = |op: &serde_json::Value| match op[0].as_str().expect("a name") {
            "bytes" => Op::Bytes(unhex(op[1].as_str().expect("hex"))),
            "idle" => Op::Idle,
            _ => Op::Eof,
        };
        let ops: Vec<Op> = case["ops"].as_array().expect("ops").iter().map(op).collect();
        // Every byte of a long stream as the place of a cut would take minutes.
        let len: usize =
            ops.iter().map(|op| if let Op::Bytes(it) = op { it.len() } else { 0 }).sum();
        if len > 500 {
            continue;
        }
        let max = case["max_payload"].as_u64().map_or(2000, |max| max as usize);
        for profile in PROFILES {
            for config in configs(profile, max) {
                let id = case["id"].as_str().expect("an id");
                assert_same(id, &ops, config, &ack(AckCode::AA));
            }
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

/// Headers of every kind that reading tells apart.
const PAYLOADS: [&[u8]; 14] = [
    b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01^ADT_A01|M1|P|2.5\rPID|1\r",
    b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.5",
    b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.5\nPID|1\nZZZ\n",
    b"\r\n MSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.5\r\nPID|1\r\n",
    b"\xEF\xBB\xBFMSH#*+?%#A#B#C#D###ADT*A01#M1#P#2.4\rPID#1\r",
    b"MSH||LAB||||||ORU^R01|M1|P\rOBX|1\r",
    b"MSH|^^\\&|A|B|C|D|||ADT^A01|M1|P|2.5\r",
    b"MSH|^~\\&|A|B\r",
    b"MSH\rPID|1\r",
    b"MS",
    b"FHS|^~\\&|F\rBHS|^~\\&|B\rMSH|^~\\&|A|B|C|D|||ADT^A01|M1|P|2.5\rPID|1\rMSH|^~\\&|X\r",
    b"FHS|^~\\&|F\r\nBHS|^~\\&|B\r\nMSH|^~\\&|A\nB|C\r\nPID|1\r\n",
    b"BHS|^~\\&|B\rPID|1\r",
    b"no HL7\rat all\n",
];

#[test]
fn every_kind_of_header() {
    let all: Vec<u8> = PAYLOADS.iter().flat_map(|payload| frame(payload)).collect();
    let each = PAYLOADS.iter().map(|payload| frame(payload));
    for stream in each.chain([all]) {
        let ops = [Op::Bytes(stream), Op::Eof];
        for config in configs(Profile::Permissive, 2000) {
            for code in [AckCode::AA, AckCode::CE] {
                assert_same("headers", &ops, config, &ack(code));
            }
        }
    }
}

#[test]
fn every_limit() {
    let batch = b"BHS|^~\\&|B\rMSH|^~\\&|A||C||||A^B|M1\rPID";
    let stream = [frame(batch), frame(b"MSH|^~\\&|||||||A|M2\n")].concat();
    let ops = [Op::Bytes(stream), Op::Eof];
    for profile in PROFILES {
        for max in 0..=batch.len() {
            for config in configs(profile, max) {
                assert_same("limits", &ops, config, &ack(AckCode::AA));
            }
        }
    }
}

#[test]
fn names_in_shift_jis_and_other_framing() {
    let payload = b"MSH|^~\\&|\x83\x7C|\x83\x5E|C|D|20260101||ADT^A01|SJ1|P|2.5\rPID|\x83\x7C\r";
    let shift_jis = Ack { scan: Scan::ShiftJis, ..ack(AckCode::AA) };
    for config in configs(Profile::Permissive, 2000) {
        assert_same("Shift_JIS", &[Op::Bytes(frame(payload)), Op::Eof], config, &shift_jis);
    }
    let framing = Framing::new(0x02, 0x03, None).expect("distinct");
    let decoder = Config { framing, ..Config::DEFAULT };
    let stream =
        [b"\x02", &message("1", 0)[..], b"\x03junk\x02", &message("2", 9), b"\x03"].concat();
    let config = ResponderConfig { decoder, ..ResponderConfig::DEFAULT };
    assert_same("framing", &[Op::Bytes(stream), Op::Eof], config, &ack(AckCode::AE));
}
