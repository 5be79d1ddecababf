//! How a message stands at one place of its way, in facts and in words.

use std::fmt;

use mllp_pipeline::{By, Failure, Flow, MessageId, Note, StoreState};

use crate::moment::moment;
use crate::shown::plain;
use crate::status::Setting;
use crate::worker::Refusal;

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
        /// Milliseconds from the first byte out to the answer.
        milliseconds: u64,
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
        /// Why the rule of the outbound has given it up; `None`: an operator holds it.
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
    /// It is outside of the schedule of the outbound.
    Closed {
        /// When it opens.
        opens: Option<u64>,
    },
    /// The partner is not connected.
    NotConnected {
        /// Since when.
        since: u64,
        /// Why the last connection has ended or could not be opened.
        why: Option<String>,
        /// When it is dialed again; `None`: now, or as soon as there is something to send.
        next: Option<u64>,
    },
    /// It has failed and is tried again.
    Retries(Attempts),
    /// It is with the partner, whose answer has not come.
    WithPartner,
    /// It waits behind the head of its lane.
    Behind {
        /// The message at the head.
        head: MessageId,
        /// How many rows of the lane are before it.
        before: u64,
        /// What the head of an outbound's lane has gone through.
        attempts: Attempts,
    },
    /// It waits for an earlier message with which it shares a key, or one of the two has no key.
    SharesKey {
        /// The earlier message.
        with: MessageId,
    },
    /// As many deliveries as may be unanswered are with the partner or wait for their next attempt.
    WindowFull {
        /// How many may be.
        window: u32,
    },
    /// The router or handler runs on it.
    Running {
        /// Since when.
        since: u64,
    },
    /// The worker of the router or handler died on it: it runs alone next, or does so now.
    RunsAlone,
    /// No worker can run the router or handler.
    NoWorker(Refusal),
    /// What a router or handler made of it does not fit into this lane, which is full.
    Full {
        /// The handler or outbound.
        lane: String,
    },
    /// What became of it here is being written.
    Ends,
    /// Nothing is in its way.
    Next,
}

/// What a delivery has gone through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Attempts that have failed.
    pub count: u32,
    /// After how many it is given up; `None`: it is tried for ever.
    pub limit: Option<u32>,
    /// Why the last one failed.
    pub failure: Option<Failure>,
    /// What the partner said to it.
    pub said: Note,
    /// When the next one is, by the wall clock; 0: it does not wait.
    pub due: u64,
    /// Milliseconds until then.
    pub due_in: u64,
    /// Whether one is with the partner now.
    pub is_sent: bool,
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
    if note.0.is_empty() { String::new() } else { format!(", {}", plain(&note.0)) }
}

fn by(by: &By) -> String {
    let who = if by.who.0.is_empty() { "the engine" } else { &by.who.0 };
    match by.reason.0.as_str() {
        "" => format!("by {}", plain(who)),
        reason => format!("by {}: {}", plain(who), plain(reason)),
    }
}

/// Seconds, begun ones included.
fn seconds(milliseconds: u64) -> String {
    format!("{} s", milliseconds.div_ceil(1_000))
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.failure, self.is_sent) {
            (None, true) => return f.write_str("sent, the answer has not come yet"),
            (None, false) => f.write_str("no attempt has failed")?,
            (Some(failure), _) => {
                let of = self.limit.map_or_else(String::new, |limit| format!(" of {limit}"));
                let (why, said) = (words(failure), said(&self.said));
                write!(f, "{why}{said} ({}{of} attempts)", self.count)?;
            }
        }
        match (self.is_sent, self.due_in) {
            (true, _) => f.write_str(", sent again, the answer has not come yet"),
            (false, 0) => Ok(()),
            (false, due) => write!(f, ", next at {} (in {})", moment(self.due), seconds(due)),
        }
    }
}

fn not_connected(
    f: &mut fmt::Formatter<'_>,
    since: u64,
    why: Option<&str>,
    next: Option<u64>,
) -> fmt::Result {
    write!(f, "the partner is not connected since {}", moment(since))?;
    if let Some(why) = why {
        write!(f, ": {}", plain(why))?;
    }
    next.map_or(Ok(()), |next| write!(f, ", next attempt at {}", moment(next)))
}

