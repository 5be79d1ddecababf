//! The program's own routers and handlers.

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

/// What a handler sends, and where to.
#[derive(Clone, PartialEq, Eq)]
pub struct Send {
    pub(crate) outbound: String,
    pub(crate) payload: Option<Arc<[u8]>>,
}

impl Send {
    /// The message as it was received.
    pub fn unchanged(outbound: impl Into<String>) -> Send {
        Send { outbound: outbound.into(), payload: None }
    }

    /// Other bytes.
    pub fn bytes(outbound: impl Into<String>, payload: impl Into<Arc<[u8]>>) -> Send {
        Send { outbound: outbound.into(), payload: Some(payload.into()) }
    }
}

/// Chooses handlers by their names.
pub(crate) type Router = Box<dyn Fn(&Message<'_>) -> Vec<String> + std::marker::Send + Sync>;

/// Filters and transforms.
pub(crate) type Handler = Box<dyn Fn(&Message<'_>) -> Vec<Send> + std::marker::Send + Sync>;
