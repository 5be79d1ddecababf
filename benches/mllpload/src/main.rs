//! MLLP load generator: one thread, epoll, loopback only. It prints one line of JSON.
//!
//! * closed loop: `--conns C --window W`; a window of 1 is ping-pong, a larger one pipelines.
//! * open loop: `--rate R`, messages per second over all connections; latencies count from the time
//!   at which a message was due.
//! * one message for each connection: `--reconnect`; latencies include the connect.
//! * memory: `--idle N`, connections that send one message each and are then held.
//! * `--print` writes the framed message and ends.
//!
//! Every message has an MSH-10 of its own, which the MSA-2 of its answer must repeat, first in, first
//! out on each connection. Any other answer, or a code other than AA or CA, counts as `bad`.

mod arguments;
mod connection;
mod figures;
mod idle;
mod load;
mod measured;
mod template;

use std::io::Write;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use arguments::Arguments;
use template::Template;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(reason) => {
            eprintln!("mllpload: {reason}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mllpload: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> std::io::Result<()> {
    let template = Template::new(&arguments.message)?;
    if arguments.print {
        return std::io::stdout().write_all(template.frame());
    }
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })?;
    let run = if arguments.idle > 0 { idle::run } else { load::run };
    println!("{}", run(arguments, template)?);
    Ok(())
}