impl Reason {
    /// What has become of it; what it waits for is written by `Display`.
    fn end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Delivered { at, said: text, milliseconds } => {
                write!(f, "delivered {}{} after {milliseconds} ms", moment(*at), said(text))
            }
            Reason::Dead { failure, at, said: text } => {
                write!(f, "dead since {}: {}{}", moment(*at), words(*failure), said(text))
            }
            Reason::Held { failure: Some(failure), at, said: text, .. } => {
                let (at, why, said) = (moment(*at), words(*failure), said(text));
                write!(f, "held since {at} by the rule of the outbound: {why}{said}")
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
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Store(StoreState { trouble, since }) => {
                let state = StoreState { trouble: *trouble, since: *since }.name();
                let why = trouble.map_or("", |it| it.name());
                write!(f, "waits for the store: {state} since {}, {why}", moment(*since))
            }
            Reason::Orphaned => f.write_str(
                "no longer configured: an operator has to move or cancel what its lane holds",
            ),
            Reason::Switched(Setting { flow, by: who, reason, since }) => {
                let state = if *flow == Flow::Paused { "paused" } else { "stopped" };
                let operator = By { who: Note(who.clone()), reason: Note(reason.clone()) };
                write!(f, "the lane is {state} since {} {}", moment(*since), by(&operator))
            }
            Reason::Closed { opens } => {
                f.write_str("outside of the schedule")?;
                opens.map_or(Ok(()), |at| write!(f, " (opens at {})", moment(at)))
            }
            Reason::NotConnected { since, why, next } => {
                not_connected(f, *since, why.as_deref(), *next)
            }
            Reason::Retries(attempts) => write!(f, "is tried again: {attempts}"),
            Reason::WithPartner => f.write_str("sent, the answer has not come yet"),
            Reason::Behind { head, before, attempts } if *attempts == Attempts::default() => {
                write!(f, "waits behind {head}, the head of the lane ({before} before it)")
            }
            Reason::Behind { head, before, attempts } => {
                write!(f, "waits behind {head}, the head of its lane ({before} before it): ")?;
                write!(f, "{attempts}")
            }
            Reason::SharesKey { with } => {
                write!(f, "waits for message {with}: they share a key, or one has none")
            }
            Reason::WindowFull { window } => {
                write!(f, "waits because {window} deliveries, as many as may be, are not done")
            }
            Reason::Running { since } => write!(f, "the function runs since {}", moment(*since)),
            Reason::RunsAlone => f.write_str("its worker died, it runs alone next"),
            Reason::NoWorker(Refusal { why, at, .. }) => {
                write!(f, "no worker runs since {}: {}", moment(*at), plain(why))
            }
            Reason::Full { lane } => write!(f, "waits because {lane} is full"),
            Reason::Ends => f.write_str("done, which is being written"),
            Reason::Next => f.write_str("nothing is in its way"),
            end => end.end(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    /// Says for every reason, without a wildcard, which test causes it through a whole engine.
    macro_rules! tested {
        ($($reason:pat => $file:literal $test:literal,)*) => {
            const TESTED: &[(&str, &str, &str)] = &[
                $((stringify!($reason), include_str!(concat!("../tests/", $file)), $test),)*
            ];
            const _: fn(&Reason) = |reason| match reason { $($reason => {})* };
        };
    }

    tested! {
        Reason::Delivered { .. } => "why.rs" "a_message_behind_one_that_is_refused_for_now_and_one_for_each_outbound",
        Reason::Dead { .. } => "why.rs" "what_is_dead_held_cancelled_failed_or_went_nowhere",
        Reason::Held { .. } => "why.rs" "what_is_dead_held_cancelled_failed_or_went_nowhere",
        Reason::Cancelled { .. } => "why.rs" "what_is_dead_held_cancelled_failed_or_went_nowhere",
        Reason::Failed { .. } => "why.rs" "what_is_dead_held_cancelled_failed_or_went_nowhere",
        Reason::Store(_) => "waiting.rs" "a_commit_that_does_not_return",
        Reason::Orphaned => "why.rs" "what_an_outbound_has_left_that_is_no_longer_configured",
        Reason::Switched(_) => "why.rs" "a_lane_that_is_stopped_or_paused_says_by_whom_and_since_when",
        Reason::Closed { .. } => "schedules.rs" "an_outbound_keeps_its_queue_outside_of_its_schedule",
        Reason::NotConnected { .. } => "waiting.rs" "a_partner_who_cannot_be_reached_has_a_time_of_the_next_dial",
        Reason::Retries(_) => "why.rs" "a_message_behind_one_that_is_refused_for_now_and_one_for_each_outbound",
        Reason::WithPartner => "waiting.rs" "a_delivery_that_is_with_the_partner_though_it_is_not_the_head",
        Reason::Behind { .. } => "waiting.rs" "a_delivery_that_is_with_the_partner_though_it_is_not_the_head",
        Reason::SharesKey { .. } => "waiting.rs" "a_message_without_a_key_waits_for_the_first_and_the_next_ones_for_it",
        Reason::WindowFull { .. } => "waiting.rs" "a_delivery_that_is_with_the_partner_though_it_is_not_the_head",
        Reason::Running { .. } => "waiting.rs" "a_function_that_runs_in_a_thread_and_what_is_behind_it",
        Reason::RunsAlone => "workers.rs" "why_tells_that_a_message_on_which_its_worker_died_runs_alone",
        Reason::NoWorker(_) => "workers.rs" "workers_that_refuse_or_lack_a_function_make_messages_wait",
        Reason::Full { .. } => "why.rs" "a_lane_that_is_full_holds_up_its_handler",
        Reason::Ends => "waiting.rs" "what_became_of_a_delivery_is_being_written",
        Reason::Next => "waiting.rs" "a_router_that_waits_for_a_thread",
    }

    #[test]
    fn each_has_a_test_that_causes_it() {
        for (reason, file, test) in TESTED {
            let name = format!("fn {test}()");
            let body = file.split("#[test]").find(|it| it.contains(&name));
            let body = body.unwrap_or_else(|| panic!("there is no test {test} of {reason}"));
            let variant = reason.split([' ', '(']).next().unwrap_or_default();
            assert!(body.contains(variant), "{test} does not look for {reason}");
        }
    }
}
