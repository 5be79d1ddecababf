//! Which answer a message gets that is stored.

use ack_gen::{AckCode, ErrorCode, ErrorDetail, Location, Outcome, Policy, Request};
use hl7_peek::{Kind, MessageHeader};
use mllp_core::Deviation;
use mllp_link::Arrived;

use crate::segments::Segments;

/// What goes back.
pub struct Answer {
    pub code: AckCode,
    /// Why the message must not be accepted.
    pub errors: &'static [ErrorDetail<'static>],
}

// The errors are what `ack_gen::check` gives, without its list, which is half a kilobyte of stack.

static DAMAGED: [ErrorDetail<'static>; 1] = [ErrorDetail {
    diagnostic: b"a start block inside a frame",
    ..ErrorDetail::new(ErrorCode::ApplicationInternalError)
}];

static BATCH: [ErrorDetail<'static>; 1] = [ErrorDetail {
    diagnostic: b"a batch has no single acknowledgment",
    ..ErrorDetail::new(ErrorCode::UnsupportedMessageType)
}];

static NO_CONTROL_ID: [ErrorDetail<'static>; 1] = [ErrorDetail::at(
    ErrorCode::RequiredFieldMissing,
    Location {
        segment: b"MSH",
        occurrence: 1,
        field: 10,
        repetition: 0,
        component: 0,
        subcomponent: 0,
    },
)];

impl Answer {
    /// By the policy `always`, everything is accepted. By `conformant`, chapter 2 decides (2.8.2,
    /// 2.8.3): what must not be accepted is rejected, in enhanced mode the accept acknowledgment goes
    /// first, and `None` stands for a message whose sender wants no answer.
    pub fn choose(
        policy: Policy,
        header: Option<MessageHeader<'_>>,
        segments: &Segments,
        arrived: &Arrived,
    ) -> Option<Answer> {
        if policy == Policy::Always {
            return Some(Answer { code: AckCode::AA, errors: &[] });
        }
        let header = header?;
        let errors = unacceptable(&header, segments, arrived);
        let outcome = if errors.is_empty() { Outcome::Accept } else { Outcome::Reject };
        let decision = Request::new(&header, segments.inbound()).decide(outcome, outcome);
        let code = decision.accept.or(decision.application)?;
        Some(Answer { code, errors })
    }
}

/// Why a message must not be accepted; empty if it may.
fn unacceptable(
    header: &MessageHeader<'_>,
    segments: &Segments,
    arrived: &Arrived,
) -> &'static [ErrorDetail<'static>] {
    // What is left of two messages, in a profile that takes them for one.
    if arrived.deviations.contains(Deviation::SbInPayload) {
        &DAMAGED
    } else if segments.kind() == Kind::Batch {
        &BATCH
    } else if header.message_control_id().is_empty() {
        &NO_CONTROL_ID
    } else {
        &[]
    }
}
