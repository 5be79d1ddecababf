//! What all lanes share: the orders to give, the alarms, the numbers that come next.

use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::body::Body;
use crate::call::Calls;
use crate::event::{Event, What};
use crate::fact::Sent;
use crate::graph::Limits;
use crate::ids::{CallId, LaneId, MessageId, Millis, Stamp};
use crate::lane::Shelf;
use crate::order::Order;
#[cfg(feature = "sabotage")]
use crate::sabotage::Sabotage;
use crate::verdicts::Verdicts;

/// How long a lane waits before it asks again for what our own side did not do.
pub(crate) const OURS_AGAIN: Millis = 100;
/// The longest such wait.
const OURS_LONGEST: Millis = 5_000;

/// A lane, by its stage and its index in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Ingress(usize),
    Routed(usize),
    Outbound(usize),
}

/// What to look at when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    Lane(Place),
    Call(CallId),
    Commit,
    Verdict,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub limits: Limits,
    pub orders: VecDeque<Order>,
    pub shelf: Shelf,
    pub calls: Calls,
    /// Outbounds with something to commit.
    pub deliveries: VecDeque<usize>,
    /// Inbounds and handlers with messages that are ready to be handed on.
    pub handoffs: VecDeque<Place>,
    /// Inbounds with messages to store.
    pub intakes: VecDeque<usize>,
    pub stopping: bool,
    pub verdicts: Verdicts,
    next_stamp: Stamp,
    alarms: BinaryHeap<Reverse<(Millis, Alarm)>>,
    places: Vec<Option<Place>>,
    #[cfg(feature = "sabotage")]
    pub sabotage: Option<Sabotage>,
}

impl Shared {
    pub fn new(limits: Limits, next_stamp: Stamp) -> Shared {
        Shared {
            limits,
            orders: VecDeque::new(),
            shelf: Shelf::new(limits.held_bytes),
            calls: Calls::default(),
            deliveries: VecDeque::new(),
            handoffs: VecDeque::new(),
            intakes: VecDeque::new(),
            stopping: false,
            verdicts: Verdicts::default(),
            next_stamp,
            alarms: BinaryHeap::new(),
            places: Vec::new(),
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }

    #[cfg(feature = "sabotage")]
    pub fn broken(&self, how: Sabotage) -> bool {
        self.sabotage == Some(how)
    }

    pub fn name_place(&mut self, lane: LaneId, place: Place) {
        let at = lane.0 as usize;
        if self.places.len() <= at {
            self.places.resize(at + 1, None);
        }
        self.places[at] = Some(place);
    }

    pub fn place(&self, lane: LaneId) -> Option<Place> {
        self.places.get(lane.0 as usize).copied().flatten()
    }

    /// The lane of the first inbound.
    #[cfg(feature = "sabotage")]
    pub fn first(&self) -> LaneId {
        let at = self.places.iter().position(|it| *it == Some(Place::Ingress(0)));
        LaneId(at.unwrap_or_default() as u32)
    }

    pub fn stamp(&mut self) -> Stamp {
        let stamp = self.next_stamp;
        self.next_stamp.0 += 1;
        stamp
    }

    pub fn event(&mut self, message: MessageId, at: u64, what: What) -> Event {
        Event { message, stamp: self.stamp(), at, what }
    }

    /// A handler's result is not used: nothing comes to hold its large bodies.
    pub fn give_up(&mut self, sent: Vec<Sent>) {
        sent.iter().filter_map(|it| it.body.as_ref()).for_each(|body| self.give_up_body(body));
    }

    pub fn give_up_body(&mut self, body: &Body) {
        if let Body::Chunked { id, .. } = body {
            self.orders.push_back(Order::GiveUp(*id));
        }
    }

    pub fn wake(&mut self, at: Millis, alarm: Alarm) {
        self.alarms.push(Reverse((at, alarm)));
    }

    pub fn next_alarm(&self) -> Option<Millis> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// Drops the alarms at the front that are for calls that have come back.
    pub fn silence_ended_calls(&mut self) {
        while let Some(Reverse((_, Alarm::Call(call)))) = self.alarms.peek()
            && !self.calls.is_open(*call)
        {
            self.alarms.pop();
        }
    }

    pub fn ringing(&mut self, now: Millis) -> Option<Alarm> {
        self.alarms.peek().filter(|Reverse((at, _))| *at <= now)?;
        self.alarms.pop().map(|Reverse((_, alarm))| alarm)
    }
}

/// The wait before the `failures`-th repetition of something that is our own to do.
pub(crate) fn ours_again(failures: u32) -> Millis {
    (OURS_AGAIN << failures.saturating_sub(1).min(10)).min(OURS_LONGEST)
}
