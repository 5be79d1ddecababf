//! Since when outbounds are not connected, and why.

use std::collections::BTreeMap;

use mllp_io::Loss;
use mllp_pipeline::LaneId;

/// An outbound is not connected. Times are of the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Since when.
    pub(crate) since: u64,
    /// Why its last connection has ended or could not be opened.
    pub(crate) why: Option<Loss>,
    /// When it is dialed again.
    pub(crate) next: Option<u64>,
}

impl Outage {
    /// Why, in words.
    pub(crate) fn words(&self) -> Option<String> {
        self.why.as_ref().map(ToString::to_string)
    }
}

/// The outages of all outbounds.
#[derive(Default)]
pub(crate) struct Outages(BTreeMap<LaneId, Outage>);

impl Outages {
    pub(crate) fn begin(&mut self, lane: LaneId, now: u64) {
        self.0.entry(lane).or_insert(Outage { since: now, why: None, next: None });
    }

    pub(crate) fn end(&mut self, lane: LaneId) {
        self.0.remove(&lane);
    }

    /// A connection has ended or could not be opened. An outage begins with the end of the last one,
    /// and each dial that fails goes on with it.
    pub(crate) fn lost(&mut self, lane: LaneId, why: Loss, now: u64) {
        let goes_on = matches!(why, Loss::NotReached(_) | Loss::NotReady(_));
        let before = self.0.get(&lane).filter(|_| goes_on);
        let since = before.map_or(now, |it| it.since);
        self.0.insert(lane, Outage { since, why: Some(why), next: None });
    }

    pub(crate) fn dials(&mut self, lane: LaneId, at: u64) {
        if let Some(outage) = self.0.get_mut(&lane) {
            outage.next = Some(at);
        }
    }

    pub(crate) fn of(&self, lane: LaneId) -> Option<&Outage> {
        self.0.get(&lane)
    }
}
