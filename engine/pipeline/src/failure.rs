//! Why something was not done.

/// Why something was not done. The class decides what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The partner refuses the message for good: AR, CR.
    RefusedForGood,
    /// The partner refuses it for now: AE, CE.
    RefusedForNow,
    /// The connection could not be opened, or was lost.
    Transport,
    /// No answer came in time. The partner may have the message.
    NoReply,
    /// The user's function raised, or returned what is none of its results.
    Content,
    /// Ours: a worker died, the store does not answer. Never blamed on a message.
    Infrastructure,
    /// The partner does not let us in: the lane stops, with the message first.
    Credential,
}

impl Failure {
    /// All of them. A store knows each by its place here, so a new one comes last.
    pub const ALL: [Failure; 7] = [
        Failure::RefusedForGood,
        Failure::RefusedForNow,
        Failure::Transport,
        Failure::NoReply,
        Failure::Content,
        Failure::Infrastructure,
        Failure::Credential,
    ];

    /// The stable name, the same everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Failure::RefusedForGood => "refused_for_good",
            Failure::RefusedForNow => "refused_for_now",
            Failure::Transport => "transport",
            Failure::NoReply => "no_reply",
            Failure::Content => "content",
            Failure::Infrastructure => "infrastructure",
            Failure::Credential => "credential",
        }
    }
}
