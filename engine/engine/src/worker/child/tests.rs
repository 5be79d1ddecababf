use std::io::Write;
use std::thread::{self, JoinHandle};

use mllp_pipeline::Failure;

use super::*;
use crate::worker::protocol::{Incoming, MessageFrame, Payload};
use crate::worker::{NotReadable, Sent};

/// The engine's end, by hand.
struct Engine {
    socket: UnixStream,
    incoming: Incoming<UnixStream>,
    mark: File,
}

impl Engine {
    fn say(&mut self, said: &[FromEngine<'_>]) {
        let mut out = Outgoing::default();
        said.iter().for_each(|it| out.engine(*it));
        self.socket.write_all(&out.bytes).unwrap();
    }

    fn hears(&mut self, expected: &FromWorker<'_>) {
        let frame = self.incoming.next().unwrap().expect("a frame");
        assert_eq!(FromWorker::parse(frame).as_ref(), Some(expected));
    }

    fn mark(&self) -> Mark {
        let mut bytes = [0; 8];
        self.mark.read_exact_at(&mut bytes, 0).unwrap();
        Mark::of(bytes)
    }
}

fn pair() -> (Engine, Child) {
    let (ours, its) = UnixStream::pair().unwrap();
    let mark = tempfile::tempfile().unwrap();
    let incoming = Incoming::new(ours.try_clone().unwrap());
    let child = Child::on(its, mark.try_clone().unwrap()).unwrap();
    (Engine { socket: ours, incoming, mark }, child)
}

/// Runs a worker with a router `r` and handlers `a` and `b`.
fn works(
    mut child: Child,
    mut run: impl FnMut(&mut Child, Call) + std::marker::Send + 'static,
) -> JoinHandle<io::Result<()>> {
    thread::spawn(move || {
        child.hello(&["r"], &["a", "b"])?;
        while let Some(call) = child.next_call()? {
            run(&mut child, call);
        }
        Ok(())
    })
}

fn hello() -> FromWorker<'static> {
    FromWorker::Hello { version: VERSION, routers: vec!["r"], handlers: vec!["a", "b"] }
}

