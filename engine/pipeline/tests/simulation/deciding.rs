//! Outbounds whose rules say what becomes of an answer, in place of the classes of failures.

use mllp_pipeline::{Decision, End, Fact, Failure, Then};

use crate::census;
use crate::world::World;

/// What the rules make of what a partner has answered, where they say anything. What it refuses for good
/// is dead as without them, so that the reference knows what becomes of each message.
pub fn judged(fact: Fact, world: &mut World) -> Fact {
    if !world.scenario.decides {
        return fact;
    }
    match fact {
        Fact::Delivered { lane, seq, milliseconds, note } => {
            let warns = world.rng.one_in(3);
            let decision = Decision { retries: false, end: End::Completed, warns };
            census::count(if warns { "decided: completed, warned" } else { "decided: completed" });
            let failure = Failure::RefusedForNow;
            Fact::Decided { lane, seq, decision, failure, milliseconds, note }
        }
        Fact::Failed { lane, seq, failure: Failure::RefusedForGood, note } => {
            let end = End::GivenUp(Then::Dead);
            let decision = Decision { retries: false, end, warns: world.rng.one_in(3) };
            let (failure, milliseconds) = (Failure::RefusedForGood, 0);
            census::count("decided: dead");
            Fact::Decided { lane, seq, decision, failure, milliseconds, note }
        }
        Fact::Failed { lane, seq, failure: Failure::RefusedForNow, note } => {
            let may_park = world.scenario.faults.commands > 0;
            let then = match may_park {
                true => world.rng.pick(&[Then::Hold, Then::Stop, Then::Dead, Then::Dead]),
                false => Then::Dead,
            };
            // What is dead has to be spent; the others may be parked at once.
            let retries = then == Then::Dead || world.rng.one_in(2);
            census::count(if retries { "decided: again" } else { "decided: held or stopped" });
            let decision = Decision { retries, end: End::GivenUp(then), warns: false };
            let (failure, milliseconds) = (Failure::RefusedForNow, 0);
            Fact::Decided { lane, seq, decision, failure, milliseconds, note }
        }
        other => other,
    }
}

/// What is not tried again by itself may leave as soon as an operator lets it.
pub fn note(fact: &Fact, world: &mut World) {
    if let Fact::Decided { lane, seq, decision: Decision { retries: false, .. }, .. } = fact {
        world.partner(*lane).failed.remove(&seq.0);
    }
}

/// What the same fact would be without rules, for the checks.
pub fn plain(fact: &Fact) -> Option<Fact> {
    let Fact::Decided { lane, seq, decision, failure, milliseconds, note } = fact.clone() else {
        return None;
    };
    Some(match decision.end {
        End::Completed => Fact::Delivered { lane, seq, milliseconds, note },
        End::GivenUp(_) => Fact::Failed { lane, seq, failure, note },
    })
}
