//! Why a message is not yet delivered, or what became of it: one answer for each outbound, in facts and
//! in sentences.

use std::fmt;
use std::sync::PoisonError;

use mllp_pipeline::{By, Failure, Flow, MessageId, Note, StoreState};
use mllp_store::StoredMessage;

use crate::engine::{Engine, ended};
use crate::error::Error;
use crate::journey::moment;
use crate::status::Setting;
use crate::waiting::Waiting;
use crate::worker::Refusal;

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
}

/// Where a message stands at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name of the outbound, handler or inbound.
    pub place: String,
    /// How it stands there.
    pub reason: Reason,
}

/// How a message stands at one place. Times are of the wall clock, milliseconds since 1970 in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The partner took it.
    Delivered {
        /// When.
        at: u64,
        /// What the partner said.
        said: Note,
    },
    /// It will not be tried again.
    Dead {
        /// Why.
        failure: Failure,
        /// When it was given up.
        at: u64,
        /// What the partner said last.
        said: Note,
    },
    /// It waits for an operator.
    Held {
        /// Why it was given up; `None`: an operator holds it.
        failure: Option<Failure>,
        /// When it was given up.
        at: u64,
        /// What the partner said last.
        said: Note,
        /// The operator.
        by: By,
    },
    /// An operator has ended it.
    Cancelled {
        /// When.
        at: u64,
        /// The operator.
        by: By,
    },
    /// The router or handler has failed on it.
    Failed {
        /// When.
        at: u64,
        /// The type of the error.
        error: Note,
    },
    /// The store is full or does not write: everything waits for it.
    Store(StoreState),
    /// The inbound, handler or outbound is no longer configured: an operator has to move or cancel
    /// what its lane holds.
    Orphaned,
    /// The lane is stopped or paused.
    Switched(Setting),
    /// The partner is not connected, for this reason if one is known.
    NotConnected(Option<String>),
    /// It is the head of the lane, has failed, and is tried again.
    Retries(Attempts),
    /// It is the head of the lane and is with the partner, whose answer has not come.
    WithPartner,
    /// It waits behind the head of its lane.
    Behind {
        /// The message at the head.
        head: MessageId,
        /// What the head has gone through.
        attempts: Attempts,
    },
    /// It waits for an earlier message with which it shares a key, or one of the two has no key.
    SharesKey {
        /// The earlier message.
        with: MessageId,
    },
    /// The router or handler runs on it, in a worker.
    Running {
        /// Since when.
        since: u64,
    },
    /// The worker of the router or handler died on it: it runs alone next, or does so now.
    RunsAlone,
    /// No worker can run the router or handler.
    NoWorker(Refusal),
    /// What a handler makes of it may not fit into this lane, which is full.
    Full {
        /// The handler or outbound.
        lane: String,
    },
    /// Nothing is in its way.
    Next,
}

/// What a delivery has gone through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Attempts that have failed.
    pub count: u32,
    /// Why the last one failed.
    pub failure: Option<Failure>,
    /// What the partner said to it.
    pub said: Note,
    /// Milliseconds until the next one; 0: it does not wait.
    pub due_in: u64,
}

impl Engine {
    /// Why a message is not yet delivered, or what became of it; `None`: there is no such message.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: the store cannot be read, or the engine has ended.
    pub fn why(&self, id: MessageId) -> Result<Option<Why>, Error> {
        // What is delivered in between is then known to the journey.
        let status = self.status()?;
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        let Some(message) = reader.message(id)? else { return Ok(None) };
        let inbound = self.names.of(message.message.inbound);
        let answers = {
            let (status, names, workers) = (&status, &self.names, self.workers.as_ref());
            Waiting { reader, status, names, workers }.answers(&message)?
        };
        Ok(Some(Why { message, inbound, answers }))
    }
}

/// A failure class in words.
fn words(failure: Failure) -> &'static str {
    match failure {
        Failure::RefusedForGood => "refused for good",
        Failure::RefusedForNow => "refused for now",
        Failure::Transport => "connection failed",
        Failure::NoReply => "no reply",
        Failure::Content => "function failed",
        Failure::Infrastructure => "fault of the engine",
        Failure::Credential => "not let in by the partner",
    }
}

