//! The header checks that come before any processing (2.8.2.1, 2.8.3.1), and what forbids a
//! positive answer.

use hl7_peek::{Kind, MessageHeader, trim_blanks};

use crate::{ErrorCode, ErrorDetail, Location, Outcome};

/// What a receiver accepts. `None` accepts everything. An entry is anything that lends its bytes.
/// Trailing blanks do not count, neither here nor in the message (2.A.75).
#[derive(Clone, Copy, Debug)]
pub struct AcceptLists<'a, E = &'a [u8]> {
    /// MSH-9: `ADT` for every event of a type, `ADT^A01` for one.
    pub message_types: Option<&'a [E]>,
    /// MSH-12.1.
    pub versions: Option<&'a [E]>,
    /// MSH-11.1.
    pub processing_ids: Option<&'a [E]>,
}

impl Default for AcceptLists<'_> {
    fn default() -> Self {
        AcceptLists { message_types: None, versions: None, processing_ids: None }
    }
}

/// What is known of a message beside its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// Whether the payload holds one message or a batch.
    pub kind: Kind,
    /// Whether bytes of the frame were lost.
    pub damaged: bool,
}

impl Default for Receipt {
    fn default() -> Self {
        Receipt { kind: Kind::Single, damaged: false }
    }
}

/// The errors of a header, in the order in which the standard checks: MSH-9, MSH-12, MSH-11.
#[derive(Clone, Copy, Debug)]
pub struct HeaderErrors {
    errors: [ErrorDetail<'static>; HeaderErrors::MAX],
    len: usize,
}

impl HeaderErrors {
    /// How many there can be.
    pub const MAX: usize = 6;

    pub(crate) const NONE: HeaderErrors = HeaderErrors {
        errors: [ErrorDetail::new(ErrorCode::MessageAccepted); HeaderErrors::MAX],
        len: 0,
    };

    /// The errors; none when the message may be processed.
    pub fn as_slice(&self) -> &[ErrorDetail<'static>] {
        self.errors.get(..self.len).unwrap_or_default()
    }

    /// What the errors make of the message: rejected if any of them is a rejection.
    pub fn outcome(&self) -> Outcome {
        let outcomes = || self.as_slice().iter().map(|error| error.code.outcome());
        if outcomes().any(|outcome| outcome == Outcome::Reject) {
            Outcome::Reject
        } else if outcomes().any(|outcome| outcome == Outcome::Error) {
            Outcome::Error
        } else {
            Outcome::Accept
        }
    }

    fn push(&mut self, error: ErrorDetail<'static>) {
        if let Some(slot) = self.errors.get_mut(self.len) {
            *slot = error;
            self.len = self.len.saturating_add(1);
        }
    }
}

const fn msh(field: u32, repetition: u32, component: u32) -> Location<'static> {
    Location { segment: b"MSH", occurrence: 1, field, repetition, component, subcomponent: 0 }
}

/// Looks at everything that must be right before a message may be answered positively.
///
/// A damaged frame and a batch have no positive answer: the first because bytes are missing, the
/// second because one MSA cannot speak for several messages (2.9.3). A message without MSH-10 has
/// none either: nothing would tell the sender which message was accepted.
pub fn check<E: AsRef<[u8]>>(
    header: &MessageHeader<'_>,
    receipt: Receipt,
    lists: &AcceptLists<'_, E>,
) -> HeaderErrors {
    let mut found = HeaderErrors::NONE;
    if receipt.damaged {
        let diagnostic = b"bytes of the frame were lost";
        found.push(ErrorDetail {
            diagnostic,
            ..ErrorDetail::new(ErrorCode::ApplicationInternalError)
        });
    }
    if receipt.kind == Kind::Batch {
        let diagnostic = b"a batch has no single acknowledgment";
        found.push(ErrorDetail {
            diagnostic,
            ..ErrorDetail::new(ErrorCode::UnsupportedMessageType)
        });
    }
    if header.message_control_id().is_empty() {
        found.push(ErrorDetail::at(ErrorCode::RequiredFieldMissing, msh(10, 0, 0)));
    }
    if let Some(types) = lists.message_types {
        let code = trim_blanks(header.message_code());
        let event = trim_blanks(header.trigger_event());
        let split = |entry: &[u8]| -> (usize, bool) {
            let end = entry.iter().position(|byte| *byte == b'^');
            (end.unwrap_or(entry.len()), end.is_some())
        };
        let same_code = |entry: &E| {
            let entry = entry.as_ref();
            entry.get(..split(entry).0).map(trim_blanks) == Some(code)
        };
        let same_event = |entry: &E| {
            let entry = entry.as_ref();
            let (end, has_event) = split(entry);
            !has_event || entry.get(end.saturating_add(1)..).map(trim_blanks) == Some(event)
        };
        if !types.iter().any(same_code) {
            found.push(ErrorDetail::at(ErrorCode::UnsupportedMessageType, msh(9, 1, 1)));
        } else if !types.iter().any(|entry| same_code(entry) && same_event(entry)) {
            found.push(ErrorDetail::at(ErrorCode::UnsupportedEventCode, msh(9, 1, 2)));
        }
    }
    let lacks = |list: Option<&[E]>, value: &[u8]| {
        let value = trim_blanks(value);
        list.is_some_and(|list| !list.iter().any(|entry| trim_blanks(entry.as_ref()) == value))
    };
    if lacks(lists.versions, header.version()) {
        found.push(ErrorDetail::at(ErrorCode::UnsupportedVersionId, msh(12, 1, 1)));
    }
    if lacks(lists.processing_ids, header.processing()) {
        found.push(ErrorDetail::at(ErrorCode::UnsupportedProcessingId, msh(11, 1, 1)));
    }
    found
}
