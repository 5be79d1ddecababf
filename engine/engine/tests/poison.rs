//! A message on which a handler panics, or from which it never returns: it is the only one that is late.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, message, wait_for, wait_until_idle,
};
use mllp_engine::{Builder, Engine, Error, Send};
use tempfile::TempDir;

/// Where a handler hangs, until it is let go.
#[derive(Clone, Default)]
struct Hook(Arc<(Mutex<bool>, Condvar)>);

impl Hook {
    fn hang(&self) {
        let mut is_free = self.0.0.lock().unwrap();
        while !*is_free {
            is_free = self.0.1.wait(is_free).unwrap();
        }
    }

    fn let_go(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// `sick` hangs on P as long as the hook does; `well` takes everything.
fn feed(data: &TempDir, [sick, well]: [&Partner; 2], hook: Option<&Hook>) -> Builder {
    let hook = hook.cloned();
    Engine::builder(data.path())
        .workers(2)
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["sick", "well"])
        .handler("sick", move |message| {
            if let (Some(b"P"), Some(hook)) = (message.get("MSH-10"), &hook) {
                hook.hang();
            }
            [Send::unchanged("OB_SICK")]
        })
        .handler("well", |_| [Send::unchanged("OB_WELL")])
        .outbound("OB_SICK", &sick.address.ip().to_string(), sick.address.port())
        .outbound("OB_WELL", &well.address.ip().to_string(), well.address.port())
}

const NAMES: [&str; 5] = ["M1", "P", "M2", "M3", "M4"];

fn send(engine: &Engine, names: &[&str]) {
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for name in names {
        assert_eq!(sender.send(&message(name)), Some(format!("AA {name}")));
    }
}

fn arrive(partner: &Partner, names: &[&str]) {
    for name in names {
        assert_eq!(control_id(&partner.next()), *name);
    }
}

/// Intake and the other handler go on; in its own lane the message keeps its place.
#[test]
fn a_handler_that_does_not_return_delays_nothing_else() {
    let (data, sick, well) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let hook = Hook::default();
    let engine = feed(&data, [&sick, &well], Some(&hook)).start().unwrap();
    send(&engine, &NAMES[..1]);
    arrive(&sick, &NAMES[..1]);
    send(&engine, &NAMES[1..]);
    arrive(&well, &NAMES);
    assert!(sick.nothing_came());
    hook.let_go();
    arrive(&sick, &NAMES[1..]);
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

/// The message is not blamed for a stop or for an end of the engine.
#[test]
fn a_handler_that_never_returns_does_not_keep_the_engine_from_its_end() {
    let (data, sick, well) =
        (TempDir::new().unwrap(), Partner::start(accept), Partner::start(accept));
    let hook = Hook::default();
    let engine = feed(&data, [&sick, &well], Some(&hook)).start().unwrap();
    send(&engine, &NAMES[..1]);
    arrive(&sick, &NAMES[..1]);
    wait_until_idle(&engine);
    send(&engine, &NAMES[1..]);
    arrive(&well, &NAMES);
    wait_for(&engine, "all else is done", |it| it.outbound("OB_WELL").unwrap().depth == 0);
    let stopped = engine.stop(Duration::from_millis(200));
    assert!(matches!(stopped, Err(Error::Unfinished)), "{stopped:?}");
    // A program in which the handler is mended goes on, while the thread of the first still hangs.
    let engine = feed(&data, [&sick, &well], None).start().unwrap();
    arrive(&sick, &NAMES[1..]);
    wait_until_idle(&engine);
    for id in 1..=5 {
        assert_eq!(disposition(&engine, id), "PROCESSED");
    }
    assert!(well.nothing_came());
    engine.stop(DEADLINE).unwrap();
    hook.let_go();
}

#[test]
fn a_handler_that_panics_ends_its_message_and_no_other() {
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let panics = Arc::new(AtomicBool::new(true));
    let poisoned = Arc::clone(&panics);
    let engine = Engine::builder(data.path())
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", move |message| {
            if message.get("MSH-10") == Some(b"P") && poisoned.load(Ordering::Relaxed) {
                std::panic::resume_unwind(Box::new(()));
            }
            [Send::unchanged("OB")]
        })
        .outbound("OB", &partner.address.ip().to_string(), partner.address.port())
        .start()
        .unwrap();
    send(&engine, &NAMES);
    arrive(&partner, &["M1", "M2", "M3", "M4"]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 2), "ERROR");
    // The handler is mended. The same once more is not a duplicate of one that has failed.
    panics.store(false, Ordering::Relaxed);
    send(&engine, &["P"]);
    arrive(&partner, &["P"]);
    wait_until_idle(&engine);
    assert_eq!(disposition(&engine, 6), "PROCESSED");
    engine.stop(DEADLINE).unwrap();
}
