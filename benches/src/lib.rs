//! What is measured: the same work, done by the crates of this project, by a hand-written minimal
//! path, by memchr alone and by peers. `icount` counts its instructions, `table` its time.

pub mod astm;
mod edit;
pub mod messages;
pub mod ours;
pub mod reference;
#[cfg(feature = "rivals")]
pub mod rivals;
mod scenarios;

pub use scenarios::{Scenario, scenarios};

/// MSH-7 of every reply.
pub const TIME: &str = "20261121093001";
/// MSH-10 of every reply.
pub const REPLY_ID: &str = "ACK20261121000001";

/// One thing to measure, set up: everything that is done once has been done.
pub trait Run {
    /// Does it once and returns what it found, as a number that must not change.
    fn run(&mut self) -> u64;

    /// The framed reply that was written last, for a scenario that answers.
    fn reply(&self) -> Option<&[u8]> {
        None
    }
}

impl<F: FnMut() -> u64> Run for F {
    fn run(&mut self) -> u64 {
        self()
    }
}

/// A buffer for replies, larger than any of them.
pub struct Reply {
    pub bytes: [u8; 512],
    pub len: usize,
}

impl Reply {
    pub const EMPTY: Reply = Reply { bytes: [0; 512], len: 0 };

    pub fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
