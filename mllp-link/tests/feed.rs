//! Bytes that are lent to a responder, and answers that leave past its storage. That they show and
//! answer what stored ones do is in `stream.rs`.

mod messages;

use ack_gen::{Ack, AckCode};
use hl7_peek::MessageHeader;
use messages::{ack, answers, frame, message};
use mllp_link::{AnswerError, Fed, Responder, ResponderConfig, ResponderEvent, Ticket, Times};

type Link = Responder<[u8; 512], [u8; 8192], 3>;

const TIMES: Times = Times { idle: 100, byte: 50, frame: 200, send: 70, trailer: 20 };

fn link() -> Link {
    let config = ResponderConfig { times: TIMES, ..ResponderConfig::DEFAULT };
    Responder::new([0; 512], [0; 8192], config, 0)
}

/// The message that comes next, which is to be the one that `payload` says, and whether it is lent.
fn ticket(link: &mut Link, rest: &mut &[u8], payload: &[u8], now: u64) -> (Ticket, bool) {
    let Fed { consumed, event, payload: lent } = link.feed(rest, now);
    *rest = &rest[consumed..];
    assert_eq!(lent.unwrap_or_else(|| link.payload()), payload);
    match event {
        Some(ResponderEvent::Message(ticket, _)) => (ticket, lent.is_some()),
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn what_lies_whole_in_the_chunk_is_lent() {
    let [one, two, three] = ["1", "2", "3"].map(|id| message(id, 0));
    let all = [frame(&one), frame(&two), frame(&three)].concat();
    let (head, tail) = all.split_at(frame(&one).len() + 20);
    let (mut head, mut tail, mut link) = (head, tail, link());
    let (first, lent) = ticket(&mut link, &mut head, &one, 0);
    assert!(lent && link.payload().is_empty());
    let unanswered = link.answer(first, &ack(AckCode::AA), 0).expect_err("not at hand");
    assert_eq!(unanswered.error, AnswerError::NotAtHand);
    assert_eq!(link.feed(head, 0).event, None);
    let (second, lent) = ticket(&mut link, &mut tail, &two, 0);
    assert!(!lent && link.answer(second, &ack(AckCode::AE), 0).is_ok());
    let (_third, lent) = ticket(&mut link, &mut tail, &three, 0);
    assert!(lent && tail.is_empty());
}

#[test]
fn what_there_is_no_room_for_is_left() {
    let one = message("1", 0);
    let all = frame(&one).repeat(4);
    let (mut rest, mut link) = (&all[..], link());
    let tickets = [(); 3].map(|()| ticket(&mut link, &mut rest, &one, 0).0);
    let fed = link.feed(rest, 0);
    assert_eq!((fed.consumed, fed.event, rest.len()), (0, None, frame(&one).len()));
    assert!(!link.wants_input());
    for ticket in tickets {
        let len = link.answer_now(ticket, &one, &ack(AckCode::AA), &mut [0; 512], 0);
        assert!(len.is_ok_and(|len| len > 0));
    }
    let _ = ticket(&mut link, &mut rest, &one, 0);
}

#[test]
fn an_answer_leaves_at_once_in_its_turn_alone() {
    let payloads = ["1", "2", "3"].map(|id| message(id, 0));
    let all: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
    let (mut rest, mut link, mut out) = (&all[..], link(), [0; 512]);
    let [first, second, third] =
        payloads.each_ref().map(|payload| ticket(&mut link, &mut rest, payload, 0).0);
    let [one, two, three] = &payloads;
    let now = |link: &mut Link, ticket, payload: &[u8], out: &mut [u8]| {
        link.answer_now(ticket, payload, &ack(AckCode::AA), out, 10).expect("an answer")
    };
    assert_eq!(now(&mut link, second, two, &mut out), 0);
    assert!(link.outgoing().is_empty(), "it waits for the first");
    let len = now(&mut link, first, one, &mut out);
    assert_eq!(answers(&out[..len]), ["AA|1"]);
    assert_eq!((link.settled(), answers(link.outgoing())), (1, vec!["AA|2".to_string()]));
    assert_eq!(now(&mut link, third, three, &mut out), 0);
    assert_eq!(answers(link.outgoing()), ["AA|2", "AA|3"]);
    link.sent(link.outgoing().len(), 20);
    assert_eq!((link.settled(), link.next_deadline()), (3, Some(120)), "idle from the last answer");
}

#[test]
fn a_header_that_the_host_has_read_serves_the_answer() {
    let one = message("1", 0);
    let header = MessageHeader::parse_lenient(&one);
    let read = Ack { header: header.as_ref(), ..ack(AckCode::AE) };
    let all = frame(&one).repeat(2);
    let (mut rest, mut link, mut out) = (&all[..], link(), [0; 512]);
    let [first, second] = [(); 2].map(|()| ticket(&mut link, &mut rest, &one, 0).0);
    let stored = link.answer_read(second, &one, &read, &mut out, 10);
    assert_eq!(stored.expect("an answer"), 0, "it is not its turn");
    let len = link.answer_read(first, &one, &read, &mut out, 10).expect("an answer");
    assert_eq!(answers(&out[..len]), ["AE|1"]);
    assert_eq!(answers(link.outgoing()), ["AE|1"]);
}

#[test]
fn a_header_of_another_message_does_not_get_into_an_answer() {
    let (one, two) = (message("1", 0), message("2", 0));
    let header = MessageHeader::parse_lenient(&two);
    let stale = Ack { header: header.as_ref(), ..ack(AckCode::AA) };
    let all = frame(&one);
    let (mut rest, mut link, mut out) = (&all[..], link(), [0; 512]);
    let owed = ticket(&mut link, &mut rest, &one, 0).0;
    let len = link.answer_now(owed, &one, &stale, &mut out, 10).expect("an answer");
    assert_eq!(answers(&out[..len]), ["AA|1"]);
}

#[test]
fn the_times_are_those_of_what_is_sent() {
    let one = message("1", 0);
    let all = frame(&one);
    let (mut rest, mut link) = (&all[..], link());
    let owed = ticket(&mut link, &mut rest, &one, 10).0;
    assert_eq!(link.next_deadline(), None, "the peer is not late while the host thinks");
    assert!(link.answer_now(owed, &one, &ack(AckCode::AA), &mut [0; 512], 500).is_ok());
    assert_eq!(link.next_deadline(), Some(600));
    assert_eq!(link.feed(b"\x0bMSH", 550).event, None);
    assert_eq!(link.next_deadline(), Some(600), "the time for a byte");
    let fed = link.feed(b"", 560);
    assert_eq!((fed.event, link.next_deadline()), (None, Some(600)), "no byte has come");
}
