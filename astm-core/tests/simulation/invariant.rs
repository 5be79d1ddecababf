//! What must hold at the end of a life.

use std::collections::BTreeSet;

use crate::end::End;
use crate::world::World;

/// What was found, and what happened.
#[derive(Debug, Default)]
pub struct Findings {
    pub violations: Vec<String>,
    delivered: u64,
    reported: u64,
    repeated: u64,
    unseen: u64,
    noisy_bytes: u64,
    breaks: u64,
    seen: BTreeSet<&'static str>,
}

impl Findings {
    pub fn add(&mut self, other: &Findings) {
        self.delivered += other.delivered;
        self.reported += other.reported;
        self.repeated += other.repeated;
        self.unseen += other.unseen;
        self.noisy_bytes += other.noisy_bytes;
        self.breaks += other.breaks;
        self.seen.extend(&other.seen);
    }

    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![
            ("delivered", self.delivered),
            ("repeated", self.repeated),
            ("noise", self.noisy_bytes),
            ("a break", self.breaks),
        ];
        let wanted = [
            "bad_checksum",
            "damaged_frame",
            "nul_in_text",
            "no_checksum",
            "no_header",
            "refused_by_host",
            "sequence",
            "stx_in_frame",
            "truncated_frame",
            "refused_for_good",
            "repeat",
            "incomplete",
            "refused",
            "no_reply",
            "line_lost",
            "sees_contention",
            "stray_reply",
            "died",
        ];
        counts.extend(wanted.map(|name| (name, u64::from(self.seen.contains(name)))));
        counts
    }
}

pub fn check(world: &World) -> Findings {
    let mut found = Findings { breaks: world.breaks, ..Findings::default() };
    for side in 0..2 {
        found.noisy_bytes += world.lines[side].noisy_bytes;
        found.seen.extend(&world.ends[side].seen);
        check_direction(&world.ends[side], &world.ends[1 - side], &mut found);
    }
    found
}

fn check_direction(from: &End, to: &End, found: &mut Findings) {
    let mut violation = |text: String| found.violations.push(text);
    // Where each stored message was sent, by its number.
    let sent = |stored: &Vec<u8>| from.messages.iter().position(|message| message == stored);
    let unseen = from.fates.iter().any(|fate| fate.unseen);
    let mut first_copies = Vec::new();
    for (place, stored) in to.store.iter().enumerate() {
        match sent(stored) {
            Some(number) if !first_copies.contains(&number) => first_copies.push(number),
            Some(_) => {}
            None if unseen => found.unseen += 1,
            None => violation(format!("stored {place} was never sent")),
        }
    }
    // A slow host may store what its sender has given up, whenever it likes; and of a message that noise
    // has changed unseen, the first copy is not recognised.
    first_copies.retain(|number| from.fates[*number].delivered && !from.fates[*number].unseen);
    if !first_copies.is_sorted() {
        violation(format!("out of order: {first_copies:?}"));
    }
    for (number, fate) in from.fates.iter().enumerate() {
        let copies = to.store.iter().filter(|stored| sent(stored) == Some(number)).count();
        if !fate.delivered && !fate.reported {
            violation(format!("message {number} has no end"));
        }
        if fate.delivered && copies == 0 && !fate.unseen {
            violation(format!("message {number} is delivered and not stored"));
        }
        // Its last acknowledgment was lost, or its host was too slow, so it was sent again.
        if copies > fate.attempts as usize + to.late {
            violation(format!("message {number}: {copies} copies of {} attempts", fate.attempts));
        }
        found.delivered += u64::from(fate.delivered);
        found.reported += u64::from(fate.reported);
        found.repeated += (copies as u64).saturating_sub(1);
    }
}
