//! Deliberately broken variants. They sit between the hosts and the state machines, so that the
//! code under test stays as it is, and each must be caught by its invariant.

pub mod receiving;
pub mod sending;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing is broken.
    None,
    /// The link promises `resync`, and two messages of a sender that died in between are fused.
    FusedRestart,
    /// What an old connection left half received is put before the bytes of the new one.
    KeptBytes,
    /// No time of the receiver ever runs out.
    DroppedDeadline,
    /// Answers leave in the order in which the handlers finish.
    OrderOfFinishing,
    /// A frame that is open at the end of the stream is completed.
    TruncatedCompleted,
    /// An answer is sent twice.
    AnsweredTwice,
    /// When a time runs out, the answers that are owed are dropped.
    OwedForgotten,
    /// When a connection ends, what was received and not yet delivered is dropped.
    UnreadForgotten,
    /// Bytes are taken without end while nothing is answered.
    Hoarding,
    /// MSA-2 is not compared: each reply is for the oldest message in flight.
    MatchedByOrder,
    /// No time of the sender ever runs out.
    DroppedReplyDeadline,
    /// Half a reply of an old connection is put before the bytes of the new one.
    KeptReply,
    /// A verdict is given twice.
    VerdictTwice,
    /// A verdict is lost.
    VerdictSwallowed,
    /// The host says that nothing has left of a message of which some has.
    NothingLeft,
    /// The absence of a reply is called a success that was asked for.
    SilenceAccepted,
    /// A suspended link stays suspended.
    ResumeIgnored,
}

impl Sabotage {
    pub const ALL: [Sabotage; 17] = [
        Sabotage::FusedRestart,
        Sabotage::KeptBytes,
        Sabotage::DroppedDeadline,
        Sabotage::OrderOfFinishing,
        Sabotage::TruncatedCompleted,
        Sabotage::AnsweredTwice,
        Sabotage::OwedForgotten,
        Sabotage::UnreadForgotten,
        Sabotage::Hoarding,
        Sabotage::MatchedByOrder,
        Sabotage::DroppedReplyDeadline,
        Sabotage::KeptReply,
        Sabotage::VerdictTwice,
        Sabotage::VerdictSwallowed,
        Sabotage::NothingLeft,
        Sabotage::SilenceAccepted,
        Sabotage::ResumeIgnored,
    ];

    pub fn from_name(name: &str) -> Sabotage {
        let named = |it: &Sabotage| format!("{it:?}") == name;
        Sabotage::ALL.into_iter().find(named).expect("SIM_VARIANT names a variant")
    }
}
