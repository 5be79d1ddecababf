//! A running engine, as Python has it.

use std::sync::{PoisonError, RwLock};

use mllp_engine::{Disposition, Leaving, Lot, MessageId, Position, Search};
use pyo3::prelude::*;

use crate::backup::Backup;
use crate::builder::Builder;
use crate::error::{raised, refused, unknown_word};
use crate::job::{GivenUp, Verified};
use crate::journey::Journey;
use crate::options::seconds;
use crate::status::{Certificate, Status};
use crate::stored::{Found, MessageRecord};
use crate::why::Why;

/// A running engine. No call holds the interpreter while it waits.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Engine {
    /// Taken by `stop`.
    running: RwLock<Option<mllp_engine::Engine>>,
}

fn disposition(name: &str) -> PyResult<Disposition> {
    let all = [
        Disposition::Received,
        Disposition::Routed,
        Disposition::Unrouted,
        Disposition::Filtered,
        Disposition::Processed,
        Disposition::Error,
        Disposition::Duplicate,
    ];
    let found = all.into_iter().find(|it| it.name() == name);
    found.ok_or_else(|| unknown_word("disposition", name))
}

impl Engine {
    pub(crate) fn new(engine: mllp_engine::Engine) -> Engine {
        Engine { running: RwLock::new(Some(engine)) }
    }

    /// Asks the engine something without the interpreter.
    pub(crate) fn ask<T: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&mllp_engine::Engine) -> Result<T, mllp_engine::Error> + Send,
    ) -> PyResult<T> {
        py.detach(|| {
            let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
            let engine = running.as_ref().ok_or_else(|| refused("the engine was stopped"))?;
            ask(engine).map_err(raised)
        })
    }
}

/// How everything stands, and what has become of messages.
#[pymethods]
impl Engine {
    fn address(&self, py: Python<'_>, inbound: &str) -> PyResult<Option<(String, u16)>> {
        let address = self.ask(py, |engine| Ok(engine.address(inbound)))?;
        Ok(address.map(|it| (it.ip().to_string(), it.port())))
    }

    fn status(&self, py: Python<'_>) -> PyResult<Status> {
        self.ask(py, |engine| engine.status()).map(Status::from)
    }

    fn certificates(&self, py: Python<'_>) -> PyResult<Vec<Certificate>> {
        let all = self.ask(py, |engine| Ok(engine.certificates()))?;
        Ok(all.into_iter().map(Certificate::from).collect())
    }

    fn metrics(&self, py: Python<'_>) -> PyResult<String> {
        self.ask(py, |engine| engine.metrics())
    }

    fn journey(&self, py: Python<'_>, message: u64) -> PyResult<Option<Journey>> {
        let journey = self.ask(py, |engine| engine.journey(MessageId(message)))?;
        Ok(journey.map(Journey::from))
    }

    fn expired(&self, py: Python<'_>, message: u64) -> PyResult<Option<u64>> {
        self.ask(py, |engine| engine.expired(MessageId(message)))
    }

    fn expired_control_id(&self, py: Python<'_>, control_id: &str) -> PyResult<Option<u64>> {
        self.ask(py, |engine| engine.expired_control_id(control_id))
    }

    fn why(&self, py: Python<'_>, message: u64) -> PyResult<Option<Why>> {
        let why = self.ask(py, |engine| engine.why(MessageId(message)))?;
        Ok(why.map(Why::from))
    }

    fn traces(&self, py: Python<'_>, message: u64) -> PyResult<Vec<(String, String)>> {
        let traces = self.ask(py, |engine| Ok(engine.traces(MessageId(message))))?;
        Ok(traces.into_iter().map(|it| (it.function, it.text)).collect())
    }

    fn payload(&self, py: Python<'_>, message: u64) -> PyResult<Option<Vec<u8>>> {
        self.ask(py, |engine| engine.payload(MessageId(message)))
    }

