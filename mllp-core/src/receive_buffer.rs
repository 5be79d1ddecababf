//! Whole frames from chunks, with storage for what is split between them.

use core::fmt;
use core::ops::Range;

use crate::decoder::{Decoded, FRAME_OVERHEAD, Located, Received};
use crate::{Config, Counters, Decoder, Scanner, Step};

/// Memory for a [`ReceiveBuffer`]: an array, a borrowed slice, or anything that grows.
///
/// Growing is the host's business, because the core has no allocator. With a `Vec` it is:
///
/// ```
/// use mllp_core::{Config, ReceiveBuffer, Storage};
///
/// struct Growing(Vec<u8>);
///
/// impl AsRef<[u8]> for Growing {
///     fn as_ref(&self) -> &[u8] {
///         &self.0
///     }
/// }
/// impl AsMut<[u8]> for Growing {
///     fn as_mut(&mut self) -> &mut [u8] {
///         &mut self.0
///     }
/// }
/// impl Storage for Growing {
///     fn max_len(&self) -> usize {
///         usize::MAX
///     }
///     fn grow(&mut self, len: usize) {
///         self.0.resize(len, 0);
///     }
/// }
///
/// let mut buffer = ReceiveBuffer::new(Growing(Vec::new()), Config::DEFAULT);
/// assert!(buffer.feed(b"\x0bpart of a fra").event.is_none());
/// assert!(buffer.feed(b"me\x1c\r").event.is_some());
/// ```
pub trait Storage: AsRef<[u8]> + AsMut<[u8]> {
    /// The length in bytes that the storage can reach.
    fn max_len(&self) -> usize {
        self.as_ref().len()
    }

    /// Makes the storage at least `len` bytes long and keeps what it holds. Called only with
    /// lengths up to [`max_len`](Storage::max_len).
    fn grow(&mut self, len: usize) {
        let _ = len;
    }

    /// Nothing is stored any more, and no payload is at hand: memory may be given back. What the
    /// storage keeps should hold what its host reads at once.
    ///
    /// Called when that is so for the first time after [`grow`](Storage::grow), not once for each
    /// message.
    fn shrink(&mut self) {}
}

impl<const N: usize> Storage for [u8; N] {}
impl Storage for &mut [u8] {}

/// Finds whole frames in chunks. A frame that arrives whole is borrowed from its chunk without a
/// copy; one that is split is put together in the storage.
///
/// Chunks come in through [`feed`](ReceiveBuffer::feed), or a socket reads straight into
/// [`spare_mut`](ReceiveBuffer::spare_mut) and [`commit`](ReceiveBuffer::commit) and
/// [`next_event`](ReceiveBuffer::next_event) follow.
///
/// The limit is `max_payload_len` or three bytes less than the storage can hold, whichever is
/// smaller, for whole and split frames alike: the result does not depend on the chunks.
///
/// ```
/// use mllp_core::{Config, ReceiveBuffer, Received};
///
/// let mut buffer = ReceiveBuffer::new([0; 512], Config::DEFAULT);
/// let mut answered = 0;
/// for mut chunk in [&b"\x0bone\x1c\r\x0bt"[..], b"wo\x1c\r"] {
///     loop {
///         let fed = buffer.feed(chunk);
///         chunk = &chunk[fed.consumed..];
///         match fed.event {
///             Some(Received::Frame(frame)) => answered += frame.payload.len(),
///             Some(_) => {}
///             None => break,
///         }
///     }
/// }
/// assert_eq!(answered, 6);
/// ```
#[derive(Clone)]
pub struct ReceiveBuffer<S> {
    decoder: Decoder,
    storage: S,
    // The unread bytes of the storage.
    start: usize,
    end: usize,
    /// The storage has grown since it was last told that it may shrink.
    grown: bool,
    /// Where the payload is that `next_event` gave last.
    payload: Range<usize>,
}

