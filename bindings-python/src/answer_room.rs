//! Room for the answers that one call hands out together.

use std::mem;
use std::sync::{Mutex, PoisonError};

/// As much is at hand for each answer: hardly one is longer, and one that is has another way.
const USUAL_LEN: usize = 1024;
/// Room up to this length is kept for the next call, whichever connection makes it: most connections
/// are idle most of the time.
const KEPT_LEN: usize = 65_536;

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

pub(crate) struct AnswerRoom {
    // All of it has been written once: making room costs only where it grows.
    bytes: Vec<u8>,
    len: usize,
}

impl AnswerRoom {
    pub(crate) fn new() -> AnswerRoom {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        AnswerRoom { bytes: mem::take(&mut *kept), len: 0 }
    }

    /// Where the next answer goes; `advance` says how long it is.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        let wanted = self.len + USUAL_LEN;
        if self.bytes.len() < wanted {
            self.bytes.resize(2 * wanted, 0);
        }
        self.bytes.get_mut(self.len..).unwrap_or_default()
    }

    pub(crate) fn advance(&mut self, len: usize) {
        self.len += len;
    }

    pub(crate) fn append(&mut self, answers: &[u8]) {
        self.bytes.truncate(self.len);
        self.bytes.extend_from_slice(answers);
        self.len = self.bytes.len();
    }

    pub(crate) fn written(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for AnswerRoom {
    fn drop(&mut self) {
        if self.bytes.len() <= KEPT_LEN {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut *kept, &mut self.bytes);
        }
    }
}
