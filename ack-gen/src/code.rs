//! Acknowledgment codes, table 0008.

use hl7_peek::trim_blanks;

/// MSA-1, table 0008.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AckCode {
    /// Application accept.
    AA,
    /// Application error.
    AE,
    /// Application reject.
    AR,
    /// Commit accept: the message is in safe storage.
    CA,
    /// Commit error.
    CE,
    /// Commit reject.
    CR,
}

/// What became of a message, at one level of acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was taken.
    Accept,
    /// Its content is wrong (or, at accept level, it could not be stored).
    Error,
    /// It was refused for reasons that lie outside its content, or its header is not acceptable.
    Reject,
}

/// The two levels of acknowledgment of the enhanced mode (2.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The accept acknowledgment, CA CE CR: about storage.
    Accept,
    /// The application acknowledgment, AA AE AR: about processing.
    Application,
}

impl AckCode {
    /// Every code, in the order of table 0008.
    pub const ALL: [AckCode; 6] =
        [AckCode::AA, AckCode::AE, AckCode::AR, AckCode::CA, AckCode::CE, AckCode::CR];

    /// The code for an outcome at a level.
    pub const fn new(phase: Phase, outcome: Outcome) -> AckCode {
        match (phase, outcome) {
            (Phase::Application, Outcome::Accept) => AckCode::AA,
            (Phase::Application, Outcome::Error) => AckCode::AE,
            (Phase::Application, Outcome::Reject) => AckCode::AR,
            (Phase::Accept, Outcome::Accept) => AckCode::CA,
            (Phase::Accept, Outcome::Error) => AckCode::CE,
            (Phase::Accept, Outcome::Reject) => AckCode::CR,
        }
    }

    /// Reads MSA-1; `None` for anything but one of the six codes, exactly as written. Trailing
    /// blanks do not count (2.A.75).
    pub fn from_bytes(bytes: &[u8]) -> Option<AckCode> {
        let bytes = trim_blanks(bytes);
        AckCode::ALL.into_iter().find(|code| code.as_str().as_bytes() == bytes)
    }

    /// The two letters.
    pub const fn as_str(self) -> &'static str {
        match self {
            AckCode::AA => "AA",
            AckCode::AE => "AE",
            AckCode::AR => "AR",
            AckCode::CA => "CA",
            AckCode::CE => "CE",
            AckCode::CR => "CR",
        }
    }

    /// What the code says about the message.
    pub const fn outcome(self) -> Outcome {
        match self {
            AckCode::AA | AckCode::CA => Outcome::Accept,
            AckCode::AE | AckCode::CE => Outcome::Error,
            AckCode::AR | AckCode::CR => Outcome::Reject,
        }
    }

    /// The level the code belongs to.
    pub const fn phase(self) -> Phase {
        match self {
            AckCode::AA | AckCode::AE | AckCode::AR => Phase::Application,
            AckCode::CA | AckCode::CE | AckCode::CR => Phase::Accept,
        }
    }

    /// Whether the sender may forget the message: AA or CA.
    pub const fn is_accept(self) -> bool {
        matches!(self.outcome(), Outcome::Accept)
    }
}
