//! Control IDs for messages that a handler makes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;

use crate::message::error::message_error;

/// MSH-10 has room for 20 characters up to version 2.8.
const MOST: usize = 20;
/// As many as four digits can tell apart.
const HANDLERS: u64 = 36 * 36 * 36 * 36;

/// From what the control IDs of a message and all its copies are made: the same handler gives the same
/// IDs when it runs for the same message again.
pub(crate) struct Origin {
    /// The number of the message in its engine, and the function that runs for it.
    call: Option<(u64, Arc<str>)>,
    /// When the message was received, in milliseconds since 1970.
    pub(crate) received: Option<u64>,
    stem: OnceLock<String>,
    given: AtomicU32,
}

impl Origin {
    pub(crate) fn new(call: Option<(u64, Arc<str>)>, received: Option<u64>) -> Arc<Origin> {
        Arc::new(Origin { call, received, stem: OnceLock::new(), given: AtomicU32::new(0) })
    }

    /// The next ID. Raises MessageError when it would not fit into MSH-10.
    pub(crate) fn next(&self, py: Python<'_>, payload: &[u8]) -> PyResult<String> {
        let index = u64::from(self.given.fetch_add(1, Ordering::Relaxed)) + 1;
        let stem = self.stem.get_or_init(|| match &self.call {
            // The number makes it unique in an engine; two handlers of one message differ by the rest.
            Some((number, function)) => {
                format!("{}-{}", base36(*number), base36(fnv1a(function.as_bytes()) % HANDLERS))
            }
            None => base36(fnv1a(payload)),
        });
        let id = format!("{stem}-{}", base36(index));
        if id.len() > MOST {
            return Err(message_error(py, "too many control IDs for one message", "too_many"));
        }
        Ok(id)
    }
}

/// A hash that is the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut text = Vec::new();
    loop {
        text.push(DIGITS.get((number % 36) as usize).copied().unwrap_or_default());
        number /= 36;
        if number == 0 {
            break;
        }
    }
    text.reverse();
    String::from_utf8(text).unwrap_or_default()
}
