//! Answers: why one is not taken, when it is done, and how much memory it needs.

mod messages;

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::Scan;
use messages::{ack, answers, frame, message};
use mllp_core::Storage;
use mllp_link::{
    AnswerError, OverLimit, Refuse, Responder, ResponderConfig, ResponderEvent, Ticket,
};

/// Storage that grows, and counts what it is asked for.
#[derive(Debug, Default)]
struct Growing {
    bytes: Vec<u8>,
    most: std::rc::Rc<std::cell::Cell<usize>>,
    shrunk: std::rc::Rc<std::cell::Cell<usize>>,
}

impl AsRef<[u8]> for Growing {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Growing {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Storage for Growing {
    fn max_len(&self) -> usize {
        usize::MAX
    }

    fn grow(&mut self, len: usize) {
        assert!(len > self.bytes.len(), "grown without need");
        self.bytes.resize(len, 0);
        self.most.set(self.most.get().max(len));
    }

    fn shrink(&mut self) {
        self.bytes = Vec::new();
        self.shrunk.set(self.shrunk.get() + 1);
    }
}

fn ticket<S: Storage, T: Storage, const W: usize>(link: &mut Responder<S, T, W>) -> Ticket {
    match link.next_event(0) {
        Some(ResponderEvent::Message(ticket, _)) => ticket,
        other => panic!("no message: {other:?}"),
    }
}

fn take<S: Storage, T: Storage, const W: usize>(link: &mut Responder<S, T, W>) -> Vec<u8> {
    let bytes = link.outgoing().to_vec();
    link.sent(bytes.len(), 0);
    bytes
}

#[test]
fn an_answer_that_is_not_taken_says_why() {
    let base = ResponderConfig { max_answer_len: 100, ..ResponderConfig::DEFAULT };
    let config = ResponderConfig { policy: Policy::Conformant, ..base };
    let mut link: Responder<_, _, 4> = Responder::new([0; 1024], [0; 1024], config, 0);
    let no_id = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01||P|2.5\r";
    let all = [frame(&message("1", 0)), frame(no_id), frame(b"PID|1"), frame(b"FHS|^~\\&|\r")];
    link.receive(&all.concat(), 0);
    let aa = ack(AckCode::AA);

    let first = ticket(&mut link);
    let second = ticket(&mut link);
    let error = link.answer(first, &aa, 0).expect_err("the payload is gone");
    assert_eq!((error.error, error.error.name()), (AnswerError::NotAtHand, "not_at_hand"));
    let first = error.ticket;
    let error = link.answer(second, &aa, 0).expect_err("no MSH-10");
    let no_control_id = AnswerError::Ack(ack_gen::Error::NoControlId);
    assert_eq!((error.error, error.error.name()), (no_control_id, "no_control_id"));
    link.leave_unanswered(error.ticket, 0);
    let third = ticket(&mut link);
    let error = link.answer(third, &aa, 0).expect_err("not HL7");
    assert_eq!(error.error, AnswerError::Message(hl7_peek::Error::NoHeader));
    link.leave_unanswered(error.ticket, 0);
    let fourth = ticket(&mut link);
    let error = link.answer(fourth, &aa, 0).expect_err("a batch");
    assert_eq!((error.error, error.error.name()), (AnswerError::Batch, "batch"));
    let error = link.answer(error.ticket, &ack(AckCode::AR), 0).expect_err("without a message");
    assert_eq!(error.error, AnswerError::Ack(ack_gen::Error::NoHeader));
    link.leave_unanswered(error.ticket, 0);

    let error = link.answer_with(first, b"a\x1cb", 0).expect_err("an end block");
    let reserved = mllp_core::Error::ReservedByte { index: 1 };
    assert_eq!((error.error, error.error.name()), (AnswerError::Frame(reserved), "reserved_byte"));
    let too_long = AnswerError::Frame(mllp_core::Error::BufferTooSmall);
    let error = link.answer_with(error.ticket, &[b'x'; 98], 0).expect_err("98 + 3 > 100");
    assert_eq!((error.error, error.error.name()), (too_long, "buffer_too_small"));
    let long = Ack { text: &[b'x'; 100], ..aa };
    let error = link.answer_later(error.ticket, &message("1", 0), &long, 0).expect_err("text");
    assert_eq!(error.error, too_long);
    assert!(link.outgoing().is_empty());
    assert!(link.answer_with(error.ticket, &[b'x'; 97], 0).is_ok());
    assert_eq!(take(&mut link).len(), 100);
    assert!(!format!("{too_long:?}: {too_long}").is_empty());
}

#[test]
fn a_message_that_cannot_be_refused_holds_up_nothing() {
    let base = ResponderConfig { over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
    let config = ResponderConfig { policy: Policy::Conformant, ..base };
    let mut link: Responder<_, _, 2> = Responder::new([0; 128], [0; 4096], config, 0);
    let large = frame(&[b'x'; 130]);
    link.receive(&large, 0);
    let Some(ResponderEvent::TooLarge(refusal, _)) = link.next_event(0) else { panic!() };
    assert_eq!(refusal.number(), 0);
    let refused = link.refuse(refusal, Refuse::Reject, &ack(AckCode::AR), 0);
    let error = refused.expect_err("no header to answer");
    assert_eq!(error.error, AnswerError::Message(hl7_peek::Error::NoHeader));
    link.leave_unrefused(error.refusal, 0);
    link.receive(&large[128..], 0);
    link.receive(&frame(&message("2", 0)), 0);
    assert!(matches!(link.next_event(0), Some(ResponderEvent::Discard(_))));
    let owed = ticket(&mut link);
    assert!(link.answer(owed, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(answers(&take(&mut link)), ["AA|2"]);
}

#[test]
fn an_answer_is_settled_when_all_of_it_is_sent() {
    for (commit_blocks, places) in [(false, 1), (true, 2)] {
        let config = ResponderConfig { commit_blocks, ..ResponderConfig::DEFAULT };
        let mut link: Responder<_, _, 8> = Responder::new([0; 1024], [0; 9000], config, 0);
        let all: Vec<u8> = ["1", "2", "3"].iter().flat_map(|id| frame(&message(id, 0))).collect();
        link.receive(&all, 0);
        let tickets = [ticket(&mut link), ticket(&mut link), ticket(&mut link)];
        let numbers = tickets.each_ref().map(Ticket::number);
        assert_eq!(numbers, [places - 1, 2 * places - 1, 3 * places - 1]);
        let [one, two, three] = tickets;
        // Left unanswered: but its turn comes after the others.
        link.leave_unanswered(three, 0);
        assert!(link.answer_later(one, &message("1", 0), &ack(AckCode::AA), 0).is_ok());
        let mut bytes = Vec::new();
        while link.settled() <= numbers[0] {
            bytes.push(*link.outgoing().first().expect("not settled before the last byte"));
            link.sent(1, 0);
        }
        assert!(link.outgoing().is_empty() && bytes.ends_with(b"MSA|AA|1\r\x1c\r"));
        assert_eq!(link.settled(), numbers[0] + 1);
        assert!(link.answer_later(two, &message("2", 0), &ack(AckCode::AA), 0).is_ok());
        while !link.outgoing().is_empty() {
            take(&mut link);
        }
        assert_eq!(link.settled(), numbers[2] + 1);
        assert_eq!(link.waiting(), 0);
    }
}

#[test]
fn storage_grows_as_far_as_an_answer_needs() {
    let config = ResponderConfig { max_answer_len: 16 << 20, ..ResponderConfig::DEFAULT };
    let storage = Growing::default();
    let (most, shrunk) = (storage.most.clone(), storage.shrunk.clone());
    let mut link: Responder<_, _, 4> = Responder::new([0; 1024], storage, config, 0);
    let mut answer = |ack: &Ack<'_>| {
        link.receive(&frame(&message("1", 0)), 0);
        let owed = ticket(&mut link);
        assert!(link.answer(owed, ack, 0).is_ok());
        let len = take(&mut link).len();
        link.sent(0, 0);
        assert_eq!(link.next_event(0), None);
        len
    };
    assert!(answer(&ack(AckCode::AA)) < 100);
    assert!(most.get() <= 1024, "{} bytes", most.get());
    assert_eq!(shrunk.get(), 1, "nothing waits for the socket");
    assert!(answer(&ack(AckCode::AA)) < 100);
    assert_eq!(shrunk.get(), 2, "once for each time it grew");
    let text = vec![b'x'; 100_000];
    assert!(answer(&Ack { text: &text, ..ack(AckCode::AA) }) > 100_000);
    assert!(most.get() < 300_000, "{} bytes", most.get());
    most.set(0);
    answer(&ack(AckCode::AA));
    assert!(most.get() <= 1024, "{} bytes after a long answer", most.get());

    link.receive(&frame(&message("1", 0)), 0);
    let owed = ticket(&mut link);
    assert!(link.answer_with(owed, &text, 0).is_ok());
    assert_eq!(most.get(), text.len() + 3, "its length is known");
    link.receive(&frame(&message("2", 0)), 0);
    let owed = ticket(&mut link);
    let endless = vec![b'x'; 17 << 20];
    let error = link.answer_with(owed, &endless, 0).expect_err("longer than max_answer_len");
    assert_eq!(error.error, AnswerError::Frame(mllp_core::Error::BufferTooSmall));
    assert!(most.get() < 300_000, "not grown in vain");
    assert_eq!(take(&mut link).len(), text.len() + 3);
}

#[test]
fn without_a_limit_one_window_is_enough() {
    let config = ResponderConfig { max_answer_len: usize::MAX, ..ResponderConfig::DEFAULT };
    let mut link: Responder<_, _, 4> = Responder::new([0; 1024], Growing::default(), config, 0);
    link.receive(&[frame(&message("1", 0)), frame(&message("2", 0))].concat(), 0);
    let (one, two) = (ticket(&mut link), ticket(&mut link));
    assert!(link.answer_later(two, &message("2", 0), &ack(AckCode::AE), 0).is_ok());
    assert!(link.answer_later(one, &message("1", 0), &ack(AckCode::AA), 0).is_ok());
    let mut all = take(&mut link);
    all.extend(take(&mut link));
    assert_eq!(answers(&all), ["AA|1", "AE|2"]);
}

#[test]
fn fixed_storage_has_room_for_every_longest_answer() {
    let config = ResponderConfig { max_answer_len: 5000, ..ResponderConfig::DEFAULT };
    let mut link: Responder<_, _, 4> = Responder::new([0; 1024], [0; 15_000], config, 0);
    let all: Vec<u8> = ["1", "2", "3", "4"].iter().flat_map(|id| frame(&message(id, 0))).collect();
    link.receive(&all, 0);
    let (one, two, three) = (ticket(&mut link), ticket(&mut link), ticket(&mut link));
    assert_eq!(link.next_event(0), None, "no room for a fourth");
    let text = vec![b'x'; 4800];
    let long = Ack { text: &text, ..ack(AckCode::AA) };
    for (ticket, id) in [(two, "2"), (three, "3"), (one, "1")] {
        assert!(link.answer_later(ticket, &message(id, 0), &long, 0).is_ok());
    }
    let mut all = take(&mut link);
    let four = ticket(&mut link);
    assert!(link.answer_later(four, &message("4", 0), &long, 0).is_ok());
    while !link.outgoing().is_empty() {
        all.extend(take(&mut link));
    }
    let ids = answers(&all).iter().map(|it| it[..4].to_string()).collect::<Vec<_>>();
    assert_eq!(ids, ["AA|1", "AA|2", "AA|3", "AA|4"]);
}

#[test]
fn names_in_shift_jis_do_not_move_the_control_id() {
    // 83 7C is one character; its second byte is the field separator in ASCII.
    let payload = b"MSH|^~\\&|\x83\x7C\x83\x7C|B|C|D|20260101||ADT^A01|SJ1|P|2.5||||||ISO IR14\r";
    for policy in [Policy::Always, Policy::Conformant] {
        let config = ResponderConfig { policy, ..ResponderConfig::DEFAULT };
        let mut link: Responder<_, _, 2> = Responder::new([0; 1024], [0; 4096], config, 0);
        link.receive(&[frame(payload), frame(payload)].concat(), 0);
        let owed = ticket(&mut link);
        let shift_jis = Ack { scan: Scan::ShiftJis, ..ack(AckCode::AA) };
        assert!(link.answer(owed, &shift_jis, 0).is_ok());
        let answer = take(&mut link);
        assert_eq!(answers(&answer), ["AA|SJ1"], "{policy:?}");
        let names = b"|C|D|\x83\x7C\x83\x7C|B|";
        assert!(answer.windows(names.len()).any(|it| it == names), "{policy:?}");
        let owed = ticket(&mut link);
        let plain = link.answer(owed, &ack(AckCode::AA), 0);
        assert!(plain.is_err() || answers(&take(&mut link)) != ["AA|SJ1"], "it shows nothing");
    }
}
