//! Cutting a text at a separator: lazily into parts, or at once into the slots of a header.

use crate::Scan;

/// The parts of a text between separators. An empty text is one empty part.
#[derive(Clone, Copy)]
pub(crate) struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: Option<u8>,
    scan: Scan,
}

impl<'a> Split<'a> {
    /// Without a separator the text is one part.
    pub(crate) fn new(text: &'a [u8], separator: Option<u8>, scan: Scan) -> Split<'a> {
        Split { rest: Some(text), separator, scan }
    }

    /// How many bytes are left to cut.
    pub(crate) fn remaining_len(&self) -> usize {
        self.rest.map_or(0, <[u8]>::len)
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let found = self.separator.and_then(|separator| self.scan.find(separator, rest));
        let Some((part, [_, after @ ..])) = found.and_then(|end| rest.split_at_checked(end)) else {
            return Some(rest);
        };
        self.rest = Some(after);
        Some(part)
    }
}

/// Writes the parts of `text` into `slots` and returns how many of them a separator ended.
///
/// Parts without a slot are dropped, slots without a part keep their value. `Split` gives the same
/// parts; this is the way for MSH, whose twenty short fields are all wanted: one pass, eight bytes
/// at a time, instead of twenty searches.
#[inline]
pub(crate) fn split_into<'a>(text: &'a [u8], separator: u8, slots: &mut [&'a [u8]]) -> usize {
    let mut slots = slots.iter_mut();
    let mut ended = 0usize;
    let mut start = 0usize;
    let mut end_part = |end: usize| {
        *slots.next()? = text.get(start..end)?;
        ended = ended.wrapping_add(1);
        start = end.wrapping_add(1);
        Some(())
    };

    let separators = u64::from_le_bytes([separator; 8]);
    let (words, tail) = text.as_chunks::<8>();
    let mut offset = 0usize;
    for word in words {
        let mut hits = equal_bytes(u64::from_le_bytes(*word), separators);
        while hits != 0 {
            if end_part(offset.wrapping_add(hits.trailing_zeros() as usize / 8)).is_none() {
                return ended;
            }
            hits &= hits.wrapping_sub(1);
        }
        offset = offset.wrapping_add(8);
    }
    for &byte in tail {
        if byte == separator && end_part(offset).is_none() {
            return ended;
        }
        offset = offset.wrapping_add(1);
    }
    if let (Some(slot), Some(part)) = (slots.next(), text.get(start..)) {
        *slot = part;
    }
    ended
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
    fn split_into_gives_the_parts_of_split() {
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
                let mut slots = [&b"unused"[..]; 6];
                let ended = split_into(text, b'|', &mut slots);

                let mut parts = Split::new(text, Some(b'|'), Scan::SingleByte);
                for slot in slots {
                    assert_eq!(slot, parts.next().unwrap_or(b"unused"), "{pattern:b} of {len}");
                }
                assert_eq!(ended, (pattern.count_ones() as usize).min(6));
            }
        }
    }
}
