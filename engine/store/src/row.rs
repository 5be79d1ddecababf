//! The row of a message, the same in every database.

use mllp_pipeline::{Disposition, NewMessage};

use crate::contract::StoredMessage;

/// A message without its body.
pub(crate) struct MessageRow {
    pub(crate) message: NewMessage,
    /// Length of the body.
    pub(crate) len: u64,
    /// When retention has deleted it.
    pub(crate) body_expired: Option<u64>,
}

impl MessageRow {
    /// With what has become of it.
    pub(crate) fn stored(self, disposition: Disposition, since: u64) -> StoredMessage {
        let MessageRow { message, len, body_expired } = self;
        StoredMessage { message, len, disposition, since, body_expired }
    }
}