    #[pyo3(signature = (
        *, control_id = None, message_type = None, fields = Vec::new(), received = None,
        connection = None, disposition = None, before = None, limit = 100,
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one call")]
    fn search(
        &self,
        py: Python<'_>,
        control_id: Option<String>,
        message_type: Option<String>,
        fields: Vec<(String, String)>,
        received: Option<(u64, u64)>,
        connection: Option<String>,
        disposition: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> PyResult<Found> {
        let search = Search {
            control_id,
            message_type,
            fields,
            received: received.map(|(from, to)| from..to),
            connection,
            disposition: disposition.map(self::disposition).transpose()?,
        };
        self.ask(py, |engine| {
            let found = engine.search(&search, before.map(MessageId), limit)?;
            let record = |it| MessageRecord::new(it, engine.inbound_of(it));
            let messages = found.messages.iter().map(record).collect();
            Ok(Found { messages, next: found.next.map(|it| it.0) })
        })
    }

    #[pyo3(signature = (outbound = None, after = None, limit = 100))]
    fn dead(
        &self,
        py: Python<'_>,
        outbound: Option<&str>,
        after: Option<(u64, u32, u64)>,
        limit: u32,
    ) -> PyResult<Vec<GivenUp>> {
        let all = self.ask(py, |engine| engine.dead(outbound, place(after), limit))?;
        Ok(all.into_iter().map(GivenUp::from).collect())
    }

    #[pyo3(signature = (outbound = None, after = None, limit = 100))]
    fn held(
        &self,
        py: Python<'_>,
        outbound: Option<&str>,
        after: Option<(u64, u32, u64)>,
        limit: u32,
    ) -> PyResult<Vec<GivenUp>> {
        let all = self.ask(py, |engine| engine.held(outbound, place(after), limit))?;
        Ok(all.into_iter().map(GivenUp::from).collect())
    }

    fn retention_doubt(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        let doubt = self.ask(py, |engine| Ok(engine.retention_doubt()))?;
        Ok(doubt.map(|it| match it {
            mllp_engine::ClockDoubt::Jumped => "jumped",
            mllp_engine::ClockDoubt::LongAway => "long_away",
        }))
    }

    fn verify(&self, py: Python<'_>) -> PyResult<Option<Verified>> {
        let mut findings = Vec::new();
        let told = &mut findings;
        let verified = self
            .ask(py, move |engine| engine.verify(&mut |finding| told.push(finding.to_string())))?;
        Ok(verified.map(|it| Verified::new(it, findings)))
    }

    fn back_up(&self, py: Python<'_>, to: std::path::PathBuf) -> PyResult<Backup> {
        self.ask(py, |engine| engine.back_up(&to)).map(Backup::from)
    }

    #[pyo3(signature = (builder, leaving, deadline_seconds, *, by, because = ""))]
    fn reload(
        &self,
        py: Python<'_>,
        builder: &Builder,
        leaving: Vec<(String, String, Option<String>)>,
        deadline_seconds: f64,
        by: String,
        because: &str,
    ) -> PyResult<(u64, u64)> {
        let deadline = seconds("deadline_seconds", deadline_seconds)?;
        let leaving: Vec<_> = leaving
            .into_iter()
            .map(|(stage, name, to)| {
                let stage = crate::operator::stage(&stage)?;
                Ok(Leaving { stage, name, lot: to.map_or(Lot::Cancelled, Lot::Moved) })
            })
            .collect::<PyResult<_>>()?;
        let (builder, by) = (builder.take()?, crate::operator::by(by, because));
        py.detach(|| {
            let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
            let engine = running.take().ok_or_else(|| refused("the engine was stopped"))?;
            match engine.reload(builder, &leaving, &by, deadline) {
                Ok(engine) => {
                    let settled = engine.settled();
                    *running = Some(engine);
                    Ok((settled.moved, settled.cancelled))
                }
                Err(not) => {
                    *running = not.engine;
                    Err(raised(not.error))
                }
            }
        })
    }

    fn stop(&self, py: Python<'_>, deadline_seconds: f64) -> PyResult<()> {
        let deadline = seconds("deadline_seconds", deadline_seconds)?;
        py.detach(|| {
            let mut running = self.running.write().unwrap_or_else(PoisonError::into_inner);
            let engine = running.take().ok_or_else(|| refused("the engine was stopped"))?;
            engine.stop(deadline).map_err(raised)
        })
    }

    fn has_ended(&self, py: Python<'_>) -> bool {
        // A reload holds the lock, and may wait for a function that needs the interpreter.
        py.detach(|| {
            let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
            running.as_ref().is_none_or(mllp_engine::Engine::has_ended)
        })
    }
}

fn place(place: Option<(u64, u32, u64)>) -> Position {
    place.map_or(Position::START, |(message, lane, seq)| Position {
        message: MessageId(message),
        lane: mllp_engine::LaneId(lane),
        seq: mllp_engine::Seq(seq),
    })
}
