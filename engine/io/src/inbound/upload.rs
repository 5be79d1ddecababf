//! A message that is too large for memory: handed over in chunks while it arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::identity::{Identity, Recognise};
use super::mailbox::Mailbox;
use super::{CHUNK, Gate, Intake, WHOLE};

/// Chunks of one connection that may be handed over and not stored: the disk writes one while the
/// next one arrives. A disk that is slow stops this connection's reading and no other's.
const IN_FLIGHT: usize = 2;

/// A chunk of a payload. Dropped before it was [stored](Chunk::stored), it counts as lost, and its
/// message is refused.
pub struct Chunk {
    /// The number that [`Intake::begin`] gave.
    pub body: u64,
    /// Its place, from 0 on.
    pub n: u32,
    /// The bytes.
    pub bytes: Arc<[u8]>,
    passage: Passage,
}

impl Chunk {
    /// It is durable.
    pub fn stored(mut self) {
        self.passage.stored = true;
    }
}

/// One of the chunks that are handed over.
struct Passage {
    flight: Arc<Flight>,
    stored: bool,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Passage {
    fn drop(&mut self) {
        if !self.stored {
            self.flight.lost.store(true, Ordering::Release);
        }
        self.flight.count.fetch_sub(1, Ordering::AcqRel);
        self.flight.mailbox.wake();
    }
}

/// The chunks that are handed over, as the intake and the connection see them.
struct Flight {
    count: AtomicUsize,
    lost: AtomicBool,
    mailbox: Arc<Mailbox>,
}

/// A large message that arrives. Dropped, it is given up. `T`: how its connection calls it.
pub(super) struct Upload<T> {
    intake: Arc<dyn Intake>,
    gate: Gate,
    /// `None`: it is refused, and passes by.
    body: Option<u64>,
    next: u32,
    /// Bytes that have come.
    len: u64,
    /// The first bytes, with the header. What they end in may be cut.
    pub(super) beginning: Arc<[u8]>,
    /// Bytes that are not handed over yet.
    rest: Vec<u8>,
    identity: Box<Identity>,
    flight: Arc<Flight>,
    /// For the next chunk.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// The message is here, whole.
    pub(super) ended: Option<T>,
    /// A message holds it by now.
    kept: bool,
}

/// What a large message has become once all of it is stored.
pub(super) struct Kept {
    pub(super) body: u64,
    pub(super) len: u64,
    pub(super) identity: u128,
}

impl<T> Upload<T> {
    /// Begins with the bytes that have come so far.
    pub(super) fn begin(
        intake: Arc<dyn Intake>,
        gate: &Gate,
        recognise: Recognise,
        mailbox: Arc<Mailbox>,
        bytes: Vec<u8>,
    ) -> Upload<T> {
        let mut identity = Box::new(Identity::new(recognise));
        identity.take(&bytes);
        let body = (!gate.refuses_large()).then(|| intake.begin());
        let lost = AtomicBool::new(body.is_none());
        let flight = Flight { count: AtomicUsize::new(0), lost, mailbox };
        Upload {
            body,
            intake,
            gate: gate.clone(),
            next: 0,
            len: bytes.len() as u64,
            beginning: bytes[..bytes.len().min(WHOLE)].into(),
            rest: bytes,
            identity,
            flight: Arc::new(flight),
            permit: None,
            ended: None,
            kept: false,
        }
    }

    /// The next bytes of the message.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.identity.take(bytes);
        if !self.is_lost() {
            self.rest.extend_from_slice(bytes);
        }
    }

    /// Hands over what may be; true: bytes that come next can be taken.
    pub(super) fn advance(&mut self) -> bool {
        if self.gate.breaks_off_large() && (self.ended.is_none() || self.has_chunk()) {
            self.flight.lost.store(true, Ordering::Release);
        }
        if self.is_lost() {
            // What is left of it passes by.
            (self.rest, self.permit) = (Vec::new(), None);
        }
        while self.has_chunk() && self.may_hand_over() {
            let Some(permit) = self.permit.take() else { break };
            self.hand_over(permit);
        }
        self.ended.is_none() && self.rest.len() < CHUNK
    }

    fn has_chunk(&self) -> bool {
        self.rest.len() >= CHUNK || (self.ended.is_some() && !self.rest.is_empty())
    }

    fn may_hand_over(&mut self) -> bool {
        if self.flight.count.load(Ordering::Acquire) >= IN_FLIGHT {
            return false;
        }
        if self.permit.is_none() {
            self.permit = Arc::clone(self.gate.chunks()).try_acquire_owned().ok();
        }
        self.permit.is_some()
    }

    /// Bytes that have come.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// What it has to wait for, apart from its own chunks.
    pub(super) fn wanted(&self) -> Option<Arc<Semaphore>> {
        let waits = self.has_chunk()
            && self.permit.is_none()
            && self.flight.count.load(Ordering::Acquire) < IN_FLIGHT;
        waits.then(|| Arc::clone(self.gate.chunks()))
    }

    fn hand_over(&mut self, permit: OwnedSemaphorePermit) {
        let Some(body) = self.body else { return };
        let len = self.rest.len().min(CHUNK);
        let bytes = self.rest[..len].into();
        self.rest.drain(..len);
        self.flight.count.fetch_add(1, Ordering::AcqRel);
        let flight = Arc::clone(&self.flight);
        let passage = Passage { flight, stored: false, _permit: permit };
        self.intake.store(Chunk { body, n: self.next, bytes, passage });
        self.next += 1;
    }

    fn is_lost(&self) -> bool {
        self.flight.lost.load(Ordering::Acquire)
    }

    /// Whether the message has ended and nothing of it is under way any more.
    pub(super) fn is_done(&mut self) -> bool {
        self.ended.is_some() && {
            self.advance();
            self.rest.is_empty() && self.flight.count.load(Ordering::Acquire) == 0
        }
    }

    /// The message from here on holds it; `None`: a chunk was lost.
    pub(super) fn keep(&mut self, control_id: &[u8]) -> Option<Kept> {
        let body = self.body.filter(|_| !self.is_lost())?;
        self.kept = true;
        Some(Kept { body, len: self.len, identity: self.identity.of(control_id) })
    }

    /// The same, of a message that need not be HL7: its bytes are what it is recognised by.
    pub(super) fn keep_bytes(&mut self) -> Option<Kept> {
        let body = self.body.filter(|_| !self.is_lost())?;
        self.kept = true;
        Some(Kept { body, len: self.len, identity: self.identity.of_bytes() })
    }
}

impl<T> Drop for Upload<T> {
    fn drop(&mut self) {
        if let (Some(body), false) = (self.body, self.kept) {
            self.intake.give_up(body);
        }
    }
}
