//! Which messages a socket has taken, from how much of what was written it has not.

use std::collections::VecDeque;

use mllp_link::Handle;

/// Frames on their way into a socket, in their order.
#[derive(Default)]
pub(crate) struct Writing {
    frames: VecDeque<(Handle, usize)>,
    len: usize,
}

impl Writing {
    pub(crate) fn push(&mut self, handle: Handle, len: usize) {
        self.frames.push_back((handle, len));
        self.len += len;
    }

    /// The next frame that has left, when so many bytes have not.
    pub(crate) fn pop_written(&mut self, unsent: usize) -> Option<Handle> {
        let (handle, len) = *self.frames.front()?;
        let behind = self.len.saturating_sub(len);
        if unsent > behind {
            return None;
        }
        self.len = behind;
        self.frames.pop_front();
        Some(handle)
    }

    /// The messages of which no byte has left, when `unsent` bytes have not.
    pub(crate) fn untouched(&self, unsent: usize) -> impl Iterator<Item = Handle> {
        let mut behind = self.len;
        self.frames.iter().filter_map(move |(handle, len)| {
            let whole = behind;
            behind = behind.saturating_sub(*len);
            (unsent >= whole).then_some(*handle)
        })
    }
}