impl<S: Storage> ReceiveBuffer<S> {
    /// A buffer at the beginning of a stream.
    pub fn new(storage: S, config: Config) -> ReceiveBuffer<S> {
        let holds = storage.max_len().saturating_sub(FRAME_OVERHEAD);
        let config = Config { max_payload_len: config.max_payload_len.min(holds), ..config };
        ReceiveBuffer {
            decoder: Decoder::new(config),
            storage,
            start: 0,
            end: 0,
            grown: false,
            payload: 0..0,
        }
    }

    /// Looks at the next bytes of the stream, up to the next event.
    ///
    /// Call it again with what `consumed` leaves of the chunk until the event is `None`; then all
    /// of the chunk is consumed.
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> Decoded<'a> {
        if self.is_empty() { self.feed_empty(chunk) } else { self.feed_stored(chunk) }
    }

    /// [`feed`](ReceiveBuffer::feed) while nothing is stored. What it lends lies in the chunk, so
    /// that the buffer is free while a frame is looked at. `None` while something is stored.
    pub fn feed_in_place<'c>(&mut self, chunk: &'c [u8]) -> Option<Decoded<'c>> {
        self.is_empty().then(|| self.feed_empty(chunk))
    }

    #[inline(always)]
    fn feed_empty<'c>(&mut self, chunk: &'c [u8]) -> Decoded<'c> {
        self.payload = 0..0;
        // Once every frame of a chunk is taken, there is nothing to look at.
        if chunk.is_empty() && self.scanner().is_settled() {
            self.give_back();
            return Decoded { consumed: 0, event: None };
        }
        let located = self.decoder.locate(chunk);
        if located.event.is_some() {
            return located.lend(chunk);
        }
        // What is left is an open frame, looked at already.
        let open = chunk.get(located.consumed..).unwrap_or_default();
        let located =
            if self.keep(open) { located } else { self.decoder.locate_abandoned(open.len()) };
        self.give_back();
        Decoded { consumed: chunk.len(), ..located.lend(open) }
    }

    /// [`feed`](ReceiveBuffer::feed), where bytes wait in the storage: an open frame, all of it
    /// looked at, or what was committed.
    fn feed_stored<'a>(&'a mut self, chunk: &'a [u8]) -> Decoded<'a> {
        let from = self.start;
        let located = self.locate();
        if located.event.is_some() {
            return Decoded { consumed: 0, event: self.lend(located, from) };
        }
        // What belongs to the frame is found in the chunk, and then joins the rest of it. Frames
        // behind it are better read where they are.
        let may_be_full = self.spare_len() < chunk.len();
        let before = if may_be_full { Some(self.decoder.clone()) } else { None };
        let Step { consumed, event } = self.decoder.step(chunk);
        let kept = self.keep(chunk.get(..consumed).unwrap_or_default());
        let (consumed, located) = match before {
            // The frame is lost where the storage is full, and says so.
            Some(before) if !kept => {
                self.decoder = before;
                (0, self.decoder.locate_abandoned(self.unread().len()))
            }
            _ => (consumed, self.decoder.report(event, self.unread().len())),
        };
        let from = self.start;
        self.advance(located.consumed);
        Decoded { consumed, event: self.lend(located, from) }
    }

    /// Room for a socket to read into: at least one byte, and `want` bytes where the storage
    /// reaches that far. Take every event first.
    pub fn spare_mut(&mut self, want: usize) -> &mut [u8] {
        self.payload = 0..0;
        self.make_room(want);
        self.storage.as_mut().get_mut(self.end..).unwrap_or_default()
    }

    /// The socket has filled `len` bytes of the spare room.
    pub fn commit(&mut self, len: usize) {
        self.end = self.end.saturating_add(len).min(self.storage.as_ref().len());
    }

    /// The next event of what has been committed. `None`: more is needed.
    pub fn next_event(&mut self) -> Option<Received<'_>> {
        let from = self.start;
        let located = self.locate();
        self.lend(located, from)
    }

    /// The line has been idle for as long as the caller waits for a trailer: see
    /// [`Scanner::idle`].
    pub fn idle(&mut self) -> Option<Received<'_>> {
        let from = self.start;
        let located = self.decoder.locate_idle(self.unread().len());
        self.advance(located.consumed);
        self.lend(located, from)
    }

    /// The stream has ended: see [`Scanner::finish`]. Call it until it returns `None`.
    pub fn finish(&mut self) -> Option<Received<'_>> {
        let from = self.start;
        let located = self.decoder.locate_finish(self.unread().len());
        self.advance(located.consumed);
        self.lend(located, from)
    }

    /// The payload of the frame, or the prefix of the lost one, that
    /// [`next_event`](ReceiveBuffer::next_event), [`idle`](ReceiveBuffer::idle),
    /// [`finish`](ReceiveBuffer::finish) or [`feed`](ReceiveBuffer::feed) gave last, for as long as
    /// no other is called and no room is asked for. Empty where it lies in the chunk.
    pub fn payload(&self) -> &[u8] {
        self.storage.as_ref().get(self.payload.clone()).unwrap_or_default()
    }

    /// Forgets the stream and keeps settings and storage.
    pub fn reset(&mut self) {
        self.decoder.reset();
        (self.start, self.end) = (0, 0);
        self.payload = 0..0;
        self.give_back();
    }

    /// The bytes that wait in the storage: those of an open frame, from its start block on, and
    /// those for which no event has been taken.
    pub fn unread(&self) -> &[u8] {
        self.storage.as_ref().get(self.start..self.end).unwrap_or_default()
    }

    /// Whether no byte waits in the storage.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The storage, for a host that exchanges it while [`is_empty`](ReceiveBuffer::is_empty).
    pub fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// The state machine underneath: settings, offset, pending bytes and counters.
    pub const fn scanner(&self) -> &Scanner {
        self.decoder.scanner()
    }

    /// Totals of this stream.
    pub const fn counters(&self) -> &Counters {
        self.decoder.counters()
    }

    fn locate(&mut self) -> Located {
        let unread = self.storage.as_ref().get(self.start..self.end).unwrap_or_default();
        let located = self.decoder.locate(unread);
        self.advance(located.consumed);
        located
    }

    fn lend(&mut self, located: Located, from: usize) -> Option<Received<'_>> {
        let Range { start, end } = located.payload;
        self.payload = from.saturating_add(start)..from.saturating_add(end);
        if located.event.is_none() {
            self.give_back();
        }
        located.lend(self.stored(from)).event
    }

    fn stored(&self, from: usize) -> &[u8] {
        self.storage.as_ref().get(from..).unwrap_or_default()
    }

    fn advance(&mut self, consumed: usize) {
        self.start = self.start.saturating_add(consumed).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Copies all of `bytes` into the storage. False: the storage did not grow as it promised.
    fn keep(&mut self, bytes: &[u8]) -> bool {
        self.make_room(bytes.len());
        let spare = self.storage.as_mut().get_mut(self.end..).unwrap_or_default();
        let Some(room) = spare.get_mut(..bytes.len()) else { return false };
        room.copy_from_slice(bytes);
        self.end = self.end.saturating_add(bytes.len());
        true
    }

    fn spare_len(&self) -> usize {
        self.storage.as_ref().len().saturating_sub(self.end)
    }

    fn make_room(&mut self, want: usize) {
        if self.spare_len() >= want {
            return;
        }
        let len = self.unread().len();
        if let Some(kept) = self.storage.as_mut().get_mut(..self.end)
            && self.start <= kept.len()
        {
            kept.copy_within(self.start.., 0);
            (self.start, self.end) = (0, len);
        }
        let len = self.end.saturating_add(want).min(self.storage.max_len());
        if len > self.storage.as_ref().len() {
            self.storage.grow(len);
            self.grown = true;
        }
    }

    /// Storage that has grown may shrink when nothing is in it.
    fn give_back(&mut self) {
        if self.grown && self.is_empty() {
            self.grown = false;
            self.storage.shrink();
        }
    }
}

// Payloads are health data: a debug output shows how many bytes are stored, never which.
impl<S> fmt::Debug for ReceiveBuffer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveBuffer")
            .field("decoder", &self.decoder)
            .field("unread_len", &self.end.saturating_sub(self.start))
            .finish_non_exhaustive()
    }
}
