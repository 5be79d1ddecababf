//! What became of a message, as far as this end can know.

/// What is known of a message at its verdict: the answer to "may I send it again?".
///
/// A rule decides what is done about a reply; this says what is true of the message whatever the
/// rules are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// A reply of its own decided, positive or negative.
    Answered,
    /// The receiver has stored the message (CA), and the application acknowledgment did not come in
    /// its time. It is accepted: CA relieves the sender of sending it again (2.8.3).
    Stored,
    /// MSH-15 and MSH-16 ask for no answer to a message that is accepted, and none came. That is
    /// the success that was asked for.
    Unasked,
    /// No byte of it has left, in any attempt: sending it again cannot deliver it twice.
    NotSent,
    /// Everything else: some byte may have left, so the receiver may have the message.
    Uncertain,
}

impl Fate {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Fate::Answered => "answered",
            Fate::Stored => "stored",
            Fate::Unasked => "unasked",
            Fate::NotSent => "not_sent",
            Fate::Uncertain => "uncertain",
        }
    }
}
