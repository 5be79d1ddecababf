//! Calls of routers and handlers that have not come back yet.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::ids::{CallId, Seq};

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The router of this inbound.
    Route(usize),
    /// This handler, for messages that stand in the lane of this inbound.
    Fused { inbound: usize, handler: usize },
    /// This handler, for rows of its own lane.
    Rows(usize),
}

/// Where a message of a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// In the lane of the inbound.
    Arrived(Seq),
    /// In the lane of the handler, perhaps only since the call began.
    Row(Seq),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub purpose: Purpose,
    /// The messages, in the order of the call.
    pub items: Vec<Item>,
}

/// The open calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: BTreeMap<CallId, Call>,
    last: u64,
}

impl Calls {
    pub fn begin(&mut self, purpose: Purpose, items: Vec<Item>) -> CallId {
        self.last += 1;
        self.open.insert(CallId(self.last), Call { purpose, items });
        CallId(self.last)
    }

    pub fn get(&mut self, call: CallId) -> Option<&mut Call> {
        self.open.get_mut(&call)
    }

    pub fn end(&mut self, call: CallId) -> Option<Call> {
        self.open.remove(&call)
    }

    pub fn is_open(&self, call: CallId) -> bool {
        self.open.contains_key(&call)
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }
}
