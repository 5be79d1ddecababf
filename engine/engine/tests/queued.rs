//! A long queue before a partner that is away: the engine starts, takes messages in and delivers, and
//! does not hold the queue in memory. `QUEUED=1000000` makes it a long one.

mod common;

use std::thread;
use std::time::Instant;

use common::gateway::Gateway;
use common::{Partner, Peer, accept, control_id, msa, typed};
use tempfile::TempDir;

/// The whole process, at any time.
const MEBIBYTES: u64 = 200;

fn name(n: usize) -> String {
    format!("Q{n}")
}

/// Sends as fast as it is answered.
fn fill(peer: Peer, count: usize) {
    let mut writing = peer.to_write();
    thread::scope(|scope| {
        scope.spawn(move || (0..count).for_each(|n| writing.write(&typed("ADT^A08", &name(n)))));
        let mut reading = peer;
        for n in 0..count {
            assert_eq!(msa(&reading.frame().unwrap()), format!("AA {}", name(n)));
        }
    });
}

#[test]
fn a_long_queue() {
    let count = std::env::var("QUEUED").map_or(5_000, |it| it.parse().unwrap());
    let data = TempDir::new().unwrap();
    let gateway = Gateway::start(data.path(), None, None);
    fill(gateway.connect(), count);
    gateway.kill();

    let partner = Partner::start(accept);
    let start = Instant::now();
    let mut gateway = Gateway::start(data.path(), Some(partner.address), None);
    let mut sender = gateway.connect();
    assert_eq!(sender.send(&typed("ADT^A08", "LAST")).as_deref(), Some("AA LAST"));
    println!("{count} queued: open and answered after {:?}", start.elapsed());
    for n in 0..count.min(1_000) {
        assert_eq!(control_id(&partner.next()), name(n));
    }
    let journey = gateway.journey(count as u64 + 1);
    assert!(journey.contains("control ID LAST"), "{journey}");
    if let Some(peak) = gateway.peak() {
        println!("{} MiB at most", peak >> 20);
        assert!(peak >> 20 < MEBIBYTES, "{} MiB", peak >> 20);
    }
    assert_eq!(gateway.stop().status, Some(0));
}
