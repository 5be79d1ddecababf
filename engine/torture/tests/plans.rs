//! The program as it is called: short runs are clean, and what is changed in a ledger is found.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

fn torture(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fastmllp-torture")).args(arguments).output().unwrap()
}

fn verify(folder: &Path) -> (Option<i32>, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    let (data, acks, sinks) = (path("data"), path("acks.jsonl"), path("sinks.jsonl"));
    let output = torture(&["verify", "--data", &data, "--acks", &acks, "--sinks", &sinks]);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn append(ledger: &Path, line: &str) {
    writeln!(fs::File::options().append(true).open(ledger).unwrap(), "{line}").unwrap();
}

#[test]
fn wrong_usage_is_told() {
    let plan = ["--plan", "earthquake", "--seconds", "1"];
    for wrong in [&[][..], &["--seconds"], &["--seconds", "soon"], &["verify"], &plan] {
        assert_eq!(torture(wrong).status.code(), Some(2), "{wrong:?}");
    }
    #[cfg(not(feature = "sabotage"))]
    assert_eq!(torture(&["--sabotage", "no-sync", "--seconds", "1"]).status.code(), Some(2));
}

#[test]
fn a_power_cut_loses_nothing() {
    let output = torture(&["--plan", "power-cut", "--seconds", "2", "--seed", "7"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_disk_without_room_loses_nothing() {
    let output = torture(&["--plan", "disk-full", "--seconds", "4", "--seed", "7"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn an_engine_that_is_killed_loses_nothing_and_ledgers_that_disagree_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().display().to_string();
    let output = torture(&["--plan", "kill", "--seconds", "3", "--seed", "7", "--keep", &keep]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");

    let folder = folder.path().join("kill");
    assert_eq!(verify(&folder).0, Some(0));
    let sinks = folder.join("sinks.jsonl");
    let arrivals = fs::read_to_string(&sinks).unwrap();
    let with = |what: &str| {
        let mut lines = arrivals.lines();
        lines.find(|line| line.contains(what)).expect("such an arrival").to_owned()
    };
    let taken = with(r#""answer":"AA""#);

    append(&folder.join("acks.jsonl"), r#"{"control_id":"T1N999999","inbound":"IN_B","at":1}"#);
    let (status, said) = verify(&folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("T1N999999: answered AA by IN_B, and not stored"), "{said}");
    let acks = fs::read_to_string(folder.join("acks.jsonl")).unwrap();
    let once = |line: &&str| acks.matches(line.split(',').next().unwrap()).count() == 1;
    let refused = acks.lines().find(once).unwrap().replace(r#""answer":"AA""#, r#""answer":"AE""#);
    fs::write(folder.join("acks.jsonl"), refused).unwrap();
    let (status, said) = verify(&folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("stored 1 times, 0 times acknowledged, 0 not answered"), "{said}");
    fs::write(folder.join("acks.jsonl"), "").unwrap();

    append(&sinks, &taken);
    let (status, said) = verify(&folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("received it 2 times"), "{said}");
    assert!(said.contains("sent again after"), "{said}");

    fs::write(&sinks, arrivals.replacen(&format!("{taken}\n"), "", 1)).unwrap();
    let (status, said) = verify(&folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("took it 0 times"), "{said}");

    append(&sinks, "no line of a ledger");
    assert_eq!(verify(&folder).0, Some(1));
}
