//! Hosts that turn one rule off. The simulation has to find each of them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    /// C1: an ENQ in a session is answered at once, whether or not a frame is open.
    EnqCountsAtOnce,
    /// C5: a text with NUL is taken, because the sum is right.
    NulPasses,
    /// C10: a byte that came before a frame had left answers the frame.
    EarlyReplies,
}

impl Sabotage {
    pub const ALL: [Sabotage; 3] =
        [Sabotage::EnqCountsAtOnce, Sabotage::NulPasses, Sabotage::EarlyReplies];
}
