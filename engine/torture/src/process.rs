//! The engine as a process of its own, with its senders, its partners, and its ledgers.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mllp_disk::Rng;
use rustix::process::{Pid, Signal, kill_process};

use crate::child;
use crate::graph::Places;
use crate::ledger::{Files, Witness};
use crate::load::INBOUNDS;
use crate::partners::Partners;
use crate::sabotage::Sabotage;
use crate::sender::{self, Left, Orders, Pace};
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

/// An engine's process under load.
pub(crate) struct Feed {
    pub(crate) engine: Process,
    pub(crate) orders: Arc<Orders>,
    pub(crate) files: Arc<Files>,
    command: Engine,
    data: PathBuf,
    acks: PathBuf,
    sinks: PathBuf,
    patience: Duration,
    partners: Partners,
    senders: Vec<JoinHandle<Left>>,
}

/// How to run the engine.
struct Engine {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Feed {
    /// Starts the engine with its data in one folder, and the ledgers in another.
    pub(crate) fn start(
        program: &Path,
        data: &Path,
        ledgers: &Path,
        pace: Pace,
        sabotage: Option<Sabotage>,
        rng: &mut Rng,
    ) -> io::Result<Feed> {
        let [acks, sinks] = ["acks.jsonl", "sinks.jsonl"].map(|name| ledgers.join(name));
        let files = Arc::new(Files::create(&acks, &sinks)?);
        let witness: Arc<dyn Witness> = Arc::<Files>::clone(&files);
        let partners = Partners::start(rng, &witness)?;
        let inbounds = free_addresses(rng, INBOUNDS.len())?;
        let places = Places { inbounds, outbounds: partners.addresses() };
        let arguments = child::arguments(data, &places, sabotage);
        let command = Engine { program: program.to_owned(), arguments };
        let engine = Process::start(&command)?;
        let orders = Arc::new(Orders::default());
        let senders = sender::start(CONNECTIONS, &places, pace, 0, &orders, &witness, rng);
        let patience = if sabotage.is_some() { DRAIN_SABOTAGED } else { DRAIN };
        let data = data.to_owned();
        Ok(Feed { engine, orders, files, command, data, acks, sinks, patience, partners, senders })
    }

    /// Starts the engine again, which was killed.
    pub(crate) fn start_again(&mut self) -> io::Result<()> {
        self.engine = Process::start(&self.command)?;
        Ok(())
    }

    /// Starts the engine again, and expects that it refuses; returns its exit status.
    pub(crate) fn start_in_vain(&self) -> io::Result<Option<i32>> {
        let Engine { program, arguments } = &self.command;
        let mut engine = Command::new(program);
        let engine = engine.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        Ok(engine.stdout(Stdio::null()).status()?.code())
    }

    /// Lets the engine come to rest, stops it, and verifies what it has left.
    pub(crate) fn finish(mut self) -> io::Result<Verdict> {
        let mut verdict = Verdict::default();
        self.partners.get_well();
        self.engine.operate(None)?;
        self.orders.finish.store(true, Ordering::Relaxed);
        let senders = &self.senders;
        if !self.engine.drain(|| senders.iter().all(JoinHandle::is_finished), self.patience)? {
            let seconds = self.patience.as_secs();
            verdict.found(format!("not idle {seconds} seconds after the partners were well"));
        }
        self.orders.end.store(true, Ordering::Relaxed);
        for (connection, sender) in (0..).zip(self.senders) {
            let Left { unanswered, .. } = sender.join().unwrap_or_default();
            if unanswered > 0 {
                verdict.found(format!(
                    "connection {connection}: {unanswered} messages were never acknowledged"
                ));
            }
        }
        let status = self.engine.stop()?;
        if status.code() != Some(0) {
            verdict.found(format!("the engine has stopped with {status}"));
        }
        drop(self.partners);
        self.files.flush()?;
        let mut findings = self.orders.findings.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.findings.append(&mut findings);
        verdict.add(verify::files(&self.data, &self.acks, &self.sinks)?);
        Ok(verdict)
    }
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
pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
    said: Receiver<String>,
}

impl Process {
    /// Starts it, and waits until it listens.
    fn start(command: &Engine) -> io::Result<Process> {
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
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
        let mut engine = Process { child, orders, said };
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

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGSTOP, or SIGCONT.
    pub(crate) fn freeze(&self, is_frozen: bool) -> io::Result<()> {
        let signal = if is_frozen { Signal::STOP } else { Signal::CONT };
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Sets its wall clock this far from the machine's.
    pub(crate) fn set_clock(&mut self, milliseconds: i64) -> io::Result<()> {
        writeln!(self.orders, "clock {milliseconds}")
    }

    /// Has its operator do something at random, or let everything go on.
    pub(crate) fn operate(&mut self, seed: Option<u64>) -> io::Result<()> {
        match seed {
            Some(seed) => writeln!(self.orders, "operate {seed}"),
            None => writeln!(self.orders, "calm"),
        }
    }

    /// Waits until everybody has what they wait for and nothing is left to do; false: that takes too
    /// long.
    fn drain(&mut self, is_answered: impl Fn() -> bool, patience: Duration) -> io::Result<bool> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            let is_answered = is_answered();
            self.orders.write_all(b"status\n")?;
            if self.hear()? == "idle" && is_answered {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(false)
    }

    fn stop(mut self) -> io::Result<ExitStatus> {
        // It may have ended by itself.
        let _ = self.orders.write_all(b"stop\n");
        self.child.wait()
    }
}
