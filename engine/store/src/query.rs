//! What messages are searched by.

use std::ops::Range;

use mllp_pipeline::{Disposition, Keys, LaneId, MessageId, NewMessage, Piece, field_hash};

use crate::contract::StoredMessage;

/// Messages that one call looks at. A caller that wants more goes on where it has ended.
pub const SEARCH_LOOKS: u32 = 5_000;

/// What is searched for. A message is found that meets all of it; what is not said is met by any.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// MSH-10.
    pub control_id: Option<Piece>,
    /// MSH-9, or its first component or two: `ADT` finds `ADT^A01` and `ADT^A01^ADT_A01`.
    pub message_type: Option<Piece>,
    /// Values of fields that the inbound indexes, by [`field_hash`]. Two values may share a hash, so
    /// the caller holds what is found against the body.
    pub indexed: Keys,
    /// When it was received, by the wall clock.
    pub received: Option<Range<u64>>,
    /// A lane that it went through: its inbound's, a handler's or an outbound's.
    pub lane: Option<LaneId>,
    /// What has become of it.
    pub disposition: Option<Disposition>,
}

/// A piece of what was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Newest first, as far as the numbers of messages say it.
    pub messages: Vec<StoredMessage>,
    /// Search again below this one for the rest; `None`: there is no more. The search may end before
    /// it has found anything, because one call looks at 5,000 messages at most.
    pub next: Option<MessageId>,
}

impl Query {
    /// A hash under which every message that is meant stands in the index; the one that tells most.
    pub(crate) fn key(&self) -> Option<u64> {
        if let Some(control_id) = &self.control_id {
            return Some(of_control_id(&control_id.0));
        }
        let of_type = || {
            let wanted = &self.message_type.as_ref()?.0;
            wanted.contains(&b'^').then(|| of_type(wanted))
        };
        self.indexed.as_slice().first().copied().or_else(of_type)
    }

    /// Whether a message is meant, wherever it went.
    pub(crate) fn means(&self, stored: &StoredMessage) -> bool {
        self.disposition.is_none_or(|it| it == stored.disposition) && self.meets(&stored.message)
    }

    /// Whether the message itself is meant, whatever has become of it and wherever it went.
    pub(crate) fn meets(&self, message: &NewMessage) -> bool {
        let indexed = message.indexed.as_slice();
        self.control_id.as_ref().is_none_or(|it| *it == message.control_id)
            && self.message_type.as_ref().is_none_or(|it| begins(&message.message_type.0, &it.0))
            && self.indexed.as_slice().iter().all(|it| indexed.contains(it))
            && self.received.as_ref().is_none_or(|it| it.contains(&message.received_at))
    }
}

/// The hashes under which a message is found.
pub(crate) fn hashes(message: &NewMessage) -> impl Iterator<Item = u64> {
    let control_id = &message.control_id.0;
    let message_type = &message.message_type.0;
    let control_id = (!control_id.is_empty()).then(|| of_control_id(control_id));
    let message_type = (!message_type.is_empty()).then(|| of_type(message_type));
    control_id.into_iter().chain(message_type).chain(message.indexed.as_slice().iter().copied())
}

pub(crate) fn of_control_id(control_id: &[u8]) -> u64 {
    field_hash("MSH-10", control_id)
}

/// Of the first two components, which senders agree on: the third is often left out.
fn of_type(message_type: &[u8]) -> u64 {
    let mut separators = message_type.iter().zip(0..).filter(|(byte, _)| **byte == b'^');
    let end = separators.nth(1).map_or(message_type.len(), |(_, at)| at);
    field_hash("MSH-9", &message_type[..end])
}

/// Whether the first components of a message type are these.
fn begins(message_type: &[u8], wanted: &[u8]) -> bool {
    let rest = message_type.strip_prefix(wanted);
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'^')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_type_is_met_by_its_first_components() {
        for (wanted, is_met) in [
            ("ADT", true),
            ("ADT^A01", true),
            ("ADT^A01^ADT_A01", true),
            ("AD", false),
            ("ADT^A0", false),
            ("ADT^A01^ADT_A0", false),
            ("ORU", false),
        ] {
            assert_eq!(begins(b"ADT^A01^ADT_A01", wanted.as_bytes()), is_met, "{wanted}");
        }
        assert_eq!(of_type(b"ADT^A01"), of_type(b"ADT^A01^ADT_A01"));
        assert_ne!(of_type(b"ADT^A01"), of_type(b"ADT^A08"));
        assert_ne!(of_type(b"ADT"), of_type(b"ADT^A01"));
    }
}
