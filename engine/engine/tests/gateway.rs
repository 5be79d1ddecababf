//! The example `gateway` as a process on a bad day: one line, an exit status of its own kind, and
//! nothing touched. `Engine::start` says the same to a program.

mod common;

use std::fs;
use std::path::Path;

use common::gateway::{Broken, Gateway, Tmpfs, contents, run};
use common::{Partner, Peer, accept, control_id, message, msa};
use mllp_engine::{Engine, Send};
use mllp_store::SqliteStore;
use tempfile::TempDir;

/// Both the process and the engine refuse the directory with this line, and nothing is touched.
fn is_refused(data: &Path, status: u8, line: &str) {
    let before = contents(data);
    let ended = run(&[&data.display().to_string(), "127.0.0.1:0", "127.0.0.1:1", "127.0.0.1:1"]);
    assert_eq!(ended.stderr, format!("gateway: {line}\n"));
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(status.into()), ""));
    assert_eq!(contents(data), before, "by the process");
    let refused = Engine::builder(data)
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |_| ["h"])
        .handler("h", |_| -> Option<Send> { None })
        .start();
    let Err(error) = refused else { panic!("not refused") };
    assert_eq!((error.to_string().as_str(), error.exit_status()), (line, status));
    assert_eq!(contents(data), before, "by the engine");
}

/// A store with one message in it.
fn fill(data: &Path) {
    let gateway = Gateway::start(data, None, None);
    assert_eq!(gateway.connect().send(&message("M0")).as_deref(), Some("AA M0"));
    assert_eq!(gateway.stop().status, Some(0));
}

