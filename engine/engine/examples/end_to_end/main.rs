//! What `make bench-engine` measures: an engine with its partners, a listener alone, and the stores
//! that they begin with. `benches/bench-engine` loads it, and knows what to make of the figures.
//!
//! ```text
//! end_to_end run DATA INBOUND GRAPH         change | plain | filter | one | late; see `engine.rs`
//! end_to_end open DATA INBOUND RATE SECONDS messages at a fixed rate, over 64 connections
//! end_to_end listen                         a listener that answers at once
//! end_to_end partners                       four of them, for an engine of another process
//! end_to_end round-trip COUNT               one message at a time to a partner, no engine
//! end_to_end fill DATA COUNT                messages that were processed before
//! end_to_end queue DATA COUNT               messages that wait for a partner
//! end_to_end log DATA MEGABYTES             dies with a write-ahead log of this size
//! end_to_end search DATA COUNT              looks messages up by their control IDs
//! ```
//!
//! `run`, `listen` and `partners` print `listening PORT`, with a port for each listener, then a line of
//! figures for each line that they read, and end with their input.

mod engine;
mod open_loop;
mod stores;

use std::io::BufRead;
use std::path::Path;
use std::time::Duration;

use engine::{Partners, Running};

/// Bytes of every message.
const LEN: usize = 1200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["run", data, inbound, graph] => run(data, inbound, graph),
        ["open", data, inbound, rate, seconds] => {
            open_loop::run(data, inbound, number(rate), number(seconds));
        }
        ["listen"] => listen(1),
        ["partners"] => listen(engine::PARTNERS),
        ["round-trip", count] => open_loop::round_trip(number(count)),
        ["fill", data, count] => stores::fill(Path::new(data), number(count)),
        ["queue", data, count] => stores::queue(Path::new(data), number(count)),
        ["log", data, megabytes] => stores::log(Path::new(data), number(megabytes)),
        ["search", data, count] => stores::search(Path::new(data), number(count)),
        _ => panic!("see the head of examples/end_to_end/main.rs"),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is not a number"))
}

fn run(data: &str, inbound: &str, graph: &str) {
    let running = Running::start(data, inbound, graph);
    println!("listening {}", running.port(inbound));
    for _ in std::io::stdin().lock().lines() {
        println!("{}", running.figures());
    }
    running.stop();
}

fn listen(count: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let partners = Partners::new();
    let listeners: Vec<_> = (0..count).map(|_| partners.listen(&runtime)).collect();
    let ports: Vec<_> = listeners.iter().map(|it| it.address().port().to_string()).collect();
    println!("listening {}", ports.join(" "));
    for _ in std::io::stdin().lock().lines() {
        println!("{{\"delivered\":{}}}", partners.taken());
    }
    runtime.shutdown_timeout(Duration::ZERO);
}

/// A message whose control ID ends with these digits.
fn message(sender: u64, number: u64) -> Vec<u8> {
    let head = format!(
        "MSH|^~\\&|BENCH|FASTMLLP|HIS|H|20260101000000||ADT^A08|{sender:02}{number:09}|T|2.5\r\
         PID|1||4711||NOBODY^NAMED\rPV1|1|I|\rNTE|1||"
    );
    let filling = "x".repeat(LEN - head.len() - 1);
    [head.as_bytes(), filling.as_bytes(), b"\r"].concat()
}
