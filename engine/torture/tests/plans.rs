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
    answers_that_the_store_contradicts(&folder);
    arrivals_that_the_store_contradicts(&sinks, &folder, &arrivals);
    append(&sinks, "no line of a ledger");
    assert_eq!(verify(&folder).0, Some(1));
}

/// What the senders say they were told; their ledger is empty afterwards.
fn answers_that_the_store_contradicts(folder: &Path) {
    append(&folder.join("acks.jsonl"), r#"{"control_id":"T1N999999","inbound":"IN_B","at":1}"#);
    let (status, said) = verify(folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("T1N999999: answered AA by IN_B, and not stored"), "{said}");
    let stored =
        r#"{"control_id":"T2N999999","inbound":"IN_VERDICT","at":1,"answer":"undelivered"}"#;
    append(&folder.join("acks.jsonl"), stored);
    let (_, said) = verify(folder);
    assert!(
        said.contains("T2N999999: answered undelivered by IN_VERDICT, and not stored"),
        "{said}"
    );
    let acks = fs::read_to_string(folder.join("acks.jsonl")).unwrap();
    // A handler fails on it.
    let failed = |line: &&str| line.contains(r#""T2N1""#) && line.contains("undelivered");
    let good = acks.lines().find(failed).unwrap().replace("undelivered", "AA");
    fs::write(folder.join("acks.jsonl"), good).unwrap();
    let (_, said) = verify(folder);
    assert!(said.contains("T2N1: acknowledged after delivery, and is ERROR"), "{said}");
    let once = |line: &&str| acks.matches(line.split(',').next().unwrap()).count() == 1;
    let refused = acks.lines().find(once).unwrap().replace(r#""answer":"AA""#, r#""answer":"AE""#);
    fs::write(folder.join("acks.jsonl"), refused).unwrap();
    let (status, said) = verify(folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("stored 1 times, 0 times acknowledged, 0 not answered"), "{said}");
    fs::write(folder.join("acks.jsonl"), "").unwrap();
}

/// What the partners say they received, one lie at a time.
fn arrivals_that_the_store_contradicts(sinks: &Path, folder: &Path, arrivals: &str) {
    let is_taken = |line: &&str| line.contains(r#""answer":"AA""#);
    let taken = arrivals.lines().find(is_taken).expect("such an arrival").to_owned();

    append(sinks, &taken);
    let (status, said) = verify(folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("received it 2 times"), "{said}");
    assert!(said.contains("sent again after"), "{said}");

    fs::write(sinks, arrivals.replacen(&format!("{taken}\n"), "", 1)).unwrap();
    let (status, said) = verify(folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("took it 0 times"), "{said}");

    // Two of one key, the wrong way round.
    let of_key: Vec<_> = arrivals.lines().filter(|it| it.contains("OUT_MANY")).collect();
    let (early, late) = two_of_a_key(&of_key).expect("two arrivals of one key");
    let swapped = arrivals.replacen(early, "early", 1).replacen(late, early, 1);
    fs::write(sinks, swapped.replacen("early", late, 1)).unwrap();
    let (status, said) = verify(folder);
    assert_eq!(status, Some(1));
    assert!(said.contains("left for OUT_MANY before"), "{said}");

    let other = taken.replace(r#""own""#, r#""elsewhere""#);
    fs::write(sinks, arrivals.replacen(&taken, &other, 1)).unwrap();
    assert!(verify(folder).1.contains("with other bytes"));
}

/// The first two arrivals about the same thing, each of a message that has arrived once.
fn two_of_a_key<'a>(lines: &[&'a str]) -> Option<(&'a str, &'a str)> {
    let number = |line: &str| -> Option<u32> {
        line.split_once('N')?.1.split_once("N")?.1.split_once('"')?.0.parse().ok()
    };
    let id = |line: &str| line.split(',').nth(2).map(str::to_owned);
    let once = |line: &&&str| lines.iter().filter(|it| id(it) == id(line)).count() == 1;
    let taken = |line: &&&str| line.contains(r#""answer":"AA""#);
    let good: Vec<_> = lines.iter().filter(once).filter(taken).copied().collect();
    let key = |line| number(line).filter(|it| it % 64 != 13).map(|it| it % 9);
    let pairs = good
        .iter()
        .enumerate()
        .flat_map(|(at, early)| good[at + 1..].iter().map(move |late| (*early, *late)));
    let mut pairs = pairs.filter(|(early, late)| key(early).is_some() && key(early) == key(late));
    pairs.next()
}