#[test]
fn wrong_usage() {
    for wrong in [&[][..], &["data"], &["data", "127.0.0.1:0", "nowhere", "127.0.0.1:1"]] {
        let ended = run(wrong);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{wrong:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[test]
fn a_store_that_another_engine_has_open() {
    let data = TempDir::new().unwrap();
    let _open = SqliteStore::open(data.path()).unwrap();
    is_refused(data.path(), 4, "the store is in use by another engine");
}

#[test]
fn a_store_that_is_newer_than_the_program() {
    let data = TempDir::new().unwrap();
    fill(data.path());
    let path = data.path().join("store.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    let line = "the store has format 99, which is newer than this program";
    is_refused(data.path(), 4, line);
    // A copy comes without the file of the lock.
    fs::remove_file(data.path().join("lock")).unwrap();
    is_refused(data.path(), 4, line);
}

#[test]
fn a_file_of_somebody_else() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("store.db"), b"a list of telephone numbers").unwrap();
    is_refused(data.path(), 4, "the file is not a store of this engine");
}

#[test]
fn a_directory_that_is_a_file() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    fs::write(&data, b"").unwrap();
    let line = format!("the store cannot be used: {} is not a directory", data.display());
    is_refused(&data, 4, &line);
    let below = data.join("below");
    let line = format!("the store cannot be used: {}: not a directory", below.display());
    is_refused(&below, 4, &line);
}

#[test]
fn a_directory_that_is_read_only() {
    let Some(disk) = Tmpfs::mount("2m") else { return };
    let (old, new) = (disk.path().join("old"), disk.path().join("new"));
    fill(&old);
    fs::create_dir(&new).unwrap();
    disk.read_only();
    for data in [old, new] {
        let file = data.join("lock");
        let line = format!(
            "the store cannot be used: {}: read-only filesystem or storage medium",
            file.display()
        );
        is_refused(&data, 4, &line);
    }
}

#[test]
fn a_disk_that_is_full_at_the_start() {
    let Some(disk) = Tmpfs::mount("4m") else { return };
    let [stopped, killed, empty] = ["stopped", "killed", "empty"].map(|it| disk.path().join(it));
    fill(&stopped);
    let gateway = Gateway::start(&killed, None, None);
    assert_eq!(gateway.connect().send(&message("M0")).as_deref(), Some("AA M0"));
    gateway.kill();
    fs::create_dir(&empty).unwrap();
    let filling = disk.fill();
    for data in [&stopped, &killed, &empty, &disk.path().join("not-there")] {
        is_refused(data, 4, "the disk of the store is full");
    }
    fs::remove_file(filling).unwrap();
    for data in [stopped, killed] {
        let mut gateway = Gateway::start(&data, None, None);
        assert!(gateway.journey(1).contains("control ID M0"), "it is as it was");
        assert_eq!(gateway.stop().status, Some(0));
    }
}

/// As where a quota is used up: the file system says that there is room.
#[test]
fn a_write_that_finds_no_room_at_the_start() {
    let Some(broken) = Broken::new() else { return };
    let home = TempDir::new().unwrap();
    let [old, new] = ["old", "new"].map(|it| home.path().join(it));
    fill(&old);
    for data in [&old, &new] {
        for how in ["full", "quota"] {
            // An empty log beside a database that was there says nothing, nor does the log's index.
            let says_nothing = |path: &Path, bytes: &[u8]| {
                path.ends_with("store.db-shm") || path.ends_with("store.db-wal") && bytes.is_empty()
            };
            let files = || {
                let all = contents(data).into_iter().map(|(path, (_, bytes))| (path, bytes));
                all.filter(|(path, bytes)| !says_nothing(path, bytes)).collect::<Vec<_>>()
            };
            let before = files();
            broken.set(how);
            let ended = Gateway::start_in_vain(data, &broken);
            assert_eq!(ended.stderr, "gateway: the disk of the store is full\n", "{how}");
            assert_eq!(ended.status, Some(4));
            assert!(files() == before, "{how}: {} is not as it was", data.display());
        }
    }
    let mut gateway = Gateway::start(&old, None, None);
    assert!(gateway.journey(1).contains("control ID M0"), "it is as it was");
    assert_eq!(gateway.stop().status, Some(0));
}

#[test]
fn a_disk_that_is_full_for_a_while() {
    let Some(disk) = Tmpfs::mount("8m") else { return };
    let partner = Partner::start(accept);
    let data = disk.path().join("data");
    let gateway = Gateway::start(&data, Some(partner.address), None);
    let mut sender = gateway.connect();
    assert_eq!(sender.send(&message("M0")).as_deref(), Some("AA M0"));
    assert_eq!(control_id(&partner.next()), "M0");
    let filling = disk.fill();
    // What is there already is used up first.
    let mut accepted = Vec::new();
    let mut n = 0;
    loop {
        n += 1;
        let mut long = message(&format!("M{n}"));
        long.resize(30_000, b'x');
        match sender.send(&long).as_deref() {
            Some(answer) if answer.starts_with("AA ") => accepted.push(format!("M{n}")),
            Some(answer) => break assert_eq!(answer, format!("AE M{n}")),
            None => panic!("no answer"),
        }
    }
    fs::remove_file(filling).unwrap();
    common::until("it comes back", || sender.send(&message("L")).as_deref() == Some("AA L"));
    accepted.push("L".to_owned());
    for name in accepted {
        assert_eq!(control_id(&partner.next()), name);
    }
    assert_eq!(gateway.stop().status, Some(0));
}

/// A stop leaves the file and the lock alone, however many read it.
#[test]
fn a_stop_leaves_no_log() {
    for _ in 0..10 {
        let data = TempDir::new().unwrap();
        let mut gateway = Gateway::start(data.path(), None, None);
        assert_eq!(gateway.connect().send(&message("M1")).as_deref(), Some("AA M1"));
        assert!(gateway.journey(1).contains("control ID M1"));
        assert_eq!(gateway.stop().status, Some(0));
        let left: Vec<_> = contents(data.path()).into_keys().skip(1).collect();
        assert_eq!(left, [data.path().join("lock"), data.path().join("store.db")]);
    }
}

/// A quota knows of no free blocks; what it refuses is refused as by a full disk.
#[test]
fn a_quota_that_is_used_up_for_a_while() {
    let Some(broken) = Broken::new() else { return };
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let gateway = Gateway::start(data.path(), Some(partner.address), Some(&broken));
    let mut sender = gateway.connect();
    assert_eq!(sender.send(&message("M0")).as_deref(), Some("AA M0"));
    assert_eq!(control_id(&partner.next()), "M0");
    broken.set("quota");
    assert_eq!(sender.send(&message("M1")).as_deref(), Some("AE M1"));
    broken.set("");
    common::until("it comes back", || sender.send(&message("M2")).as_deref() == Some("AA M2"));
    assert_eq!(control_id(&partner.next()), "M2");
    assert_eq!(gateway.stop().status, Some(0));
}

#[test]
fn a_sync_that_fails_at_the_start() {
    let Some(broken) = Broken::new() else { return };
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    broken.set("sync");
    let ended = Gateway::start_in_vain(&data, &broken);
    assert_eq!(ended.status, Some(5), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("gateway: a write to the store has failed"));
    assert!(!data.exists(), "nothing is left of it");
    broken.set("");
    fill(&data);
}

/// What was answered before is there at the next start; what was not answered may come again.
#[test]
fn a_sync_or_every_write_that_fails_while_it_runs() {
    let Some(broken) = Broken::new() else { return };
    for how in ["sync", "write"] {
        let data = TempDir::new().unwrap();
        let mut gateway = Gateway::start(data.path(), None, Some(&broken));
        let mut sender = gateway.connect();
        assert_eq!(sender.send(&message("M1")).as_deref(), Some("AA M1"));
        broken.set(how);
        assert_eq!(sender.send(&message("M2")), None, "closed, without an answer");
        // A sync that would work again is believed no more.
        broken.set("");
        let ended = gateway.ended();
        assert_eq!(ended.status, Some(5), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.starts_with("gateway: a write to the store has failed"));
        let mut gateway = Gateway::start(data.path(), None, None);
        assert!(gateway.journey(1).contains("control ID M1"));
        assert_eq!(gateway.connect().send(&message("M2")).as_deref(), Some("AA M2"));
        assert_eq!(gateway.stop().status, Some(0));
    }
}

#[test]
fn a_store_that_hangs_and_comes_back() {
    let Some(broken) = Broken::new() else { return };
    let (data, partner) = (TempDir::new().unwrap(), Partner::start(accept));
    let gateway = Gateway::start(data.path(), Some(partner.address), Some(&broken));
    broken.set("hang");
    let mut senders: Vec<_> = (0..20).map(|_| gateway.connect()).collect();
    for (n, sender) in senders.iter_mut().enumerate() {
        sender.write(&message(&format!("M{n}")));
    }
    assert!(partner.nothing_came());
    broken.set("");
    for (n, sender) in senders.iter_mut().enumerate() {
        assert_eq!(msa(&sender.frame().unwrap()), format!("AA M{n}"));
    }
    (0..20).for_each(|_| drop(partner.next()));
    assert_eq!(gateway.stop().status, Some(0));
}

/// 1,000 further connections are accepted, read and closed; the stop keeps its deadline.
#[test]
fn a_store_that_never_commits() {
    let Some(broken) = Broken::new() else { return };
    let data = TempDir::new().unwrap();
    let gateway = Gateway::start(data.path(), None, Some(&broken));
    broken.set("hang");
    let mut first = gateway.connect();
    first.write(&message("M"));
    for n in 0..1000 {
        let mut peer: Peer = gateway.connect();
        peer.write(&message(&format!("N{n}")));
        peer.hang_up();
    }
    let ended = gateway.stop();
    let said = "gateway: stopped before everything in progress was done\n";
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(1), said));
    assert_eq!(first.frame(), None, "closed, without an answer");
}
