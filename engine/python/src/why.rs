//! Why a message is not yet delivered, as Python sees it.

use mllp_engine::{Attempts, Reason};
use pyo3::prelude::*;

use crate::status::flow;
use crate::stored::MessageRecord;

/// Where a message stands, in facts and, as `text`, in sentences.
#[pyclass(frozen, get_all, module = "fastmllp_engine._native")]
pub(crate) struct Why {
    message: MessageRecord,
    answers: Vec<Answer>,
    text: String,
}

/// Where a message stands at one place.
#[pyclass(frozen, get_all, from_py_object, module = "fastmllp_engine._native")]
#[derive(Clone, Default)]
pub(crate) struct Answer {
    place: String,
    reason: &'static str,
    text: String,
    at: Option<u64>,
    failure: Option<&'static str>,
    said: Option<String>,
    by: Option<String>,
    because: Option<String>,
    message: Option<u64>,
    lane: Option<String>,
    before: Option<u64>,
    attempts: Option<u32>,
    limit: Option<u32>,
    due: Option<u64>,
    due_in: Option<u64>,
    milliseconds: Option<u64>,
}

impl From<mllp_engine::Why> for Why {
    fn from(why: mllp_engine::Why) -> Why {
        let text = why.to_string();
        let message = MessageRecord::new(&why.message, why.inbound);
        Why { message, answers: why.answers.into_iter().map(Answer::from).collect(), text }
    }
}

impl Answer {
    fn attempts(self, attempts: Attempts) -> Answer {
        Answer {
            attempts: Some(attempts.count),
            failure: attempts.failure.map(|it| it.name()),
            said: spoken(attempts.said.0),
            limit: attempts.limit,
            due: (attempts.due > 0).then_some(attempts.due),
            due_in: Some(attempts.due_in),
            ..self
        }
    }
}

fn spoken(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<mllp_engine::Answer> for Answer {
    fn from(answer: mllp_engine::Answer) -> Answer {
        let mllp_engine::Answer { place, reason } = answer;
        let base = Answer { place, text: reason.to_string(), ..Answer::default() };
        match reason {
            Reason::Delivered { at, said, milliseconds } => Answer {
                reason: "delivered",
                at: Some(at),
                said: spoken(said.0),
                milliseconds: Some(milliseconds),
                ..base
            },
            Reason::Dead { failure, at, said } => {
                let (failure, said) = (Some(failure.name()), spoken(said.0));
                Answer { reason: "dead", at: Some(at), failure, said, ..base }
            }
            Reason::Held { failure, at, said, by } => Answer {
                reason: "held",
                at: Some(at),
                failure: failure.map(|it| it.name()),
                said: spoken(said.0),
                by: spoken(by.who.0),
                because: spoken(by.reason.0),
                ..base
            },
            Reason::Cancelled { at, by } => {
                let (who, because) = (spoken(by.who.0), spoken(by.reason.0));
                Answer { reason: "cancelled", at: Some(at), by: who, because, ..base }
            }
            Reason::Failed { at, error } => {
                Answer { reason: "failed", at: Some(at), said: spoken(error.0), ..base }
            }
            Reason::Store(state) => Answer {
                reason: "store",
                at: Some(state.since),
                because: state.trouble.map(|it| it.name().to_owned()),
                ..base
            },
            other => Answer::waits(other, base),
        }
    }
}

impl Answer {
    /// What a message that nothing has become of waits for.
    fn waits(reason: Reason, base: Answer) -> Answer {
        match reason {
            Reason::Orphaned => Answer { reason: "orphaned", ..base },
            Reason::Switched(setting) => Answer {
                reason: flow(setting.flow),
                at: Some(setting.since),
                by: spoken(setting.by),
                because: spoken(setting.reason),
                ..base
            },
            Reason::Closed { opens } => Answer { reason: "closed", due: opens, ..base },
            Reason::NotConnected { since, why, next } => {
                let at = Some(since);
                Answer { reason: "not_connected", at, because: why, due: next, ..base }
            }
            Reason::Retries(attempts) => Answer { reason: "retries", ..base }.attempts(attempts),
            Reason::WithPartner => Answer { reason: "with_partner", ..base },
            Reason::Behind { head, before, attempts } => {
                let (message, before) = (Some(head.0), Some(before));
                Answer { reason: "behind", message, before, ..base }.attempts(attempts)
            }
            Reason::SharesKey { with } => {
                Answer { reason: "shares_key", message: Some(with.0), ..base }
            }
            Reason::WindowFull { window } => {
                Answer { reason: "window_full", limit: Some(window), ..base }
            }
            Reason::Running { since } => Answer { reason: "running", at: Some(since), ..base },
            Reason::RunsAlone => Answer { reason: "runs_alone", ..base },
            Reason::NoWorker(refusal) => Answer {
                reason: "no_worker",
                at: Some(refusal.at),
                because: spoken(refusal.why),
                ..base
            },
            Reason::Full { lane } => Answer { reason: "full", lane: Some(lane), ..base },
            Reason::Ends => Answer { reason: "ends", ..base },
            Reason::Next => Answer { reason: "next", ..base },
            // The engine knows a reason that this module does not: its sentence still says it.
            _ => Answer { reason: "other", ..base },
        }
    }
}
