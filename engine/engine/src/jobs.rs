//! Jobs of an operator: what takes more than one transaction. Each transaction says how far the job has
//! come, so a crash neither repeats a delivery nor forgets one, and the same key again is the same job.

use std::time::{SystemTime, UNIX_EPOCH};

use mllp_pipeline::{
    Act, By, CommandOutcome, Disposition, Entry, IdHash, Job, Keys, LaneId, List, MessageId, Note,
    Parked, Piece, Position, Replay, Seq, Source, Stage,
};

use crate::engine::Engine;
use crate::error::Error;
use crate::moment::date;
use crate::names::Names;
use crate::operator::{Operator, done};
use crate::selection::{Deed, Selection, Task, Which};
use crate::{newer, notices};

/// Deliveries in one transaction.
pub(crate) const SLICE: usize = 100;

/// How often it is looked what is left of a job before it is given up.
const LOOKS: u32 = 3;

/// Where something is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// To its own outbound. Not for messages.
    Same,
    /// To this outbound: a delivery with the bytes that were sent, a message as it was received.
    Outbound(String),
    /// To the router of the inbound that received it, as if it came now. For messages alone.
    Router,
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// How many deliveries or messages it is about.
    pub total: u64,
    /// How many of them are done.
    pub done: u64,
    /// How many of these were appended to a lane that had already had a newer message; in a lane that
    /// is ordered by key, one that shares a key or has none. Each says in its journey how many.
    pub newer: u64,
}

impl Engine {
    /// How many deliveries or messages a selection has now.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: it names no outbound. [`Error::Store`]: the store cannot be read.
    pub fn count(&self, selection: &Selection) -> Result<u64, Error> {
        let mut operator = self.operate();
        let task = operator.task(&self.names, selection, Deed::Again)?;
        operator.count(&task)
    }

    /// Appends held deliveries to their lanes again, in the order of acceptance.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: the store cannot write now; the same key goes on with it.
    /// [`Error::Store`]: the engine has ended; the next start goes on with it.
    pub fn release(&self, of: &Selection, by: &By, key: &str) -> Result<JobReport, Error> {
        let of = Selection { which: Which::Held, ..of.clone() };
        self.operate().start(&self.names, &of, Deed::Release, by, key)
    }

    /// Ends held deliveries as failed: their messages end in ERROR.
    ///
    /// # Errors
    ///
    /// As for [`release`](Engine::release).
    pub fn cancel(&self, of: &Selection, by: &By, key: &str) -> Result<JobReport, Error> {
        let of = Selection { which: Which::Held, ..of.clone() };
        self.operate().start(&self.names, &of, Deed::Cancel, by, key)
    }

    /// Sends deliveries or messages again: they are appended at the tail, in the order of acceptance.
    /// A dead delivery that is sent again no longer makes its message an ERROR. Duplicates are
    /// passed over.
    ///
    /// # Errors
    ///
    /// As for [`release`](Engine::release). [`Error::Refused`] also: a body has expired. Nothing is
    /// sent then.
    pub fn replay(&self, of: &Selection, to: &To, by: &By, key: &str) -> Result<JobReport, Error> {
        let deed = self.deed(of, to)?;
        self.operate().start(&self.names, of, deed, by, key)
    }

    /// What [`replay`](Engine::replay) would report, or [`release`](Engine::release) for what is held
    /// and [`To::Same`], if it were done now. Nothing is sent.
    ///
    /// # Errors
    ///
    /// As for [`replay`](Engine::replay).
    pub fn preview(&self, of: &Selection, to: &To) -> Result<JobReport, Error> {
        let deed = match (of.which, to) {
            (Which::Held, To::Same) => Deed::Release,
            _ => self.deed(of, to)?,
        };
        self.operate().preview(&self.names, of, deed)
    }

    fn deed(&self, of: &Selection, to: &To) -> Result<Deed, Error> {
        let no_such_way = || Error::Refused("this cannot be sent there again".to_owned());
        Ok(match (of.which, to) {
            (Which::Held, _) | (Which::Messages, To::Same) => return Err(no_such_way()),
            (Which::Messages, To::Router) => Deed::Reroute,
            (_, To::Router) => return Err(no_such_way()),
            (_, To::Same) => Deed::Again,
            (_, To::Outbound(name)) => Deed::To(self.lane(Stage::Outbound, name)?),
        })
    }
}

