//! Time and control IDs of acknowledgments.

use ack_gen::{Policy, Timestamp};

/// Gives each acknowledgment its time and an ID that no other one has.
pub struct Identity {
    /// Seconds since 1970 when the board started.
    started: u32,
    count: u32,
}

impl Identity {
    pub fn new(started: u32) -> Identity {
        Identity { started, count: 0 }
    }

    /// MSH-10: when the board started and how many IDs it has given since, in 16 digits; 20 fit.
    pub fn control_id(&mut self) -> [u8; 16] {
        self.count = self.count.wrapping_add(1);
        let number = u64::from(self.started) << 32 | u64::from(self.count);
        core::array::from_fn(|at| b"0123456789ABCDEF"[(number >> (60 - 4 * at) & 15) as usize])
    }

    /// MSH-7: universal time, by the policy `conformant` with its offset.
    pub fn time(&self, now: u64, policy: Policy) -> Timestamp {
        let seconds = i64::from(self.started) + (now / 1000) as i64;
        match policy {
            Policy::Always => Timestamp::utc(seconds),
            Policy::Conformant => Timestamp::with_offset(seconds, 0),
        }
    }
}
