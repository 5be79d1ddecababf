//! Deliveries that were given up, and what an operator does with many of them.

use std::path::PathBuf;

use mllp_engine::{Failure, Selection, To, Which};
use pyo3::prelude::*;

use crate::error::{raised, unknown_word};

/// How far a job has come.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct JobReport {
    total: u64,
    done: u64,
    newer: u64,
}

impl From<mllp_engine::JobReport> for JobReport {
    fn from(report: mllp_engine::JobReport) -> JobReport {
        let mllp_engine::JobReport { total, done, newer } = report;
        JobReport { total, done, newer }
    }
}

/// A delivery that is dead or held. Times are milliseconds since 1970 in UTC.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct GivenUp {
    /// Where the next page begins.
    place: (u64, u32, u64),
    message: u64,
    control_id: String,
    outbound: String,
    at: u64,
    failure: Option<&'static str>,
    attempts: u32,
    said: String,
    by: String,
    because: String,
}

impl From<mllp_engine::GivenUp> for GivenUp {
    fn from(it: mllp_engine::GivenUp) -> GivenUp {
        GivenUp {
            place: (it.place.message.0, it.place.lane.0, it.place.seq.0),
            message: it.message.0,
            control_id: it.control_id.0,
            outbound: it.outbound,
            at: it.at,
            failure: it.failure.map(|it| it.name()),
            attempts: it.attempts,
            said: it.said.0,
            by: it.by.who.0,
            because: it.by.reason.0,
        }
    }
}

/// What was proven of a store.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct Verified {
    received: u64,
    dispositions: std::collections::BTreeMap<&'static str, u64>,
    open_work: u64,
    findings: Vec<String>,
}

impl Verified {
    pub(crate) fn new(verified: mllp_engine::Verified, findings: Vec<String>) -> Verified {
        let mllp_engine::Verified { received, dispositions, open_work, .. } = verified;
        Verified { received, dispositions, open_work, findings }
    }
}

/// Proves from the store of a stopped engine that nothing is lost.
#[pyfunction]
pub(crate) fn verify(py: Python<'_>, data: PathBuf) -> PyResult<Verified> {
    let mut findings = Vec::new();
    let tell = &mut findings;
    let verified =
        py.detach(|| mllp_engine::verify(&data, &mut |finding| tell.push(finding.to_string())));
    Ok(Verified::new(verified.map_err(|error| raised(error.into()))?, findings))
}

/// Which deliveries or messages are meant.
pub(crate) fn selection(
    which: &str,
    outbound: Option<&str>,
    messages: Vec<u64>,
    failure: Option<&str>,
) -> PyResult<Selection> {
    let which = match which {
        "dead" => Which::Dead,
        "held" => Which::Held,
        "past" => Which::Past,
        "messages" => Which::Messages,
        other => return Err(unknown_word("which", other)),
    };
    let mut selection = match which {
        // Without a number none is meant, not all.
        Which::Messages => Selection::messages(&messages),
        which => Selection { only: messages, ..Selection::all(which, outbound) },
    };
    selection.failure = failure.map(named).transpose()?;
    Ok(selection)
}

fn named(name: &str) -> PyResult<Failure> {
    let found = Failure::ALL.into_iter().find(|it| it.name() == name);
    found.ok_or_else(|| unknown_word("failure", name))
}

/// Where to: `same`, `router`, or the name of an outbound.
pub(crate) fn to(same: bool, outbound: Option<String>) -> To {
    match outbound {
        Some(outbound) => To::Outbound(outbound),
        None if same => To::Same,
        None => To::Router,
    }
}
