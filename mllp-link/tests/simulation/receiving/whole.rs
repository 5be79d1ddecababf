//! A receiver that stores whole messages.

use std::collections::BTreeMap;

use ack_gen::Ack;
use mllp_link::{Refusal, Refuse, Responder, ResponderConfig, ResponderEvent, Ticket};

use super::{Place, Receiving, Told};
use crate::memory::Memory;
use crate::scenario::Scenario;

pub struct WholeMessages<const W: usize> {
    responder: Responder<Memory, Memory, W>,
    tickets: BTreeMap<Place, Ticket>,
    refusal: Option<Refusal>,
    places: Place,
}

impl<const W: usize> WholeMessages<W> {
    pub fn new(scenario: &Scenario, config: ResponderConfig, now: u64) -> Self {
        let (incoming, answers) = (scenario.incoming(), scenario.answers());
        WholeMessages {
            responder: Responder::new(incoming, answers, config, now),
            tickets: BTreeMap::new(),
            refusal: None,
            places: 0,
        }
    }

    fn ticket(&mut self, place: Place) -> Ticket {
        self.tickets.remove(&place).expect("a place with a ticket")
    }

    fn place(&mut self) -> Place {
        self.places += 1;
        self.places - 1
    }
}

impl<const W: usize> Receiving for WholeMessages<W> {
    fn wants_input(&self) -> bool {
        self.responder.wants_input()
    }

    fn receive(&mut self, bytes: &[u8], now: u64) -> usize {
        self.responder.receive(bytes, now)
    }

    fn next_event(&mut self, now: u64) -> Option<Told> {
        Some(match self.responder.next_event(now)? {
            ResponderEvent::Message(ticket, _) => {
                let place = self.place();
                self.tickets.insert(place, ticket);
                Told::Message(place)
            }
            ResponderEvent::TooLarge(refusal, _) => {
                self.refusal = Some(refusal);
                Told::TooLarge(self.place())
            }
            ResponderEvent::Fault { fault: mllp_core::Fault::TooLarge, .. } => Told::Lost,
            ResponderEvent::Commit { positive } => Told::Commit(positive),
            ResponderEvent::AnswersLost { answers } => Told::AnswersLost(answers),
            ResponderEvent::Closing(reason) => Told::Closing(reason),
            _ => Told::Other,
        })
    }

    fn payload(&self) -> &[u8] {
        self.responder.payload()
    }

    fn looked_at(&self) -> u64 {
        self.responder.scanner().offset()
    }

    fn answer(&mut self, place: Place, kept: Option<&[u8]>, ack: &Ack<'_>, now: u64) -> bool {
        let ticket = self.ticket(place);
        match kept {
            Some(payload) => self.responder.answer_later(ticket, payload, ack, now).is_ok(),
            None => self.responder.answer(ticket, ack, now).is_ok(),
        }
    }

    fn leave_unanswered(&mut self, place: Place, now: u64) {
        let ticket = self.ticket(place);
        self.responder.leave_unanswered(ticket, now);
    }

    fn refuse(&mut self, _place: Place, ack: &Ack<'_>, now: u64) -> bool {
        let refusal = self.refusal.take().expect("a message to refuse");
        self.responder.refuse(refusal, Refuse::Reject, ack, now).is_ok()
    }

    fn leave_unrefused(&mut self, _place: Place, now: u64) {
        let refusal = self.refusal.take().expect("a message to refuse");
        self.responder.leave_unrefused(refusal, now);
    }

    fn commit(&mut self, place: Place, now: u64) {
        self.responder.commit(&self.tickets[&place], now);
    }

    fn refuse_commit(&mut self, place: Place, now: u64) {
        let ticket = self.ticket(place);
        self.responder.refuse_commit(ticket, now);
    }

    fn outgoing(&self) -> &[u8] {
        self.responder.outgoing()
    }

    fn sent(&mut self, len: usize, now: u64) {
        self.responder.sent(len, now);
    }

    fn next_deadline(&self) -> Option<u64> {
        self.responder.next_deadline()
    }

    fn on_time(&mut self, now: u64) {
        self.responder.on_time(now);
    }

    fn peer_closed(&mut self, now: u64) {
        self.responder.peer_closed(now);
    }

    fn close(&mut self, now: u64) {
        self.responder.close(now);
    }

    fn is_finished(&self) -> bool {
        self.responder.is_finished()
    }

    fn waiting(&self) -> usize {
        self.responder.waiting()
    }
}
