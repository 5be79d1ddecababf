//! Log records of the engine, a line of standard error for each.
//!
//! The threads that decide and write must not wait for a slow reader of standard error. They put lines into
//! a queue, and drop them while it is full; a thread of its own writes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::SystemTime;
use std::{io, thread};

use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Lines that wait to be written.
const QUEUE: usize = 1_000;

struct Lines {
    queue: SyncSender<String>,
    dropped: AtomicU64,
}

/// The fields of a record: the connection's name for the front, the others behind the text.
#[derive(Default)]
struct Fields {
    connection: String,
    others: String,
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        match key.as_str() {
            "connection" => self.connection = value.to_string(),
            key => write!(self.others, " {key}={value}")?,
        }
        Ok(())
    }
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut fields = Fields::default();
        let _ = record.key_values().visit(&mut fields);
        let Fields { connection, others } = fields;
        let colon = if connection.is_empty() { "" } else { ": " };
        let dropped = match self.dropped.swap(0, Ordering::Relaxed) {
            0 => String::new(),
            count => format!(" ({count} lines before this one were dropped)"),
        };
        let (time, level) = (now(), record.level());
        let text = format!("{connection}{colon}{}{others}{dropped}", record.args());
        // A line is a line, whatever a name or a system's text holds.
        let text: String = text.chars().flat_map(shown).collect();
        if self.queue.try_send(format!("{time} {level} {text}\n")).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

fn shown(char: char) -> Vec<char> {
    if char.is_control() { char.escape_default().collect() } else { vec![char] }
}

/// The time in UTC, as ISO 8601 has it.
fn now() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    mllp_engine::moment(milliseconds)
}

fn write_lines(lines: &Receiver<String>) {
    while let Ok(line) = lines.recv() {
        // Standard error is gone, and there is nowhere to say so.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

/// Writes a log record about a connection, or about the engine if the name is empty.
#[pyfunction]
pub(crate) fn log_line(level: &str, connection: &str, text: &str) -> PyResult<()> {
    let unknown = |_| PyValueError::new_err(format!("level: \"{level}\" is not known"));
    let level: Level = level.parse().map_err(unknown)?;
    log::log!(level, connection = connection; "{text}");
    Ok(())
}

/// Writes log records of this level and above to standard error from now on. Once for each process.
#[pyfunction]
pub(crate) fn log_to_stderr(level: &str) -> PyResult<()> {
    let unknown = |_| PyValueError::new_err(format!("level: \"{level}\" is not known"));
    let level: LevelFilter = level.parse().map_err(unknown)?;
    let (queue, lines) = sync_channel(QUEUE);
    let writer = thread::Builder::new().name("log-lines".into());
    writer.spawn(move || write_lines(&lines)).map_err(PyErr::from)?;
    let logger = Lines { queue, dropped: AtomicU64::new(0) };
    let taken = |_| PyRuntimeError::new_err("log records have a place already");
    log::set_boxed_logger(Box::new(logger)).map_err(taken)?;
    log::set_max_level(level);
    Ok(())
}
