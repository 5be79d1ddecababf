//! Many connections: held, answered, cheap; and accepted by an engine whose store never commits.

mod common;

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use common::troubled::{Commits, troubled};
use common::{Peer, message, msa, wait_for};
use mllp_engine::{Builder, Engine};
use mllp_store::MemoryStore;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CONNECTIONS: usize = 10_000;
/// Descriptors that a process has beside its connections.
const OTHERS: u64 = 300;
/// Makes this program the engine, in a process whose descriptors and memory are its own.
const IS_ENGINE: &str = "MLLP_TEST_IS_ENGINE";

/// Raises the limit of this process; returns how many connections it can have.
fn raise_limit() -> usize {
    let hard = getrlimit(Resource::Nofile).maximum;
    let wanted = CONNECTIONS as u64 + OTHERS;
    let limit = hard.map_or(wanted, |hard| hard.min(wanted));
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: hard }).unwrap();
    usize::try_from(limit.saturating_sub(OTHERS)).unwrap()
}

fn builder(store: impl mllp_store::Store + Send + 'static) -> Builder {
    Engine::builder("unused")
        .store(Box::new(store))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| None::<&str>)
}

/// The process of the engine, where it listens, and what it has to say.
struct Process {
    child: Child,
    address: SocketAddr,
    /// Kept open: it goes on saying what it does.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start() -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_of_the_engine", "--nocapture"])
            .env(IS_ENGINE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = lines.by_ref().map_while(Result::ok);
        let address = said.find_map(|line| Some(line.split_once("listening ")?.1.to_owned()));
        let address = address.expect("it listens").parse().unwrap();
        Process { child, address, _lines: lines }
    }

    /// Bytes of memory that it has.
    fn memory(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * rustix::param::page_size() as u64
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn the_process_of_the_engine() {
    if std::env::var_os(IS_ENGINE).is_none() {
        return;
    }
    raise_limit();
    let engine = builder(MemoryStore::new()).start().unwrap();
    println!("listening {}", engine.address("IB").unwrap());
    std::io::stdout().flush().unwrap();
    // Until the other process has no more use for it.
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn ten_thousand_idle_connections_are_held_and_answered() {
    let count = raise_limit().min(CONNECTIONS);
    if count < CONNECTIONS {
        println!("{count} connections only: the system allows no more descriptors");
    }
    let engine = Process::start();
    let connect = |n: usize| {
        let mut peer = Peer::connect(engine.address);
        // Every hundredth shows that those before it are accepted: none waits in the backlog.
        if n % 100 == 99 {
            assert_eq!(peer.send(&message(&format!("A{n}"))), Some(format!("AA A{n}")));
        }
        peer
    };
    let mut peers: Vec<_> = (0..100).map(connect).collect();
    let before = engine.memory();
    peers.extend((100..count).map(connect));
    let each = engine.memory().saturating_sub(before) / (count as u64 - 100);
    println!("{} connections, {each} bytes of memory for each that is idle", peers.len());
    for (n, peer) in peers.iter_mut().enumerate() {
        assert_eq!(peer.send(&message(&format!("B{n}"))), Some(format!("AA B{n}")));
    }
}

#[test]
fn connections_are_accepted_and_read_while_the_store_commits_nothing() {
    let (store, control) = troubled(MemoryStore::new());
    let engine = builder(store).start().unwrap();
    control.set(|it| it.commits = Commits::Hang);
    let address = engine.address("IB").unwrap();
    for n in 0..1000 {
        let mut peer = Peer::connect(address);
        peer.write(&message(&format!("M{n}")));
        if n % 100 == 99 {
            wait_for(&engine, "they are read", |it| it.waiting == n + 1);
        }
        peer.hang_up();
    }
    let mut last = Peer::connect(address);
    last.write(&message("last"));
    wait_for(&engine, "it is read", |it| it.waiting == 1001);
    control.set(|it| it.commits = Commits::Work);
    assert_eq!(msa(&last.frame().unwrap()), "AA last");
    wait_for(&engine, "all are stored", |it| it.waiting == 0);
    engine.stop(common::DEADLINE).unwrap();
}
