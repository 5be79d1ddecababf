//! Memory for what a stream has begun and what waits for a socket.

use mllp_core::Storage;

/// Storage that grows, and lets go when nothing is in it: most connections are idle most of the time.
#[derive(Debug, Default)]
pub(crate) struct Growing(Vec<u8>);

impl AsRef<[u8]> for Growing {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Growing {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Storage for Growing {
    fn max_len(&self) -> usize {
        usize::MAX
    }

    fn grow(&mut self, len: usize) {
        // Without the memory the storage stays as it is: the frame is lost, the process is not.
        let more = len.saturating_sub(self.0.len());
        if self.0.try_reserve(more).is_ok() {
            self.0.resize(len, 0);
        }
    }

    fn shrink(&mut self) {
        *self = Growing::default();
    }
}
