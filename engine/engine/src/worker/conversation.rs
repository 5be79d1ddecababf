//! The thread that speaks with one worker.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::batch::{Batch, Product};
use super::desk::{Desk, OpenCall};
use super::host::ToHost;
use super::protocol::{FromEngine, FromWorker, Incoming, Outgoing, VERSION, broken};
use super::started::Started;
use super::supervisor::{Fact, Gone, Supervisor, WorkerId};
use crate::program::Program;

/// Memory is read this often at most.
const WEIGHED: Duration = Duration::from_millis(100);

/// What the worker is to do.
pub(super) enum Ask {
    Probe,
    Run(Arc<OpenCall>, Vec<usize>),
    End,
    /// It has ended, in these words.
    Over(String),
}

/// Why a conversation ends before its worker was told to end.
enum Break {
    /// The worker is no more, or does not speak any more.
    Silence,
    /// What it says is not what it may say.
    Fault(String),
    /// The worker was idle, and has ended in these words.
    Over(String),
}

impl From<io::Error> for Break {
    fn from(error: io::Error) -> Break {
        match error.kind() {
            io::ErrorKind::InvalidData => Break::Fault(error.to_string()),
            _ => Break::Silence,
        }
    }
}

pub(super) struct Conversation {
    pub(super) worker: WorkerId,
    pub(super) started: Arc<Started>,
    pub(super) desk: Arc<Desk>,
    pub(super) asked: Receiver<Ask>,
    pub(super) host: Sender<ToHost>,
}

impl Conversation {
    /// Starts the program, and speaks with it until its end.
    pub(super) fn hold(self, program: &Program, asks: Sender<Ask>) {
        let not_started = |why: &dyn std::fmt::Display| {
            let why = format!("a worker cannot be started: {why}");
            let _ = self.host.send(ToHost::Fact(Supervisor::not_started(self.worker, why)));
        };
        let (pid, socket) = match self.started.start(program) {
            Ok(started) => started,
            Err(error) => return not_started(&error.kind()),
        };
        let (started, to_end) = (Arc::clone(&self.started), socket.try_clone());
        let wait = move || {
            let how = started.wait(pid);
            // A copy that a function has forked may hold the other end open. What was said before is
            // still read.
            if let Ok(socket) = to_end {
                let _ = socket.shutdown(Shutdown::Both);
            }
            let _ = asks.send(Ask::Over(how));
        };
        if let Err(error) = thread::Builder::new().name("engine-wait".into()).spawn(wait) {
            self.started.kill();
            self.started.wait(pid);
            return not_started(&error.kind());
        }
        let Ok(incoming) = socket.try_clone().map(Incoming::new) else {
            self.started.kill();
            return self.bury(Break::Silence, None);
        };
        let mut line = Line { socket, incoming };
        let (end, batch) = self.speak(&mut line);
        self.bury(end, batch);
    }

    fn tell(&self, fact: Fact<Product>) {
        let _ = self.host.send(ToHost::Fact(fact));
    }

    /// Until the conversation breaks; with the batch that it breaks in.
    fn speak(&self, line: &mut Line) -> (Break, Option<Batch>) {
        if let Err(end) = self.greet(line) {
            return (end, None);
        }
        self.tell(Fact::Hello(self.worker));
        let mut weighed = (Instant::now(), 0);
        loop {
            let said = match self.asked.recv() {
                Ok(Ask::Run(call, items)) => {
                    let mut batch = Batch::new(&self.desk, call, items);
                    if let Err(end) = self.run(line, &mut batch) {
                        return (end, Some(batch));
                    }
                    if weighed.0.elapsed() > WEIGHED || weighed.1 == 0 {
                        weighed = (Instant::now(), self.started.memory());
                    }
                    let (worker, results, memory) = (self.worker, batch.done(), weighed.1);
                    self.tell(Fact::Results { worker, results, memory });
                    Ok(())
                }
                Ok(Ask::Probe) => self.probe(line),
                Ok(Ask::End) => line.say(FromEngine::End).map_err(Break::from),
                Ok(Ask::Over(how)) => return (Break::Over(how), None),
                Err(_) => Ok(()),
            };
            if let Err(end) = said {
                return (end, None);
            }
        }
    }

    fn greet(&self, line: &mut Line) -> Result<(), Break> {
        match hear(&mut line.incoming)? {
            FromWorker::Hello { version, .. } if version != VERSION => Err(Break::Fault(format!(
                "a worker speaks version {version} of the protocol, the engine {VERSION}"
            ))),
            FromWorker::Hello { routers, handlers, .. } => {
                let missing = self.desk.missing(&routers, &handlers);
                missing.map_or(Ok(()), |missing| Err(Break::Fault(missing)))
            }
            FromWorker::Refusal(why) => Err(Break::Fault(why.to_owned())),
            _ => Err(broken().into()),
        }
    }

    fn probe(&self, line: &mut Line) -> Result<(), Break> {
        line.say(FromEngine::Probe)?;
        match hear(&mut line.incoming)? {
            FromWorker::Alive => {
                self.tell(Fact::Alive(self.worker));
                Ok(())
            }
            _ => Err(broken().into()),
        }
    }

    fn run(&self, line: &mut Line, batch: &mut Batch) -> Result<(), Break> {
        let number = self.started.begin(batch.places());
        if batch.places().is_empty() {
            return Ok(());
        }
        batch.write(number, &mut line.socket)?;
        while let Some(index) = batch.next() {
            match hear(&mut line.incoming)? {
                FromWorker::Answer(n, answer) if n == index => {
                    // Where what it sends is large it has to be written first.
                    self.started.set_waits(true);
                    let kept = batch.keep(answer);
                    self.started.set_waits(false);
                    kept.ok_or_else(broken)?;
                }
                FromWorker::Rest(n) if n >= index => {
                    self.started.set_waits(true);
                    let given = batch.give_rest(n, &mut line.socket);
                    self.started.set_waits(false);
                    given?;
                }
                _ => return Err(broken().into()),
            }
        }
        Ok(())
    }

    /// Waits for the end of the worker, and tells what is left of its batch.
    fn bury(&self, end: Break, batch: Option<Batch>) {
        self.started.kill();
        let why = match end {
            Break::Over(how) => Gone::Ended(how),
            Break::Silence => Gone::Ended(self.its_end()),
            Break::Fault(why) => {
                self.its_end();
                Gone::Fault(why)
            }
        };
        let done = batch.map_or_else(Vec::new, Batch::done);
        let mark = self.started.mark();
        self.tell(Fact::Gone { worker: self.worker, done, mark, why });
    }

    /// Waits until it has ended, and says how.
    fn its_end(&self) -> String {
        loop {
            match self.asked.recv() {
                Ok(Ask::Over(how)) => return how,
                Ok(_) => {}
                Err(_) => return String::new(),
            }
        }
    }
}

/// What the worker says next.
fn hear(incoming: &mut Incoming<UnixStream>) -> Result<FromWorker<'_>, Break> {
    let frame = incoming.next()?.ok_or(Break::Silence)?;
    FromWorker::parse(frame).ok_or_else(|| broken().into())
}

/// Our end of the socket.
struct Line {
    socket: UnixStream,
    incoming: Incoming<UnixStream>,
}

impl Line {
    fn say(&mut self, said: FromEngine<'_>) -> io::Result<()> {
        let mut outgoing = Outgoing::default();
        outgoing.engine(said);
        self.socket.write_all(&outgoing.bytes)
    }
}
