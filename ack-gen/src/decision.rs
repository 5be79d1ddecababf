//! Which acknowledgments a message gets: original and enhanced mode (2.2.3, 2.2.4, 2.8.2, 2.8.3).

use hl7_peek::MessageHeader;

use crate::{AckCode, Outcome, Phase};

/// MSH-15 or MSH-16, table 0155: when an acknowledgment is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `AL`.
    Always,
    /// `ER`: on error or reject only.
    ErrorOnly,
    /// `NE`.
    Never,
    /// `SU`: on success only.
    SuccessOnly,
    /// Empty, null, or nothing that is in the table. The standard is silent about such values;
    /// reading them as empty keeps a message with a typing error in the original mode, where it is
    /// answered.
    #[default]
    Unvalued,
}

impl Condition {
    /// Reads the field; case and padding are ignored.
    pub fn from_field(field: &[u8]) -> Condition {
        let is = |name: &[u8]| field.trim_ascii().eq_ignore_ascii_case(name);
        if is(b"AL") {
            Condition::Always
        } else if is(b"ER") {
            Condition::ErrorOnly
        } else if is(b"NE") {
            Condition::Never
        } else if is(b"SU") {
            Condition::SuccessOnly
        } else {
            Condition::Unvalued
        }
    }

    const fn wants(self, outcome: Outcome) -> bool {
        match self {
            Condition::Always => true,
            Condition::ErrorOnly => !matches!(outcome, Outcome::Accept),
            Condition::SuccessOnly => matches!(outcome, Outcome::Accept),
            Condition::Never | Condition::Unvalued => false,
        }
    }
}

/// The mode of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// MSH-15 and MSH-16 are both empty: one acknowledgment, at application level.
    Original,
    /// At least one of them is valued: up to two acknowledgments.
    Enhanced,
}

/// What a received message itself is, told by its MSA-1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Inbound {
    /// It has no MSA.
    #[default]
    Message,
    /// Its MSA-1 is CA, CE or CR.
    AcceptAck,
    /// It has any other MSA: an application acknowledgment, or the response to a query.
    ApplicationAck,
}

impl Inbound {
    /// From MSA-1, as [`hl7_peek::Message::get`] gives it.
    pub fn from_msa(msa_1: Option<&[u8]>) -> Inbound {
        match msa_1.map(AckCode::from_bytes) {
            None => Inbound::Message,
            Some(Some(AckCode::CA | AckCode::CE | AckCode::CR)) => Inbound::AcceptAck,
            Some(_) => Inbound::ApplicationAck,
        }
    }
}

/// What the sender of a message asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// MSH-15.
    pub accept: Condition,
    /// MSH-16.
    pub application: Condition,
    /// What the message is.
    pub inbound: Inbound,
}

/// The acknowledgments that a message gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The mode of the exchange.
    pub mode: Mode,
    /// The accept acknowledgment.
    pub accept: Option<AckCode>,
    /// The application acknowledgment. In enhanced mode it is an exchange of its own, later.
    pub application: Option<AckCode>,
}

impl Request {
    /// What the header of a message asks for.
    pub fn new(header: &MessageHeader<'_>, inbound: Inbound) -> Request {
        Request {
            accept: Condition::from_field(header.accept_acknowledgment_type()),
            application: Condition::from_field(header.application_acknowledgment_type()),
            inbound,
        }
    }

    /// The mode of the exchange.
    pub const fn mode(&self) -> Mode {
        match (self.accept, self.application) {
            (Condition::Unvalued, Condition::Unvalued) => Mode::Original,
            _ => Mode::Enhanced,
        }
    }

    /// The decision table of chapter 2, for what became of the message at each level: a message
    /// that was stored (CA) may still be found wrong (AE).
    ///
    /// ```
    /// use ack_gen::{AckCode, Condition, Outcome, Request};
    ///
    /// let request = Request { accept: Condition::Always, ..Request::default() };
    /// let decision = request.decide(Outcome::Accept, Outcome::Error);
    /// assert_eq!(decision.accept, Some(AckCode::CA));
    /// assert_eq!(decision.application, None); // MSH-16 is empty, which reads as NE
    /// ```
    pub fn decide(&self, accept: Outcome, application: Outcome) -> Decision {
        let mode = self.mode();
        let on_accept = self.accept.wants(accept).then_some(AckCode::new(Phase::Accept, accept));
        let on_application = AckCode::new(Phase::Application, application);
        let (accept, application) = match (self.inbound, mode) {
            // 2.8.3.2: an accept acknowledgment is never acknowledged; in original mode nothing
            // with an MSA is. Anything else would be an endless exchange of courtesies.
            (Inbound::AcceptAck, _) | (Inbound::ApplicationAck, Mode::Original) => (None, None),
            (Inbound::ApplicationAck, Mode::Enhanced) => (on_accept, None),
            (Inbound::Message, Mode::Original) => (None, Some(on_application)),
            (Inbound::Message, Mode::Enhanced) => {
                (on_accept, self.application.wants(application).then_some(on_application))
            }
        };
        Decision { mode, accept, application }
    }

    /// The decision for a message that was refused before its content was looked at, so that the
    /// sender hears of it once: an accept acknowledgment with the refusal ends the exchange; where
    /// none is wanted, the application acknowledgment carries it.
    pub fn refuse(&self, outcome: Outcome) -> Decision {
        let decision = self.decide(outcome, outcome);
        match decision.accept {
            Some(_) => Decision { application: None, ..decision },
            None => decision,
        }
    }

    /// Exactly one reply to every message that is not an acknowledgment itself, for senders that
    /// wait for one whatever they asked for: at accept level when MSH-15 asks for it, at
    /// application level otherwise.
    pub fn always_one_reply(&self, accept: Outcome, application: Outcome) -> Option<AckCode> {
        match self.inbound {
            Inbound::Message if self.accept.wants(accept) => {
                Some(AckCode::new(Phase::Accept, accept))
            }
            Inbound::Message => Some(AckCode::new(Phase::Application, application)),
            Inbound::AcceptAck | Inbound::ApplicationAck => None,
        }
    }
}
