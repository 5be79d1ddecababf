//! Where the newest messages came from: a worker is told, and asking the store for each would cost more
//! than all the rest.

use std::sync::{Mutex, PoisonError};

use mllp_pipeline::{LaneId, MessageId, Record, Transaction};

/// Messages that are known, in 4 MiB. Of a backlog that is longer each is asked for once, at about 16 us.
const KNOWN: usize = 131_072;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) inbound: LaneId,
    /// When, by the wall clock.
    pub(crate) received: u64,
}

/// Where the newest messages came from.
pub(crate) struct Arrivals(Mutex<Vec<Option<(MessageId, Arrival)>>>);

impl Arrivals {
    pub(crate) fn new() -> Arrivals {
        Arrivals(Mutex::new(vec![None; KNOWN]))
    }

    /// Learns the messages of a transaction.
    pub(crate) fn learn(&self, transaction: &Transaction) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for record in &transaction.records {
            if let Record::Message(new) = record {
                let arrival = Arrival { inbound: new.inbound, received: new.received_at };
                known[new.id.0 as usize % KNOWN] = Some((new.id, arrival));
            }
        }
    }

    /// Learns what the store has said: a router is called first, and then a handler.
    pub(crate) fn remember(&self, message: MessageId, arrival: Arrival) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known[message.0 as usize % KNOWN] = Some((message, arrival));
    }

    /// `None`: the store has to be asked.
    pub(crate) fn of(&self, message: MessageId) -> Option<Arrival> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known[message.0 as usize % KNOWN].filter(|it| it.0 == message).map(|it| it.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_message_takes_the_place_of_an_older_one() {
        let (arrivals, old) = (Arrivals::new(), MessageId(7));
        let new = MessageId(old.0 + KNOWN as u64);
        let arrival = |received| Arrival { inbound: LaneId(1), received };
        arrivals.remember(old, arrival(100));
        assert_eq!((arrivals.of(old), arrivals.of(new)), (Some(arrival(100)), None));
        arrivals.remember(new, arrival(200));
        assert_eq!((arrivals.of(old), arrivals.of(new)), (None, Some(arrival(200))));
    }
}
