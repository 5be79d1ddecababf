//! Two ends, two directions, one clock.

use astm_core::{Packing, Role};

use crate::end::{End, Fate};
use crate::line::{EVERY_NOISE, Line, Quality};
use crate::random::Random;
use crate::sabotage::Sabotage;

/// Longer than anything may take.
const END_OF_TIME: u64 = 24 * 3_600_000;

pub struct Scenario {
    pub seed: u64,
    pub quality: Quality,
    pub messages: [usize; 2],
    pub bad_days: u64,
    pub packing: Packing,
}

impl Scenario {
    pub fn random(seed: u64) -> Scenario {
        let mut random = Random::new(seed);
        let kinds = match random.below(3) {
            0 => EVERY_NOISE.to_vec(),
            _ => vec![random.choose(&EVERY_NOISE)],
        };
        let network = random.below(3) == 0;
        Scenario {
            seed,
            quality: Quality {
                noise: random.choose(&[0, 500, 2_000, 2_000, 8_000]),
                kinds,
                delay: random.choose(&[2, 40, 2_000]),
                stalls: if network { 10_000 } else { 0 },
                breaks: if network { 2_000 } else { 0 },
            },
            messages: [random.below(3) as usize, 1 + random.below(4) as usize],
            bad_days: random.choose(&[0, 100_000, 400_000]),
            packing: random.choose(&[Packing::Records, Packing::Records, Packing::Message]),
        }
    }
}

pub struct World {
    pub ends: [End; 2],
    pub lines: [Line; 2],
    quality: Quality,
    random: Random,
    pub now: u64,
    pub breaks: u64,
}

impl World {
    pub fn new(scenario: Scenario, sabotage: Sabotage) -> World {
        let mut random = Random::new(scenario.seed ^ 0x5EED);
        let mut ends = [Role::Computer, Role::Instrument]
            .map(|role| End::new(role, 0, scenario.bad_days, sabotage));
        for (side, end) in ends.iter_mut().enumerate() {
            end.pack(scenario.packing);
            end.offer_at = random.below(5_000);
            end.messages =
                (0..scenario.messages[side]).map(|id| message(side, id, &mut random)).collect();
            end.fates = vec![Fate::default(); end.messages.len()];
        }
        World::of(ends, scenario.quality, random)
    }

    pub fn of(ends: [End; 2], quality: Quality, random: Random) -> World {
        let lines = [Line::default(), Line::default()];
        World { ends, lines, quality, random, now: 0, breaks: 0 }
    }

    pub fn run(&mut self) {
        while self.now < END_OF_TIME && !self.is_done() {
            let ends = self.ends.iter().filter_map(End::next_event);
            let lines = self.lines.iter().filter_map(Line::next);
            let Some(at) = ends.chain(lines).min() else { break };
            self.now = self.now.max(at);
            let breaks = self.breaks;
            self.step();
            if self.breaks > breaks {
                // On the new connection either end may have something to say.
                self.step();
            }
        }
    }

    fn is_done(&self) -> bool {
        let quiet = self.lines.iter().all(|line| line.next().is_none());
        quiet && self.ends.iter().all(|end| end.is_done() && end.sending.is_none())
    }

    fn step(&mut self) {
        let now = self.now;
        for side in 0..2 {
            self.ends[side].on_time(now, &mut self.random);
            let bytes = self.lines[side].read(now);
            if !bytes.is_empty() {
                self.ends[side].read(&bytes, now, &mut self.random);
            }
            if self.ends[side].closes || self.ends[side].dies {
                self.break_line();
            }
            let current = self.ends[side].current();
            let out = self.ends[side].write(now);
            if out.is_empty() {
                continue;
            }
            let line = &mut self.lines[1 - side];
            let unseen = line.write(&out, now, &self.quality, &mut self.random);
            if unseen.blind {
                mark(&mut self.ends[side], current);
            }
            if unseen.forged {
                let peer = self.ends[1 - side].current();
                mark(&mut self.ends[1 - side], peer);
            }
            if self.random.happens(self.quality.breaks) {
                self.break_line();
            }
        }
    }

    /// The connection is lost, and opened again at once.
    fn break_line(&mut self) {
        self.breaks += 1;
        for line in &mut self.lines {
            line.lose_all();
        }
        for end in &mut self.ends {
            end.line_lost(self.now, &mut self.random);
        }
    }
}

fn mark(end: &mut End, message: usize) {
    if let Some(fate) = end.fates.get_mut(message) {
        fate.unseen = true;
    }
}

/// Texts full of letters that one bit makes control bytes of.
fn message(side: usize, id: usize, random: &mut Random) -> Vec<u8> {
    let mut text = format!("H|\\^&|||BECD{side}^{id}^{}\r", random.below(1_000_000));
    for number in 1..=1 + random.below(6) {
        let long = random.below(8) == 0;
        let value = "EDCB".repeat(if long { 100 } else { 1 + random.below(6) as usize });
        text += &format!("R|{number}|^^^TEST{number}|{value}|U/L||N||F\r");
        // Two equal records in a row are two.
        if random.below(10) == 0 {
            text += "C|1|I|E\rC|1|I|E\r";
        }
    }
    (text + "L|1|N\r").into_bytes()
}
