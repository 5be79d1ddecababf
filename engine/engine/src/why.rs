//! Why a message is not yet delivered, or what became of it: one answer for each outbound, in facts and
//! in sentences.

use std::fmt;
use std::sync::PoisonError;

use mllp_pipeline::{MessageId, StoreState};
use mllp_store::StoredMessage;

use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::moment::moment;
use crate::reason::Reason;
use crate::waiting::Waiting;

/// Where a message stands. `Debug` shows nothing of the message and no text of a partner; `Display`
/// shows both, in plain sentences.
#[derive(Clone, Debug)]
pub struct Why {
    /// The message, without its body.
    pub message: StoredMessage,
    /// The inbound that received it.
    pub inbound: String,
    /// An answer for each outbound that it goes to, and for each inbound or handler where it waits or
    /// has failed. Empty where nothing was to be delivered: the disposition says why.
    pub answers: Vec<Answer>,
    /// When this was so, by the wall clock, milliseconds since 1970 in UTC.
    pub at: u64,
    /// How the store stood. With little room it takes no new messages, and what is stored goes on.
    pub store: StoreState,
}

/// Where a message stands at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name of the outbound, handler or inbound.
    pub place: String,
    /// How it stands there.
    pub reason: Reason,
}

impl Engine {
    /// Why a message is not yet delivered, or what became of it; `None`: there is no such message.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read, or the engine has ended.
    pub fn why(&self, id: MessageId) -> Result<Option<Why>, Error> {
        // What is delivered in between is then known to the journey.
        let status = self.status_with(Some(id))?;
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        let Some(message) = reader.message(id)? else { return Ok(None) };
        let inbound = self.names.of(message.message.inbound);
        let answers = {
            let (status, names, seats) = (&status, &self.names, &self.seats);
            let workers = self.workers.as_ref();
            Waiting { reader, status, names, workers, seats }.answers(&message)?
        };
        Ok(Some(Why { message, inbound, answers, at: status.now.wall, store: status.store }))
    }
}

/// A line for the message, one for each answer, and one for a store that takes no new messages.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message.message;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
        let (kind, control_id) = (text(&message.message_type.0), text(&message.control_id.0));
        let (inbound, received) = (&self.inbound, moment(message.received_at));
        write!(f, "{} {kind} {control_id} of {inbound}, received {received}, ", message.id)?;
        if self.message.disposition.is_final() {
            f.write_str(self.message.disposition.name())?;
        } else {
            let open = self.at.saturating_sub(message.received_at) / 1_000;
            write!(f, "open for {open} s")?;
        }
        for Answer { place, reason } in &self.answers {
            write!(f, "\n{place}: {reason}")?;
        }
        if !self.message.disposition.is_final() && self.store.lacks_room() {
            let since = moment(self.store.since);
            write!(f, "\nthe disk has little room since {since}: no new message is stored")?;
        }
        Ok(())
    }
}
