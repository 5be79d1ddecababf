//! The responder, step by step.

mod messages;

use ack_gen::AckCode;
use messages::{ack, answers, frame, message};
use mllp_core::{Config, Framing, Profile};
use mllp_link::{
    AnswerError, CloseReason, Expired, OverLimit, Protocol, Refusal, Refuse, Responder,
    ResponderConfig, ResponderEvent, Ticket, Times,
};

type Link<const W: usize> = Responder<[u8; 512], [u8; 8192], W>;

const TIMES: Times = Times { idle: 100, byte: 50, frame: 200, send: 70, trailer: 20 };

fn link<const W: usize>(config: ResponderConfig) -> Link<W> {
    Responder::new([0; 512], [0; 8192], ResponderConfig { times: TIMES, ..config }, 0)
}

fn ticket<const W: usize>(link: &mut Link<W>, now: u64) -> Ticket {
    match link.next_event(now) {
        Some(ResponderEvent::Message(ticket, _)) => ticket,
        other => panic!("no message: {other:?}"),
    }
}

fn refusal<const W: usize>(link: &mut Link<W>, now: u64) -> Refusal {
    match link.next_event(now) {
        Some(ResponderEvent::TooLarge(refusal, _)) => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

/// Takes everything that is to be sent, as [`messages::answers`] shows it.
fn sent<const W: usize>(link: &mut Link<W>, now: u64) -> Vec<String> {
    let mut all = Vec::new();
    while !link.outgoing().is_empty() {
        all.extend(link.outgoing());
        link.sent(link.outgoing().len(), now);
    }
    answers(&all)
}

fn closing<const W: usize>(link: &mut Link<W>, now: u64) -> CloseReason {
    for _ in 0..10 {
        if let Some(ResponderEvent::Closing(reason)) = link.next_event(now) {
            return reason;
        }
    }
    panic!("not closing")
}

#[test]
fn answers_leave_in_the_order_of_the_messages() {
    let mut link = link::<3>(ResponderConfig::DEFAULT);
    let all: Vec<u8> = ["1", "2", "3", "4"].iter().flat_map(|id| frame(&message(id, 0))).collect();
    assert_eq!(link.receive(&all, 0), all.len());
    let mut tickets: Vec<Ticket> = (0..3).map(|_| ticket(&mut link, 0)).collect();
    assert_eq!(link.next_event(0), None, "the window is full");
    assert!(!link.wants_input());
    for (id, code) in [("3", AckCode::AR), ("2", AckCode::AE), ("1", AckCode::AA)] {
        assert_eq!(link.outgoing(), b"");
        let ticket = tickets.pop().expect("three");
        assert!(link.answer_later(ticket, &message(id, 0), &ack(code), 0).is_ok());
    }
    assert_eq!(sent(&mut link, 0), ["AA|1", "AE|2", "AR|3"]);
    let last = ticket(&mut link, 0);
    assert!(link.answer(last, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(sent(&mut link, 0), ["AA|4"]);
}

#[test]
fn each_time_runs_for_its_reason() {
    let mut idle = link::<1>(ResponderConfig::DEFAULT);
    assert_eq!(idle.next_deadline(), Some(100));
    idle.on_time(100);
    assert_eq!(closing(&mut idle, 100), CloseReason::Expired(Expired::Idle));
    assert!(idle.is_finished());

    let mut byte = link::<1>(ResponderConfig::DEFAULT);
    byte.receive(b"\x0bMSH", 10);
    assert_eq!(byte.next_event(10), None);
    assert_eq!(byte.next_deadline(), Some(60));
    byte.on_time(60);
    assert_eq!(closing(&mut byte, 60), CloseReason::Expired(Expired::Byte));

    let mut drip = link::<1>(ResponderConfig::DEFAULT);
    for now in [0, 40, 80, 120, 160] {
        drip.receive(if now == 0 { b"\x0b" } else { b"x" }, now);
        assert_eq!(drip.next_event(now), None);
    }
    assert_eq!(drip.next_deadline(), Some(200));
    drip.on_time(200);
    assert_eq!(closing(&mut drip, 200), CloseReason::Expired(Expired::Frame));

    let mut send = link::<1>(ResponderConfig::DEFAULT);
    send.receive(&frame(&message("1", 0)), 0);
    let owed = ticket(&mut send, 0);
    assert_eq!(send.next_deadline(), None, "the peer is not late while the host thinks");
    assert!(send.answer(owed, &ack(AckCode::AA), 500).is_ok());
    assert_eq!(send.next_deadline(), Some(570));
    send.sent(1, 560);
    assert_eq!(send.next_deadline(), Some(630));
    send.on_time(630);
    assert_eq!(closing(&mut send, 630), CloseReason::Expired(Expired::Send));
    assert!(send.is_finished() && send.outgoing().is_empty());
}

#[test]
fn a_message_over_the_limit_ends_the_connection() {
    let mut link = link::<2>(ResponderConfig::DEFAULT);
    let all = [frame(&message("1", 0)), frame(&message("2", 600))].concat();
    link.receive(&all, 0);
    let first = ticket(&mut link, 0);
    let mut rest = all.get(512..).unwrap_or_default();
    while !rest.is_empty() && link.wants_input() {
        while link.next_event(0).is_some() {}
        let taken = link.receive(rest, 0);
        rest = &rest[taken..];
    }
    while link.next_event(0).is_some() {}
    assert!(!link.wants_input() && !link.is_finished());
    assert!(link.answer_later(first, &message("1", 0), &ack(AckCode::AA), 0).is_ok());
    assert_eq!(sent(&mut link, 0), ["AA|1"]);
    assert!(link.is_finished());
}

fn refused_and_followed<const W: usize>() {
    let config = ResponderConfig { over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
    let mut link = link::<W>(config);
    let large = frame(&message("BIG", 2000));
    assert_eq!(link.receive(&large, 0), 512);
    let refused = refusal(&mut link, 0);
    assert!(link.refuse(refused, Refuse::Reject, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(link.outgoing(), b"", "held until the frame has ended");
    let mut rest = [&large[512..], &frame(&message("2", 0))].concat();
    let mut answers = Vec::new();
    for _ in 0..20 {
        while let Some(event) = link.next_event(0) {
            if let ResponderEvent::Message(ticket, _) = event {
                assert!(link.answer(ticket, &ack(AckCode::AA), 0).is_ok());
            }
        }
        answers.extend(sent(&mut link, 0));
        let taken = link.receive(&rest, 0);
        rest.drain(..taken);
    }
    assert_eq!(answers, ["AR|BIG", "AA|2"]);
}

#[test]
fn a_message_over_the_limit_is_refused() {
    refused_and_followed::<1>();
    refused_and_followed::<4>();
}

#[test]
fn a_refused_message_without_its_end_runs_out_of_time() {
    let config = ResponderConfig { over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
    let mut link = link::<1>(config);
    link.receive(&frame(&message("BIG", 2000)), 0);
    let refused = refusal(&mut link, 0);
    assert!(link.refuse(refused, Refuse::Reject, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(link.next_event(0), None);
    assert_eq!(link.next_deadline(), Some(50));
    link.on_time(50);
    while link.next_event(50).is_some() {}
    assert_eq!(sent(&mut link, 50), ["AR|BIG"]);
    assert_eq!(closing(&mut link, 50), CloseReason::Expired(Expired::Byte));
    assert!(link.is_finished());
}

#[test]
fn a_peer_that_closes_gets_its_answers() {
    let mut link = link::<2>(ResponderConfig::DEFAULT);
    link.receive(&[frame(&message("1", 0)), b"\x0bMSH|half".to_vec()].concat(), 0);
    let owed = ticket(&mut link, 0);
    link.peer_closed(0);
    assert_eq!(closing(&mut link, 0), CloseReason::PeerClosed);
    assert!(!link.is_finished());
    assert!(link.answer_later(owed, &message("1", 0), &ack(AckCode::AA), 9).is_ok());
    assert_eq!(sent(&mut link, 9), ["AA|1"]);
    assert!(link.is_finished());
}

#[test]
fn commit_blocks_go_before_the_answers() {
    let mut link = link::<4>(ResponderConfig { commit_blocks: true, ..ResponderConfig::DEFAULT });
    let all = [frame(&message("1", 0)), frame(&message("2", 0)), frame(b"\x06")].concat();
    link.receive(&all, 0);
    let (one, two) = (ticket(&mut link, 0), ticket(&mut link, 0));
    assert_eq!(link.next_event(0), None, "a message needs two places");
    link.commit(&one, 0);
    assert_eq!(sent(&mut link, 0), ["\x06"]);
    assert!(link.answer_later(one, &message("1", 0), &ack(AckCode::AA), 0).is_ok());
    link.refuse_commit(two, 0);
    assert_eq!(sent(&mut link, 0), ["AA|1", "\x15"]);
    assert_eq!(link.next_event(0), Some(ResponderEvent::Commit { positive: true }));
}

#[test]
fn a_refused_message_is_not_committed_before_its_end() {
    let over_limit = OverLimit::Refuse;
    let config = ResponderConfig { commit_blocks: true, over_limit, ..ResponderConfig::DEFAULT };
    let mut link = link::<2>(config);
    let large = frame(&message("BIG", 600));
    assert_eq!(link.receive(&large, 0), 512);
    let refused = refusal(&mut link, 0);
    assert!(link.refuse(refused, Refuse::Reject, &ack(AckCode::AA), 0).is_ok());
    while link.next_event(0).is_some() {}
    assert_eq!(link.outgoing(), b"", "held until the frame has ended");
    link.receive(&large[512..], 0);
    while link.next_event(0).is_some() {}
    assert_eq!(sent(&mut link, 0), ["\x15"], "not in safe storage, and nothing else to say");
    assert_eq!(link.waiting(), 0);
}

fn resync() -> ResponderConfig {
    let decoder = Config { profile: Profile::Resync, ..Config::DEFAULT };
    ResponderConfig { decoder, ..ResponderConfig::DEFAULT }
}

#[test]
fn a_frame_without_its_trailer_is_complete_when_the_line_is_idle() {
    let mut link = link::<2>(resync());
    let whole = frame(&message("1", 0));
    let (body, trailer) = whole.split_at(whole.len() - 1);
    link.receive(body, 5);
    assert_eq!(link.next_event(5), None);
    assert_eq!(link.next_deadline(), Some(25));
    link.on_time(24);
    assert_eq!(link.next_event(24), None, "too early");
    link.on_time(25);
    assert_ne!(link.next_deadline(), Some(25), "once per pause");
    let owed = ticket(&mut link, 25);
    assert_eq!(link.payload(), message("1", 0));
    assert!(link.answer(owed, &ack(AckCode::AA), 25).is_ok());
    assert_eq!(sent(&mut link, 25), ["AA|1"]);
    assert!(link.wants_input(), "it closes nothing");
    // The trailer that came too late is padding.
    link.receive(trailer, 30);
    link.receive(body, 31);
    assert!(matches!(link.next_event(31), Some(ResponderEvent::Discard(run)) if run.blank));
    assert_eq!(link.next_event(31), None);
    assert_eq!(link.next_deadline(), Some(51));
}

#[test]
fn bytes_that_come_in_time_decide_about_the_end_block() {
    let mut link = link::<2>(resync());
    link.receive(b"\x0bone\x1c", 0);
    assert_eq!(link.next_event(0), None);
    link.on_time(20);
    link.receive(b"two\x1c", 20);
    assert_eq!(link.next_event(20), None, "its trailer has its own time");
    link.receive(b"\r", 39);
    let _owed = ticket(&mut link, 39);
    assert_eq!(link.payload(), b"one\x1ctwo", "it was payload");
}

#[test]
fn the_trailer_has_no_time_while_nothing_is_read() {
    let mut link = link::<1>(resync());
    link.receive(&[frame(&message("1", 0)), b"\x0btwo\x1c".to_vec()].concat(), 0);
    let first = ticket(&mut link, 0);
    assert_eq!(link.next_event(0), None);
    assert_eq!(link.next_deadline(), None, "the window is full");
    link.leave_unanswered(first, 100);
    assert_eq!(link.next_event(100), None);
    assert_eq!(link.next_deadline(), Some(120));
    link.on_time(120);
    let _second = ticket(&mut link, 120);
    let mut off = Link::<1>::new(
        [0; 512],
        [0; 8192],
        ResponderConfig { times: Times { trailer: 0, ..TIMES }, ..resync() },
        0,
    );
    off.receive(b"\x0btwo\x1c", 0);
    assert_eq!(off.next_event(0), None);
    assert_eq!(off.next_deadline(), Some(50), "only the time for a byte");
}

/// Everything that is reported about these bytes, when they come in these pieces.
fn reported(pieces: &[&[u8]]) -> Vec<ResponderEvent> {
    let mut link = link::<4>(ResponderConfig::DEFAULT);
    let mut events = Vec::new();
    for piece in pieces {
        assert_eq!(link.receive(piece, 0), piece.len());
        events.extend(std::iter::from_fn(|| link.next_event(0)));
    }
    link.peer_closed(0);
    events.extend(std::iter::from_fn(|| link.next_event(0)));
    events
}

#[test]
fn another_protocol_is_reported_once_and_first() {
    for (bytes, protocol) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], Protocol::Http),
        (b"\x16\x03\x01\x02\x00\x01", Protocol::Tls),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n\x0bMSH|^~\\&|A\r\x1c\r", Protocol::ProxyV1),
        // The address 10.11.2.1 holds a start block.
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x0a\x0b\x02\x01\xc0\x00\x02\x02\x9c\x40\x0a\x0f\
              \x0bMSH|^~\\&|A\r\x1c\r",
            Protocol::ProxyV2,
        ),
        (b"\r\n\x05\x021H|\\^&\r", Protocol::Astm),
        (b"MSH|^~\\&|A\r", Protocol::Hl7Unframed),
        (b"\x0bD12\rMSH|^~\\&|A\r00000000\x1c\r", Protocol::Hllp),
        (b"\r\n\x0bN99\rMSH|^~\\&|A\r00000000\x1c\r", Protocol::Hllp),
    ] {
        let whole = reported(&[bytes]);
        let at = whole.iter().position(|it| *it == ResponderEvent::Protocol(protocol));
        let noise = usize::from(bytes.starts_with(b"\r\n\x0b"));
        assert_eq!(at, Some(noise), "{protocol:?}: {whole:?}");
        let again = whole.iter().filter(|it| matches!(it, ResponderEvent::Protocol(_))).count();
        assert_eq!(again, 1);
        assert!(whole.len() >= noise + 3, "the bytes are reported as ever: {whole:?}");
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(reported(&[head, tail]), whole, "{protocol:?} split at {cut}");
        }
    }
    let undecided = reported(&[b"\r\nGE"]);
    assert!(undecided.iter().all(|it| !matches!(it, ResponderEvent::Protocol(_))));
    let mllp = reported(&[b"\r\n", &frame(b"MSH|^~\\&|"), b"GET / HTTP/1.1\r\n"]);
    assert!(mllp.iter().all(|it| !matches!(it, ResponderEvent::Protocol(_))));
}

#[test]
fn other_framing_has_no_other_protocol() {
    let framing = Framing::new(0x02, 0x03, None).expect("distinct");
    let decoder = Config { framing, ..Config::DEFAULT };
    let mut link = link::<1>(ResponderConfig { decoder, ..ResponderConfig::DEFAULT });
    link.receive(b"\x02one\x03", 0);
    let _owed = ticket(&mut link, 0);
}

#[test]
fn a_link_that_is_given_up_closes_once() {
    let mut open = link::<3>(ResponderConfig::DEFAULT);
    let all = [frame(&message("1", 0)), frame(&message("2", 0)), frame(&message("3", 0))].concat();
    open.receive(&all, 0);
    let (first, second) = (ticket(&mut open, 0), ticket(&mut open, 0));
    let third = ticket(&mut open, 0);
    open.leave_unanswered(third, 0);
    assert!(open.answer_later(first, &message("1", 0), &ack(AckCode::AA), 0).is_ok());
    open.sent(1, 0);
    open.on_time(70);
    assert!(open.outgoing().is_empty() && !open.is_finished());
    assert_eq!(open.next_event(70), Some(ResponderEvent::AnswersLost { answers: 2 }));
    let closing = ResponderEvent::Closing(CloseReason::Expired(Expired::Send));
    assert_eq!(open.next_event(70), Some(closing));
    assert!(open.is_finished());
    assert_eq!((open.next_event(70), open.next_deadline()), (None, None));
    assert_eq!(open.settled(), 0, "what was lost was not sent");
    let late = open.answer_later(second, &message("2", 0), &ack(AckCode::AA), 70);
    assert_eq!(late.expect_err("given up").error, AnswerError::Closed);

    let mut ending = link::<2>(ResponderConfig::DEFAULT);
    ending.receive(&frame(&message("1", 0)), 0);
    let owed = ticket(&mut ending, 0);
    ending.peer_closed(0);
    assert_eq!(closing_reasons(&mut ending, 0), [CloseReason::PeerClosed]);
    assert!(ending.answer_later(owed, &message("1", 0), &ack(AckCode::AA), 0).is_ok());
    ending.on_time(70);
    assert!(!ending.is_finished(), "not before it is reported");
    assert_eq!(ending.next_event(70), Some(ResponderEvent::AnswersLost { answers: 1 }));
    assert_eq!(closing_reasons(&mut ending, 70), []);
    assert!(ending.is_finished());
}

fn closing_reasons<const W: usize>(link: &mut Link<W>, now: u64) -> Vec<CloseReason> {
    let events = std::iter::from_fn(|| link.next_event(now));
    let reasons = events.filter_map(|event| match event {
        ResponderEvent::Closing(reason) => Some(reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn a_peer_that_was_not_read_is_not_late() {
    let mut link = link::<2>(ResponderConfig::DEFAULT);
    let all = [frame(&message("1", 0)), frame(&message("2", 0)), b"\x0bMSH".to_vec()].concat();
    link.receive(&all, 0);
    let (one, _two) = (ticket(&mut link, 0), ticket(&mut link, 0));
    assert!(!link.wants_input());
    assert!(link.answer_later(one, &message("1", 0), &ack(AckCode::AA), 60).is_ok());
    assert_eq!(sent(&mut link, 60), ["AA|1"]);
    assert_eq!(link.next_event(60), None);
    assert!(link.wants_input());
    assert_eq!(link.next_deadline(), Some(110));
}
