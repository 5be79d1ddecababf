//! A message in the store: how its outcomes and its parts add up.

use mllp_pipeline::{Disposition, Event, NewMessage, Reopened, Stamp, What};

use crate::invariant::Invariant;

pub struct Message {
    pub new: NewMessage,
    pub outcomes: Vec<(Stamp, Disposition)>,
    /// Added, finished, delivered, failed.
    pub parts: Vec<[i64; 4]>,
    /// An operator has added work, and it is not final again.
    pub is_reopened: bool,
    pub events: Vec<Event>,
}

impl Message {
    pub fn of(new: NewMessage) -> Message {
        let (outcomes, parts, events) = (Vec::new(), Vec::new(), Vec::new());
        Message { new, outcomes, parts, is_reopened: false, events }
    }

    /// What has failed and was not done again.
    pub fn failures(&self) -> u32 {
        match self.parts.is_empty() {
            true => (self.disposition() == Disposition::Error).into(),
            false => self.sums()[3] as u32,
        }
    }

    fn sums(&self) -> [i64; 4] {
        [0, 1, 2, 3].map(|n| self.parts.iter().map(|part| part[n]).sum())
    }

    /// The one that counts.
    pub fn disposition(&self) -> Disposition {
        let last = self.outcomes.iter().max_by_key(|(stamp, _)| *stamp);
        last.map_or(Disposition::Received, |(_, disposition)| *disposition)
    }

    /// An operator adds work.
    pub fn reopen(&mut self, reopened: &Reopened) {
        let disposition = self.disposition();
        let is_duplicate = disposition == Disposition::Duplicate;
        Invariant::Disposition.check(!is_duplicate, "a duplicate is reopened");
        let mut base = match (self.parts.is_empty(), disposition.is_final()) {
            (false, _) => [0; 4],
            (true, false) => [1, 0, 0, 0],
            (true, true) => {
                let [_, finished, delivered, failed] = ended(disposition);
                [1, finished, delivered, failed]
            }
        };
        base[3] -= i64::from(reopened.forgiven);
        self.parts.push(base);
        self.is_reopened = true;
        let fits = self.sums()[3] >= 0;
        Invariant::Disposition.check(fits, "more is forgiven than has failed");
        self.outcomes.push((reopened.stamp, Disposition::Routed));
    }

    /// How it ends, if no part is open any more.
    pub fn finish(&mut self) -> Option<Disposition> {
        let [added, finished, delivered, failed] = self.sums();
        Invariant::Disposition.check(finished <= added, "more parts finished than added");
        if finished < added {
            return None;
        }
        self.is_reopened = false;
        Some(match (failed, delivered) {
            (1.., _) => Disposition::Error,
            (_, 1..) => Disposition::Processed,
            _ => Disposition::Filtered,
        })
    }

    pub fn count(&self, of: impl Fn(&What) -> bool) -> usize {
        self.events.iter().filter(|event| of(&event.what)).count()
    }
}

/// What the end of a row adds to the parts of its message.
pub fn ended(disposition: Disposition) -> [i64; 4] {
    let delivered = i64::from(disposition == Disposition::Processed);
    [0, 1, delivered, i64::from(disposition == Disposition::Error)]
}
