//! A store of every version that was released is opened, brought to this one, and proven whole; a newer one is
//! refused as it is; and the way back is a backup that was made before.

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use common::{DEADLINE, Partner, Peer, accept, disposition, message, wait_for};
use mllp_engine::{Builder, By, Engine, MessageId, Note, Send, verify};
use tempfile::TempDir;

/// One message in each state that a store can have: LAB takes them or refuses them for good, AWAY is not there.
const MESSAGES: [(&str, &str); 9] = [
    ("SENT", "PROCESSED"),
    ("UNROUTED", "UNROUTED"),
    ("FILTERED", "FILTERED"),
    ("FAILED", "ERROR"),
    ("CHANGED", "PROCESSED"),
    ("DEAD", "ERROR"),
    ("LARGE", "PROCESSED"),
    ("HELD", "ROUTED"),
    ("OPEN", "ROUTED"),
];

fn feed(data: &Path, lab: SocketAddr) -> Builder {
    let handler = |message: &mllp_engine::Message<'_>| match message.get("MSH-10") {
        Some(b"FILTERED") => vec![],
        Some(b"FAILED") => panic!("as it is wanted"),
        Some(b"CHANGED") => {
            let changed = [message.payload(), b"ZZZ|a handler was here\r"].concat();
            vec![Send::bytes("LAB", changed)]
        }
        Some(b"OPEN" | b"HELD") => vec![Send::unchanged("LAB"), Send::unchanged("AWAY")],
        _ => vec![Send::unchanged("LAB")],
    };
    Engine::builder(data)
        .inbound("IB", "127.0.0.1:0", "r")
        .router("r", |message| message.get("MSH-10").filter(|it| *it != b"UNROUTED").map(|_| "h"))
        .handler("h", handler)
        .outbound("LAB", &lab.ip().to_string(), lab.port())
        .outbound("AWAY", "127.0.0.1", 1)
}

fn lab() -> Partner {
    Partner::start(|id| if id == "DEAD" { "AR unknown patient" } else { accept(id) })
}

/// Writes `store.db` of this version to the folder that `STORE_OF_THIS_VERSION` names. It is committed beside the
/// others once the version is released.
#[test]
#[ignore = "writes a file that is committed once for each version"]
fn write_a_store_of_this_version() {
    let data = PathBuf::from(std::env::var_os("STORE_OF_THIS_VERSION").unwrap());
    let lab = lab();
    let engine = feed(&data, lab.address).start().unwrap();
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for ((name, expected), number) in MESSAGES.into_iter().zip(1..) {
        let mut payload = message(name);
        if name == "LARGE" {
            payload.extend_from_slice(&[&b"OBX|1|TX|"[..], &[b'x'; 70_000], b"\r"].concat());
        }
        assert_eq!(sender.send(&payload), Some(format!("AA {name}")));
        wait_for(&engine, name, |_| disposition(&engine, number) == expected);
        if name == "HELD" {
            wait_for(&engine, "AWAY", |it| it.outbound("AWAY").unwrap().depth == 1);
            engine
                .hold_head("AWAY", &By { who: Note("admin".into()), reason: Note::default() })
                .unwrap();
        }
    }
    wait_for(&engine, "LAB", |it| it.outbound("LAB").unwrap().depth == 0);
    engine.stop(DEADLINE).unwrap();
}

fn file_of(version: u32) -> PathBuf {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("store");
    store.join(format!("tests/data/version-{version}.db"))
}

fn version_of(path: &Path) -> u32 {
    let header = fs::read(path).unwrap();
    u32::from_be_bytes(header[60..64].try_into().unwrap())
}

/// The data directory of an engine that had this version.
fn data_of(version: u32) -> TempDir {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join("data")).unwrap();
    fs::copy(file_of(version), home.path().join("data/store.db")).unwrap();
    home
}

#[test]
fn an_engine_goes_on_with_a_store_of_every_version() {
    let last = (1..).take_while(|it| file_of(*it).exists()).last().unwrap();
    for version in 1..=last {
        let (home, lab) = (data_of(version), lab());
        let data = home.path().join("data");
        let store = data.join("store.db");
        assert_eq!(version_of(&store), version);
        let engine = feed(&data, lab.address).start().unwrap();
        if version > 1 {
            for ((_, expected), number) in MESSAGES.into_iter().zip(1..) {
                assert_eq!(disposition(&engine, number), expected, "{number} of version {version}");
            }
            let large = engine.payload(MessageId(7)).unwrap().unwrap();
            assert!(large.len() > 70_000 && large.starts_with(&message("LARGE")[..50]));
            let given_up = |all: Vec<mllp_engine::GivenUp>| {
                all.iter().map(|it| it.message.0).collect::<Vec<_>>()
            };
            assert_eq!(given_up(engine.dead(None, mllp_engine::Position::START, 9).unwrap()), [6]);
            assert_eq!(given_up(engine.held(None, mllp_engine::Position::START, 9).unwrap()), [8]);
            assert_eq!(engine.status().unwrap().outbound("AWAY").unwrap().depth, 1);
        }
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        assert_eq!(sender.send(&message("NEW")), Some("AA NEW".into()));
        assert!(lab.next().starts_with(&message("NEW")[..20]));
        engine.stop(DEADLINE).unwrap();
        // A store of this version is written down for the one that comes after it.
        assert_eq!(version_of(&store), last, "version {version}");
        let verified =
            verify(&data, &mut |finding| panic!("version {version}: {finding}")).unwrap();
        assert!(verified.received > MESSAGES.len() as u64);
    }
}

#[test]
fn a_newer_store_is_refused_as_it_is() {
    let home = data_of(2);
    let data = home.path().join("data");
    let store = data.join("store.db");
    let mut bytes = fs::read(&store).unwrap();
    bytes[60..64].copy_from_slice(&1_000u32.to_be_bytes());
    fs::write(&store, &bytes).unwrap();
    let refused = feed(&data, "127.0.0.1:1".parse().unwrap()).start().err().unwrap();
    assert_eq!(refused.exit_status(), 4);
    assert!(refused.to_string().contains("format 1000"), "{refused}");
    assert_eq!(fs::read(&store).unwrap(), bytes);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    // Nor is it copied: what is not understood cannot be shown to be whole.
    let copied = Engine::back_up_stopped(&data, &home.path().join("backup"), &mut |_| true);
    assert_eq!(copied.err().map(|it| it.exit_status()), Some(4));
}

#[test]
fn the_way_back_is_a_backup_that_was_made_before() {
    let (home, lab) = (data_of(2), lab());
    let (data, backup) = (home.path().join("data"), home.path().join("backup"));
    let before = fs::read(data.join("store.db")).unwrap();
    let made = Engine::back_up_stopped(&data, &backup, &mut |_| true).unwrap();
    let engine = feed(&data, lab.address).start().unwrap();
    engine.stop(DEADLINE).unwrap();
    assert!(version_of(&data.join("store.db")) > 2, "an older program refuses it now");
    // What was copied is still of the version that the older program takes.
    let store = made.at.join("store.db");
    assert_eq!(version_of(&store), 2);
    assert_eq!(fs::read(&store).unwrap().len(), before.len());
    let restored = home.path().join("restored");
    fs::create_dir(&restored).unwrap();
    fs::copy(store, restored.join("store.db")).unwrap();
    let engine = feed(&restored, lab.address).start().unwrap();
    assert_eq!(disposition(&engine, 9), "ROUTED");
    wait_for(&engine, "AWAY", |it| it.outbound("AWAY").unwrap().depth == 1);
    engine.stop(DEADLINE).unwrap();
}
