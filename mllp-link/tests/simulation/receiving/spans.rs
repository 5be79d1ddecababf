//! A receiver that stores no payload, and a host that puts the spans together.

use std::collections::BTreeMap;

use ack_gen::Ack;
use mllp_core::Fault;
use mllp_link::{
    Refusal, Refuse, ResponderConfig, StreamEvent, StreamResponder, StreamStep, Ticket,
};

use super::{Place, Receiving, Told};
use crate::memory::Memory;
use crate::scenario::Scenario;

/// How the host wants the connection to end, once it has stepped over what it has read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    PeerClosed,
    Host,
}

pub struct Spans<const W: usize> {
    responder: StreamResponder<Memory, 2048, W>,
    /// What the host has read and not stepped over.
    input: Vec<u8>,
    end: Option<End>,
    payload: Vec<u8>,
    /// Each with the header that its answer needs.
    tickets: BTreeMap<Place, (Ticket, Vec<u8>)>,
    refusal: Option<Refusal>,
    places: Place,
}

impl<const W: usize> Spans<W> {
    pub fn new(scenario: &Scenario, config: ResponderConfig, now: u64) -> Self {
        Spans {
            responder: StreamResponder::new(scenario.answers(), config, now),
            input: Vec::new(),
            end: None,
            payload: Vec::new(),
            tickets: BTreeMap::new(),
            refusal: None,
            places: 0,
        }
    }

    fn ticket(&mut self, place: Place) -> (Ticket, Vec<u8>) {
        self.tickets.remove(&place).expect("a place with a ticket")
    }

    fn place(&mut self) -> Place {
        self.places += 1;
        self.places - 1
    }

    fn end_when_read(&mut self, now: u64) {
        if self.input.is_empty() {
            match self.end.take() {
                Some(End::PeerClosed) => self.responder.peer_closed(now),
                Some(End::Host) => self.responder.close(now),
                None => {}
            }
        }
    }
}

impl<const W: usize> Receiving for Spans<W> {
    fn wants_input(&self) -> bool {
        self.input.is_empty() && self.end.is_none() && self.responder.wants_input()
    }

    fn receive(&mut self, bytes: &[u8], _now: u64) -> usize {
        if !self.wants_input() {
            return 0;
        }
        self.input = bytes.to_vec();
        bytes.len()
    }

    fn next_event(&mut self, now: u64) -> Option<Told> {
        self.end_when_read(now);
        let input = std::mem::take(&mut self.input);
        let StreamStep { consumed, event } = self.responder.step(&input, now);
        self.input = input[consumed..].to_vec();
        let Some(event) = event else {
            self.end_when_read(now);
            return None;
        };
        Some(match event {
            StreamEvent::Start { .. } => {
                self.payload.clear();
                Told::Other
            }
            StreamEvent::Span(bytes) => {
                self.payload.extend(bytes);
                Told::Other
            }
            StreamEvent::End(ticket, _) => {
                let (place, header) = (self.place(), self.responder.header_bytes().to_vec());
                self.tickets.insert(place, (ticket, header));
                Told::Message(place)
            }
            StreamEvent::Lost { refusal: Some(refusal), .. } => {
                self.refusal = Some(refusal);
                Told::TooLarge(self.place())
            }
            StreamEvent::Lost { fault: Fault::TooLarge, .. } => Told::Lost,
            StreamEvent::Commit { positive } => Told::Commit(positive),
            StreamEvent::AnswersLost { answers } => Told::AnswersLost(answers),
            StreamEvent::Closing(reason) => Told::Closing(reason),
            _ => Told::Other,
        })
    }

    fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn looked_at(&self) -> u64 {
        self.responder.scanner().offset()
    }

    fn answer(&mut self, place: Place, kept: Option<&[u8]>, ack: &Ack<'_>, now: u64) -> bool {
        let (ticket, header) = self.ticket(place);
        match kept {
            Some(_) => self.responder.answer_later(ticket, &header, ack, now).is_ok(),
            None => self.responder.answer(ticket, ack, now).is_ok(),
        }
    }

    fn leave_unanswered(&mut self, place: Place, now: u64) {
        let (ticket, _) = self.ticket(place);
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
        self.responder.commit(&self.tickets[&place].0, now);
    }

    fn refuse_commit(&mut self, place: Place, now: u64) {
        let (ticket, _) = self.ticket(place);
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
        self.end = self.end.or(Some(End::PeerClosed));
        self.end_when_read(now);
    }

    fn close(&mut self, now: u64) {
        self.end = Some(End::Host);
        self.end_when_read(now);
    }

    fn is_finished(&self) -> bool {
        self.responder.is_finished()
    }

    fn waiting(&self) -> usize {
        self.responder.waiting()
    }
}
