//! What an operator does with a running engine.

use mllp_engine::{By, Flow, Note, Side, Stage};
use pyo3::prelude::*;

use crate::engine::Engine;
use crate::error::unknown_word;
use crate::job::{JobReport, selection, to};

const STAGES: [Stage; 3] = [Stage::Ingress, Stage::Routed, Stage::Outbound];

pub(crate) fn stage(name: &str) -> PyResult<Stage> {
    let found = STAGES.into_iter().find(|it| it.name() == name);
    found.ok_or_else(|| unknown_word("stage", name))
}

fn side(name: &str) -> PyResult<Side> {
    match name {
        "input" => Ok(Side::Input),
        "output" => Ok(Side::Output),
        other => Err(unknown_word("side", other)),
    }
}

fn flow(name: &str) -> PyResult<Flow> {
    match name {
        "on" => Ok(Flow::On),
        "paused" => Ok(Flow::Paused),
        "stopped" => Ok(Flow::Stopped),
        other => Err(unknown_word("flow", other)),
    }
}

pub(crate) fn by(who: String, because: &str) -> By {
    By { who: Note(who), reason: Note(because.to_owned()) }
}

#[pymethods]
impl Engine {
    #[pyo3(name = "switch")]
    #[pyo3(signature = (stage, name, side, flow, *, by, because = ""))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one call")]
    fn switch_lane(
        &self,
        py: Python<'_>,
        stage: &str,
        name: &str,
        side: &str,
        flow: &str,
        by: String,
        because: &str,
    ) -> PyResult<()> {
        let (stage, side, flow) = (self::stage(stage)?, self::side(side)?, self::flow(flow)?);
        let by = self::by(by, because);
        self.ask(py, |engine| engine.switch(stage, name, side, flow, &by))
    }

    fn retry_now(&self, py: Python<'_>, stage: &str, name: &str) -> PyResult<()> {
        let stage = self::stage(stage)?;
        self.ask(py, |engine| engine.retry_now(stage, name))
    }

    #[pyo3(signature = (outbound, *, by, because = ""))]
    fn hold_head(&self, py: Python<'_>, outbound: &str, by: String, because: &str) -> PyResult<()> {
        let by = self::by(by, because);
        self.ask(py, |engine| engine.hold_head(outbound, &by))
    }

    #[pyo3(signature = (outbound, *, by, because = ""))]
    fn cancel_head(
        &self,
        py: Python<'_>,
        outbound: &str,
        by: String,
        because: &str,
    ) -> PyResult<()> {
        let by = self::by(by, because);
        self.ask(py, |engine| engine.cancel_head(outbound, &by))
    }

    #[pyo3(signature = (
        which, *, key, by, because = "", outbound = None, messages = Vec::new(),
        failure = None, to_outbound = None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one call")]
    fn replay(
        &self,
        py: Python<'_>,
        which: &str,
        key: &str,
        by: String,
        because: &str,
        outbound: Option<&str>,
        messages: Vec<u64>,
        failure: Option<&str>,
        to_outbound: Option<String>,
    ) -> PyResult<JobReport> {
        let of = selection(which, outbound, messages, failure)?;
        let (to, by) = (to(which != "messages", to_outbound), self::by(by, because));
        self.ask(py, |engine| engine.replay(&of, &to, &by, key)).map(JobReport::from)
    }

    #[pyo3(signature = (
        which, *, outbound = None, messages = Vec::new(), failure = None, to_outbound = None,
    ))]
    fn preview(
        &self,
        py: Python<'_>,
        which: &str,
        outbound: Option<&str>,
        messages: Vec<u64>,
        failure: Option<&str>,
        to_outbound: Option<String>,
    ) -> PyResult<JobReport> {
        let of = selection(which, outbound, messages, failure)?;
        let to = to(which != "messages", to_outbound);
        self.ask(py, |engine| engine.preview(&of, &to)).map(JobReport::from)
    }

    #[pyo3(signature = (
        *, key, by, because = "", outbound = None, messages = Vec::new(),
    ))]
    fn release(
        &self,
        py: Python<'_>,
        key: &str,
        by: String,
        because: &str,
        outbound: Option<&str>,
        messages: Vec<u64>,
    ) -> PyResult<JobReport> {
        let (of, by) = (selection("held", outbound, messages, None)?, self::by(by, because));
        self.ask(py, |engine| engine.release(&of, &by, key)).map(JobReport::from)
    }

    #[pyo3(signature = (
        *, key, by, because = "", outbound = None, messages = Vec::new(),
    ))]
    fn cancel(
        &self,
        py: Python<'_>,
        key: &str,
        by: String,
        because: &str,
        outbound: Option<&str>,
        messages: Vec<u64>,
    ) -> PyResult<JobReport> {
        let (of, by) = (selection("held", outbound, messages, None)?, self::by(by, because));
        self.ask(py, |engine| engine.cancel(&of, &by, key)).map(JobReport::from)
    }

    #[pyo3(signature = (stage, old, new, *, by, because = ""))]
    fn move_lane(
        &self,
        py: Python<'_>,
        stage: &str,
        old: &str,
        new: &str,
        by: String,
        because: &str,
    ) -> PyResult<u64> {
        let (stage, by) = (self::stage(stage)?, self::by(by, because));
        self.ask(py, |engine| engine.move_lane(stage, old, new, &by))
    }

    #[pyo3(signature = (stage, old, *, by, because = ""))]
    fn cancel_lane(
        &self,
        py: Python<'_>,
        stage: &str,
        old: &str,
        by: String,
        because: &str,
    ) -> PyResult<u64> {
        let (stage, by) = (self::stage(stage)?, self::by(by, because));
        self.ask(py, |engine| engine.cancel_lane(stage, old, &by))
    }

    fn confirm_retention(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, |engine| {
            engine.confirm_retention();
            Ok(())
        })
    }

    fn reload_tls(&self, py: Python<'_>, inbound: &str) -> PyResult<()> {
        self.ask(py, |engine| engine.reload_tls(inbound))
    }
}
