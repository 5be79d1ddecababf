//! The engine as a process of its own, which is killed.
//!
//! It says `ready` when it listens. `status` on standard input is answered `idle` or `busy`, `stop`
//! stops it, and the end of the input as well: nothing outlives the run.

use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::graph::{self, Places};
use crate::load::{INBOUNDS, OUTBOUNDS};
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
    let engine = match graph::builder(&data, &places, sabotage).start() {
        Ok(engine) => engine,
        Err(error) => {
            eprintln!("engine: {error}");
            return error.exit_status();
        }
    };
    say("ready");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match (line.as_str(), engine.status()) {
            ("status", Ok(status)) if status.is_idle => say("idle"),
            ("status", Ok(_)) => say("busy"),
            _ => break,
        }
    }
    match engine.stop(Duration::from_secs(20)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("engine: {error}");
            error.exit_status()
        }
    }
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

fn say(word: &str) {
    println!("{word}");
    let _ = std::io::stdout().flush();
}
