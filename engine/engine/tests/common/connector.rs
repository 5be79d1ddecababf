//! Programs for connectors that behave as a test tells them. It is the test program itself, started
//! again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::exit;
use std::time::Duration;

use mllp_engine::Program;
use mllp_engine::connector::{Child, ConnectorProgram, Delivery, Outcome, Submitted};
use rustix::process::{Signal, getpid, kill_process};

/// A part of what is large.
pub const PART: usize = 250_001;

/// The program, with what `FASTMLLP_TEST_*` variables tell it.
pub fn program(variables: &[(&str, &str)]) -> ConnectorProgram {
    let program = Program::new(std::env::current_exe().unwrap());
    let program = program.arg("--exact").arg("connector").arg("--ignored").arg("--nocapture");
    let program = variables.iter().fold(program, |program, (name, value)| {
        program.env(format!("FASTMLLP_TEST_{name}"), *value)
    });
    ConnectorProgram::new(program)
}

fn variable(name: &str) -> String {
    std::env::var(format!("FASTMLLP_TEST_{name}")).unwrap_or_default()
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(variable("DIRECTORY")).join(name)
}

/// Writes a line for the test to read.
fn log(name: &str, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(file(name)).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Whether this is the first time in all processes.
fn first(what: &str) -> bool {
    OpenOptions::new().create_new(true).write(true).open(file(what)).is_ok()
}

fn die() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    exit(1)
}

/// Works until it is told to end.
pub fn work() {
    let child = Child::take().unwrap();
    log("started", child.connection());
    if !variable("REFUSES").is_empty() {
        child.refuse("there is no folder").unwrap();
        return;
    }
    child.hello().unwrap();
    match child.is_inbound() {
        true => feed(&child),
        false => deliver(&child),
    }
    log("ended", child.connection());
}

/// The payload of a message with this name: `LARGE` names one of so many bytes.
pub fn payload(name: &str) -> Vec<u8> {
    let mut payload = super::message(name);
    if let Some(len) = name.strip_prefix("LARGE") {
        payload.extend_from_slice(b"OBX|1|ED|");
        payload.resize(len.parse().unwrap(), b'x');
    }
    match name {
        "NOHEADER" => b"ISA*00*1".to_vec(),
        _ => payload,
    }
}

/// Submits the messages that it is told the names of.
fn feed(child: &Child) {
    for name in variable("NAMES").split(',').filter(|it| !it.is_empty()) {
        if name.starts_with("SILENT") && first(name) {
            let mut submission = child.submission().unwrap();
            submission.part(b"MSH|").unwrap();
            std::thread::park();
        }
        // What is not stored is submitted again, until this process is to end.
        loop {
            match submit(child, name) {
                Submitted::NotStored | Submitted::Unknown if child.is_ending() => return,
                Submitted::NotStored | Submitted::Unknown => {}
                submitted => {
                    log("submitted", &format!("{name} {}", words(submitted)));
                    break;
                }
            }
        }
    }
    while !variable("STAYS").is_empty() {
        std::thread::park();
    }
    while child.wait(Duration::from_secs(3600)) {}
}

fn words(submitted: Submitted) -> String {
    match submitted {
        Submitted::Stored(it) => match it.duplicate_of {
            Some(first) => format!("duplicate {} of {first}", it.message),
            None => format!("stored {}", it.message),
        },
        Submitted::NotDelivered(it) => format!("not delivered {}", it.message),
        Submitted::Refused(it) => format!("refused {}", it.message),
        Submitted::NotStored => "not stored".to_owned(),
        Submitted::Unknown => "unknown".to_owned(),
    }
}

fn submit(child: &Child, name: &str) -> Submitted {
    let payload = payload(name);
    let mut submission = child.submission().unwrap();
    let middle = payload.len() / 2;
    submission.part(&payload[..middle]).unwrap();
    if name.contains("MIDWAY") && first(name) {
        die();
    }
    submission.part(&payload[middle..]).unwrap();
    if name.contains("UNHEARD") && first(name) {
        // Killed between the end of the message and its answer, whichever the engine is at.
        std::thread::scope(|scope| {
            scope.spawn(|| drop(submission.end()));
            until_written(child);
            die();
        });
        unreachable!();
    }
    let submitted = submission.end().unwrap();
    if name.contains("ANSWERED") && first(name) {
        die();
    }
    submitted
}

/// Returns some time after another thread has begun to write.
fn until_written(child: &Child) {
    for _ in 0..100 {
        std::thread::yield_now();
    }
    let _ = child.is_ending();
}

/// Delivers as the control ID of each message tells it.
fn deliver(child: &Child) {
    if !variable("UNREADY").is_empty() && first("unready") {
        child.not_ready("the share is not mounted").unwrap();
        super::until("it may begin", || file("mounted").exists());
    }
    child.ready().unwrap();
    while let Some(mut delivery) = child.next_delivery().unwrap() {
        let name = String::from_utf8_lossy(delivery.control_id()).into_owned();
        match carry_out(&mut delivery, &name) {
            Some((outcome, note)) => delivery.answer(outcome, note).unwrap(),
            None => drop(delivery),
        }
        if name.contains("THENDIES") && first(&name) {
            die();
        }
    }
}

/// `None`: it says nothing.
fn carry_out(delivery: &mut Delivery, name: &str) -> Option<(Outcome, &'static str)> {
    let is_first = !name.contains("TWICE") && first(&format!("{name}.tried"));
    log("attempts", &format!("{name} {}", delivery.attempt()));
    match name {
        _ if name.contains("UNSENT") && is_first => die(),
        _ if name.contains("HANGS") && is_first => std::thread::park(),
        _ if name.contains("SILENT") && is_first => return None,
        _ if name.contains("REFUSED") => return Some((Outcome::RefusedForGood, "AR no such ward")),
        _ if name.contains("WAITS") => super::until("it may go on", || file("go_on").exists()),
        _ => {}
    }
    let mut len = 0;
    while let part @ 1.. = delivery.read(PART).unwrap().len() {
        len += part;
    }
    assert_eq!(len as u64, delivery.len());
    if len < 1 << 20 {
        let name = if name.is_empty() { "NOHEADER" } else { name };
        assert_eq!(delivery.payload().unwrap(), payload(name));
    }
    log("delivered", &format!("{name} {len}"));
    if name.contains("UNTOLD") && is_first {
        die();
    }
    Some((Outcome::Delivered, "written"))
}

/// What a test sees of it.
pub struct Seen(pub tempfile::TempDir);

impl Seen {
    pub fn new() -> Seen {
        Seen(tempfile::TempDir::new().unwrap())
    }

    pub fn program(&self, variables: &[(&str, &str)]) -> ConnectorProgram {
        let directory = ("DIRECTORY", self.0.path().to_str().unwrap());
        program(&[&[directory], variables].concat())
    }

    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub fn set(&self, name: &str) {
        fs::write(self.0.path().join(name), "").unwrap();
    }

    /// Waits until so many lines are there.
    pub fn wait(&self, name: &str, count: usize) -> Vec<String> {
        super::until(&format!("{count} {name}"), || self.lines(name).len() >= count);
        self.lines(name)
    }
}
