//! Bytes with a meaning, and how to find them.

use crate::framing::CARRIAGE_RETURN;

/// MLLP release 2 commit blocks, the only payloads below `20` that its grammar knows.
pub(crate) const ACK: u8 = 0x06;
pub(crate) const NAK: u8 = 0x15;

/// Every byte once.
static BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut i = 0;
    while i < 256 {
        bytes[i] = i as u8;
        i += 1;
    }
    bytes
};

/// A slice of one byte that lives for ever, for a byte that is no longer in the caller's input.
pub(crate) fn one_byte(byte: u8) -> &'static [u8] {
    BYTES.get(usize::from(byte)..).and_then(|bytes| bytes.get(..1)).unwrap_or_default()
}

/// Padding between frames, as senders leave it: NUL, tab, line feed, carriage return, space.
pub(crate) const fn is_blank(byte: &u8) -> bool {
    matches!(*byte, 0x00 | 0x09 | 0x0A | 0x0D | 0x20)
}

/// `strict`: the first byte that is not plain payload.
///
/// Every byte has to be classified, which memchr cannot do. Blocks are tested whole, without a
/// branch, which the compiler turns into vector instructions.
pub(crate) fn find_special(start_block: u8, end_block: u8, window: &[u8]) -> Option<usize> {
    let is_control = |byte: u8| byte < 0x20 && byte != CARRIAGE_RETURN;
    let mut clean = 0;
    // The framing bytes of MLLP are control characters like the others that are not allowed. The
    // exclusive or with CR maps the control characters to 00..1F and CR to 00, and less one they are
    // 00..1E and all other bytes are above: the least of a block tells.
    // A microcontroller has no vectors, and less flash than time.
    if cfg!(not(target_os = "none")) && is_control(start_block) && is_control(end_block) {
        let is_clean = |block: &[u8]| {
            let moved = |byte: u8| (byte ^ CARRIAGE_RETURN).wrapping_sub(1);
            block.iter().fold(0xFF, |least, &byte| moved(byte).min(least)) > 0x1E
        };
        // Large blocks cost less for each byte, small ones leave less to look at byte by byte.
        let (large, _) = window.as_chunks::<64>();
        clean = large.iter().take_while(|block| is_clean(*block)).count() * 64;
        let (small, _) = window.get(clean..).unwrap_or_default().as_chunks::<16>();
        clean += small.iter().take_while(|block| is_clean(*block)).count() * 16;
    }
    let is_special = |byte: &u8| is_control(*byte) || *byte == start_block || *byte == end_block;
    let tail = window.get(clean..).unwrap_or_default();
    tail.iter().position(is_special).map(|at| clean + at)
}
