//! A peer that is no responder: it reads messages and says what no receiver should.

use std::collections::VecDeque;

use mllp_core::Profile;

use crate::hl7::{frame, message_number};
use crate::network::Wire;
use crate::reference::{Item, Reference};
use crate::scenario::{LIMIT, REPLY_LIMIT};
use crate::world::World;

pub struct Hostile {
    reference: Reference,
    /// The messages that it has received whole.
    seen: Vec<usize>,
    says: VecDeque<(u64, Vec<u8>)>,
    byte_by_byte: bool,
    /// It omits the trailer, and nothing but frames follows.
    bare: bool,
    closes: bool,
}

impl Hostile {
    pub fn new(world: &mut World) -> Hostile {
        Hostile {
            reference: Reference::new(world.scenario.profile(), LIMIT),
            seen: Vec::new(),
            says: VecDeque::new(),
            byte_by_byte: world.rng.one_in(3),
            bare: world.rng.one_in(4),
            closes: false,
        }
    }

    /// Until the faults stop; false when it is gone.
    pub fn step(&mut self, wire: &mut Wire, world: &mut World) -> bool {
        let bytes = wire.inward.peek(usize::MAX, world.now);
        wire.inward.take(bytes.len());
        for item in self.reference.read(&bytes) {
            if let Item::Message(payload) = item
                && let Some(number) = message_number(&payload)
            {
                self.seen.push(number);
                self.react(number, world);
            }
        }
        if world.rng.one_in(60) {
            self.interject(world);
        }
        while self.says.front().is_some_and(|(at, _)| *at <= world.now) {
            let bytes = self.says.pop_front().map(|(_, bytes)| bytes).unwrap_or_default();
            if self.byte_by_byte {
                for byte in bytes {
                    let at = world.arrival();
                    wire.outward.write(&[byte], at);
                }
            } else {
                let at = world.arrival();
                wire.outward.write(&bytes, at);
            }
        }
        let gone = self.closes || world.calm || wire.inward.ended(world.now);
        if gone {
            (wire.inward.closed, wire.outward.closed) = (true, true);
        }
        !gone
    }

    fn frame(&self, payload: &[u8]) -> Vec<u8> {
        let mut frame = frame(payload);
        frame.truncate(frame.len() - usize::from(self.bare));
        frame
    }

    fn say(&mut self, bytes: Vec<u8>, after: u64, world: &World) {
        let last = self.says.back().map_or(0, |(at, _)| *at);
        self.says.push_back((last.max(world.now + after), bytes));
    }

    /// An answer to a message that has come whole, or what some peers take for one.
    fn react(&mut self, number: usize, world: &mut World) {
        // Peers add trailing blanks, and strip them.
        let mut id = world.ledger.messages[number].id.trim_ascii_end().to_vec();
        id.resize(id.len() + world.rng.below(3) as usize, b' ');
        let code = world.rng.pick(&["AA", "AA", "AA", "AE", "AR", "CA", "CE", "CR"]);
        let honest = world.ledger.reply_by_hand(Some(number), &id, code);
        match world.rng.below(12) {
            0 => self.say([self.frame(&honest), self.frame(&honest)].concat(), 0, world),
            1 => self.say(self.frame(&honest), 600 + world.rng.below(400), world),
            2 if !self.bare => self.say([&honest[..], b"\r\n"].concat(), 0, world),
            3 => {
                let foreign = world.ledger.reply_by_hand(None, b"FOREIGN", code);
                self.say([self.frame(&foreign), self.frame(&honest)].concat(), 0, world);
            }
            4 => {
                let foreign = world.ledger.reply_by_hand(None, b"", "AA");
                self.say(self.frame(&foreign), 0, world);
            }
            5 => self.say(self.frame(b"MSH|^~\\&|C|D|A|B|20260101||ACK|X|P|2.5\r"), 0, world),
            6 => {
                let wrong = world.ledger.reply_by_hand(Some(number), &id, "OK");
                self.say(self.frame(&wrong), 0, world);
            }
            7 => self.say(self.frame(b"250 OK"), 0, world),
            // A frame without an end: over the limit, or just cut off.
            8 => {
                let endless = [b"\x0b", &[b'z'; 2 * REPLY_LIMIT][..]].concat();
                self.say(endless, 0, world);
            }
            9 if world.scenario.profile() != Profile::Permissive => {
                let half = &self.frame(&honest)[..1 + honest.len() / 2];
                self.say([half, &self.frame(&honest)].concat(), 0, world);
            }
            10 => {}
            _ => self.say(self.frame(&honest), 0, world),
        }
    }

    /// Something that nobody has asked for.
    fn interject(&mut self, world: &mut World) {
        match world.rng.below(6) {
            0 => self.say(self.frame(b"\x06"), 0, world),
            1 => self.say(self.frame(b"\x15"), 0, world),
            2 if !self.bare => self.say(b"\0\r\n noise \x1c\r".to_vec(), 0, world),
            3 => self.say(self.frame(b""), 0, world),
            4 => self.closes = true,
            _ if self.seen.is_empty() => {}
            // About a message that may have its verdict.
            _ => {
                let number = world.rng.pick(&self.seen);
                let id = world.ledger.messages[number].id.clone();
                let again = world.ledger.reply_by_hand(Some(number), &id, "AA");
                self.say(self.frame(&again), 0, world);
            }
        }
    }
}
