//! An operator who does not sit still: pauses, stops and starts lanes, has heads tried again, holds
//! and cancels them.

use std::thread;
use std::time::Duration;

use mllp_disk::Rng;
use mllp_engine::{By, Engine, Error, Flow, Side, Stage};

use crate::load::{HANDLERS, INBOUNDS, OUTBOUNDS, Ordering, ordering};

/// How often a lane is set again that could not be.
const TRIES: u32 = 100;

/// Does one thing at random. What cannot be done now is not done.
pub(crate) fn act(engine: &Engine, rng: &mut Rng) {
    let by = By::default();
    let (outbound, _) = OUTBOUNDS[rng.below(OUTBOUNDS.len() as u64) as usize];
    let has_head = ordering(outbound) == Ordering::Fifo;
    let _ = match rng.below(8) {
        0 if has_head => engine.hold_head(outbound, &by),
        1 if has_head => engine.cancel_head(outbound, &by),
        2 | 3 => engine.retry_now(Stage::Outbound, outbound),
        _ => {
            let all: Vec<_> = sides().collect();
            let (stage, name, side) = all[rng.below(all.len() as u64) as usize];
            let flow = [Flow::Paused, Flow::Stopped, Flow::On][rng.below(3) as usize];
            engine.switch(stage, name, side, flow, &by)
        }
    };
}

/// Lets everything go on.
pub(crate) fn calm(engine: &Engine) {
    for (stage, name, side) in sides() {
        for _ in 0..TRIES {
            match engine.switch(stage, name, side, Flow::On, &By::default()) {
                Err(Error::Refused(_)) => thread::sleep(Duration::from_millis(50)),
                _ => break,
            }
        }
    }
}

fn sides() -> impl Iterator<Item = (Stage, &'static str, Side)> {
    let inputs = INBOUNDS.iter().map(|name| (Stage::Ingress, *name, Side::Input));
    let routers = INBOUNDS.iter().map(|name| (Stage::Ingress, *name, Side::Output));
    let handlers = HANDLERS.iter().map(|name| (Stage::Routed, *name, Side::Output));
    let outbounds = OUTBOUNDS.iter().map(|(name, _)| (Stage::Outbound, *name, Side::Output));
    inputs.chain(routers).chain(handlers).chain(outbounds)
}
