//! Storage that knows what it may become: of fixed length, or growing up to a promise.

use mllp_core::Storage;

use crate::invariant::Invariant;

pub struct Memory {
    bytes: Vec<u8>,
    max_len: usize,
    /// What the core has reason to ask for, which is less than what there is.
    promise: usize,
}

impl Memory {
    pub fn fixed(len: usize) -> Memory {
        Memory { bytes: vec![0; len], max_len: len, promise: len }
    }

    pub fn growing(max_len: usize, promise: usize) -> Memory {
        Memory { bytes: Vec::new(), max_len, promise: promise.min(max_len) }
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Memory {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Storage for Memory {
    fn max_len(&self) -> usize {
        self.max_len
    }

    fn grow(&mut self, len: usize) {
        let promise = self.promise;
        Invariant::Memory.check(len <= promise, format_args!("storage of {len}, not {promise}"));
        if len > self.bytes.len() {
            self.bytes.resize(len, 0);
        }
    }

    /// Gives everything back: what should still have been there is missed.
    fn shrink(&mut self) {
        if self.max_len > self.promise {
            self.bytes = Vec::new();
        }
    }
}
