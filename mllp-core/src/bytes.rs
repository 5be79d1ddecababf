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
/// branch, which the compiler turns into vector instructions: large ones first, then small ones.
pub(crate) fn find_special(start_block: u8, end_block: u8, window: &[u8]) -> Option<usize> {
    let special = |byte: u8| {
        (byte < 0x20) & (byte != CARRIAGE_RETURN) | (byte == start_block) | (byte == end_block)
    };
    let after_large = skip_blocks::<64>(window, special);
    let after_small = skip_blocks::<16>(after_large, special);
    let clean = window.len() - after_small.len();
    after_small.iter().position(|&byte| special(byte)).map(|at| clean + at)
}

/// What begins with the first block of `N` bytes that holds such a byte, or is shorter than a block.
fn skip_blocks<const N: usize>(bytes: &[u8], special: impl Fn(u8) -> bool) -> &[u8] {
    let (blocks, _) = bytes.as_chunks::<N>();
    let is_clean =
        |block: &&[u8; N]| !block.iter().fold(false, |found, &byte| found | special(byte));
    let clean = blocks.iter().take_while(is_clean).count();
    bytes.get(clean * N..).unwrap_or_default()
}
