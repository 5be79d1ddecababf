//! A gateway in one page: ADT messages in, to a laboratory and to billing, kept on disk in between.
//!
//! ```sh
//! cargo run --release -p mllp-engine --example gateway -- DATA LISTEN LAB BILLING
//! ```
//!
//! `LISTEN` is an address such as `127.0.0.1:2575`, the partners `HOST:PORT`. Prints where it
//! listens; a line with the number of a message on standard input prints its journey, `status` how
//! the lanes stand, the end of the input stops it. Exit status: 0 stopped, 1 stopped with something
//! in progress, 2 wrong usage, 3 it cannot listen, 4 the store is refused, 5 a sync failed.

use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

use mllp_engine::{Engine, Error, MessageId, Send};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, listen, lab, billing] = &arguments[..] else {
        eprintln!("usage: gateway DATA LISTEN LAB BILLING");
        return ExitCode::from(2);
    };
    match run(data, listen, lab, billing) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(data: &str, listen: &str, lab: &str, billing: &str) -> Result<(), Error> {
    let (lab, billing) = (place(lab)?, place(billing)?);
    let engine = Engine::builder(data)
        .inbound("IB_ADT", listen, "adt")
        .router("adt", |message| match message.get("MSH-9.1") {
            Some(b"ADT") => vec!["to_lab", "to_billing"],
            _ => vec![],
        })
        .handler("to_lab", |_message| [Send::unchanged("OB_LAB")])
        .handler("to_billing", |message| {
            // Billing wants to hear of admissions and discharges alone.
            let wanted = matches!(message.get("MSH-9.2"), Some(b"A01" | b"A03"));
            wanted.then(|| Send::unchanged("OB_BILLING"))
        })
        .outbound("OB_LAB", lab.0, lab.1)
        .outbound("OB_BILLING", billing.0, billing.1)
        .start()?;
    println!("listening {}", engine.address("IB_ADT").expect("it listens"));
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if let Ok(id) = line.trim().parse() {
            match engine.journey(MessageId(id))? {
                Some(journey) => println!("{journey}\n"),
                None => println!("{id}  no such message\n"),
            }
        } else if line.trim() == "status" {
            for lane in engine.status()?.lanes {
                let state = if lane.ready { "" } else { "  not reachable" };
                println!("{:8}  {:10}  {} waiting{state}", lane.stage, lane.name, lane.depth);
            }
            println!();
        }
    }
    engine.stop(Duration::from_secs(10))
}

fn place(text: &str) -> Result<(&str, u16), Error> {
    let wrong = || Error::Graph(vec![format!("\"{text}\" is not HOST:PORT")]);
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    Ok((host, port.parse().map_err(|_| wrong())?))
}
