//! Routers and handlers in processes of their own, and functions that behave badly there.

mod common;

use std::time::Duration;

use common::child::{others, program};
use common::{
    DEADLINE, Partner, Peer, accept, control_id, disposition, journey, message, until,
    wait_until_idle,
};
use mllp_engine::{Builder, Engine, Error, MessageId, Program, Reason, WorkerLimits};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// Not a test: what the workers run.
#[test]
#[ignore = "started by the engines of the other tests"]
fn worker() {
    common::child::work();
}

/// An inbound, a router and two handlers in workers, and two partners.
struct Feed {
    data: TempDir,
    directory: TempDir,
    h: Partner,
    g: Partner,
}

impl Feed {
    fn new() -> Feed {
        let (h, g) = (Partner::start(accept), Partner::start(accept));
        Feed { data: TempDir::new().unwrap(), directory: TempDir::new().unwrap(), h, g }
    }

    fn program(&self, variables: &[(&str, &str)]) -> Program {
        let directory = ("DIRECTORY", self.directory.path().to_str().unwrap());
        program(&[&[directory], variables].concat())
    }

    fn builder(&self, variables: &[(&str, &str)]) -> Builder {
        let [h, g] = [&self.h, &self.g].map(|it| (it.address.ip().to_string(), it.address.port()));
        Engine::builder(self.data.path())
            .inbound("IB", "127.0.0.1:0", "r")
            .router_in_worker("r")
            .handler_in_worker("h")
            .handler_in_worker("g")
            .outbound("OB_H", &h.0, h.1)
            .outbound("OB_G", &g.0, g.1)
            .worker_program(self.program(variables))
    }

    fn start(&self) -> Engine {
        self.builder(&[]).start().unwrap()
    }

    /// Sends these at once, and returns when all are acknowledged.
    fn send(&self, engine: &Engine, control_ids: &[&str]) {
        let mut sender = Peer::connect(engine.address("IB").unwrap());
        let all: Vec<_> = control_ids.iter().flat_map(|it| common::framed(&message(it))).collect();
        sender.write_bytes(&all);
        for control_id in control_ids {
            let answer = common::msa(&sender.frame().unwrap());
            assert_eq!(answer, format!("AA {control_id}"));
        }
    }
}

fn arrive(partner: &Partner, control_ids: &[&str]) {
    for expected in control_ids {
        assert_eq!(control_id(&partner.next()), *expected);
    }
}

fn limits(handler_timeout: u64) -> WorkerLimits {
    WorkerLimits { handler_timeout, ..WorkerLimits::DEFAULT }
}

/// The note of the failure of a message.
fn note(engine: &Engine, id: u64) -> String {
    let journey = journey(engine, id).to_string();
    journey.lines().filter(|it| it.contains("failed")).collect::<Vec<_>>().join("\n")
}

fn ends(engine: &Engine, ids: &[(u64, &str)]) {
    wait_until_idle(engine);
    for (id, expected) in ids {
        assert_eq!(disposition(engine, *id), *expected, "message {id}");
    }
}

