//! The receiving host: it keeps payloads, answers late and in any order, and checks every answer.

use std::collections::HashMap;

use ack_gen::{Ack, AckCode};
use mllp_link::{CloseReason, Expired, Refuse, Responder, ResponderConfig, ResponderEvent, Ticket};

use super::{Pipe, Rng, field, frames};

/// The longest payload that the storage of a server takes.
pub const LARGE: usize = 4096 - 3;

/// What both ends have done, as the assertions need it.
#[derive(Default)]
pub struct Log {
    pub payloads: HashMap<Vec<u8>, Vec<u8>>,
    /// How often each message was seen whole, and what the handler gave for it.
    pub seen: HashMap<Vec<u8>, Vec<AckCode>>,
}

/// One connection, as its server sees it.
pub struct Server<const W: usize> {
    pub responder: Responder<[u8; 4096], [u8; 1200], W>,
    pub inward: Pipe,
    pub outward: Pipe,
    owed: Vec<(u64, usize, Ticket, Vec<u8>)>,
    /// Everything that got a place, in order of arrival, and what was answered.
    arrived: Vec<(Vec<u8>, Option<AckCode>)>,
    fed: Vec<u8>,
    sent: Vec<u8>,
    checked: usize,
    answers: usize,
    told_end: bool,
    reason: Option<CloseReason>,
    pub finished: bool,
}

impl<const W: usize> Server<W> {
    pub fn new(config: ResponderConfig, now: u64) -> Self {
        Server {
            responder: Responder::new([0; 4096], [0; 1200], config, now),
            inward: Pipe::default(),
            outward: Pipe::default(),
            owed: Vec::new(),
            arrived: Vec::new(),
            fed: Vec::new(),
            sent: Vec::new(),
            checked: 0,
            answers: 0,
            told_end: false,
            reason: None,
            finished: false,
        }
    }

    pub fn step(&mut self, now: u64, calm: bool, rng: &mut Rng, log: &mut Log) {
        if self.finished {
            return;
        }
        if self.responder.next_deadline().is_some_and(|at| at <= now) {
            self.responder.on_time(now);
        }
        self.events(now, calm, rng, log);
        if self.responder.wants_input() {
            let most = if rng.one_in(3) { 8 } else { 3000 };
            let want = 1 + rng.below(most) as usize;
            let bytes = self.inward.peek(want, now);
            let taken = self.responder.receive(&bytes, now);
            self.inward.take(taken);
            self.fed.extend(&bytes[..taken]);
            self.events(now, calm, rng, log);
            if !self.told_end && self.inward.ended(now) {
                self.told_end = true;
                self.responder.peer_closed(now);
                self.events(now, calm, rng, log);
            }
        }
        // The handler finishes late, and in any order.
        let mut at = 0;
        while at < self.owed.len() {
            if self.owed[at].0 > now {
                at += 1;
                continue;
            }
            let (_, place, ticket, payload) = self.owed.swap_remove(at);
            self.answer(place, ticket, Some(&payload), now, rng, log);
        }
        self.send(now, calm, rng);
        self.events(now, calm, rng, log);
        assert!(self.responder.next_deadline().is_none_or(|at| at > now), "it would spin");
        if self.responder.is_finished() {
            self.finish();
        }
    }

    fn events(&mut self, now: u64, calm: bool, rng: &mut Rng, log: &mut Log) {
        while let Some(event) = self.responder.next_event(now) {
            match event {
                ResponderEvent::Message(ticket, _) => {
                    assert!(self.reason.is_none(), "a message after Closing");
                    let payload = self.responder.payload().to_vec();
                    let id = field(&payload, b"MSH", 9).expect("MSH-10").to_vec();
                    assert_eq!(
                        log.payloads.get(&id),
                        Some(&payload),
                        "not a payload that was sent"
                    );
                    assert!(self.responder.waiting() <= W);
                    let place = self.arrived.len();
                    log.seen.entry(id.clone()).or_default();
                    self.arrived.push((id, None));
                    let late = if calm { rng.below(20) } else { rng.below(400) };
                    if rng.one_in(3) {
                        self.answer(place, ticket, None, now, rng, log);
                    } else {
                        self.owed.push((now + late, place, ticket, payload));
                    }
                }
                ResponderEvent::TooLarge(refusal, _) => {
                    let id = field(self.responder.payload(), b"MSH", 9).expect("MSH-10").to_vec();
                    assert!(log.payloads[&id].len() > LARGE, "refused without need");
                    let ack = Ack::always(AckCode::AA, None, b"R", b"20260101");
                    let refused = self.responder.refuse(refusal, Refuse::Reject, &ack, now);
                    refused.expect("room for a refusal");
                    self.arrived.push((id, Some(AckCode::AR)));
                }
                ResponderEvent::AnswersLost { .. } => {
                    self.reason = Some(CloseReason::Expired(Expired::Send));
                }
                ResponderEvent::Closing(reason) => self.reason = Some(reason),
                ResponderEvent::Commit { .. } => panic!("no commit blocks here"),
                _ => {}
            }
        }
    }

