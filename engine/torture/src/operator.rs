//! An operator who does not sit still: pauses, stops and starts lanes, has heads tried again, holds
//! and cancels them, releases what is held, and sends again what is dead or was delivered.

use std::thread;
use std::time::Duration;

use mllp_disk::Rng;
use mllp_engine::{
    By, Engine, Error, Flow, MessageId, Note, Search, Selection, Side, Stage, To, Which,
};

use crate::load::{AGAIN, HANDLERS, HOP, INBOUNDS, OUTBOUNDS, Ordering, ordering};

/// How often a lane is set again that could not be.
const TRIES: u32 = 100;

/// How an operator's jobs are named.
const JOB: &str = "job ";
/// Deliveries of the past that are sent again at a time, at most: more than one transaction takes.
const PAST: u64 = 250;

/// Whether this names a job.
pub(crate) fn is_job(key: &str) -> bool {
    key.starts_with(JOB)
}

/// Does one thing at random. What cannot be done now is not done.
pub(crate) fn act(engine: &Engine, rng: &mut Rng) {
    let (outbound, _) = OUTBOUNDS[rng.below(OUTBOUNDS.len() as u64) as usize];
    match rng.below(14) {
        0..2 => drop(engine.retry_now(Stage::Outbound, outbound)),
        2..6 => {
            let all: Vec<_> = sides().collect();
            let (stage, name, side) = all[rng.below(all.len() as u64) as usize];
            let flow = [Flow::Paused, Flow::Stopped, Flow::On][rng.below(3) as usize];
            drop(engine.switch(stage, name, side, flow, &By::default()));
        }
        _ => work(engine, rng),
    }
}

/// Does one thing at random for which nothing else waits.
pub(crate) fn work(engine: &Engine, rng: &mut Rng) {
    let (outbound, _) = OUTBOUNDS[rng.below(OUTBOUNDS.len() as u64) as usize];
    let has_head = ordering(outbound) == Ordering::Fifo;
    let _ = match rng.below(8) {
        0 | 1 if has_head => engine.hold_head(outbound, &By::default()),
        2 if has_head => engine.cancel_head(outbound, &By::default()),
        _ => job(engine, outbound, rng),
    };
}

/// Releases or cancels what is held, or sends something again; sometimes twice with the same key, which
/// must do it once.
fn job(engine: &Engine, outbound: &str, rng: &mut Rng) -> Result<(), Error> {
    let key = format!("{JOB}{:016x}", rng.next());
    let by = By { reason: Note(key.clone()), ..By::default() };
    let newest = engine.search(&Search::default(), None, 1)?.messages;
    let newest = newest.first().map_or(0, |it| it.message.id.0);
    let one = Selection::messages(&[1 + rng.below(newest.max(1))]);
    let all = |which| Selection::all(which, Some(outbound));
    let past = newest.saturating_sub(rng.below(2 * PAST))..=newest;
    let past = Selection { messages: past, ..all(Which::Past) };
    let again = To::Outbound(AGAIN.to_owned());
    let what = rng.below(8);
    for _ in 0..1 + rng.below(2) {
        match what {
            0 | 1 => engine.release(&Selection::all(Which::Held, None), &by, &key)?,
            2 => engine.cancel(&all(Which::Held), &by, &key)?,
            3 => engine.replay(&all(Which::Dead), &To::Same, &by, &key)?,
            4 => engine.replay(&past, &To::Same, &by, &key)?,
            5 => engine.replay(&past, &again, &by, &key)?,
            6 => engine.replay(&one, &again, &by, &key)?,
            _ if !is_final(engine, &one)? => return Ok(()),
            _ => engine.replay(&one, &To::Router, &by, &key)?,
        };
    }
    Ok(())
}

/// Whether nothing is in progress that an operator's work would cross.
fn is_final(engine: &Engine, one: &Selection) -> Result<bool, Error> {
    let journey = engine.journey(MessageId(one.only[0]))?;
    Ok(journey.is_some_and(|it| it.message.disposition.is_final()))
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
    let routers = INBOUNDS.iter().chain([&HOP]).map(|name| (Stage::Ingress, *name, Side::Output));
    let handlers = HANDLERS.iter().map(|name| (Stage::Routed, *name, Side::Output));
    let outbounds = OUTBOUNDS.iter().map(|(name, _)| (Stage::Outbound, *name, Side::Output));
    inputs.chain(routers).chain(handlers).chain(outbounds)
}
