//! One run: messages under faults, then calm, then fresh messages on a link that must work.

use mllp_link::Action;

use crate::client::Client;
use crate::connection::Connection;
use crate::invariant::Invariant::{Progress, Verdict};
use crate::sabotage::Sabotage;
use crate::world::World;

const CALM_LIMIT: u64 = 120_000;
const FRESH: usize = 3;

pub fn run(seed: u64, sabotage: Sabotage) {
    match seed % 2 {
        0 => run_with_window::<1>(seed, sabotage),
        _ => run_with_window::<4>(seed, sabotage),
    }
}

fn run_with_window<const W: usize>(seed: u64, sabotage: Sabotage) {
    let mut world = World::new(seed, sabotage);
    let mut client = Client::<W>::new(&world);
    let mut connections: Vec<Connection> = Vec::new();
    let messages = world.scenario.messages as usize;
    loop {
        // After the faults every host is prompt, or a sender's time could run out on a link that
        // works.
        let pause = if world.rng.one_in(10) && !world.calm { 100 } else { 8 };
        world.now += world.rng.below(pause);
        world.calm = world.now >= world.scenario.faults_end;
        let submitted = world.ledger.messages.len();
        if submitted < messages && (world.calm || world.rng.one_in(6)) {
            client.submit(false, &mut world);
        } else if submitted < messages + FRESH && world.calm && client.is_done() {
            client.submit(true, &mut world);
        }
        client.step(&mut connections, &mut world);
        connections.iter_mut().for_each(|connection| connection.step(&mut world));
        let late = world.now >= world.scenario.faults_end + CALM_LIMIT;
        Progress.check(!late, "no end");
        if world.ledger.messages.len() == messages + FRESH && client.is_done() {
            client.give_up(&mut connections);
            if connections.iter().all(Connection::is_finished) {
                break;
            }
        }
    }
    let verdicts = client.verdicts.len();
    Verdict.check(verdicts == messages + FRESH, format_args!("{verdicts} verdicts"));
    // The first fresh message may meet a connection that is still silent, and rules that do not
    // send it again.
    for fresh in messages + 1..messages + FRESH {
        let accepted = client.verdicts.get(&fresh) == Some(&Action::Accept);
        Progress.check(accepted, format_args!("fresh message {fresh} was not accepted"));
    }
}
