//! What an operator has done with lanes: started and stopped, tried again, held, cancelled. Commands are
//! done one after the other.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use mllp_pipeline::{
    Act, By, Command, CommandOutcome, Flow, Job, LaneId, Refusal, Side, Stage, Take,
};
use mllp_store::Reader;

use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::retaining::Appending;
use crate::traffic::{News, ToCore};

/// A store that commits at all has committed by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who tells commands to the core.
pub(crate) struct Operator {
    /// None once the engine has ended.
    reader: Option<Box<dyn Reader>>,
    core: ToCore,
    /// The outcome of a command that appends rows, if the wait for it was given up.
    pending: Option<Receiver<CommandOutcome>>,
    patience: Duration,
    appending: Appending,
}

impl Operator {
    pub(crate) fn new(reader: Box<dyn Reader>, core: ToCore, appending: Appending) -> Self {
        let (reader, pending, patience) = (Some(reader), None, PATIENCE);
        Operator { reader, core, pending, patience, appending }
    }

    /// Keeps retention away from what is looked at, until its outcome is known.
    pub(crate) fn appends(&self, appends: bool) {
        *self.appending.lock().unwrap_or_else(PoisonError::into_inner) = appends;
    }

    pub(crate) fn reader(&mut self) -> Result<&mut dyn Reader, Error> {
        self.reader.as_deref_mut().map_or_else(|| Err(ended()), |it| Ok(it as &mut dyn Reader))
    }

    /// Lets go of the store.
    pub(crate) fn close(&mut self) {
        self.reader = None;
    }

    /// Has something done, and waits until it is durable.
    pub(crate) fn tell(
        &mut self,
        act: Act,
        by: &By,
        job: Option<Job>,
    ) -> Result<CommandOutcome, Error> {
        let appends = job.is_some() || matches!(act, Act::Edit(_));
        if appends {
            self.settle()?;
        }
        let outcome = ask(&self.core, act, by, job);
        let waited = outcome.recv_timeout(self.patience);
        match waited {
            Err(RecvTimeoutError::Timeout) if appends => self.pending = Some(outcome),
            _ => self.appends(false),
        }
        waited.map_err(not_done)
    }

    /// Waits for what was told before and has no outcome yet. Until then nothing else is appended: the
    /// store does not know the job, and pressed again it would be begun twice.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let Some(outcome) = &self.pending else { return Ok(()) };
        match outcome.recv_timeout(self.patience) {
            Err(RecvTimeoutError::Timeout) => Err(not_done(RecvTimeoutError::Timeout)),
            _ => {
                self.pending = None;
                self.appends(false);
                Ok(())
            }
        }
    }
}

/// Has the core do something; what became of it comes.
fn ask(core: &ToCore, act: Act, by: &By, job: Option<Job>) -> Receiver<CommandOutcome> {
    let (asked, outcome) = channel();
    core.tell(News::Command(Box::new(Command { by: by.clone(), act, job }), asked));
    outcome
}

fn not_done(error: RecvTimeoutError) -> Error {
    match error {
        RecvTimeoutError::Disconnected => ended(),
        RecvTimeoutError::Timeout => Error::Refused(
            "it is not done yet: the store does not commit, or the head is with its partner".into(),
        ),
    }
}

/// What became of a command, for its caller.
pub(crate) fn done(outcome: CommandOutcome) -> Result<(), Error> {
    let why = match outcome {
        CommandOutcome::Done(_) => return Ok(()),
        CommandOutcome::Nothing => "there is nothing to do it with",
        CommandOutcome::Refused(Refusal::Full) => "the disk of the store is full",
        CommandOutcome::Refused(Refusal::Unavailable) => "the store cannot write",
        CommandOutcome::Fenced => "another engine owns the lane",
        CommandOutcome::Unknown => "it is unknown whether it was done: look at the status",
    };
    Err(Error::Refused(why.to_owned()))
}

