//! A graph for an engine, as Python builds it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mllp_engine::{Capacity, Days, Program, WorkerLimits};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::connector::{ConnectorInboundOptions, ConnectorOutboundOptions};
use crate::engine::Engine;
use crate::error::raised;
use crate::function;
use crate::functions::Functions;
use crate::inbound::InboundOptions;
use crate::options::{millis, seconds as seconds_of};
use crate::outbound::OutboundOptions;
use crate::schedule;

/// A graph, and where its store is. What is wrong with it is said by `start`, all at once.
#[pyclass(frozen, module = "fastmllp_engine._native")]
pub(crate) struct Builder {
    /// Taken by `start`.
    building: Mutex<Option<mllp_engine::Builder>>,
}

impl Builder {
    fn change(
        &self,
        change: impl FnOnce(mllp_engine::Builder) -> PyResult<mllp_engine::Builder>,
    ) -> PyResult<()> {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let builder = building.take().ok_or_else(used)?;
        *building = Some(change(builder)?);
        Ok(())
    }

    /// The graph, once.
    pub(crate) fn take(&self) -> PyResult<mllp_engine::Builder> {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        building.take().ok_or_else(used)
    }
}

fn used() -> PyErr {
    PyRuntimeError::new_err("this builder was used, or an option of it was wrong")
}

#[pymethods]
impl Builder {
    #[new]
    fn new(data: PathBuf) -> Builder {
        Builder { building: Mutex::new(Some(mllp_engine::Engine::builder(data))) }
    }

    #[pyo3(signature = (name, address, router, **options))]
    fn inbound(
        &self,
        name: &str,
        address: &str,
        router: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let options = InboundOptions::read(options)?;
        self.change(|builder| options.apply(builder.inbound(name, address, router)))
    }

    fn pass_through(&self, name: &str, router: &str) -> PyResult<()> {
        self.change(|builder| Ok(builder.pass_through(name, router)))
    }

    fn functions_in_threads(&self, functions: Py<Functions>, inbound: &str) -> PyResult<()> {
        self.change(|builder| Ok(function::in_threads(builder, functions, inbound)))
    }

    fn router_in_worker(&self, name: &str) -> PyResult<()> {
        self.change(|builder| Ok(builder.router_in_worker(name)))
    }

    fn handler_in_worker(&self, name: &str) -> PyResult<()> {
        self.change(|builder| Ok(builder.handler_in_worker(name)))
    }

    #[pyo3(signature = (program, arguments, *, processes = None, handler_timeout_seconds = None))]
    fn worker_program(
        &self,
        program: PathBuf,
        arguments: Vec<OsString>,
        processes: Option<usize>,
        handler_timeout_seconds: Option<f64>,
    ) -> PyResult<()> {
        let program = Program::new(program);
        let program = arguments.into_iter().fold(program, Program::arg);
        let mut limits = WorkerLimits::DEFAULT;
        limits.processes = processes.unwrap_or(limits.processes);
        if let Some(value) = handler_timeout_seconds {
            limits.handler_timeout = millis("handler_timeout_seconds", value)?;
        }
        self.change(|builder| Ok(builder.worker_program(program).worker_limits(limits)))
    }

    #[pyo3(signature = (name, host, port, **options))]
    fn outbound(
        &self,
        name: &str,
        host: &str,
        port: u16,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let options = OutboundOptions::read(options)?;
        self.change(|builder| options.apply(builder.outbound(name, host, port)))
    }

    #[pyo3(signature = (name, router, program, arguments, **options))]
    fn inbound_by(
        &self,
        name: &str,
        router: &str,
        program: PathBuf,
        arguments: Vec<OsString>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let options = ConnectorInboundOptions::read(options)?;
        self.change(|builder| options.add(builder, (name, router), (program, arguments)))
    }

    #[pyo3(signature = (name, program, arguments, **options))]
    fn outbound_by(
        &self,
        name: &str,
        program: PathBuf,
        arguments: Vec<OsString>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let options = ConnectorOutboundOptions::read(options)?;
        self.change(|builder| options.add(builder, name, (program, arguments)))
    }

    #[pyo3(signature = (name, windows, timezone, *, invert = false, answers = false))]
    fn schedule(
        &self,
        name: &str,
        windows: Vec<(String, String, String)>,
        timezone: &str,
        invert: bool,
        answers: bool,
    ) -> PyResult<()> {
        let given = (windows, timezone, invert);
        self.change(|builder| schedule::add(builder, name, given, answers))
    }

    #[pyo3(signature = (name, *, depth = u64::MAX, bytes = u64::MAX))]
    fn capacity(&self, name: &str, depth: u64, bytes: u64) -> PyResult<()> {
        self.change(|builder| Ok(builder.capacity(name, Capacity { depth, bytes })))
    }

    #[pyo3(signature = (*, bodies = 30, metadata = 400, dead = 90))]
    fn retention(
        &self,
        bodies: Option<u32>,
        metadata: Option<u32>,
        dead: Option<u32>,
    ) -> PyResult<()> {
        self.change(|builder| Ok(builder.retention(Days { bodies, metadata, dead })))
    }

    fn configuration(&self, name: &str) -> PyResult<()> {
        self.change(|builder| Ok(builder.configuration(name)))
    }

    fn min_free(&self, bytes: u64) -> PyResult<()> {
        self.change(|builder| Ok(builder.min_free(bytes)))
    }

    fn stalled_after(&self, seconds: f64) -> PyResult<()> {
        let after = seconds_of("stalled_after", seconds)?;
        self.change(|builder| Ok(builder.stalled_after(after)))
    }

    fn start(&self, py: Python<'_>) -> PyResult<Engine> {
        let builder = self.take()?;
        let started = py.detach(|| builder.start());
        Ok(Engine::new(started.map_err(raised)?))
    }
}