impl Operator {
    fn task(&mut self, names: &Names, of: &Selection, deed: Deed) -> Result<Task, Error> {
        let past = of.which == Which::Past;
        let outbounds = names.of_stage(Stage::Outbound);
        let mut lanes = Vec::new();
        for (lane, name) in outbounds {
            if of.outbound.as_ref().is_none_or(|it| *it == name)
                && let Some((cursor, tail)) = self.reader()?.extent(lane)?
            {
                lanes.push((lane, if past { cursor } else { tail }));
            }
        }
        let looks_at_lanes = of.which != Which::Messages;
        if looks_at_lanes && lanes.is_empty() || past && lanes.len() > 1 {
            let name = of.outbound.as_deref().unwrap_or_default();
            return Err(Error::Refused(format!("there is no outbound \"{name}\"")));
        }
        let Selection { which, messages, only, failure, .. } = of.clone();
        Ok(Task { deed, which, lanes, messages, only, failure })
    }

    fn count(&mut self, task: &Task) -> Result<u64, Error> {
        let (mut total, mut after) = (0, Position::START);
        loop {
            let found = task.next(self.reader()?, after, 10_000)?;
            let Some(last) = found.last() else { return Ok(total) };
            (total, after) = (total + found.len() as u64, *last);
        }
    }

