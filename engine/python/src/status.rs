//! How an engine stands, as Python sees it.

use mllp_engine::Flow;
use pyo3::prelude::*;

/// How an engine stands at one moment.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct Status {
    lanes: Vec<LaneState>,
    store: StoreState,
    waiting: usize,
    is_idle: bool,
}

/// How one lane stands.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct LaneState {
    name: String,
    stage: &'static str,
    depth: u64,
    bytes: u64,
    is_full: bool,
    head: Option<u64>,
    attempt: u32,
    due_in: u64,
    ready: bool,
    lost: Option<String>,
    stalled_for: u64,
    in_flight: u32,
    keeps_order: bool,
    input: Option<Setting>,
    output: Option<Setting>,
    is_orphaned: bool,
    hours: Option<Hours>,
    ended_in_error: u64,
}

/// A certificate that is in use.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct Certificate {
    connection: String,
    stage: &'static str,
    whose: &'static str,
    valid_until: u64,
}

/// What the schedule of a connection says.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct Hours {
    is_open: bool,
    until: Option<u64>,
}

/// What was set for one side of a lane.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct Setting {
    flow: &'static str,
    by: String,
    reason: String,
    since: u64,
}

/// Whether the store writes.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct StoreState {
    state: &'static str,
    trouble: Option<&'static str>,
    since: u64,
}

/// The name of a flow, as commands have it.
pub(crate) const fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::On => "on",
        Flow::Paused => "paused",
        Flow::Stopped => "stopped",
    }
}

impl From<mllp_engine::Certificate> for Certificate {
    fn from(certificate: mllp_engine::Certificate) -> Certificate {
        let mllp_engine::Certificate { connection, stage, whose, valid_until } = certificate;
        Certificate { connection, stage, whose: whose.name(), valid_until }
    }
}

impl From<mllp_engine::StoreState> for StoreState {
    fn from(state: mllp_engine::StoreState) -> StoreState {
        let trouble = state.trouble.map(|it| it.name());
        StoreState { state: state.name(), trouble, since: state.since }
    }
}

impl From<mllp_engine::Setting> for Setting {
    fn from(setting: mllp_engine::Setting) -> Setting {
        let mllp_engine::Setting { flow: set, by, reason, since } = setting;
        Setting { flow: flow(set), by, reason, since }
    }
}

impl From<mllp_engine::LaneState> for LaneState {
    fn from(lane: mllp_engine::LaneState) -> LaneState {
        LaneState {
            name: lane.name,
            stage: lane.stage,
            depth: lane.depth,
            bytes: lane.bytes,
            is_full: lane.is_full,
            head: lane.head,
            attempt: lane.attempt,
            due_in: lane.due_in,
            ready: lane.ready,
            lost: lane.lost,
            stalled_for: lane.stalled_for,
            in_flight: lane.in_flight,
            keeps_order: lane.keeps_order,
            input: lane.input.map(Setting::from),
            output: lane.output.map(Setting::from),
            is_orphaned: lane.is_orphaned,
            hours: lane.hours.map(|it| Hours { is_open: it.is_open, until: it.until }),
            ended_in_error: lane.ended_in_error,
        }
    }
}

impl From<mllp_engine::Status> for Status {
    fn from(status: mllp_engine::Status) -> Status {
        Status {
            lanes: status.lanes.into_iter().map(LaneState::from).collect(),
            store: status.store.into(),
            waiting: status.waiting,
            is_idle: status.is_idle,
        }
    }
}
