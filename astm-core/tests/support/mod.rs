//! Storage that grows, and text of the vectors.

use astm_core::Storage;

#[derive(Clone, Default)]
pub struct Growing(Vec<u8>);

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
        self.0.resize(len, 0);
    }

    fn shrink(&mut self) {
        self.0.clear();
    }
}