fn said(note: &Note) -> String {
    if note.0.is_empty() { String::new() } else { format!(", {}", note.0.escape_debug()) }
}

fn by(by: &By) -> String {
    let who = if by.who.0.is_empty() { "the engine" } else { &by.who.0 };
    match by.reason.0.as_str() {
        "" => format!("by {}", who.escape_debug()),
        reason => format!("by {}: {}", who.escape_debug(), reason.escape_debug()),
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure {
            None => f.write_str("no attempt has failed")?,
            Some(failure) => {
                let (count, why, said) = (self.count, words(failure), said(&self.said));
                write!(f, "attempt {count} failed: {why}{said}")?;
            }
        }
        match self.due_in {
            0 => Ok(()),
            due => write!(f, ", next attempt in {} s", due.div_ceil(1_000)),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Delivered { at, said: text } => {
                write!(f, "delivered {}{}", moment(*at), said(text))
            }
            Reason::Dead { failure, at, said: text } => {
                write!(f, "dead since {}: {}{}", moment(*at), words(*failure), said(text))
            }
            Reason::Held { failure: Some(failure), at, said: text, .. } => {
                write!(f, "held since {}: {}{}", moment(*at), words(*failure), said(text))
            }
            Reason::Held { at, by: operator, .. } => {
                write!(f, "held since {} {}", moment(*at), by(operator))
            }
            Reason::Cancelled { at, by: operator } => {
                write!(f, "cancelled {} {}", moment(*at), by(operator))
            }
            Reason::Failed { at, error } => {
                write!(f, "the function failed {}{}", moment(*at), said(error))
            }
            Reason::Store(state) => {
                let why = state.trouble.map_or("", |it| it.name());
                write!(
                    f,
                    "waits for the store: {} since {}, {why}",
                    state.name(),
                    moment(state.since)
                )
            }
            Reason::Orphaned => f.write_str(
                "no longer configured: an operator has to move or cancel what its lane holds",
            ),
            Reason::Switched(Setting { flow, by: who, reason, since }) => {
                let state = if *flow == Flow::Paused { "paused" } else { "stopped" };
                let operator = By { who: Note(who.clone()), reason: Note(reason.clone()) };
                write!(f, "the lane is {state} since {} {}", moment(*since), by(&operator))
            }
            Reason::NotConnected(None) => f.write_str("the partner is not connected"),
            Reason::NotConnected(Some(why)) => write!(f, "the partner is not connected: {why}"),
            Reason::Retries(attempts) => write!(f, "first in its lane: {attempts}"),
            Reason::WithPartner => f.write_str("sent, the answer has not come yet"),
            Reason::Behind { head, attempts } => {
                write!(f, "waits behind message {head}, the head of the lane: {attempts}")
            }
            Reason::SharesKey { with } => {
                write!(f, "waits for message {with}: they share a key, or one has none")
            }
            Reason::Running { since } => write!(f, "the function runs since {}", moment(*since)),
            Reason::RunsAlone => f.write_str("its worker died, it runs alone next"),
            Reason::NoWorker(Refusal { why, at, .. }) => {
                write!(f, "no worker runs since {}: {}", moment(*at), why.escape_debug())
            }
            Reason::Full { lane } => write!(f, "waits because {lane} is full"),
            Reason::Next => f.write_str("nothing is in its way"),
        }
    }
}

/// A line for the message, and one for each answer.
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message.message;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
        let (kind, control_id) = (text(&message.message_type.0), text(&message.control_id.0));
        let (inbound, received) = (&self.inbound, moment(message.received_at));
        let disposition = self.message.disposition.name();
        write!(f, "{} {kind} {control_id} of {inbound}, received {received}: ", message.id)?;
        f.write_str(disposition)?;
        for Answer { place, reason } in &self.answers {
            write!(f, "\n{place}: {reason}")?;
        }
        Ok(())
    }
}
