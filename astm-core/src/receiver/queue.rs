//! A short list of fixed capacity, first in, first out.

#[derive(Debug)]
pub(super) struct Queue<T, const N: usize> {
    entries: [Option<T>; N],
    len: usize,
}

impl<T, const N: usize> Queue<T, N> {
    pub(super) fn new() -> Queue<T, N> {
        Queue { entries: [const { None }; N], len: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.len >= N
    }

    /// Nothing is pushed into a full queue: whoever pushes has looked.
    pub(super) fn push(&mut self, entry: T) {
        if let Some(place) = self.entries.get_mut(self.len) {
            *place = Some(entry);
            self.len = self.len.saturating_add(1);
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let first = self.entries.first_mut().and_then(Option::take);
        self.entries.rotate_left(1);
        self.len = self.len.saturating_sub(1);
        first
    }
}

impl<const N: usize> Queue<u8, N> {
    pub(super) fn copy_to(&self, out: &mut [u8; N]) -> usize {
        for (place, entry) in out.iter_mut().zip(&self.entries) {
            *place = entry.unwrap_or_default();
        }
        self.len
    }
}
