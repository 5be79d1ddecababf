//! The plan `kill`: SIGKILL at random moments under load.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mllp_disk::Rng;

use crate::child;
use crate::graph::Places;
use crate::ledger::{Files, Witness};
use crate::load::{INBOUNDS, Sent};
use crate::partners::Partners;
use crate::sabotage::Sabotage;
use crate::sender::{Orders, Pace, Sender};
use crate::verdict::Verdict;
use crate::verify;

/// Connections of senders.
const CONNECTIONS: u32 = 6;
/// An engine that takes longer than this to say something has hung.
const PATIENCE: Duration = Duration::from_secs(30);
/// For everything that is still to be delivered, once the partners are well.
const DRAIN: Duration = Duration::from_secs(120);
/// The same with a planted fault, which may keep the engine from ever coming to rest.
const DRAIN_SABOTAGED: Duration = Duration::from_secs(20);
/// The least that half an hour has to do, so that the run proves something.
const KILLS: u64 = 300;
const ACKNOWLEDGED: u64 = 100_000;
const HALF_AN_HOUR: u64 = 1800;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For how long there is load.
    pub seconds: u64,
    /// Chooses everything that is left to chance here; what the machine does is not in it.
    pub seed: u64,
    /// A planted fault.
    pub sabotage: Option<Sabotage>,
    /// This program: it is run again as the engine.
    pub program: PathBuf,
    /// An empty folder for the data and the ledgers.
    pub folder: PathBuf,
}

/// Runs the plan.
///
/// # Errors
///
/// The system refuses a file, a socket or a process: the run says nothing about the engine.
pub fn run(plan: &Plan) -> io::Result<Verdict> {
    let mut rng = Rng::new(plan.seed);
    let (data, acks, sinks) =
        (plan.folder.join("data"), plan.folder.join("acks.jsonl"), plan.folder.join("sinks.jsonl"));
    let files = Arc::new(Files::create(&acks, &sinks)?);
    let witness: Arc<dyn Witness> = Arc::<Files>::clone(&files);
    let partners = Partners::start(&mut rng, &witness)?;
    let inbounds = free_addresses(&mut rng, INBOUNDS.len())?;
    let places = Places { inbounds, outbounds: partners.addresses() };
    let arguments = child::arguments(&data, &places, plan.sabotage);
    let mut verdict = Verdict::default();

    let mut engine = Engine::start(&plan.program, &arguments)?;
    let orders = Arc::new(Orders::default());
    let senders = start_senders(&places, &orders, &witness, &mut rng);
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::sleep(pause(&mut rng).min(left));
        engine.kill();
        verdict.count("kills", 1);
        engine = Engine::start(&plan.program, &arguments)?;
    }
    partners.get_well();
    orders.finish.store(true, Ordering::Relaxed);
    let patience = if plan.sabotage.is_some() { DRAIN_SABOTAGED } else { DRAIN };
    if !engine.drain(&senders, patience)? {
        let seconds = patience.as_secs();
        verdict.found(format!("not idle {seconds} seconds after the partners were well"));
    }
    orders.end.store(true, Ordering::Relaxed);
    for (connection, sender) in (0..).zip(senders) {
        let unanswered = sender.join().unwrap_or_default();
        if unanswered > 0 {
            verdict.found(format!(
                "connection {connection}: {unanswered} messages were never acknowledged"
            ));
        }
    }
    let status = engine.stop()?;
    if status != 0 {
        verdict.found(format!("the engine has stopped with status {status}"));
    }
    drop(partners);
    files.flush()?;
    let findings =
        std::mem::take(&mut *orders.findings.lock().unwrap_or_else(PoisonError::into_inner));
    verdict.findings.extend(findings);
    verdict.add(verify::files(&data, &acks, &sinks)?);
    verdict.at_least("kills", KILLS * plan.seconds / HALF_AN_HOUR);
    verdict.at_least("acknowledged", ACKNOWLEDGED * plan.seconds / HALF_AN_HOUR);
    Ok(verdict)
}

/// Until the next kill: up to four seconds, and sometimes while the engine is still starting.
fn pause(rng: &mut Rng) -> Duration {
    match rng.one_in(8) {
        true => Duration::from_millis(rng.below(300)),
        false => Duration::from_millis(1_000 + rng.below(3_000)),
    }
}

fn start_senders(
    places: &Places,
    orders: &Arc<Orders>,
    witness: &Arc<dyn Witness>,
    rng: &mut Rng,
) -> Vec<JoinHandle<usize>> {
    let start = |connection| {
        let inbound = Sent { connection, number: 1 }.inbound();
        let at = INBOUNDS.iter().position(|name| *name == inbound).unwrap_or_default();
        let (address, rng) = (places.inbounds[at], Rng::new(rng.next()));
        let sender = Sender::new(connection, address, Pace::Steady, orders, witness, rng);
        thread::spawn(move || sender.run())
    };
    (0..CONNECTIONS).map(start).collect()
}

/// Below the ports that the system gives to outgoing connections: while the engine is dead, one of
/// those must not take its place.
fn free_addresses(rng: &mut Rng, count: usize) -> io::Result<Vec<SocketAddr>> {
    let mut found = Vec::with_capacity(count);
    for _ in 0..1_000 {
        if found.len() == count {
            return Ok(found);
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + rng.below(20_000) as u16));
        if !found.contains(&address) && TcpListener::bind(address).is_ok() {
            found.push(address);
        }
    }
    Err(io::Error::other("there is no free port"))
}

/// The engine's process.
struct Engine {
    child: Child,
    orders: ChildStdin,
    said: Receiver<String>,
}

impl Engine {
    /// Starts it, and waits until it listens.
    fn start(program: &Path, arguments: &[String]) -> io::Result<Engine> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the engine has no pipes"));
        };
        let (sender, said) = channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.all(|line| sender.send(line).is_ok())
        });
        let mut engine = Engine { child, orders, said };
        match engine.hear()?.as_str() {
            "ready" => Ok(engine),
            other => Err(io::Error::other(format!("the engine does not start: {other}"))),
        }
    }

    fn hear(&mut self) -> io::Result<String> {
        match self.said.recv_timeout(PATIENCE) {
            Ok(word) => Ok(word),
            Err(RecvTimeoutError::Timeout) => Err(io::Error::other("the engine hangs")),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other(format!("the engine has ended: {}", self.child.wait()?)))
            }
        }
    }

    fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until every sender has its answers and nothing is left to do; false: that takes too
    /// long.
    fn drain(&mut self, senders: &[JoinHandle<usize>], patience: Duration) -> io::Result<bool> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            let answered = senders.iter().all(JoinHandle::is_finished);
            self.orders.write_all(b"status\n")?;
            if self.hear()? == "idle" && answered {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(false)
    }

    fn stop(mut self) -> io::Result<i32> {
        // It may have ended by itself.
        let _ = self.orders.write_all(b"stop\n");
        Ok(self.child.wait()?.code().unwrap_or(-1))
    }
}
