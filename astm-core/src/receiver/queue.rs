//! Short lists of fixed capacity, first in, first out.

/// Events that wait for the host. Its capacity is a power of two.
pub(super) struct Queue<T, const N: usize> {
    entries: [Option<T>; N],
    first: usize,
    len: usize,
}

impl<T, const N: usize> Queue<T, N> {
    pub(super) fn new() -> Queue<T, N> {
        Queue { entries: [const { None }; N], first: 0, len: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Nothing is pushed into a full queue: a step has fewer events than there are places.
    pub(super) fn push(&mut self, entry: T) {
        let place = self.first.wrapping_add(self.len) % N;
        if let Some(place) = self.entries.get_mut(place).filter(|_| self.len < N) {
            *place = Some(entry);
            self.len = self.len.saturating_add(1);
        }
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        let entry = self.entries.get_mut(self.first).and_then(Option::take);
        self.first = self.first.wrapping_add(1) % N;
        self.len = self.len.saturating_sub(1);
        entry
    }
}

/// Replies that wait for the line.
#[derive(Default)]
pub(super) struct Replies {
    bytes: [u8; 4],
    len: usize,
}

impl Replies {
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.bytes.len()
    }

    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// So many have left.
    pub(super) fn leave(&mut self, len: usize) {
        let left = self.len.saturating_sub(len);
        if left > 0 && len < self.bytes.len() {
            self.bytes.copy_within(len.., 0);
        }
        self.len = left;
    }
}