impl Engine {
    /// Starts, pauses or stops one side of a lane, also across restarts. Returns once that is
    /// durable; what is in progress comes to its end, and no other connection waits for it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: there is no such lane or side, or it could not be written.
    /// [`Error::Store`]: the engine has ended.
    pub fn switch(
        &self,
        stage: Stage,
        name: &str,
        side: Side,
        flow: Flow,
        by: &By,
    ) -> Result<(), Error> {
        let lane = self.lane(stage, name)?;
        self.command(Act::Switch { lane, side, flow }, by)
    }

    /// Forgets the wait of the head of a lane: it is tried again now. So is the partner of an outbound
    /// that is not connected.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: there is no such lane. [`Error::Store`]: the engine has ended.
    pub fn retry_now(&self, stage: Stage, name: &str) -> Result<(), Error> {
        let lane = self.lane(stage, name)?;
        self.command(Act::Retry { lane }, &By::default())
    }

    /// Takes the head out of the lane of an outbound and holds it, so that the next goes on. One that
    /// is with the partner is held if the partner does not take it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: the lane is empty, the head was delivered, or it could not be written.
    /// [`Error::Store`]: the engine has ended.
    pub fn hold_head(&self, outbound: &str, by: &By) -> Result<(), Error> {
        let lane = self.lane(Stage::Outbound, outbound)?;
        self.command(Act::Take { lane, how: Take::Hold }, by)
    }

    /// Takes the head out of the lane of an outbound for good: its message ends in ERROR.
    ///
    /// # Errors
    ///
    /// As for [`hold_head`](Engine::hold_head).
    pub fn cancel_head(&self, outbound: &str, by: &By) -> Result<(), Error> {
        let lane = self.lane(Stage::Outbound, outbound)?;
        self.command(Act::Take { lane, how: Take::Cancel }, by)
    }

    /// Has something done that appends nothing. It may take as long as a partner has for its answer, and
    /// no other command waits for it.
    fn command(&self, act: Act, by: &By) -> Result<(), Error> {
        let outcome = ask(&self.core, act, by, None);
        done(outcome.recv_timeout(PATIENCE).map_err(not_done)?)
    }

    pub(crate) fn lane(&self, stage: Stage, name: &str) -> Result<LaneId, Error> {
        let unknown = || Error::Refused(format!("there is no {} lane \"{name}\"", stage.name()));
        self.names.lane(stage, name).ok_or_else(unknown)
    }

    pub(crate) fn operate(&self) -> MutexGuard<'_, Operator> {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use mllp_pipeline::{Note, Piece, Position};
    use mllp_store::{MemoryStore, Store};

    use super::*;

    #[test]
    fn a_job_is_not_told_again_while_its_first_command_is_open() {
        let (core, news) = ToCore::new();
        let mut operator =
            Operator::new(MemoryStore::new().reader().unwrap(), core, Appending::default());
        operator.patience = Duration::from_millis(1);
        let release = || Act::Release(Vec::new());
        let job = || {
            let (key, what, by) = (Note("k".into()), Piece::default(), By::default());
            let (total, done, after) = (0, 0, Position::START);
            let newer = 0;
            Some(Job { key, what, by, at: 0, total, done, newer, after, has_ended: false })
        };
        let refused = |it: Result<CommandOutcome, Error>| matches!(it, Err(Error::Refused(_)));
        assert!(refused(operator.tell(release(), &By::default(), job())));
        let Ok(News::Command(_, asked)) = news.try_recv() else { panic!("nothing was told") };
        assert!(refused(operator.tell(release(), &By::default(), job())));
        assert!(news.try_recv().is_err(), "it was told twice");
        // A switch does not wait for it.
        let retry = Act::Retry { lane: LaneId(1) };
        assert!(refused(operator.tell(retry, &By::default(), None)));
        assert!(matches!(news.try_recv(), Ok(News::Command(..))));
        asked.send(CommandOutcome::Nothing).unwrap();
        assert!(operator.settle().is_ok());
    }
}
