//! The receiving host: it keeps payloads, answers late and in any order, and checks what it gets.

mod handler;
mod watch;

use std::collections::VecDeque;

use ack_gen::Policy;
use mllp_link::{CloseReason, Expired, OverLimit};

use crate::hl7::message_number;
use crate::invariant::Invariant::{Answered, Deadline, Memory, Truncated};
use crate::network::Wire;
use crate::outlet::Outlet;
use crate::receiving::{Receiving, Told};
use crate::reference::{Item, Reference};
use crate::sabotage::receiving::Sabotaged;
use crate::scenario::{LIMIT, READ};
use crate::world::World;
use handler::Work;
use watch::Watch;

/// One connection, as its server sees it.
pub struct Server {
    link: Sabotaged,
    /// The independent reading of the stream, and what of it has not been delivered yet.
    reference: Reference,
    expected: VecDeque<Item>,
    taken: u64,
    /// The messages that have arrived, by their number in the ledger.
    arrived: Vec<usize>,
    work: Vec<Work>,
    outlet: Outlet,
    told_end: bool,
    reason: Option<CloseReason>,
    /// Its answers were given up.
    lost: bool,
    watch: Watch,
}

impl Server {
    pub fn new(world: &World) -> Self {
        let config = world.scenario.responder;
        let conformant = config.policy == Policy::Conformant;
        Server {
            link: Sabotaged::new(&world.scenario, world.sabotage, world.line.clone(), world.now),
            reference: Reference::new(world.scenario.profile(), LIMIT),
            expected: VecDeque::new(),
            taken: 0,
            arrived: Vec::new(),
            work: Vec::new(),
            outlet: Outlet::new(conformant, config.commit_blocks),
            told_end: false,
            reason: None,
            lost: false,
            watch: Watch::new(config.times, world.now),
        }
    }

    pub fn close(&mut self, now: u64) {
        self.link.close(now);
    }

    /// False when the connection is over.
    pub fn step(&mut self, wire: &mut Wire, world: &mut World) -> bool {
        let now = world.now;
        self.read(wire, world);
        // Several times may have run out while the host slept: one call for each.
        for _ in 0..4 {
            if self.link.next_deadline().is_some_and(|at| at <= now) {
                self.link.on_time(now);
            }
            self.events(world);
        }
        self.watch.nothing_waits_too_long(self.work.is_empty(), self.link.wants_input(), now);
        self.work(wire, world);
        self.send(wire, world);
        self.events(world);
        Deadline.check(self.link.next_deadline().is_none_or(|at| at > now), "the host would spin");
        let reads = self.link.wants_input();
        self.watch.observe(reads, !self.work.is_empty(), !self.link.outgoing().is_empty(), now);
        let waiting = self.link.waiting();
        Memory.check(waiting <= world.scenario.window, format_args!("{waiting} messages wait"));
        let finished = self.link.is_finished();
        if finished {
            self.finish(wire);
        }
        !finished
    }

    fn read(&mut self, wire: &mut Wire, world: &mut World) {
        if !self.link.wants_input() {
            return self.watch.blocked(world.now);
        }
        let most = if world.rng.one_in(3) { 8 } else { READ as u64 };
        let want = 1 + world.rng.below(most) as usize;
        let bytes = wire.inward.peek(want, world.now);
        let taken = self.link.receive(&bytes, world.now);
        wire.inward.take(taken);
        if taken > 0 {
            self.taken += taken as u64;
            self.expected.extend(self.reference.read(&bytes[..taken]));
            let held = self.taken.saturating_sub(self.link.looked_at());
            let room = world.scenario.capacity() as u64;
            Memory.check(held <= room, format_args!("{held} bytes are held in {room}"));
            let begins = bytes[..taken].contains(&0x0B);
            self.watch.read(begins, self.reference.in_frame(), world.now);
        }
        self.events(world);
        if !self.told_end && wire.inward.ended(world.now) {
            self.told_end = true;
            self.watch.acted(world.now);
            self.link.peer_closed(world.now);
            self.events(world);
        }
    }

