//! Bodies that are too large for one transaction: written in chunks between the commits, so that no
//! other message waits longer than for one of them.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use mllp_pipeline::{Body, BodyId, CommitOutcome, Piece, Record, Transaction};
use mllp_store::{CHUNK, INLINE_LIMIT, Store, StoreError};

/// Whether a body of so many bytes goes into chunks.
pub(crate) const fn is_large(len: usize) -> bool {
    len > INLINE_LIMIT
}

/// A large body to write.
pub(crate) struct Large {
    pub(crate) payload: Arc<[u8]>,
    /// Told the body once all of it is durable; `None`: it could not be written, and nothing may
    /// come to hold it.
    pub(crate) then: Box<dyn FnOnce(Option<Body>) + Send>,
}

/// A body of which some chunks may be durable.
struct Writing {
    id: BodyId,
    /// The next chunk.
    n: u32,
    large: Large,
}

pub(crate) struct Bodies {
    next: BodyId,
    writing: VecDeque<Writing>,
    /// Bodies whose chunks go if nothing holds them.
    sweeping: VecDeque<Range<BodyId>>,
}

impl Bodies {
    /// What earlier lives have left without a message is swept.
    pub(crate) fn new(next: BodyId) -> Bodies {
        let sweeping = [BodyId(0)..next].into();
        Bodies { next, writing: VecDeque::new(), sweeping }
    }

    pub(crate) fn begin(&mut self, large: Large) {
        self.writing.push_back(Writing { id: self.next, n: 0, large });
        self.next.0 += 1;
    }

    pub(crate) fn give_up(&mut self, body: BodyId) {
        self.sweeping.push_back(body..BodyId(body.0 + 1));
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.writing.is_empty() || !self.sweeping.is_empty()
    }

    /// Writes one chunk of the body whose turn it is; without one, sweeps a slice.
    pub(crate) fn write(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let Some(mut writing) = self.writing.pop_front() else { return self.sweep(store) };
        let payload = &writing.large.payload;
        let from = writing.n as usize * CHUNK;
        let to = payload.len().min(from + CHUNK);
        let bytes = Piece::from(&payload[from..to]);
        let chunk = Record::Chunk { body: writing.id, n: writing.n, bytes };
        let transaction = Transaction { records: vec![chunk], lanes: Vec::new() };
        let is_durable = matches!(store.commit(&transaction)?, CommitOutcome::Committed(_));
        let Writing { id, .. } = writing;
        if !is_durable {
            // Also where the outcome is unknown: the body is given up.
            self.give_up(id);
            (writing.large.then)(None);
        } else if to == payload.len() {
            let len = payload.len() as u64;
            (writing.large.then)(Some(Body::Chunked { id, len }));
        } else {
            writing.n += 1;
            self.writing.push_back(writing);
        }
        Ok(())
    }

    fn sweep(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let Some(bodies) = self.sweeping.pop_front() else { return Ok(()) };
        if store.sweep(bodies.clone())? {
            self.sweeping.push_front(bodies);
        }
        Ok(())
    }
}
