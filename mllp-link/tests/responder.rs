//! The responder, step by step.

use ack_gen::{Ack, AckCode};
use mllp_link::{
    CloseReason, Expired, OverLimit, Refusal, Refuse, Responder, ResponderConfig, ResponderEvent,
    Ticket, Times,
};

type Link<const W: usize> = Responder<[u8; 512], [u8; 8192], W>;

const TIMES: Times = Times { idle: 100, byte: 50, frame: 200, send: 70 };

fn link<const W: usize>(config: ResponderConfig) -> Link<W> {
    Responder::new([0; 512], [0; 8192], ResponderConfig { times: TIMES, ..config }, 0)
}

fn message(id: &str, fill: usize) -> Vec<u8> {
    format!("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|{id}|P|2.5\rPID|{}\r", "0".repeat(fill)).into()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

const fn ack(code: AckCode) -> Ack<'static> {
    Ack::always(code, None, b"1", b"20260101")
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

/// Takes everything that is to be sent: MSA-1 and MSA-2 of each answer, or the commit byte.
fn sent<const W: usize>(link: &mut Link<W>, now: u64) -> Vec<String> {
    let mut all = Vec::new();
    while !link.outgoing().is_empty() {
        all.extend(link.outgoing());
        link.sent(link.outgoing().len(), now);
    }
    let text = String::from_utf8(all).expect("ASCII");
    let answers = text.split_terminator("\x1c\r").map(|it| match it.split_once("MSA|") {
        Some((_, msa)) => msa.split(['\r']).next().unwrap_or_default().to_string(),
        None => it.trim_start_matches('\x0b').to_string(),
    });
    answers.collect()
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
    assert_eq!(sent(&mut link, 0), ["\x06", "AR|BIG"]);
}
