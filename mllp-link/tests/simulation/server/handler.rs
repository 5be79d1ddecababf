//! What the receiving host does with a message: by its mode, late, and in any order.

use ack_gen::{Ack, AckCode, Mode, Outcome, Phase, Policy};
use hl7_peek::MessageHeader;

use super::Server;
use crate::hl7::{frame, reply_id};
use crate::invariant::Invariant::{Answered, Progress};
use crate::network::Wire;
use crate::receiving::{Place, Receiving};
use crate::world::{Application, World};

const TIME: &[u8] = b"20260101";

/// A message that is with its handler.
pub struct Work {
    due: u64,
    place: Place,
    payload: Vec<u8>,
}

impl Server {
    pub(super) fn arrive(&mut self, place: Place, payload: Vec<u8>, world: &mut World) {
        self.known(&payload, world);
        let late = world.rng.below(if world.calm { 20 } else { world.scenario.patience });
        if world.rng.one_in(3) {
            self.answer(place, &payload, true, world);
        } else {
            self.work.push(Work { due: world.now + late, place, payload });
        }
    }

    pub(super) fn refuse(&mut self, place: Place, payload: &[u8], world: &mut World) {
        let message = self.refused(payload);
        self.watch.acted(world.now);
        if world.rng.one_in(8) {
            self.link.leave_unrefused(place, world.now);
            return self.outlet.silence(place);
        }
        let reply = world.ledger.reply(message, AckCode::AR);
        // Whatever code the host asks for, a refusal is negative.
        let ack = Ack::always(AckCode::AA, None, b"", TIME);
        let ack = Ack { control_id: &reply_id(reply), ..ack };
        Answered.check(self.link.refuse(place, &ack, world.now), "no room for a refusal");
        match world.scenario.responder.commit_blocks {
            // A negative commit block is the whole refusal.
            true => self.outlet.refuse_commit(place),
            false => self.outlet.decide(place, Some(reply)),
        }
    }

    pub(super) fn work(&mut self, wire: &mut Wire, world: &mut World) {
        let mut at = 0;
        while at < self.work.len() {
            if self.work[at].due > world.now {
                let place = self.work[at].place;
                if world.rng.one_in(50) && !self.outlet.is_committed(place) {
                    self.link.commit(place, world.now);
                    self.outlet.commit(place, true);
                }
                at += 1;
                continue;
            }
            let Work { place, payload, .. } = self.work.swap_remove(at);
            self.answer(place, &payload, false, world);
        }
        self.send_applications(wire, world);
    }

    fn answer(&mut self, place: Place, payload: &[u8], at_hand: bool, world: &mut World) {
        self.watch.acted(world.now);
        let number = self.arrived[place];
        let message = &world.ledger.messages[number];
        let (accept, application) = match message.fresh {
            true => (Outcome::Accept, Outcome::Accept),
            false => (outcome(world.rng.below(8)), outcome(world.rng.below(6))),
        };
        if !self.outlet.is_committed(place) && !message.fresh && world.rng.one_in(12) {
            self.link.refuse_commit(place, world.now);
            self.outlet.refuse_commit(place);
            return;
        }
        let conformant = world.scenario.responder.policy == Policy::Conformant;
        // Without MSH-10 the standard has no positive acknowledgment.
        let application =
            if conformant && message.id.is_empty() { Outcome::Error } else { application };
        let request = message.request;
        let decision = request.decide(accept, application);
        let stored = accept == Outcome::Accept;
        let original = decision.mode == Mode::Original;
        let wanted = decision.application.filter(|_| original || stored);
        // With one acknowledgment of the two, the host may give it at once.
        let at_once = original || (decision.accept.is_none() && world.rng.one_in(2));
        let code = decision.accept.or(wanted.filter(|_| at_once));
        if let Some(code) = wanted
            && !at_once
        {
            let fresh = world.ledger.messages[number].fresh;
            self.apply_later(number, code, fresh, world);
        }
        let unasked = decision.accept.is_none() && decision.application.is_none();
        let courteous = world.scenario.courteous && unasked;
        let code = code.or(courteous.then_some(AckCode::new(Phase::Application, application)));
        let Some(code) = code else {
            self.link.leave_unanswered(place, world.now);
            self.outlet.decide(place, None);
            return;
        };
        let reply = world.ledger.reply(number, code);
        let text = vec![b'x'; world.rng.below(190) as usize];
        let ack = Ack { text: &text, ..Ack::always(code, None, b"", TIME) };
        let ack = Ack { control_id: &reply_id(reply), ..ack };
        let kept = (!at_hand).then_some(payload);
        let answered = self.link.answer(place, kept, &ack, world.now);
        Answered.check(answered || self.lost, "no room for an answer");
        world.tell(format_args!("receiver: place {place} gets reply {reply}, {code:?}"));
        if answered {
            self.outlet.decide(place, Some(reply));
        }
    }

    /// An application acknowledgment is a message of its own: later, much later, or never.
    fn apply_later(&mut self, message: usize, code: AckCode, fresh: bool, world: &mut World) {
        let late = match world.rng.below(5) {
            0 if !world.calm && !fresh => return,
            1 if !world.calm => 900 + world.rng.below(600),
            _ => world.rng.below(if fresh { 20 } else { 300 }),
        };
        world.applications.push(Application { due: world.now + late, message, code });
    }

    /// Writes what is due between two answers, on whichever connection comes first.
    fn send_applications(&mut self, wire: &mut Wire, world: &mut World) {
        // After the faults, what is sent is to arrive.
        let lost = world.calm && wire.outward.is_dead();
        if self.reason.is_some() || lost || !self.outlet.is_between_frames() {
            return;
        }
        let Some(at) = world.applications.iter().position(|it| it.due <= world.now) else { return };
        let Application { message, code, .. } = world.applications.swap_remove(at);
        let reply = world.ledger.reply(message, code);
        let header = MessageHeader::parse_lenient(&world.ledger.messages[message].payload);
        let id = reply_id(reply);
        let ack = Ack::always(code, header.as_ref(), &id, TIME);
        let mut room = [0; 2048];
        let len = ack.encode(&mut room);
        Progress.check(len.is_ok(), "an application acknowledgment fits");
        let payload = room[..len.unwrap_or(0)].to_vec();
        let at = world.arrival();
        wire.outward.write(&frame(&payload), at);
        world.ledger.replies[reply].payload = Some(payload);
        self.watch.acted(world.now);
    }
}

const fn outcome(lot: u64) -> Outcome {
    match lot {
        0 => Outcome::Error,
        1 => Outcome::Reject,
        _ => Outcome::Accept,
    }
}
