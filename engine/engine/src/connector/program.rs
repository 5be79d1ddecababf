//! The program of a connector.

use std::time::Duration;

use crate::program::Program;

/// A program whose process feeds an inbound, or carries out the deliveries of an outbound. It speaks
/// with the engine through [`connector::Child`](crate::connector::Child).
#[derive(Clone, Debug)]
pub struct ConnectorProgram {
    pub(crate) program: Program,
    pub(crate) timeout: Duration,
    pub(crate) stop: Duration,
}

impl ConnectorProgram {
    /// The process has 60 s for a step, and 10 s to end.
    pub fn new(program: Program) -> ConnectorProgram {
        let (timeout, stop) = (Duration::from_secs(60), Duration::from_secs(10));
        ConnectorProgram { program, timeout, stop }
    }

    /// How long the process may take for a delivery, or for the next part of a message that it
    /// submits. Then it is killed: of the delivery it is unknown whether it was sent, and the message
    /// is given up.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Everything that is wrong with it, and with the number of deliveries that may be open.
    pub(crate) fn faults(&self, window: Option<usize>) -> Vec<String> {
        let mut faults = Vec::new();
        if self.timeout.is_zero() {
            faults.push("timeout must be longer than 0".to_owned());
        }
        if window.is_some_and(|window| !(1..=64).contains(&window)) {
            faults.push("window must be from 1 to 64".to_owned());
        }
        faults
    }

    /// How long it may take to end when its connection is stopped. Then it is killed.
    #[must_use]
    pub fn stop(mut self, stop: Duration) -> Self {
        self.stop = stop;
        self
    }
}
