//! The answering half: one host's code answers for both responders, and both send the same.

mod messages;

use ack_gen::AckCode;
use messages::{ack, answers, frame, message};
use mllp_core::Storage;
use mllp_link::{
    AnswerError, Answering, OverLimit, Receiving, Refusal, Refuse, Responder, ResponderConfig,
    ResponderEvent, StreamEvent, StreamResponder, Ticket, Times,
};

/// What a responder gave of one frame.
enum Place {
    Complete(Ticket),
    Lost(Refusal),
}

/// A responder, whatever its kind: takes bytes up to the next place, and returns what is left of them.
trait Takes {
    fn take<'i>(&mut self, bytes: &'i [u8]) -> (Place, &'i [u8]);
}

impl<S: Storage, T: Storage, const W: usize> Takes for Responder<S, T, W> {
    fn take<'i>(&mut self, bytes: &'i [u8]) -> (Place, &'i [u8]) {
        let taken = self.receive(bytes, 0);
        loop {
            let place = match self.next_event(0).expect("a place") {
                ResponderEvent::Message(ticket, _) => Place::Complete(ticket),
                ResponderEvent::TooLarge(refusal, _) => Place::Lost(refusal),
                _ => continue,
            };
            return (place, &bytes[taken..]);
        }
    }
}

impl<T: Storage, const H: usize, const W: usize> Takes for StreamResponder<T, H, W> {
    fn take<'i>(&mut self, mut bytes: &'i [u8]) -> (Place, &'i [u8]) {
        loop {
            let step = self.step(bytes, 0);
            bytes = &bytes[step.consumed..];
            let place = match step.event.expect("a place") {
                StreamEvent::End(ticket, _) => Place::Complete(ticket),
                StreamEvent::Lost { refusal: Some(refusal), .. } => Place::Lost(refusal),
                _ => continue,
            };
            return (place, bytes);
        }
    }
}

fn ticket(link: &mut impl Takes, id: &str) -> Ticket {
    match link.take(&frame(&message(id, 0))) {
        (Place::Complete(ticket), _) => ticket,
        (Place::Lost(_), _) => panic!("lost"),
    }
}

fn whole(config: ResponderConfig) -> Responder<[u8; 512], [u8; 4096], 4> {
    Responder::new([0; 512], [0; 4096], config, 0)
}

fn passing(config: ResponderConfig) -> StreamResponder<[u8; 4096], 512, 4> {
    StreamResponder::new([0; 4096], config, 0)
}

fn send<R: Receiving, T: Storage, const W: usize>(link: &mut Answering<R, T, W>) -> Vec<String> {
    let mut sent = Vec::new();
    while !link.outgoing().is_empty() {
        sent.extend(link.outgoing());
        link.sent(link.outgoing().len(), 0);
    }
    answers(&sent)
}

/// Every way to answer, finished in another order than that of the messages.
fn every_way<R: Receiving, T: Storage, const W: usize>(mut link: Answering<R, T, W>)
where
    Answering<R, T, W>: Takes,
{
    let [first, second, third] = ["A", "B", "C"].map(|id| ticket(&mut link, id));
    let fourth = ticket(&mut link, "D");
    assert!(!link.wants_input());
    assert_eq!(link.waiting(), 4);
    let last = fourth.number();

    let unanswered = link.answer(third, &ack(AckCode::AA), 0).expect_err("gone by");
    assert_eq!(unanswered.error, AnswerError::NotAtHand);
    link.answer(fourth, &ack(AckCode::AR), 0).expect("at hand");
    link.answer_with(unanswered.ticket, b"MSA|AE|C\r", 0).expect("a payload");
    link.answer_later(second, &message("B", 0), &ack(AckCode::AE), 0).expect("kept");
    assert_eq!(link.outgoing(), b"");

    let mut out = [0; 256];
    let answered = link.answer_now(first, &message("A", 0), &ack(AckCode::AA), &mut out, 0);
    let len = answered.expect("its turn");
    assert_eq!(answers(&out[..len]), ["AA|A"]);
    assert_eq!(send(&mut link), ["AE|B", "AE|C", "AR|D"]);
    assert_eq!(link.settled(), last.wrapping_add(1));

    let silent = ticket(&mut link, "E");
    link.leave_unanswered(silent, 0);
    assert_eq!((link.waiting(), link.outgoing()), (0, &b""[..]));
    assert!(!link.is_finished());
}

#[test]
fn every_way_to_answer() {
    every_way(whole(ResponderConfig::DEFAULT));
    every_way(passing(ResponderConfig::DEFAULT));
}

/// What is over the limit is refused, with the control ID of its own.
fn refused<R: Receiving, T: Storage, const W: usize>(mut link: Answering<R, T, W>)
where
    Answering<R, T, W>: Takes,
{
    let stream = [frame(&message("A", 200)), frame(&message("B", 0))].concat();
    let (Place::Lost(refusal), rest) = link.take(&stream) else { panic!("complete") };
    link.refuse(refusal, Refuse::Reject, &ack(AckCode::AA), 0).expect("at hand");
    let (Place::Complete(next), _) = link.take(rest) else { panic!("lost") };
    link.answer(next, &ack(AckCode::AA), 0).expect("at hand");
    assert_eq!(send(&mut link), ["AR|A", "AA|B"]);
}

#[test]
fn a_message_over_the_limit_is_refused() {
    let decoder = mllp_core::Config { max_payload_len: 100, ..mllp_core::Config::DEFAULT };
    let config =
        ResponderConfig { decoder, over_limit: OverLimit::Refuse, ..ResponderConfig::DEFAULT };
    refused(whole(config));
    refused(passing(config));
}

/// A peer that is not read is not late, and its time begins again when it is.
fn paused<R: Receiving, T: Storage, const W: usize>(mut link: Answering<R, T, W>) {
    assert_eq!(link.next_deadline(), Some(100));
    link.set_paused(true, 50);
    assert_eq!(link.next_deadline(), None);
    link.on_time(500);
    link.set_paused(false, 500);
    assert_eq!(link.next_deadline(), Some(600));
    link.on_time(600);
    assert!(!link.wants_input());
}

#[test]
fn a_pause_of_the_host_is_not_the_time_of_the_peer() {
    let times = Times { idle: 100, ..Times::DEFAULT };
    let config = ResponderConfig { times, ..ResponderConfig::DEFAULT };
    paused(whole(config));
    paused(passing(config));
}
