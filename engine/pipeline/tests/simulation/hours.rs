//! Schedules that open and close connections: nothing leaves outside of them, and nothing that comes is
//! stored where an inbound answers.

use std::collections::BTreeSet;

use mllp_pipeline::{Answer, Closed, Fact, LaneId, Ticket};

use crate::census;
use crate::host::{Happening, Host};
use crate::invariant::Invariant::Hours;
use crate::world::World;

/// What the host was told by the clock, and has told.
#[derive(Default)]
pub struct Known {
    closed: BTreeSet<LaneId>,
    /// Messages that came to an inbound that answers outside of its schedule.
    turned_away: BTreeSet<Ticket>,
}

impl Known {
    /// Whether a message came outside of the schedule of its inbound, and was not answered yet.
    pub fn was_turned_away(&self, ticket: Ticket) -> bool {
        self.turned_away.contains(&ticket)
    }
}

/// A life begins: the host tells what is closed before anything else.
pub fn start(host: &mut Host, world: &mut World) {
    for lane in world.hours.closed.clone() {
        host.tell(Fact::Hours { lane, open: false }, world);
    }
}

/// Schedules open and close; in calm everything is open.
pub fn pass(host: &mut Host, world: &mut World) {
    let outbounds = world.scenario.graph.outbounds.iter().map(|it| it.lane);
    let lanes: Vec<_> =
        outbounds.chain(world.scenario.receiving().iter().map(|it| it.lane)).collect();
    for lane in lanes {
        let open = !world.hours.closed.contains(&lane);
        let rate = world.scenario.faults.hours;
        let flips = if world.calm {
            !open
        } else {
            rate > 0 && world.rng.one_in(if open { rate } else { 10 })
        };
        if flips {
            host.happens(0, Happening::Fact(Fact::Hours { lane, open: !open }), world);
            census::count(if open { "closed by its schedule" } else { "opened by its schedule" });
        }
    }
}

/// The host tells this.
pub fn note(fact: &Fact, world: &mut World) {
    match fact {
        Fact::Hours { lane, open: true } => drop(world.hours.closed.remove(lane)),
        Fact::Hours { lane, open: false } => drop(world.hours.closed.insert(*lane)),
        Fact::Received(it) if world.hours.closed.contains(&it.inbound) => {
            let inbound = world.scenario.receiving().iter().find(|its| its.lane == it.inbound);
            let closed = inbound.expect("inbound").closed;
            Hours.check(closed == Closed::Answer, "read outside of the schedule");
            world.hours.turned_away.insert(it.ticket);
        }
        _ => {}
    }
}

/// A delivery leaves.
pub fn check_leaves(lane: LaneId, world: &World) {
    let is_open = !world.hours.closed.contains(&lane);
    Hours.check(is_open, format_args!("{lane} sends outside of its schedule"));
}

/// An answer leaves.
pub fn check_answer(ticket: Ticket, answer: &Answer, world: &mut World) {
    if world.hours.turned_away.remove(&ticket) {
        let right = *answer == Answer::NotStored;
        Hours.check(right, format_args!("ticket {ticket} came outside of the schedule"));
        census::count("answered outside of a schedule");
    }
}