    fn events(&mut self, world: &mut World) {
        while let Some(told) = self.link.next_event(world.now) {
            world.tell(format_args!("receiver: {told:?}"));
            match told {
                Told::Message(place) => {
                    let next = self.next_item(world.now);
                    let payload = self.link.payload().to_vec();
                    match next {
                        Some(Item::Message(whole)) => {
                            Truncated.check(whole == payload, "not the payload of the frame");
                        }
                        _ => Truncated.check(false, "a message, and no complete frame"),
                    }
                    Answered.check(self.reason.is_none(), "a message after Closing");
                    self.watch.blocked(world.now);
                    self.arrive(place, payload, world);
                }
                Told::TooLarge(place) => {
                    let next = self.expected.pop_front();
                    let payload = self.link.payload().to_vec();
                    let right =
                        matches!(&next, Some(Item::TooLarge(it)) if it.starts_with(&payload));
                    Answered.check(right, "refused what is not too large");
                    self.refuse(place, &payload, world);
                }
                Told::Lost => {
                    let next = self.expected.pop_front();
                    let right = matches!(next, Some(Item::TooLarge(_)));
                    Answered.check(right, "lost what is not too large");
                    let closes = world.scenario.responder.over_limit == OverLimit::Close;
                    Answered.check(closes, "lost what is to be refused");
                }
                Told::Commit(positive) => {
                    let block: &[u8] = if positive { b"\x06" } else { b"\x15" };
                    let right = self.next_item(world.now) == Some(Item::Message(block.to_vec()));
                    Answered.check(right, "a commit block that nobody sent");
                }
                Told::AnswersLost(places) => {
                    let open = self.outlet.places();
                    Answered.check(
                        places as usize == open,
                        format_args!("{places} of {open} places are lost"),
                    );
                    self.lost = true;
                    self.watch.acted(world.now);
                }
                Told::Closing(reason) => {
                    Answered.check(self.reason.is_none(), "the connection ends twice");
                    self.reason = Some(reason);
                    self.watch.no_time_runs_out_early(reason, world.now);
                    self.watch.acted(world.now);
                }
                Told::Other => {}
            }
        }
    }

    /// What is to be delivered next: of a frame that awaits its trailer, after a pause.
    fn next_item(&mut self, now: u64) -> Option<Item> {
        let item = self.expected.pop_front();
        if item.is_some() {
            return item;
        }
        // At the end of a connection nothing more is awaited, and nothing more is read.
        if self.link.wants_input() {
            self.watch.no_pause_is_early(now);
        }
        self.watch.frame_ended();
        self.reference.pause()
    }

    /// A payload is one that was handed to the initiator, as a whole.
    fn known(&mut self, payload: &[u8], world: &World) -> usize {
        let number = message_number(payload).expect("every message has a number");
        let sent = &world.ledger.messages[number].payload;
        Truncated.check(sent == payload, "a payload that nobody sent");
        self.place(number)
    }

    /// A payload over the limit may be one that nobody sent: the beginning of a message whose sender
    /// died, and noise.
    fn refused(&mut self, payload: &[u8]) -> usize {
        self.place(message_number(payload).expect("the beginning has a number"))
    }

    fn place(&mut self, number: usize) -> usize {
        self.outlet.arrived();
        self.arrived.push(number);
        number
    }

    fn send(&mut self, wire: &mut Wire, world: &mut World) {
        loop {
            let waits = self.link.outgoing().len();
            let room = wire.outward.room(if world.calm { 10_000 } else { 150 });
            let len = world.part(waits.min(room));
            if len == 0 {
                return;
            }
            let bytes = self.link.outgoing()[..len].to_vec();
            let at = world.arrival();
            wire.outward.write(&bytes, at);
            self.outlet.leave(&bytes, &mut world.ledger);
            self.watch.sent(world.now);
            self.link.sent(len, world.now);
        }
    }

    fn finish(&mut self, wire: &mut Wire) {
        (wire.inward.closed, wire.outward.closed) = (true, true);
        let reason = self.reason.expect("finished without Closing");
        if self.lost {
            return;
        }
        Answered.check(reason != CloseReason::Expired(Expired::Send), "lost without a report");
        Answered.check(self.work.is_empty(), "an answer is owed at the end");
        Answered.check(self.outlet.is_done(), "an answer has not left at the end");
        if reason != CloseReason::TooLarge {
            let rest = self.expected.pop_front().or_else(|| self.reference.pause());
            Answered.check(rest.is_none(), "a complete frame was not delivered");
        }
    }
}
