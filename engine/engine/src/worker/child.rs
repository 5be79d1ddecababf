//! The worker's end of the socket.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};

use super::call::{Call, Ends, Inner, Line, Place};
use super::protocol::{FromEngine, FromWorker, Mark, Outgoing, VERSION, broken};
use super::{Answer, Function, Kind};
use crate::program::{close_standard, cut, not_started, take_socket};

/// Answers are gathered up to so many bytes before they are written.
const GATHERED: usize = 256 << 10;
/// The longest refusal, in bytes.
const REFUSAL: usize = 16 << 10;

/// The worker's end of its socket to the engine. See [the module](crate::worker).
pub struct Child {
    line: Arc<Line>,
    /// Where it stands which message is run.
    mark: File,
    routers: Vec<String>,
    handlers: Vec<String>,
    /// Calls of the batch that were not given out.
    calls: VecDeque<Call>,
    /// The call that was given out and is not answered.
    open: Option<Place>,
    answers: Outgoing,
}

impl Child {
    /// Takes standard input and standard output, which the engine has prepared. What reads from standard
    /// input after this finds nothing, and what prints to standard output prints to standard error,
    /// which is dropped unless the program was [told](crate::Program::with_output) to show it. From
    /// here on the end of the engine is the end of this process.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: this process was not started by an engine, or has no more descriptors or threads.
    pub fn take() -> io::Result<Child> {
        let socket = take_socket()?;
        let mark = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        if !mark.metadata()?.is_file() {
            return Err(not_started());
        }
        close_standard(&socket)?;
        Child::on(socket, mark)
    }

    fn on(socket: UnixStream, mark: File) -> io::Result<Child> {
        Ok(Child {
            line: Arc::new(Line::new(socket)?),
            mark,
            routers: Vec::new(),
            handlers: Vec::new(),
            calls: VecDeque::new(),
            open: None,
            answers: Outgoing::default(),
        })
    }

    /// Says which routers and handlers this worker has.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine cannot be told. The process should end.
    pub fn hello<S: AsRef<str>>(&mut self, routers: &[S], handlers: &[S]) -> io::Result<()> {
        let owned = |names: &[S]| names.iter().map(|it| it.as_ref().to_owned()).collect();
        (self.routers, self.handlers) = (owned(routers), owned(handlers));
        let routers = routers.iter().map(AsRef::as_ref).collect();
        let handlers = handlers.iter().map(AsRef::as_ref).collect();
        self.say(&FromWorker::Hello { version: VERSION, routers, handlers })
    }

    /// Says that this worker cannot work, and why: in one text that the status of the engine shows,
    /// without anything that a message holds. The process should then end. Longer than 16 KiB, it is
    /// cut.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine cannot be told.
    pub fn refuse(&mut self, why: &str) -> io::Result<()> {
        self.say(&FromWorker::Refusal(cut(why, REFUSAL)))
    }

    fn say(&mut self, said: &FromWorker<'_>) -> io::Result<()> {
        self.answers.worker(said);
        self.line.ends().write(&mut self.answers)
    }

    /// Whether [`next_call`](Child::next_call) returns at once. If not, it may wait for hours: release
    /// locks that other threads need.
    pub fn has_call(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Waits for the next call, and marks it: if this process ends before the answer, the engine knows
    /// on which message. `None`: the engine wants this process to end.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine cannot be understood, or the last call is not answered. The process
    /// should end.
    pub fn next_call(&mut self) -> io::Result<Option<Call>> {
        if self.open.is_some() {
            return Err(io::Error::other("the last call is not answered"));
        }
        let line = Arc::clone(&self.line);
        let mut ends = line.ends();
        while self.calls.is_empty() {
            if !self.listen(&mut ends)? {
                return Ok(None);
            }
        }
        let Some(call) = self.calls.pop_front() else { return Ok(None) };
        self.mark(call.place(), false)?;
        self.open = Some(call.place());
        line.set_current(self.open);
        Ok(Some(call))
    }

    /// Says what has become of the call that was given out last.
    ///
    /// # Errors
    ///
    /// [`io::Error`]: the engine cannot be told, or there is no such call, or it is of the other kind.
    /// The process should end.
    pub fn answer(&mut self, answer: &Answer<'_>) -> io::Result<()> {
        let place = self.open.take();
        let place = place.ok_or_else(|| io::Error::other("there is no call to answer"))?;
        self.answers.answer(place.index, answer);
        let line = Arc::clone(&self.line);
        let mut ends = line.ends();
        line.set_current(None);
        if self.calls.is_empty() {
            self.mark(place, true)?;
        }
        if self.calls.is_empty() || self.answers.bytes.len() >= GATHERED {
            ends.write(&mut self.answers)?;
        }
        Ok(())
    }

    fn mark(&self, place: Place, returned: bool) -> io::Result<()> {
        let mark = Mark::new(place.batch, place.index, returned);
        self.mark.write_all_at(&mark.bytes(), 0)
    }

    /// Takes what the engine says next; false: it is the end.
    fn listen(&mut self, ends: &mut Ends) -> io::Result<bool> {
        let Some(frame) = ends.incoming.next()? else { return Ok(false) };
        match FromEngine::parse(frame).ok_or_else(broken)? {
            FromEngine::Batch { batch, kind, function, count } => {
                let function = self.function(kind, function).ok_or_else(broken)?;
                self.take_batch(ends, batch, function, count)?;
            }
            FromEngine::Probe => {
                self.answers.worker(&FromWorker::Alive);
                ends.write(&mut self.answers)?;
            }
            FromEngine::End => return Ok(false),
            FromEngine::Message(_) | FromEngine::Chunk(_) | FromEngine::Unreadable => {
                return Err(broken());
            }
        }
        Ok(true)
    }

    fn function(&self, kind: Kind, name: &str) -> Option<Function> {
        let at = |names: &[String]| names.iter().position(|it| it == name);
        match kind {
            Kind::Router => at(&self.routers).map(Function::Router),
            Kind::Handler => at(&self.handlers).map(Function::Handler),
        }
    }

    fn take_batch(
        &mut self,
        ends: &mut Ends,
        batch: u64,
        function: Function,
        count: u32,
    ) -> io::Result<()> {
        let mut inbound: Arc<str> = "".into();
        for index in 0..count {
            let frame = ends.incoming.next()?;
            let Some(FromEngine::Message(it)) = frame.and_then(FromEngine::parse) else {
                return Err(broken());
            };
            if *inbound != *it.inbound {
                inbound = it.inbound.into();
            }
            self.calls.push_back(Call::new(Inner {
                line: Arc::clone(&self.line),
                place: Place { batch, index },
                function,
                inbound: Arc::clone(&inbound),
                number: it.number,
                received: it.received,
                hops: it.hops,
                len: it.len,
                beginning: it.beginning.0.into(),
                whole: OnceLock::new(),
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