    fn start(
        &mut self,
        names: &Names,
        of: &Selection,
        deed: Deed,
        by: &By,
        key: &str,
    ) -> Result<JobReport, Error> {
        self.settle()?;
        if let Some(job) = self.reader()?.jobs()?.into_iter().find(|it| it.key.0 == key) {
            return self.go_on(job);
        }
        let mut task = self.task(names, of, deed)?;
        let total = self.begin(&task)?;
        if task.which == Which::Messages {
            // What is received from now on is not meant.
            let newest = task.newest(self.reader()?)?;
            task.messages = *task.messages.start()..=newest.min(*task.messages.end());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.go_on(Job {
            key: Note(key.to_owned()),
            what: Piece::from(task.to_text().as_bytes()),
            by: by.clone(),
            at: now.as_millis() as u64,
            total,
            done: 0,
            newer: 0,
            after: Position::START,
            has_ended: false,
        })
    }

    /// How many it is about, if all of them can be done.
    fn begin(&mut self, task: &Task) -> Result<u64, Error> {
        if !matches!(task.deed, Deed::Release | Deed::Cancel) {
            self.refuse_expired(task)?;
        }
        self.count(task)
    }

    fn preview(&mut self, names: &Names, of: &Selection, deed: Deed) -> Result<JobReport, Error> {
        let task = self.task(names, of, deed)?;
        let mut report = JobReport { total: self.begin(&task)?, done: 0, newer: 0 };
        let mut after = Position::START;
        loop {
            let next = task.next(self.reader()?, after, SLICE)?;
            let Some(last) = next.last() else { return Ok(report) };
            after = *last;
            report.newer += self.slice(&task, &next)?.1;
        }
    }

    /// What has no bytes any more cannot be sent again: its lane would wait for it for ever.
    fn refuse_expired(&mut self, task: &Task) -> Result<(), Error> {
        let (mut after, mut expired) = (Position::START, Vec::new());
        loop {
            let found = task.next(self.reader()?, after, 10_000)?;
            let Some(last) = found.last() else { break };
            after = *last;
            for it in found {
                let stored = self.reader()?.message(it.message)?;
                let stored = stored.filter(|it| it.disposition != Disposition::Duplicate);
                let at = stored.and_then(|it| it.body_expired);
                expired.extend(at.map(|at| (it.message, at)));
            }
        }
        let Some((message, at)) = expired.first() else { return Ok(()) };
        let more = match expired.len() {
            1 => String::new(),
            count => format!(", and those of {} more", count - 1),
        };
        let day = date(*at);
        Err(Error::Refused(format!("the body of message {message} expired on {day}{more}")))
    }

    /// Does what is left of a job.
    pub(crate) fn go_on(&mut self, mut job: Job) -> Result<JobReport, Error> {
        let text = String::from_utf8_lossy(&job.what.0).into_owned();
        let unreadable = || Error::Refused("the job is one of another program".to_owned());
        let task = Task::from_text(&text).ok_or_else(unreadable)?;
        let mut looks = 0;
        while !job.has_ended {
            let before = job.clone();
            let next = task.next(self.reader()?, job.after, SLICE)?;
            self.appends(true);
            let (act, newer) = self.slice(&task, &next).inspect_err(|_| self.appends(false))?;
            job.newer += newer;
            job.done += next.len() as u64;
            job.after = next.last().copied().unwrap_or(job.after);
            job.has_ended = next.len() < SLICE;
            match self.tell(act, &job.by.clone(), Some(job.clone()))? {
                CommandOutcome::Done(_) => {}
                // A sender that came again has had some of it sent again meanwhile: what is left?
                CommandOutcome::Nothing if looks < LOOKS => (job, looks) = (before, looks + 1),
                // It was written whole or not at all, and says so itself.
                CommandOutcome::Unknown => {
                    let known = self.reader()?.jobs()?.into_iter().find(|it| it.key == job.key);
                    let text = "it is unknown whether it was begun: try again with the same key";
                    job = known.ok_or_else(|| Error::Refused(text.to_owned()))?;
                }
                other => return done(other).map(|()| report(&job)),
            }
        }
        Ok(report(&job))
    }

    /// Does what is left of all jobs that an earlier life has begun. One that cannot go on keeps no
    /// other from it.
    pub(crate) fn resume(&mut self) -> Result<(), Error> {
        for job in self.reader()?.jobs()?.into_iter().filter(|it| !it.has_ended) {
            match self.go_on(job) {
                Ok(_) => {}
                Err(error @ Error::Store(_)) => return Err(error),
                Err(why) => notices::job_waits(&why),
            }
        }
        Ok(())
    }

    /// What is done with these, and how many of them come after a newer message.
    fn slice(&mut self, task: &Task, positions: &[Position]) -> Result<(Act, u64), Error> {
        let mut act = self.act(task, positions)?;
        let newer = newer::tell(self.reader()?, &mut act)?;
        Ok((act, newer))
    }

    fn act(&mut self, task: &Task, positions: &[Position]) -> Result<Act, Error> {
        let mut parked = Vec::new();
        let mut replays = Vec::new();
        for position in positions {
            match task.deed {
                Deed::Release | Deed::Cancel => {
                    let entry = self.entry(*position)?;
                    parked.extend(entry.map(|entry| Parked {
                        lane: position.lane,
                        entry,
                        newer: 0,
                    }));
                }
                _ => replays.extend(self.again(task, *position)?),
            }
        }
        Ok(match task.deed {
            Deed::Release => Act::Release(parked),
            Deed::Cancel => Act::Cancel(parked),
            _ => Act::Replay(replays),
        })
    }

    /// The row of a delivery, if it is still there.
    fn entry(&mut self, at: Position) -> Result<Option<Entry>, Error> {
        let rows = self.reader()?.entries(at.lane, Seq(at.seq.0 - 1), 1)?;
        Ok(rows.into_iter().next().filter(|it| it.seq == at.seq))
    }

    fn again(&mut self, task: &Task, at: Position) -> Result<Option<Replay>, Error> {
        let Some(message) = self.reader()?.message(at.message)? else { return Ok(None) };
        // A body may have expired since the job began.
        if message.disposition == Disposition::Duplicate || message.body_expired.is_some() {
            return Ok(None);
        }
        if task.which == Which::Messages {
            let (dead, forgiven) = match task.deed {
                Deed::Reroute => (self.dead_of(at.message)?, self.reader()?.failures(at.message)?),
                _ => (Vec::new(), 0),
            };
            let entry = Entry {
                seq: Seq(0),
                message: at.message,
                body: Source::Message,
                sole: false,
                id_hash: IdHash::of(&message.message.control_id.0),
                keys: Keys::NONE,
                hops: 0,
                len: message.len,
            };
            let to = match task.deed {
                Deed::To(lane) => lane,
                _ => message.message.inbound,
            };
            return Ok(Some(Replay { entry, to, dead, forgiven, newer: 0 }));
        }
        let Some(mut entry) = self.entry(at)? else { return Ok(None) };
        let to = match task.deed {
            Deed::To(lane) => lane,
            _ => at.lane,
        };
        if to != at.lane {
            // They are those of its own outbound. Without a key it waits for all before it.
            entry.keys = Keys::NONE;
        }
        let dead = self.dead_of(at.message)?;
        let dead: Vec<_> = dead.into_iter().filter(|it| *it == (at.lane, at.seq)).collect();
        let forgiven = dead.len() as u32;
        Ok(Some(Replay { entry, to, dead, forgiven, newer: 0 }))
    }

    /// The dead deliveries of a message.
    fn dead_of(&mut self, message: MessageId) -> Result<Vec<(LaneId, Seq)>, Error> {
        let after = Position { message, ..Position::START };
        let listed = self.reader()?.listed(List::Dead, None, after, 1_000)?;
        let own = listed.into_iter().take_while(|it| it.position.message == message);
        Ok(own.map(|it| (it.position.lane, it.position.seq)).collect())
    }
}

fn report(job: &Job) -> JobReport {
    JobReport { total: job.total, done: job.done, newer: job.newer }
}
