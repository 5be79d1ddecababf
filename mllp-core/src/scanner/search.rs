//! How the payload of a profile is searched.

use crate::find::{memchr, memchr2};

use super::Scanner;
use crate::bytes::{ACK, NAK};
use crate::event::Deviation;
use crate::framing::CARRIAGE_RETURN;

impl Scanner {
    /// `permissive`: where the payload ends, noting a start block on the way. Once one is noted,
    /// further ones no longer stop the search, so a payload full of them costs one pass too.
    pub(super) fn find_end_block(&mut self, window: &[u8]) -> Option<usize> {
        let (start_block, end_block) =
            (self.config.framing.start_block(), self.config.framing.end_block());
        if self.deviations.contains(Deviation::SbInPayload) {
            return memchr(end_block, window);
        }
        let at = memchr2(start_block, end_block, window)?;
        let (_, tail) = window.split_at_checked(at)?;
        if tail.first() == Some(&end_block) {
            return Some(at);
        }
        self.note(Deviation::SbInPayload, self.offset.wrapping_add(at as u64));
        memchr(end_block, tail).map(|more| at.saturating_add(more))
    }

    /// The grammar of MLLP release 2, 1.2.3: `20`..`FF` and carriage return, or one commit byte as
    /// the whole payload.
    pub(super) const fn is_legal(&self, byte: u8) -> bool {
        match (self.payload_len, self.first) {
            (1, ACK | NAK) => false,
            (0, _) => byte >= 0x20 || matches!(byte, CARRIAGE_RETURN | ACK | NAK),
            _ => byte >= 0x20 || byte == CARRIAGE_RETURN,
        }
    }
}
