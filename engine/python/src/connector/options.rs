//! The options of connections by programs.

use std::ffi::OsString;
use std::path::PathBuf;

use mllp_engine::connector::ConnectorProgram;
use mllp_engine::{Builder, ContentType, Program};
use pyo3::prelude::*;

use crate::inbound::InboundOptions;
use crate::options::{options, seconds};
use crate::outbound::OutboundOptions;

options! {
    /// How an inbound by a program receives. Times are seconds, sizes bytes.
    ConnectorInboundOptions {
        timeout_seconds: f64,
        stop_timeout_seconds: f64,
        hl7: bool,
        max_message_bytes: usize,
        ack_after_delivery_seconds: f64,
        deduplicate: bool,
        on_full: String,
        index: Vec<String>,
        keep_days: (Option<u32>, Option<u32>, Option<u32>),
    }
}

options! {
    /// How an outbound by a program sends. Times are seconds.
    ConnectorOutboundOptions {
        timeout_seconds: f64,
        stop_timeout_seconds: f64,
        window: usize,
        ordering: String,
        key: Vec<String>,
        max_attempts: u32,
        retry_forever: bool,
        backoff_seconds: f64,
        backoff_multiplier: u32,
        max_backoff_seconds: f64,
        give_up_after_seconds: f64,
        give_up_only_connected: bool,
        then: String,
    }
}

fn program(
    program: PathBuf,
    arguments: Vec<OsString>,
    timeout: Option<f64>,
    stop: Option<f64>,
) -> PyResult<ConnectorProgram> {
    let program = arguments.into_iter().fold(Program::new(program), Program::arg);
    let mut connector = ConnectorProgram::new(program);
    if let Some(value) = timeout {
        connector = connector.timeout(seconds("timeout_seconds", value)?);
    }
    if let Some(value) = stop {
        connector = connector.stop(seconds("stop_timeout_seconds", value)?);
    }
    Ok(connector)
}

impl ConnectorInboundOptions {
    /// Adds the inbound to the builder.
    pub(crate) fn add(
        self,
        builder: Builder,
        (name, router): (&str, &str),
        (its, arguments): (PathBuf, Vec<OsString>),
    ) -> PyResult<Builder> {
        let program = program(its, arguments, self.timeout_seconds, self.stop_timeout_seconds)?;
        let builder = builder.inbound_by(name, router, program).feed(|feed| {
            if self.hl7 == Some(false) {
                feed.content_type = ContentType::Any;
            }
            feed.max_message = self.max_message_bytes.unwrap_or(feed.max_message);
        });
        let options = InboundOptions {
            ack_after_delivery_seconds: self.ack_after_delivery_seconds,
            deduplicate: self.deduplicate,
            on_full: self.on_full,
            index: self.index,
            keep_days: self.keep_days,
            ..InboundOptions::default()
        };
        options.take_in(builder)
    }
}

impl ConnectorOutboundOptions {
    /// Adds the outbound to the builder.
    pub(crate) fn add(
        self,
        builder: Builder,
        name: &str,
        (its, arguments): (PathBuf, Vec<OsString>),
    ) -> PyResult<Builder> {
        let program = program(its, arguments, self.timeout_seconds, self.stop_timeout_seconds)?;
        let builder = builder.outbound_by(name, program);
        let builder = match self.window {
            Some(window) => builder.window(window),
            None => builder,
        };
        let options = OutboundOptions {
            ordering: self.ordering,
            key: self.key,
            max_attempts: self.max_attempts,
            retry_forever: self.retry_forever,
            backoff_seconds: self.backoff_seconds,
            backoff_multiplier: self.backoff_multiplier,
            max_backoff_seconds: self.max_backoff_seconds,
            give_up_after_seconds: self.give_up_after_seconds,
            give_up_only_connected: self.give_up_only_connected,
            then: self.then,
            ..OutboundOptions::default()
        };
        options.hand_out(builder)
    }
}
