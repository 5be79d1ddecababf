//! A running engine is backed up while it receives, and a stop ends a backup that is being made.

mod common;

use std::fs;
use std::path::Path;

use common::{DEADLINE, Peer, message};
use mllp_engine::{Engine, Error, verify};

fn engine(data: &Path) -> Engine {
    Engine::builder(data)
        .inbound("IB", "127.0.0.1:0", "all")
        .router("all", |_| Some("keep"))
        .handler("keep", |_| None::<mllp_engine::Send>)
        .start()
        .unwrap()
}

/// Receives so many messages, each answered.
fn receive(engine: &Engine, from: u64, count: u64) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for n in from..from + count {
        let id = format!("M{n}");
        assert_eq!(sender.send(&message(&id)), Some(format!("AA {id}")));
    }
}

#[test]
fn what_was_answered_before_a_backup_is_in_it() {
    let home = tempfile::TempDir::new().unwrap();
    let engine = engine(&home.path().join("data"));
    receive(&engine, 0, 50);
    let backing_up = engine.back_up(&home.path().join("backup")).unwrap();
    let progress = backing_up.progress();
    receive(&engine, 50, 20);
    let made = backing_up.finish().unwrap();
    assert_eq!(progress().total, made.about.bytes);
    let verified = verify(&made.at, &mut |finding| panic!("{finding}")).unwrap();
    assert!((50..=70).contains(&verified.received), "{verified:?}");
    receive(&engine, 70, 1);
    let second = engine.back_up(&home.path().join("backup")).err().unwrap();
    assert_eq!(second.exit_status(), 2, "{second}");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_stop_does_not_wait_for_a_backup() {
    let home = tempfile::TempDir::new().unwrap();
    let engine = engine(&home.path().join("data"));
    receive(&engine, 0, 50);
    let backing_up = engine.back_up(&home.path().join("backup")).unwrap();
    engine.stop(DEADLINE).unwrap();
    let made = backing_up.finish();
    let names: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    match made {
        // It was whole before.
        Ok(_) => assert_eq!(names.len(), 2, "{names:?}"),
        Err(Error::Backup(_)) => assert_eq!(names, ["data"]),
        Err(other) => panic!("{other}"),
    }
    Engine::back_up_stopped(&home.path().join("data"), &home.path().join("after"), &mut |_| true)
        .unwrap();
}
