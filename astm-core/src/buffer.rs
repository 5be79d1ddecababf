//! One message while it is put together.

/// Memory for a message: an array, a borrowed slice, or anything that grows.
///
/// Growing is the host's business, because there is no allocator here; `mllp_core::Storage` is the same
/// trait, and shows how a `Vec` is one. It holds the message and the frame that comes after it: a frame
/// is received before it is known to be good.
pub trait Storage: AsRef<[u8]> + AsMut<[u8]> {
    /// The length in bytes that the storage can reach.
    fn max_len(&self) -> usize {
        self.as_ref().len()
    }

    /// Makes the storage at least `len` bytes long and keeps what it holds. Called only with lengths up
    /// to [`max_len`](Storage::max_len).
    fn grow(&mut self, len: usize) {
        let _ = len;
    }

    /// Nothing is stored any more: memory may be given back.
    fn shrink(&mut self) {}
}

impl<const N: usize> Storage for [u8; N] {}
impl Storage for &mut [u8] {}

/// The texts of accepted frames, one after the other, and behind them that of the open frame.
#[derive(Clone)]
pub(crate) struct FrameBuffer<S> {
    storage: S,
    /// The message so far.
    message: usize,
    /// The end of the open frame's text.
    end: usize,
    /// A byte of the open frame found no room.
    overflow: bool,
}

impl<S: Storage> FrameBuffer<S> {
    pub(crate) fn new(storage: S) -> FrameBuffer<S> {
        FrameBuffer { storage, message: 0, end: 0, overflow: false }
    }

    /// A frame begins.
    pub(crate) fn begin(&mut self) {
        self.end = self.message;
        self.overflow = false;
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let end = self.end.saturating_add(bytes.len());
        if end > self.storage.as_ref().len() && end <= self.storage.max_len() {
            self.storage.grow(end);
        }
        let spare = self.storage.as_mut().get_mut(self.end..).unwrap_or_default();
        match spare.get_mut(..bytes.len()) {
            Some(room) if !self.overflow => {
                room.copy_from_slice(bytes);
                self.end = end;
            }
            _ => self.overflow = true,
        }
    }

    /// Whether all of the open frame is there, and `more` bytes would have room.
    pub(crate) fn holds(&self, more: usize) -> bool {
        !self.overflow && self.end.saturating_add(more) <= self.storage.max_len()
    }

    /// The text of the open frame, or of the one that was kept last.
    pub(crate) fn text(&self, from: usize) -> &[u8] {
        self.storage.as_ref().get(from..self.end).unwrap_or_default()
    }

    /// The open frame's text, behind the message.
    pub(crate) fn open_text(&self) -> &[u8] {
        self.text(self.message)
    }

    /// The message, and the open frame if it is not given up.
    pub(crate) fn joined(&self) -> &[u8] {
        self.text(0)
    }

    pub(crate) fn message(&self) -> &[u8] {
        self.storage.as_ref().get(..self.message).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.message
    }

    /// The open frame becomes part of the message.
    pub(crate) fn keep(&mut self) {
        self.message = self.end;
    }

    /// The message is `len` bytes long again.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.message = len.min(self.message);
        self.end = self.message;
        if self.message == 0 {
            self.storage.shrink();
        }
    }
}
