//! What stands in the text of a frame.

use crate::control::CR;

/// What E1381 forbids in a text, but for LF, which is judged by what stands before it.
pub(crate) const fn is_restricted(byte: u8) -> bool {
    matches!(byte, 0x01..=0x06 | 0x10..=0x17)
}

/// How many bytes in front are plain, and the sum of them modulo 256. CR is plain; all other bytes
/// below 20 need a look.
///
/// Blocks are tested whole and summed in lanes, which the compiler turns into vector instructions: the
/// exclusive or with CR maps the control bytes to 00..1F and CR to 00, and less one they are 00..1E and
/// all other bytes are above.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn plain(bytes: &[u8]) -> (usize, u8) {
    let (mut len, mut sum) = (0, 0u8);
    // A microcontroller has no vectors, and less flash than time.
    if cfg!(not(target_os = "none")) {
        let mut lanes = [0u8; 16];
        for block in bytes.as_chunks::<16>().0 {
            let moved = |byte: u8| (byte ^ CR).wrapping_sub(1);
            if block.iter().fold(0xFF, |least, &byte| moved(byte).min(least)) <= 0x1E {
                break;
            }
            for (lane, &byte) in lanes.iter_mut().zip(block) {
                *lane = lane.wrapping_add(byte);
            }
            len += 16;
        }
        sum = lanes.iter().fold(0, |sum: u8, &lane| sum.wrapping_add(lane));
    }
    for &byte in bytes.get(len..).unwrap_or_default() {
        if byte < 0x20 && byte != CR {
            break;
        }
        sum = sum.wrapping_add(byte);
        len += 1;
    }
    (len, sum)
}

/// A number for a text, to recognise the same one again. Noise repeats no number of 64 bits.
pub(crate) fn fingerprint(text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, tail) = text.as_chunks::<8>();
    let hash =
        words.iter().fold(text.len() as u64, |hash, &word| mix(hash, u64::from_le_bytes(word)));
    let last = tail.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let hash = mix(hash, last);
    hash ^ hash >> 32
}
