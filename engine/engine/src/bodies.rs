//! Bodies that are too large for one transaction: written in chunks between the commits, so that no
//! other message waits longer than for one of them.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mllp_io::Chunk;
use mllp_pipeline::{Body, BodyId, CommitOutcome, Piece, Record, Transaction};
use mllp_store::{CHUNK, INLINE_LIMIT, Store, StoreError, Swept};

/// What cannot be swept for now is tried again after this.
const SWEEP_AGAIN: Duration = Duration::from_secs(1);

/// Whether a body of so many bytes goes into chunks.
pub(crate) const fn is_large(len: usize) -> bool {
    len > INLINE_LIMIT
}

/// Gives numbers to bodies.
pub(crate) struct BodyIds(AtomicU64);

impl BodyIds {
    pub(crate) fn new(next: BodyId) -> BodyIds {
        BodyIds(AtomicU64::new(next.0))
    }

    pub(crate) fn next(&self) -> BodyId {
        BodyId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A large body in memory.
pub(crate) struct Large {
    pub(crate) id: BodyId,
    pub(crate) payload: Arc<[u8]>,
    /// Told the body once all of it is durable; `None`: it could not be written, and nothing may
    /// come to hold it.
    pub(crate) then: Box<dyn FnOnce(Option<Body>) + Send>,
}

/// A body of which some chunks may be durable.
enum Writing {
    /// It arrives, and these chunks are here.
    Arriving(VecDeque<Chunk>),
    /// A chunk of it could not be written. What comes of it is dropped, until it is given up.
    Lost,
    /// All of it is here; the number of the next chunk.
    AtHand(Large, u32),
}

pub(crate) struct Bodies {
    writing: HashMap<BodyId, Writing>,
    /// Bodies of which a chunk is here, each once.
    turns: VecDeque<BodyId>,
    /// Bodies whose chunks go if nothing holds them.
    sweeping: VecDeque<Range<BodyId>>,
    /// Nothing is swept before this.
    sweep_after: Option<Instant>,
}

impl Bodies {
    /// What earlier lives have left without a message is swept.
    pub(crate) fn new(next: BodyId) -> Bodies {
        let sweeping = [BodyId(0)..next].into();
        Bodies { writing: HashMap::new(), turns: VecDeque::new(), sweeping, sweep_after: None }
    }

    /// Takes a body that is in memory.
    pub(crate) fn begin(&mut self, large: Large) {
        self.turns.push_back(large.id);
        self.writing.insert(large.id, Writing::AtHand(large, 0));
    }

    /// Takes the next chunk of a body that arrives.
    pub(crate) fn add(&mut self, chunk: Chunk) {
        let id = BodyId(chunk.body);
        let writing = self.writing.entry(id).or_insert_with(|| Writing::Arriving(VecDeque::new()));
        if let Writing::Arriving(chunks) = writing {
            if chunks.is_empty() {
                self.turns.push_back(id);
            }
            chunks.push_back(chunk);
        }
    }

    /// Nothing comes to hold this body any more, unless something holds it already.
    pub(crate) fn give_up(&mut self, body: BodyId) {
        if self.writing.remove(&body).is_some() {
            self.turns.retain(|it| *it != body);
        }
        self.sweeping.push_back(body..BodyId(body.0 + 1));
    }

    /// When there is something to do; `None`: not before a job.
    pub(crate) fn due(&self) -> Option<Instant> {
        if !self.turns.is_empty() {
            return Some(Instant::now());
        }
        let sweeps = !self.sweeping.is_empty();
        sweeps.then(|| self.sweep_after.unwrap_or_else(Instant::now))
    }

    /// Writes one chunk of the body whose turn it is. Without one, and after each body that is done,
    /// sweeps a slice.
    pub(crate) fn write(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let Some(id) = self.turns.pop_front() else { return self.sweep(store) };
        match self.writing.remove(&id) {
            Some(Writing::Arriving(chunks)) => self.write_arriving(id, chunks, store),
            Some(Writing::AtHand(large, n)) => self.write_at_hand(large, n, store),
            Some(Writing::Lost) | None => Ok(()),
        }
    }

    fn write_arriving(
        &mut self,
        id: BodyId,
        mut chunks: VecDeque<Chunk>,
        store: &mut dyn Store,
    ) -> Result<(), StoreError> {
        let Some(chunk) = chunks.pop_front() else { return Ok(()) };
        let is_last = chunk.bytes.len() < CHUNK;
        if !commit(store, id, chunk.n, Piece(Arc::clone(&chunk.bytes)))? {
            // Also where the outcome is unknown. Whoever sends the rest is told by the chunks that
            // are dropped, and gives the body up.
            self.writing.insert(id, Writing::Lost);
            return Ok(());
        }
        chunk.stored();
        if !chunks.is_empty() {
            self.turns.push_back(id);
            self.writing.insert(id, Writing::Arriving(chunks));
        }
        if is_last { self.sweep(store) } else { Ok(()) }
    }

    fn write_at_hand(
        &mut self,
        large: Large,
        n: u32,
        store: &mut dyn Store,
    ) -> Result<(), StoreError> {
        let Large { id, ref payload, .. } = large;
        let from = n as usize * CHUNK;
        let to = payload.len().min(from + CHUNK);
        if !commit(store, id, n, Piece::from(&payload[from..to]))? {
            self.give_up(id);
            (large.then)(None);
        } else if to == payload.len() {
            let len = payload.len() as u64;
            (large.then)(Some(Body::Chunked { id, len }));
            return self.sweep(store);
        } else {
            self.turns.push_back(id);
            self.writing.insert(id, Writing::AtHand(large, n + 1));
        }
        Ok(())
    }

    fn sweep(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        if self.sweep_after.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let Some(bodies) = self.sweeping.pop_front() else { return Ok(()) };
        self.sweep_after = None;
        match store.sweep(bodies.clone())? {
            Swept::Done => {}
            Swept::More => self.sweeping.push_front(bodies),
            Swept::Later => {
                self.sweeping.push_front(bodies);
                self.sweep_after = Some(Instant::now() + SWEEP_AGAIN);
            }
        }
        Ok(())
    }
}

/// Writes a chunk; whether it is durable.
fn commit(store: &mut dyn Store, body: BodyId, n: u32, bytes: Piece) -> Result<bool, StoreError> {
    let records = vec![Record::Chunk { body, n, bytes }];
    let outcome = store.commit(&Transaction { records, lanes: Vec::new() })?;
    Ok(matches!(outcome, CommitOutcome::Committed(_)))
}
