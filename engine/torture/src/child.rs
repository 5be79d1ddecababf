//! The engine as a process of its own, which is killed.
//!
//! It says `ready` when it listens. `status` on standard input is answered `idle` or `busy`, `clock N`
//! sets its wall clock N milliseconds from the machine's, `operate N` has its operator do something at
//! random, `calm` everything go on, `stop` stops it, and the end of the input as well: nothing outlives
//! the run.

use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, SystemTime};

use mllp_disk::Rng;
use mllp_engine::Engine;

use crate::graph::{self, Places};
use crate::load::{INBOUNDS, OUTBOUNDS};
use crate::operator;
use crate::sabotage::Sabotage;

/// The arguments of the hidden subcommand `engine`: the directory, the addresses of the inbounds
/// and of the partners, and perhaps a fault.
pub(crate) fn arguments(data: &Path, places: &Places, sabotage: Option<Sabotage>) -> Vec<String> {
    let addresses = places.inbounds.iter().chain(&places.outbounds).map(SocketAddr::to_string);
    let mut arguments = vec!["engine".to_owned(), data.display().to_string()];
    arguments.extend(addresses);
    arguments.extend(sabotage.map(|it| it.name().to_owned()));
    arguments
}

/// Runs it with the arguments after `engine`; returns the exit status of the process.
pub fn run(arguments: &[String]) -> u8 {
    let Some((data, places, sabotage)) = parse(arguments) else { return 2 };
    // Handlers fail on purpose.
    std::panic::set_hook(Box::new(|_| {}));
    let offset = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&offset);
    let builder = graph::builder(&data, &places, sabotage)
        .wall_clock(move || shifted(clock.load(Ordering::Relaxed)));
    let engine = match builder.start() {
        Ok(engine) => engine,
        Err(error) => {
            eprintln!("engine: {error}");
            return error.exit_status();
        }
    };
    say("ready");
    obey(&engine, &offset);
    match engine.stop(Duration::from_secs(20)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("engine: {error}");
            error.exit_status()
        }
    }
}

/// Does what it is told, until it is told to stop.
fn obey(engine: &Engine, offset: &AtomicI64) {
    thread::scope(|scope| {
        let (operator, told) = channel();
        // An operator waits for commits; reading the status does not.
        scope.spawn(move || {
            told.into_iter().for_each(|seed: Option<u64>| match seed {
                Some(seed) => operator::act(engine, &mut Rng::new(seed)),
                None => operator::calm(engine),
            });
        });
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let (word, number) = line.split_once(' ').unwrap_or((&line, ""));
            match word {
                "status" => match engine.status() {
                    Ok(status) if status.is_idle => say("idle"),
                    Ok(_) => say("busy"),
                    Err(_) => break,
                },
                "clock" => offset.store(number.parse().unwrap_or_default(), Ordering::Relaxed),
                "operate" => drop(operator.send(number.parse().ok())),
                "calm" => drop(operator.send(None)),
                _ => break,
            }
        }
    });
}

fn parse(arguments: &[String]) -> Option<(PathBuf, Places, Option<Sabotage>)> {
    let (data, rest) = arguments.split_first()?;
    let (inbounds, rest) = rest.split_at_checked(INBOUNDS.len())?;
    let (outbounds, rest) = rest.split_at_checked(OUTBOUNDS.len())?;
    let addresses = |texts: &[String]| {
        texts.iter().map(|it| it.parse().ok()).collect::<Option<Vec<SocketAddr>>>()
    };
    let places = Places { inbounds: addresses(inbounds)?, outbounds: addresses(outbounds)? };
    let sabotage = match rest {
        [] => None,
        [name] => Some(Sabotage::parse(name)?),
        _ => return None,
    };
    Some((data.into(), places, sabotage))
}

/// The time of the machine, and so many milliseconds.
fn shifted(milliseconds: i64) -> SystemTime {
    let by = Duration::from_millis(milliseconds.unsigned_abs());
    let now = SystemTime::now();
    if milliseconds < 0 { now - by } else { now + by }
}

fn say(word: &str) {
    println!("{word}");
    let _ = std::io::stdout().flush();
}
