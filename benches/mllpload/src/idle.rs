//! Memory of the server for each connection that has sent one message and is held.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::figures::status;
use crate::load::Load;
use crate::template::Template;

/// Messages without an answer over all connections: the burst is not what is measured.
const OUTSTANDING: usize = 32;
/// How long a silent server is waited for, in nanoseconds.
const STALL: u64 = 900_000_000;

pub fn run(arguments: &Arguments, template: Template) -> io::Result<String> {
    let memory = || status(arguments.pid, "VmRSS");
    let before = memory();
    let mut load = Load::open(arguments, template, arguments.idle)?;
    sleep(Duration::from_secs_f64(arguments.hold));
    let connected = memory();
    load.measured.is_on = true;
    let count = load.connections.len();
    let mut events = Vec::with_capacity(OUTSTANDING);
    let mut next = count.min(OUTSTANDING);
    (0..next).for_each(|number| load.send(number, 1));
    while load.measured.answers < count as u64 {
        load.wait(&mut events, STALL)?;
        if events.is_empty() {
            break;
        }
        for event in &events {
            let number = event.data.u64() as usize;
            let (answers, is_open) = load.receive(number);
            if !is_open {
                return Err(io::Error::other("the server closed a connection"));
            }
            for _ in 0..answers {
                if next < count {
                    load.send(next, 1);
                    next += 1;
                }
            }
        }
    }
    sleep(Duration::from_secs_f64(arguments.hold));
    let after = memory();
    let each = |kib: u64| kib.saturating_sub(before) * 1024 / count as u64;
    Ok(format!(
        "{{\"idle\":{count},\"rss_kib\":{after},\"bytes_connected\":{},\"bytes_answered\":{},\
        \"messages\":{},\"bad\":{},\"errors\":{},\"threads\":{}}}",
        each(connected),
        each(after),
        load.measured.answers,
        load.measured.bad,
        load.measured.errors,
        status(arguments.pid, "Threads"),
    ))
}
