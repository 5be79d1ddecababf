//! Finding the separators of a header all at once.

use crate::Scan;

/// Writes the offsets of the first separators in `text`, which is shorter than 4 GiB, to `slots`; slots
/// without a separator keep their value.
///
/// `Split` finds the same ones; this is the way for MSH, whose fields are short: one pass, eight
/// bytes at a time, instead of twenty searches.
#[inline]
pub(crate) fn find_all(text: &[u8], separator: u8, slots: &mut [u32]) {
    let mut slots = slots.iter_mut();
    let mut offset = 0u32;
    let separators = u64::from_le_bytes([separator; 8]);
    // A microcontroller has no words of 64 bits, and less flash than time.
    let (words, tail) =
        if cfg!(target_os = "none") { (&[][..], text) } else { text.as_chunks::<8>() };
    for word in words {
        let mut hits = equal_bytes(u64::from_le_bytes(*word), separators);
        while hits != 0 {
            let Some(slot) = slots.next() else { return };
            *slot = offset.wrapping_add(hits.trailing_zeros() / 8);
            hits &= hits.wrapping_sub(1);
        }
        offset = offset.wrapping_add(8);
    }
    for byte in tail {
        if *byte == separator {
            let Some(slot) = slots.next() else { return };
            *slot = offset;
        }
        offset = offset.wrapping_add(1);
    }
}

/// As [`find_all`], where a separator's byte may be half of a character.
#[cold]
pub(crate) fn find_all_with(text: &[u8], separator: u8, scan: Scan, slots: &mut [u32]) {
    let mut from = 0usize;
    for slot in slots {
        let rest = text.get(from..).unwrap_or_default();
        let Some(at) = scan.find(separator, rest) else { return };
        let at = from.wrapping_add(at);
        *slot = at as u32;
        from = at.wrapping_add(1);
    }
}

/// Bit 7 of every byte in which `a` and `b` are equal; all other bits are 0.
///
/// Per byte: `x` is 0 where they are equal, and adding 7F to its low seven bits sets bit 7 unless
/// those are 0. No sum is above FE, so nothing carries into the next byte.
#[inline]
fn equal_bytes(a: u64, b: u64) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let x = a ^ b;
    !((x & LOW).wrapping_add(LOW) | x | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_marks_equal_bytes_and_no_others() {
        for value in 0..=255u8 {
            for other in 0..=255u8 {
                let a = u64::from_le_bytes([value, other, value, 0, 255, other, value, other]);
                let marks = equal_bytes(a, u64::from_le_bytes([value; 8])).to_le_bytes();
                let expected = a.to_le_bytes().map(|byte| if byte == value { 0x80 } else { 0 });
                assert_eq!(marks, expected, "{value:#x} {other:#x}");
            }
        }
    }

    #[test]
    fn the_separators_stand_between_the_parts() {
        // Every arrangement of separators in a text of up to 18 bytes: two words and a tail.
        for len in 0..=18usize {
            for pattern in 0..(1u32 << len) {
                let mut text = [b'a'; 18];
                for (bit, byte) in text.iter_mut().enumerate() {
                    if pattern >> bit & 1 == 1 {
                        *byte = b'|';
                    }
                }
                let text = &text[..len];
                let expected = core::array::from_fn(|number| {
                    let mut offsets = (0..len).filter(|at| text[*at] == b'|');
                    offsets.nth(number).unwrap_or(len) as u32
                });
                let mut slots = [len as u32; 6];
                find_all(text, b'|', &mut slots);
                assert_eq!(slots, expected, "{pattern:b} of {len}");
                let mut slots = [len as u32; 6];
                find_all_with(text, b'|', Scan::ShiftJis, &mut slots);
                assert_eq!(slots, expected, "{pattern:b} of {len}");
            }
        }
    }
}