#[test]
fn messages_pass_in_order_and_their_functions_are_told_where_they_come_from() {
    let feed = Feed::new();
    let engine = feed.start();
    let names: Vec<_> = (0..300).map(|n| format!("M-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).chain(["TELL-1"]).collect();
    feed.send(&engine, &names);
    arrive(&feed.g, &names);
    arrive(&feed.h, &names[..300]);
    let told = String::from_utf8(feed.h.next()).unwrap();
    assert!(told.ends_with("\rZZZ|IB|301|\r"), "{told}");
    ends(&engine, &[(1, "PROCESSED"), (301, "PROCESSED")]);
    let workers = engine.workers();
    assert_eq!((workers.restarts, workers.refusal), (0, None));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_message_that_kills_its_worker_ends_in_error_and_no_other() {
    for kind in ["DIE", "EXIT"] {
        let feed = Feed::new();
        let engine = feed.start();
        let bad = format!("{kind}-3");
        let names = ["M-1", "M-2", &bad, "M-4", "DIEONCE-5", "M-6"];
        feed.send(&engine, &names);
        arrive(&feed.g, &names);
        arrive(&feed.h, &["M-1", "M-2", "M-4", "DIEONCE-5", "M-6"]);
        ends(&engine, &[(2, "PROCESSED"), (3, "ERROR"), (4, "PROCESSED"), (5, "PROCESSED")]);
        assert!(note(&engine, 3).contains("killed its worker twice"), "{}", note(&engine, 3));
        assert!(engine.workers().restarts >= 3);
        engine.stop(DEADLINE).unwrap();
    }
}

#[test]
fn a_message_on_which_a_function_hangs_ends_in_error_and_delays_nothing_else() {
    let feed = Feed::new();
    // So long that everything else has to come while it hangs.
    let engine = feed.builder(&[]).worker_limits(limits(4_000)).start().unwrap();
    feed.send(&engine, &["M-1", "HANG-2", "M-3"]);
    arrive(&feed.g, &["M-1", "HANG-2", "M-3"]);
    let is_told = || {
        let why = engine.why(MessageId(2)).unwrap().unwrap();
        why.answers.iter().any(|it| it.place == "h" && matches!(it.reason, Reason::Running { .. }))
    };
    until("why tells that the function runs", is_told);
    feed.send(&engine, &["M-4"]);
    arrive(&feed.g, &["M-4"]);
    assert_ne!(disposition(&engine, 2), "ERROR", "it still hangs");
    arrive(&feed.h, &["M-1", "M-3", "M-4"]);
    ends(&engine, &[(1, "PROCESSED"), (2, "ERROR"), (3, "PROCESSED"), (4, "PROCESSED")]);
    assert!(note(&engine, 2).contains("timed out after 4 s"), "{}", note(&engine, 2));
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn why_tells_that_a_message_on_which_its_worker_died_runs_alone() {
    let feed = Feed::new();
    let engine = feed.start();
    feed.send(&engine, &["DIEHANG-1", "M-2"]);
    let reason = |id| {
        let why = engine.why(MessageId(id)).unwrap().unwrap();
        why.answers.into_iter().find(|it| it.place == "h").map(|it| it.reason)
    };
    until("it runs alone", || reason(1) == Some(Reason::RunsAlone));
    let is_behind = |it| matches!(it, Some(Reason::Behind { head: MessageId(1), before: 1, .. }));
    until("what comes after it waits", || is_behind(reason(2)));
    std::fs::write(feed.directory.path().join("go on"), "").unwrap();
    arrive(&feed.h, &["DIEHANG-1", "M-2"]);
    ends(&engine, &[(1, "PROCESSED"), (2, "PROCESSED")]);
    assert!(reason(1).is_none());
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_a_function_raises_is_in_the_journey_and_its_trace_is_kept() {
    let feed = Feed::new();
    let engine = feed.start();
    feed.send(&engine, &["RAISE-1", "OURS-2", "M-3"]);
    arrive(&feed.h, &["OURS-2", "M-3"]);
    ends(&engine, &[(1, "ERROR"), (2, "PROCESSED"), (3, "PROCESSED")]);
    assert!(note(&engine, 1).contains("ValueError at adt.py:14 in to_lab"));
    let traces = engine.traces(MessageId(1));
    assert_eq!(traces.len(), 1);
    assert_eq!((&*traces[0].function, &*traces[0].text), ("h", "Traceback\nValueError"));
    assert_eq!(engine.traces(MessageId(3)), []);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn what_functions_print_and_start_disturbs_nothing() {
    let feed = Feed::new();
    let engine = feed.builder(&[("START", "shout")]).start().unwrap();
    let names = ["PRINT-1", "FORK-2", "M-3", "DIE-4", "M-5"];
    feed.send(&engine, &names);
    arrive(&feed.h, &["PRINT-1", "FORK-2", "M-3", "M-5"]);
    ends(&engine, &[(1, "PROCESSED"), (2, "PROCESSED"), (4, "ERROR"), (5, "PROCESSED")]);
    engine.stop(DEADLINE).unwrap();
    // What a function has started goes with its worker.
    let started = others(feed.directory.path());
    assert!(!started.is_empty());
    until("it is gone", || started.iter().all(|it| is_gone(*it)));
}

fn is_gone(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    test_kill_process(Pid::from_raw(pid).unwrap()).is_err() || stat.contains(") Z ")
}

/// The death of a worker is seen although somebody else holds its end of the socket.
#[test]
fn a_worker_dies_whoever_holds_its_socket() {
    let feed = Feed::new();
    let engine = feed.builder(&[("START", "fork")]).start().unwrap();
    feed.send(&engine, &["DIEONCE-1", "DIE-2", "M-3"]);
    arrive(&feed.h, &["DIEONCE-1", "M-3"]);
    ends(&engine, &[(1, "PROCESSED"), (2, "ERROR"), (3, "PROCESSED")]);
    engine.stop(DEADLINE).unwrap();
    for pid in others(feed.directory.path()) {
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
}

/// A fault of our own blames no message: it waits, and `why` and the status tell for what.
#[test]
fn workers_that_refuse_or_lack_a_function_make_messages_wait() {
    for (start, expected) in [
        ("refuse", "adt.py:3: SyntaxError"),
        ("lack", "the program of the workers has no handler \"g\""),
        ("exit", "it ended with status 7"),
    ] {
        let feed = Feed::new();
        let engine = feed.builder(&[("START", start)]).start().unwrap();
        feed.send(&engine, &["M-1", "M-2"]);
        until("the refusal is told", || engine.workers().refusal.is_some_and(|it| it.is_now));
        let refusal = engine.workers().refusal.unwrap();
        assert!(refusal.why.contains(expected), "{}", refusal.why);
        let is_told = || {
            let why = engine.why(MessageId(1)).unwrap().unwrap();
            why.answers.iter().any(|it| matches!(&it.reason, Reason::NoWorker(its) if its.is_now))
        };
        until("why tells the refusal", is_told);
        // Another program that is no better changes nothing.
        let refused = engine.reload_workers(feed.program(&[("START", "refuse")]));
        assert!(matches!(refused, Err(Error::Refused(why)) if why.contains("SyntaxError")));
        engine.reload_workers(feed.program(&[])).unwrap();
        arrive(&feed.h, &["M-1", "M-2"]);
        ends(&engine, &[(1, "PROCESSED"), (2, "PROCESSED")]);
        engine.stop(DEADLINE).unwrap();
    }
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let feed = Feed::new();
    let engine = feed.builder(&[]).worker_program(Program::new("/nowhere")).start().unwrap();
    feed.send(&engine, &["M-1"]);
    until("the refusal is told", || engine.workers().refusal.is_some());
    let why = engine.workers().refusal.unwrap().why;
    assert_eq!(why, "a worker cannot be started: entity not found");
    // What waits does not keep the engine from its end.
    engine.stop(DEADLINE).unwrap();
    let engine = feed.start();
    arrive(&feed.h, &["M-1"]);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn another_program_takes_over_while_messages_pass() {
    let feed = Feed::new();
    let engine = feed.builder(&[("VERSION", "1")]).start().unwrap();
    let version = || {
        let payload = String::from_utf8(feed.h.next()).unwrap();
        payload.trim_end().rsplit('|').next().unwrap().to_owned()
    };
    feed.send(&engine, &["TELL-1"]);
    assert_eq!(version(), "1");
    engine.reload_workers(feed.program(&[("START", "refuse")])).unwrap_err();
    feed.send(&engine, &["TELL-2"]);
    assert_eq!(version(), "1");
    engine.reload_workers(feed.program(&[("VERSION", "2")])).unwrap();
    feed.send(&engine, &["TELL-3"]);
    assert_eq!(version(), "2");
    wait_until_idle(&engine);
    engine.stop(DEADLINE).unwrap();
}

/// Nonsense is a fault of the program: its message waits until there is a better one.
#[test]
fn a_worker_that_breaks_the_protocol_blames_nobody() {
    let feed = Feed::new();
    let engine = feed.start();
    feed.send(&engine, &["M-1", "NONSENSE-2", "M-3"]);
    arrive(&feed.g, &["M-1", "NONSENSE-2", "M-3"]);
    arrive(&feed.h, &["M-1", "NONSENSE-2", "M-3"]);
    ends(&engine, &[(1, "PROCESSED"), (2, "PROCESSED"), (3, "PROCESSED")]);
    let why = engine.workers().refusal.unwrap().why;
    assert_eq!(why, "the protocol between engine and process is broken");
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_large_message_goes_to_a_worker_as_far_as_it_asks() {
    let feed = Feed::new();
    let engine = feed.start();
    let large = |control_id: &str| {
        let more = vec![b'x'; 700_000];
        [&message(control_id)[..], b"OBX|1|ED|", &more, b"\r"].concat()
    };
    let mut sender = Peer::connect(engine.address("IB").unwrap());
    for control_id in ["WHOLE-1", "M-2"] {
        assert_eq!(sender.send(&large(control_id)), Some(format!("AA {control_id}")));
    }
    let changed = [&large("WHOLE-1")[..], b"ZZZ|end\r"].concat();
    assert!(feed.h.next() == changed, "changed");
    assert!(feed.h.next() == large("M-2"), "unchanged");
    ends(&engine, &[(1, "PROCESSED"), (2, "PROCESSED")]);
    engine.stop(DEADLINE).unwrap();
}

#[test]
fn a_worker_that_has_grown_too_large_is_replaced_after_its_batch() {
    let feed = Feed::new();
    let limits = WorkerLimits { max_memory: 150 << 20, ..WorkerLimits::DEFAULT };
    let engine = feed.builder(&[]).worker_limits(limits).start().unwrap();
    feed.send(&engine, &["M-1"]);
    arrive(&feed.h, &["M-1"]);
    let before = pids(&engine);
    for n in 2..20 {
        feed.send(&engine, &[&format!("LEAK-{n}")]);
        feed.h.next();
        if pids(&engine).iter().any(|pid| !before.contains(pid)) {
            break;
        }
    }
    assert!(pids(&engine).iter().any(|pid| !before.contains(pid)), "none was replaced");
    ends(&engine, &[(2, "PROCESSED")]);
    assert_eq!(engine.workers().restarts, 0, "none died of it");
    engine.stop(DEADLINE).unwrap();
}

fn pids(engine: &Engine) -> Vec<u32> {
    engine.workers().workers.iter().filter_map(|it| it.pid).collect()
}

/// Also one whose function hangs, and although nobody tells it to end.
#[test]
fn workers_end_with_the_engine() {
    let feed = Feed::new();
    let engine = feed.start();
    feed.send(&engine, &["HANG-1"]);
    let hangs = || {
        let workers = engine.workers().workers;
        workers.iter().any(|it| it.runs.as_ref().is_some_and(|it| it.place == "h"))
    };
    until("it hangs", hangs);
    let all = pids(&engine);
    assert!(!all.is_empty());
    let stopped = common::stopped(engine, Duration::from_millis(200));
    assert!(matches!(stopped, Err(Error::Unfinished)), "{stopped:?}");
    until("all are gone", || all.iter().all(|it| is_gone(*it as i32)));
}
