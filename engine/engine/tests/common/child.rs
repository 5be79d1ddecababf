//! A program for workers that behaves as the control ID of each message tells it. It is the test program
//! itself, started again.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio, exit};
use std::sync::Mutex;
use std::time::Duration;

use mllp_engine::worker::{Answer, Call, Child, Function, Sent};
use mllp_engine::{Failure, Program};
use rustix::process::{Signal, getpid, kill_process};

/// The program, with what `FASTMLLP_TEST_*` variables tell it.
pub fn program(variables: &[(&str, &str)]) -> Program {
    let program = Program::new(std::env::current_exe().unwrap());
    let program = program.arg("--exact").arg("worker").arg("--ignored").arg("--nocapture");
    variables.iter().fold(program, |program, (name, value)| {
        program.env(format!("FASTMLLP_TEST_{name}"), *value)
    })
}

fn variable(name: &str) -> String {
    std::env::var(format!("FASTMLLP_TEST_{name}")).unwrap_or_default()
}

/// Works until it is told to end.
pub fn work() {
    if variable("START") == "exit" {
        exit(7);
    }
    if variable("START") == "fork" {
        // With both descriptors, and in a group of its own, so that it outlives the worker.
        start_another(|it| it.process_group(0));
    }
    let mut child = Child::take().expect("started by an engine");
    match variable("START").as_str() {
        "refuse" => return child.refuse("adt.py:3: SyntaxError").unwrap(),
        "lack" => child.hello(&["r"], &["another"]).unwrap(),
        "shout" => {
            print!("no frame");
            child.hello(&["r"], &["h", "g"]).unwrap();
        }
        _ => child.hello(&["r"], &["h", "g"]).unwrap(),
    }
    while let Some(call) = child.next_call().unwrap() {
        match call.function() {
            Function::Router(_) => child.answer(&Answer::Handlers(vec!["h", "g"])).unwrap(),
            Function::Handler(1) => send(&mut child, "OB_G", None),
            Function::Handler(_) => handle(&mut child, &call),
        }
    }
    exit(0);
}

fn send(child: &mut Child, to: &str, bytes: Option<&[u8]>) {
    child.answer(&Answer::Sends(vec![Sent { to, bytes }])).unwrap();
}

/// Whether that which a message does once was done before.
fn happened(control_id: &str) -> bool {
    let path = Path::new(&variable("DIRECTORY")).join(control_id);
    std::fs::File::create_new(path).is_err()
}

fn die() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    unreachable!()
}

fn handle(child: &mut Child, call: &Call) {
    let control_id = super::control_id(call.beginning());
    let kind = control_id.split('-').next().unwrap_or_default();
    match kind {
        "RAISE" => {
            let (note, trace) = ("ValueError at adt.py:14 in to_lab", "Traceback\nValueError");
            let failure = Failure::Content;
            return child.answer(&Answer::Failed { failure, note, trace }).unwrap();
        }
        "OURS" if !happened(&control_id) => {
            let (note, trace, failure) = ("lookup", "", Failure::Infrastructure);
            return child.answer(&Answer::Failed { failure, note, trace }).unwrap();
        }
        "HANG" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        "DIE" => die(),
        "DIEHANG" if !happened(&control_id) => die(),
        "DIEHANG" => {
            while !Path::new(&variable("DIRECTORY")).join("go on").exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        "DIEONCE" if !happened(&control_id) => die(),
        "EXIT" => exit(0),
        "FORK" => start_another(|it| it.stdin(Stdio::null()).stdout(Stdio::null())),
        "PRINT" => {
            // What is printed does not reach the mark.
            let printed = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
            assert!(!std::fs::File::from(printed).metadata().unwrap().is_file());
            println!("{control_id}");
            std::io::stdout().write_all(&[0; 100_000]).unwrap();
            assert_eq!(std::io::stdin().read_line(&mut String::new()).unwrap(), 0);
        }
        "LEAK" => LEAKED.lock().unwrap().push(vec![1; 200 << 20]),
        "NONSENSE" if !happened(&control_id) => {
            return child.answer(&Answer::Handlers(vec!["h"])).unwrap();
        }
        "WHOLE" => {
            let whole = call.payload().unwrap();
            assert_eq!(whole.len() as u64, call.len());
            return send(child, "OB_H", Some(&[whole, b"ZZZ|end\r"].concat()));
        }
        "TELL" => {
            let told = format!("{}|{}|{}", call.inbound(), call.number(), variable("VERSION"));
            assert!(call.received() > 0);
            let bytes = [call.beginning(), b"ZZZ|", told.as_bytes(), b"\r"].concat();
            return send(child, "OB_H", Some(&bytes));
        }
        _ => {}
    }
    send(child, "OB_H", None);
}

static LEAKED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Starts a program that goes on when its function has returned, and leaves its number.
#[expect(clippy::zombie_processes, reason = "it is to outlive the function")]
fn start_another(group: impl FnOnce(&mut Command) -> &mut Command) {
    let mut command = Command::new("sleep");
    let another = group(command.arg("600")).spawn().unwrap();
    let path = Path::new(&variable("DIRECTORY")).join(another.id().to_string());
    std::fs::write(path, "").unwrap();
}

/// The numbers of the programs that functions have started.
pub fn others(directory: &Path) -> Vec<i32> {
    let names = std::fs::read_dir(directory).unwrap().map(|it| it.unwrap().file_name());
    names.filter_map(|it| it.to_str()?.parse().ok()).collect()
}