fn message(number: u64, beginning: &'static [u8]) -> FromEngine<'static> {
    let (len, beginning) = (beginning.len() as u64, Payload(beginning));
    let (received, hops, inbound) = (number * 1000, 2, "IB");
    FromEngine::Message(MessageFrame { number, received, hops, inbound, len, beginning })
}

fn batch(batch: u64, function: &'static str, count: u32) -> FromEngine<'static> {
    let kind = if function == "r" { Kind::Router } else { Kind::Handler };
    FromEngine::Batch { batch, kind, function, count }
}

#[test]
fn each_message_of_a_batch_is_run_and_answered_in_order() {
    let (mut engine, child) = pair();
    let worker = works(child, |child, call| {
        assert_eq!((call.received(), call.hops(), call.inbound()), (call.number() * 1000, 2, "IB"));
        let answer = match call.function() {
            Function::Router(0) => Answer::Handlers(vec!["b", "a"]),
            Function::Handler(1) if call.number() == 8 => {
                Answer::Failed { failure: Failure::Content, note: "ValueError", trace: "..." }
            }
            Function::Handler(1) => {
                let bytes = Some(call.payload().unwrap());
                Answer::Sends(vec![Sent { to: "OB", bytes }, Sent { to: "OB", bytes: None }])
            }
            other => panic!("{other:?}"),
        };
        child.answer(&answer).unwrap();
    });
    engine.hears(&hello());
    engine.say(&[batch(1, "r", 1), message(7, b"MSH|"), FromEngine::Probe]);
    engine.hears(&FromWorker::Answer(0, Answer::Handlers(vec!["b", "a"])));
    engine.hears(&FromWorker::Alive);
    engine.say(&[batch(2, "b", 3), message(7, b"7"), message(8, b"8"), message(9, b"")]);
    let sends = |bytes| {
        Answer::Sends(vec![Sent { to: "OB", bytes: Some(bytes) }, Sent { to: "OB", bytes: None }])
    };
    engine.hears(&FromWorker::Answer(0, sends(b"7")));
    let failed = Answer::Failed { failure: Failure::Content, note: "ValueError", trace: "..." };
    engine.hears(&FromWorker::Answer(1, failed));
    engine.hears(&FromWorker::Answer(2, sends(b"")));
    assert_eq!(engine.mark(), Mark::new(2, 2, true));
    engine.say(&[FromEngine::End]);
    worker.join().unwrap().unwrap();
}

#[test]
fn a_message_is_marked_before_its_function_runs() {
    let (mut engine, child) = pair();
    let (at, reached) = std::sync::mpsc::channel();
    let (go, goes) = std::sync::mpsc::channel::<()>();
    let worker = works(child, move |child, call| {
        at.send(call.number()).unwrap();
        goes.recv().unwrap();
        child.answer(&Answer::Sends(vec![])).unwrap();
    });
    engine.hears(&hello());
    engine.say(&[batch(5, "a", 2), message(1, b"1"), message(2, b"2")]);
    for (index, number) in [(0, 1), (1, 2)] {
        assert_eq!(reached.recv().unwrap(), number);
        assert_eq!(engine.mark(), Mark::new(5, index, false));
        go.send(()).unwrap();
    }
    engine.hears(&FromWorker::Answer(0, Answer::Sends(vec![])));
    engine.say(&[FromEngine::End]);
    worker.join().unwrap().unwrap();
}

/// A large message, of which the first two bytes come along.
fn large() -> FromEngine<'static> {
    let FromEngine::Message(message) = message(1, b"AB") else { unreachable!() };
    FromEngine::Message(MessageFrame { len: 6, ..message })
}

#[test]
fn the_rest_of_a_large_message_is_fetched_once_and_only_when_it_is_asked_for() {
    let (mut engine, child) = pair();
    let (calls, given) = std::sync::mpsc::channel();
    let worker = works(child, move |child, call| {
        assert_eq!((call.len(), call.beginning()), (6, &b"AB"[..]));
        if call.function() == Function::Handler(0) {
            assert_eq!(call.payload(), Ok(&b"ABCDEF"[..]));
            assert_eq!(call.payload(), Ok(&b"ABCDEF"[..]));
        }
        calls.send(call).unwrap();
        child.answer(&Answer::Sends(vec![])).unwrap();
    });
    engine.hears(&hello());
    engine.say(&[batch(1, "a", 1), large()]);
    engine.hears(&FromWorker::Rest(0));
    engine.say(&[FromEngine::Chunk(Payload(b"CDE")), FromEngine::Chunk(Payload(b"F"))]);
    engine.hears(&FromWorker::Answer(0, Answer::Sends(vec![])));
    engine.say(&[batch(2, "b", 1), large()]);
    engine.hears(&FromWorker::Answer(0, Answer::Sends(vec![])));
    // A function that kept it reads what is here; what is not is not fetched any more, although the
    // worker waits for its next call.
    assert_eq!(given.recv().unwrap().payload(), Ok(&b"ABCDEF"[..]));
    assert_eq!(given.recv().unwrap().payload(), Err(NotReadable));
    engine.say(&[FromEngine::End]);
    worker.join().unwrap().unwrap();
}

#[test]
fn a_rest_that_cannot_be_read_is_no_end_of_the_worker() {
    let (mut engine, child) = pair();
    let worker = works(child, |child, call| {
        assert_eq!(call.payload(), Err(NotReadable));
        child.answer(&Answer::Sends(vec![])).unwrap();
    });
    engine.hears(&hello());
    for number in 0..2 {
        engine.say(&[batch(number, "a", 1), large()]);
        engine.hears(&FromWorker::Rest(0));
        engine.say(&[FromEngine::Unreadable]);
        engine.hears(&FromWorker::Answer(0, Answer::Sends(vec![])));
    }
    engine.say(&[FromEngine::End]);
    worker.join().unwrap().unwrap();
}

#[test]
fn more_bytes_than_the_message_has_are_an_error() {
    let (mut engine, child) = pair();
    let worker = works(child, |child, call| {
        assert_eq!(call.payload(), Err(NotReadable));
        assert!(child.answer(&Answer::Sends(vec![])).is_err());
    });
    engine.hears(&hello());
    engine.say(&[batch(1, "a", 1), large(), FromEngine::Chunk(Payload(b"CDEFG"))]);
    engine.hears(&FromWorker::Rest(0));
    // The line is down by then.
    assert!(engine.incoming.next().unwrap().is_none());
    drop(engine);
    let _ = worker.join().unwrap();
}

#[test]
fn a_loop_that_forgets_to_answer_is_told_so() {
    let (mut engine, mut child) = pair();
    child.hello(&["r"], &["a"]).unwrap();
    assert!(child.answer(&Answer::Sends(vec![])).is_err(), "there is no call");
    engine.say(&[batch(1, "a", 2), message(1, b"1"), message(2, b"2")]);
    assert!(!child.has_call());
    child.next_call().unwrap().unwrap();
    assert!(child.has_call());
    assert!(child.next_call().is_err());
}

#[test]
fn an_unknown_function_and_a_frame_out_of_place_are_errors() {
    for said in [batch(1, "unknown", 1), message(1, b"1"), FromEngine::Unreadable] {
        let (mut engine, mut child) = pair();
        child.hello(&["r"], &["a"]).unwrap();
        engine.say(&[said]);
        let error = child.next_call().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{said:?}");
    }
}

#[test]
fn a_text_is_cut_between_characters() {
    assert_eq!(cut("äöü", 3), "ä");
    assert_eq!(cut("äöü", 4), "äö");
    assert_eq!(cut("abc", 9), "abc");
}
