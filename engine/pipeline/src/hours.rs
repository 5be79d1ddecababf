//! Schedules: what a connection does while it is outside of its hours. When that is, the host says.

use crate::graph::Closed;
use crate::ids::{LaneId, Now};
use crate::pipeline::Pipeline;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::shared::Place;

impl Pipeline {
    /// The schedule of a connection opens or closes it.
    pub(crate) fn hours(&mut self, lane: LaneId, open: bool, now: Now) {
        #[cfg(feature = "sabotage")]
        let open = open || self.shared.broken(Sabotage::IgnoreHours);
        match self.shared.place(lane) {
            Some(Place::Ingress(at)) => self.inbounds[at].in_hours = open,
            Some(Place::Outbound(at)) => {
                self.outbounds[at].in_hours = open;
                self.outbounds[at].pump(now.steady, &mut self.shared);
            }
            Some(Place::Routed(_)) | None => {}
        }
    }

    /// Whether messages of this inbound are answered as not stored now, because of its schedule.
    pub(crate) fn turns_away(&self, inbound: usize) -> bool {
        self.inbounds[inbound].closed() == Some(Closed::Answer)
    }
}
