//! What the parts of a message come to, and how a message that is reopened goes over to parts. See
//! [`Part`] and [`Reopened`].

use mllp_pipeline::{Disposition, Part, Reopened};

use crate::codes::disposition_of;

/// Sums over the parts of a message, or one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) added: i64,
    pub(crate) finished: i64,
    pub(crate) delivered: i64,
    /// Below 0 in the part that forgives.
    pub(crate) failed: i64,
}

impl Sums {
    /// A part. What a sole row has begun is counted for a message that was reopened.
    pub(crate) fn of(part: &Part, is_reopened: bool) -> Sums {
        Sums {
            added: part.added.into(),
            finished: i64::from(part.finished) + i64::from(is_reopened && part.sole),
            delivered: part.delivered.into(),
            failed: part.failed.into(),
        }
    }

    pub(crate) fn add(&mut self, part: Sums) {
        self.added += part.added;
        self.finished += part.finished;
        self.delivered += part.delivered;
        self.failed += part.failed;
    }

    /// What the message ends as, if no part is open.
    pub(crate) fn end(&self) -> Option<Disposition> {
        (self.added == self.finished).then(|| disposition_of(self.failed, self.delivered))
    }
}

/// What the end of a sole row adds to a message that was reopened.
pub(crate) fn ended(disposition: Disposition) -> Sums {
    let delivered = i64::from(disposition == Disposition::Processed);
    let failed = i64::from(disposition == Disposition::Error);
    Sums { added: 0, finished: 1, delivered, failed }
}

/// What a message that is reopened begins with. Without parts all that is known of it is where it
/// stands.
pub(crate) fn begun(reopened: &Reopened, has_parts: bool, disposition: Disposition) -> Sums {
    let mut sums = match (has_parts, disposition.is_final()) {
        (true, _) => Sums::default(),
        (false, true) => Sums { added: 1, ..ended(disposition) },
        (false, false) => Sums { added: 1, ..Sums::default() },
    };
    sums.failed -= i64::from(reopened.forgiven);
    sums
}