    fn answer(
        &mut self,
        place: usize,
        ticket: Ticket,
        kept: Option<&[u8]>,
        now: u64,
        rng: &mut Rng,
        log: &mut Log,
    ) {
        let code = match rng.below(8) {
            0 => AckCode::AE,
            1 => AckCode::AR,
            _ => AckCode::AA,
        };
        let code = if self.arrived[place].0.starts_with(b"FRESH") { AckCode::AA } else { code };
        let text = vec![b'x'; rng.below(190) as usize];
        let ack = Ack { text: &text, ..Ack::always(code, None, b"A1", b"20260101") };
        let answered = match kept {
            Some(payload) => self.responder.answer_later(ticket, payload, &ack, now),
            None => self.responder.answer(ticket, &ack, now),
        };
        let gone = self.reason == Some(CloseReason::Expired(Expired::Send));
        assert!(answered.is_ok() || gone, "no room for an answer");
        if answered.is_ok() {
            let (id, given) = &mut self.arrived[place];
            *given = Some(code);
            log.seen.get_mut(id).expect("seen").push(code);
        }
    }

    fn send(&mut self, now: u64, calm: bool, rng: &mut Rng) {
        loop {
            let outgoing = self.responder.outgoing();
            let room = self.outward.room(if calm { 10_000 } else { 150 });
            let mut len = outgoing.len().min(room);
            if !calm && len > 1 && rng.one_in(2) {
                len = 1 + rng.below(len as u64) as usize;
            }
            if len == 0 {
                break;
            }
            let bytes = outgoing[..len].to_vec();
            self.outward.write(&bytes, now + rng.below(if calm { 3 } else { 30 }));
            self.sent.extend(bytes);
            self.responder.sent(len, now);
        }
        // Each answer is the one to the message whose turn it is.
        let (answers, taken) = frames(&self.sent[self.checked..]);
        for answer in answers {
            let (id, code) = self.arrived.get(self.answers).expect("an answer to no message");
            assert_eq!(field(answer, b"MSA", 2), Some(&id[..]), "answers out of order");
            let given = field(answer, b"MSA", 1).and_then(AckCode::from_bytes);
            assert!(code.is_some() && given == *code, "not the handler's answer");
            self.answers += 1;
        }
        self.checked += taken;
    }

    fn finish(&mut self) {
        self.finished = true;
        self.outward.closed = true;
        self.inward.closed = true;
        let reason = self.reason.expect("finished without Closing");
        if reason == CloseReason::Expired(Expired::Send) {
            return;
        }
        assert!(self.owed.is_empty(), "finished with tickets out");
        assert_eq!(self.checked, self.sent.len(), "finished in the middle of an answer");
        assert_eq!(self.answers, self.arrived.len(), "finished with answers owed");
        let (complete, _) = frames(&self.fed);
        let complete = complete.into_iter().map(|it| field(it, b"MSH", 9).expect("MSH-10"));
        let mut arrived = self.arrived.iter().map(|(id, _)| &id[..]);
        if reason == CloseReason::TooLarge {
            assert!(complete.zip(arrived).all(|(sent, arrived)| sent == arrived));
            return;
        }
        for id in complete {
            assert_eq!(arrived.next(), Some(id), "a complete frame was not delivered");
        }
        // A last frame whose CR was cut off, or a refused one without its end.
        assert!(arrived.count() <= 1, "delivered what did not come");
    }
}
