//! A message as the store has it, without its body.

use mllp_engine::StoredMessage;
use pyo3::prelude::*;

/// A message that was received, without its body. Times are milliseconds since 1970 in UTC.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone)]
pub(crate) struct MessageRecord {
    id: u64,
    inbound: String,
    control_id: String,
    message_type: String,
    received_at: u64,
    accepted: bool,
    length: u64,
    session: u64,
    origin: Option<String>,
    original: Option<u64>,
    disposition: &'static str,
    since: u64,
    body_expired: Option<u64>,
}

impl MessageRecord {
    /// `inbound` is the name of the inbound that received it.
    pub(crate) fn new(stored: &StoredMessage, inbound: String) -> MessageRecord {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let message = &stored.message;
        MessageRecord {
            id: message.id.0,
            inbound,
            control_id: text(&message.control_id.0),
            message_type: text(&message.message_type.0),
            received_at: message.received_at,
            accepted: message.accepted,
            length: stored.len,
            session: stored.message.session.0,
            origin: Some(text(&message.origin.0)).filter(|it| !it.is_empty()),
            original: message.original.map(|it| it.0),
            disposition: stored.disposition.name(),
            since: stored.since,
            body_expired: stored.body_expired,
        }
    }
}

/// A page of messages that were found.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct Found {
    pub(crate) messages: Vec<MessageRecord>,
    pub(crate) next: Option<u64>,
}
