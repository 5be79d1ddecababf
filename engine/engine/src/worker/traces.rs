//! What operators read to find out why a function has failed: the newest traces, in memory.
//!
//! They are not kept in the store. A handler that fails on everything would write 16 KiB for each
//! message, kept for a year, while the first of them says it all; the journey keeps the note.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use mllp_pipeline::MessageId;

/// Traces that are kept.
const KEPT: usize = 256;

/// Where a function has failed on a message, as its worker tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The message.
    pub message: MessageId,
    /// The router or handler.
    pub function: String,
    /// What happened, in many lines, without anything that the message holds. 16 KiB at most.
    pub text: String,
}

#[derive(Default)]
pub(crate) struct Traces(Mutex<VecDeque<Trace>>);

impl Traces {
    /// Keeps a trace in place of an earlier one of the same function on the same message.
    pub(crate) fn keep(&self, trace: Trace) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|it| (it.message, &it.function) != (trace.message, &trace.function));
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(trace);
    }

    pub(crate) fn of(&self, message: MessageId) -> Vec<Trace> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|it| it.message == message).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(message: u64, text: &str) -> Trace {
        let (message, function, text) = (MessageId(message), "h".to_owned(), text.to_owned());
        Trace { message, function, text }
    }

    #[test]
    fn the_newest_are_kept_one_for_each_function_and_message() {
        let traces = Traces::default();
        for n in 0..=KEPT as u64 {
            traces.keep(trace(n, "first"));
        }
        assert_eq!(traces.of(MessageId(0)), []);
        traces.keep(trace(1, "second"));
        assert_eq!(traces.of(MessageId(1)), [trace(1, "second")]);
        assert_eq!(traces.of(MessageId(2)), [trace(2, "first")]);
    }
}
