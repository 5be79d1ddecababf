//! A process that has no descriptor left says so, and goes on listening. One process has one limit and
//! one log, so this is one test.

mod common;

use std::fs::File;
use std::sync::Mutex;

use common::{Peer, message, msa, until};
use log::{Level, LevelFilter, Log, Metadata, Record};
use mllp_engine::Engine;
use mllp_store::MemoryStore;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Errors that were reported.
struct Errors(Mutex<Vec<String>>);

static ERRORS: Errors = Errors(Mutex::new(Vec::new()));

impl Log for Errors {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.level() == Level::Error {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_listener_without_descriptors_says_so_and_goes_on_when_there_are_some() {
    log::set_logger(&ERRORS).unwrap();
    log::set_max_level(LevelFilter::Error);
    let engine = Engine::builder("unused")
        .store(Box::new(MemoryStore::new()))
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| None::<&str>)
        .start()
        .unwrap();
    let address = engine.address("IB").unwrap();
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum }).unwrap();
    let mut held: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // One for the peer, and none for the listener.
    held.pop();
    let mut peer = Peer::connect(address);
    peer.write(&message("M1"));
    let said = "no connection can be accepted";
    until(said, || ERRORS.0.lock().unwrap().iter().any(|it| it == said));
    held.clear();
    assert_eq!(msa(&peer.frame().unwrap()), "AA M1");
    engine.stop(common::DEADLINE).unwrap();
}
