//! Messages that wait until their bodies are written in chunks, and those that came behind them on
//! the same connection: a sender's messages stay in their order. Others do not wait for them.

use std::collections::{HashMap, VecDeque};

use mllp_io::Incoming;

use crate::bodies::is_large;

/// Messages that wait, by their connections. The first of each is the one that is written.
#[derive(Default)]
pub(crate) struct Arrivals {
    waiting: HashMap<usize, VecDeque<Incoming>>,
    bytes: u64,
}

/// What to do with a message that has come.
pub(crate) enum Arrived {
    /// It goes on.
    Small(Incoming),
    /// Its body is to be written; the connection's number names it afterwards.
    Large(usize),
    /// It comes behind another.
    Behind,
}

impl Arrivals {
    pub(crate) fn take(&mut self, message: Incoming) -> Arrived {
        let connection = message.reply_to.connection();
        let len = message.payload.len();
        if let Some(behind) = self.waiting.get_mut(&connection) {
            behind.push_back(message);
            self.bytes += len as u64;
            return Arrived::Behind;
        }
        if !is_large(len) {
            return Arrived::Small(message);
        }
        self.waiting.insert(connection, [message].into());
        self.bytes += len as u64;
        Arrived::Large(connection)
    }

    /// The message of this connection that is to be written.
    pub(crate) fn first(&self, connection: usize) -> Option<&Incoming> {
        self.waiting.get(&connection)?.front()
    }

    /// Takes out the first message of this connection, and those behind it that were held back by it
    /// alone. What is left begins with a large one, which is to be written.
    pub(crate) fn release(&mut self, connection: usize) -> Vec<Incoming> {
        let Some(waiting) = self.waiting.get_mut(&connection) else { return Vec::new() };
        let next = waiting.iter().skip(1).position(|it| is_large(it.payload.len()));
        let count = next.map_or(waiting.len(), |at| at + 1);
        let released: Vec<_> = waiting.drain(..count).collect();
        if waiting.is_empty() {
            self.waiting.remove(&connection);
        }
        self.bytes -= released.iter().map(|it| it.payload.len() as u64).sum::<u64>();
        released
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn count(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }
}
