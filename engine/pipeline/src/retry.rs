//! When a delivery is tried again, and when it is given up.

use crate::decision::Decision;
use crate::failure::Failure;
use crate::graph::Retry;
use crate::ids::{LaneId, Millis, Seq};

/// What a failed attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Tried again after its delay.
    Again,
    /// Not tried again.
    Dead,
    /// Our own fault: tried again, and the attempt does not count.
    Ours,
    /// Not the message's fault, nor one that passes: the lane stops.
    Stops,
}

/// The table of failure classes. `attempt` counts from 1 and includes this one.
pub(crate) fn verdict(
    retry: &Retry,
    failure: Failure,
    decision: Option<Decision>,
    attempt: u32,
) -> Verdict {
    let is_spent = retry.max_attempts.is_some_and(|max| attempt >= max);
    match failure {
        // What a rule has decided counts more than the class.
        _ if decision.is_some_and(|it| !it.retries || is_spent) => Verdict::Dead,
        _ if decision.is_some() => Verdict::Again,
        Failure::Infrastructure => Verdict::Ours,
        Failure::Credential => Verdict::Stops,
        Failure::RefusedForGood | Failure::Content => Verdict::Dead,
        Failure::RefusedForNow | Failure::Transport | Failure::NoReply => {
            if is_spent {
                Verdict::Dead
            } else {
                Verdict::Again
            }
        }
    }
}

/// The wait after this attempt, before jitter.
pub(crate) fn longest_delay(retry: &Retry, attempt: u32) -> Millis {
    let factor = u64::from(retry.multiplier.max(1)).saturating_pow(attempt.saturating_sub(1));
    retry.backoff.saturating_mul(factor).min(retry.max_backoff)
}

/// The wait after this attempt: up to a quarter shorter than the longest, so that lanes that fail
/// together do not come back together. The same attempt always waits the same.
pub(crate) fn delay(retry: &Retry, lane: LaneId, seq: Seq, attempt: u32) -> Millis {
    let longest = longest_delay(retry, attempt);
    let hash = mix(u64::from(lane.0) << 32 ^ mix(seq.0 ^ mix(u64::from(attempt))));
    longest - longest / 4 * (hash % 1024) / 1024
}

/// What is left of a wait that was stored by the wall clock. Never longer than the wait itself,
/// wherever the clock has jumped.
pub(crate) fn rest_of_wait(retry: &Retry, due: u64, wall: u64, attempt: u32) -> Millis {
    due.saturating_sub(wall).min(longest_delay(retry, attempt))
}

/// The finaliser of SplitMix64: every bit of the input changes half of the output.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry =
        Retry { max_attempts: Some(3), backoff: 100, multiplier: 2, max_backoff: 1_000 };

    #[test]
    fn the_class_decides() {
        use Failure::*;
        for (failure, first, last) in [
            (RefusedForGood, Verdict::Dead, Verdict::Dead),
            (Content, Verdict::Dead, Verdict::Dead),
            (RefusedForNow, Verdict::Again, Verdict::Dead),
            (Transport, Verdict::Again, Verdict::Dead),
            (NoReply, Verdict::Again, Verdict::Dead),
            (Infrastructure, Verdict::Ours, Verdict::Ours),
            (Credential, Verdict::Stops, Verdict::Stops),
        ] {
            assert_eq!(verdict(&RETRY, failure, None, 1), first, "{failure:?}");
            assert_eq!(verdict(&RETRY, failure, None, 3), last, "{failure:?}");
        }
        let forever = Retry { max_attempts: None, ..RETRY };
        assert_eq!(verdict(&forever, Transport, None, u32::MAX), Verdict::Again);
        assert_eq!(verdict(&forever, RefusedForGood, None, 1), Verdict::Dead);
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|attempt| longest_delay(&RETRY, attempt));
        assert_eq!(waits, [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
        let constant = Retry { multiplier: 1, ..RETRY };
        assert_eq!(longest_delay(&constant, 50), 100);
        let zero = Retry { multiplier: 0, ..RETRY };
        assert_eq!(longest_delay(&zero, 50), 100);
    }

    #[test]
    fn jitter_shortens_by_a_quarter_at_most_and_is_always_the_same() {
        let retry = Retry { backoff: 10_000, max_backoff: 10_000, ..RETRY };
        let of = |seq| delay(&retry, LaneId(1), Seq(seq), 1);
        let all: alloc::vec::Vec<Millis> = (1..1_000).map(of).collect();
        assert!(all.iter().all(|wait| (7_500..=10_000).contains(wait)));
        assert!(all.iter().any(|wait| *wait < 8_000) && all.iter().any(|wait| *wait > 9_500));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), delay(&retry, LaneId(2), Seq(7), 1));
    }

    #[test]
    fn no_wait_is_longer_than_its_own_delay() {
        assert_eq!(rest_of_wait(&RETRY, 1_000, 950, 2), 50);
        assert_eq!(rest_of_wait(&RETRY, 1_000, 5_000, 2), 0, "the clock has jumped ahead");
        assert_eq!(rest_of_wait(&RETRY, 1_000, 0, 2), 200, "the clock has jumped back");
        assert_eq!(rest_of_wait(&RETRY, u64::MAX, 0, 1), 100);
    }
}
