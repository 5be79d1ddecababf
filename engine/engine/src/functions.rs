//! The program's own routers and handlers.

use std::fmt;
use std::sync::Arc;

use hl7_peek::{Path, Scan};

/// A message, as a router or a handler sees it.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    pub(crate) const fn new(payload: &'a [u8]) -> Self {
        Message { payload }
    }

    /// What was received, byte for byte.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The bytes at a path such as `PID-3.1`, still escaped; `None` if there is nothing, no header,
    /// or no such path. One pass over the message for each call.
    pub fn get(&self, path: &str) -> Option<&'a [u8]> {
        let path = Path::parse(path).ok()?;
        let message = hl7_peek::Message::parse_lenient(self.payload, Scan::SingleByte)?;
        message.get(path).filter(|it| !it.is_empty())
    }
}

/// What a handler sends, and where to: an outbound, or a handler that goes on with it. From handler
/// to handler it goes eight times at most; then its message ends in ERROR.
#[derive(Clone, PartialEq, Eq)]
pub struct Send {
    pub(crate) to: String,
    pub(crate) payload: Option<Arc<[u8]>>,
}

// What is sent is health data: it stays out of logs and panics.
impl fmt::Debug for Send {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Send { to, payload } = self;
        match payload {
            Some(payload) => write!(f, "Send(to {to}, {} bytes)", payload.len()),
            None => write!(f, "Send(to {to}, unchanged)"),
        }
    }
}

impl Send {
    /// The bytes that the handler was given.
    pub fn unchanged(to: impl Into<String>) -> Send {
        Send { to: to.into(), payload: None }
    }

    /// Other bytes.
    pub fn bytes(to: impl Into<String>, payload: impl Into<Arc<[u8]>>) -> Send {
        Send { to: to.into(), payload: Some(payload.into()) }
    }
}

/// Chooses handlers by their names.
pub(crate) type Router = Box<dyn Fn(&Message<'_>) -> Vec<String> + std::marker::Send + Sync>;

/// Filters and transforms.
pub(crate) type Handler = Box<dyn Fn(&Message<'_>) -> Vec<Send> + std::marker::Send + Sync>;
