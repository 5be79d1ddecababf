//! Segments, written field by field into a caller's buffer.

use core::mem::take;

use hl7_peek::{Delimiters, Scan, escape_with, escaped_len_with};

/// [`Scan::find`], or what does the same for the one scan that a program uses.
pub(crate) type Find = fn(Scan, u8, &[u8]) -> Option<usize>;

/// Counts every byte, and keeps those that fit. One code path gives both the length and the bytes.
pub(crate) struct Writer<'o> {
    /// The room that is left; none once something did not fit.
    spare: &'o mut [u8],
    /// How long the room was, without what was left when something did not fit.
    room: usize,
    /// How many bytes did not fit.
    missing: usize,
    /// Separators of empty fields, written when a field with content follows.
    owed: usize,
    delimiters: Delimiters,
    /// How the copied fields are read.
    scan: Scan,
    find: Find,
    /// Whether none of them needs an escape.
    plain: bool,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(
        out: &'o mut [u8],
        delimiters: Delimiters,
        (scan, find): (Scan, Find),
        plain: bool,
    ) -> Self {
        Writer { room: out.len(), spare: out, missing: 0, owed: 0, delimiters, scan, find, plain }
    }

    /// The length of everything written, whether or not it fitted.
    pub(crate) fn len(&self) -> usize {
        self.room.saturating_sub(self.spare.len()).saturating_add(self.missing)
    }

    pub(crate) fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// Whether nothing that is copied needs an escape.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Begins a segment.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn segment(&mut self, id: &[u8; 3]) {
        self.append(id);
    }

    /// Ends the segment, without its trailing empty fields.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn end_segment(&mut self) {
        self.owed = 0;
        // 2.5.2: the segment terminator is always a carriage return.
        self.append(b"\r");
    }

    /// Begins the next field; it costs nothing until something is written into it.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn field(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    /// Bytes that go out as they are.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.settle();
            self.append(bytes);
        }
    }

    /// The next field, of bytes that go out as they are.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn raw_field(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return self.field();
        }
        self.settle();
        self.required_field(bytes);
    }

    /// The next field, written even when it is empty.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn required_field(&mut self, bytes: &[u8]) {
        let separator = self.delimiters.field;
        if let Some([first, rest @ ..]) = self.claim(bytes.len().saturating_add(1))
            && let Some(rest) = rest.get_mut(..bytes.len())
        {
            *first = separator;
            rest.copy_from_slice(bytes);
        }
    }

    /// The next field, of bytes of another message: their delimiters keep their meaning. What would
    /// end the field, the segment or the frame around it is escaped.
    pub(crate) fn copied_field(&mut self, bytes: &[u8]) {
        if self.plain {
            self.raw_field(bytes);
        } else {
            self.field();
            self.copied(bytes);
        }
    }

    /// Bytes of a field of another message, as [`copied_field`](Writer::copied_field) writes them.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn copied(&mut self, bytes: &[u8]) {
        if self.plain { self.raw(bytes) } else { self.escaped(bytes) }
    }

    /// MSH-2 of another message. Five characters have a meaning and are delimiters; what follows
    /// them can be anything, and goes out only if it can break nothing.
    pub(crate) fn encoding_characters(&mut self, characters: &[u8]) {
        let whole = is_plain(characters, self.delimiters.field);
        self.raw_field(if whole { characters } else { characters.get(..5).unwrap_or(characters) });
    }

    /// One delimiter. A message without it cannot express the level: a space keeps the parts apart.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(crate) fn delimiter(&mut self, delimiter: Option<u8>) {
        self.raw(&[delimiter.unwrap_or(b' ')]);
    }

    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn append(&mut self, bytes: &[u8]) {
        if let Some(room) = self.claim(bytes.len()) {
            room.copy_from_slice(bytes);
        }
    }

    /// The next `len` bytes of the room. From the first time they are not there, bytes are only
    /// counted.
    #[inline(always)]
    fn claim(&mut self, len: usize) -> Option<&'o mut [u8]> {
        if len > self.spare.len() {
            self.room = self.room.saturating_sub(take(&mut self.spare).len());
            self.missing = self.missing.saturating_add(len);
            return None;
        }
        let (room, spare) = take(&mut self.spare).split_at_mut_checked(len)?;
        self.spare = spare;
        Some(room)
    }

    /// Writes the separators that are owed.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn settle(&mut self) {
        if self.owed > 0 {
            self.pay();
        }
    }

    fn pay(&mut self) {
        for _ in 0..take(&mut self.owed) {
            self.append(&[self.delimiters.field]);
        }
    }

    #[cold]
    fn escaped(&mut self, bytes: &[u8]) {
        if is_plain(bytes, self.delimiters.field) {
            return self.raw(bytes);
        }
        let mut rest = Some(bytes);
        while let Some(bytes) = rest {
            // The second byte of a two-byte character may equal the separator and is none.
            let end = (self.find)(self.scan, self.delimiters.field, bytes).unwrap_or(bytes.len());
            let (part, after) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
            for byte in part {
                match *byte {
                    0x0B | 0x1C | b'\r' | b'\n' => self.hexadecimal(*byte),
                    byte => self.raw(&[byte]),
                }
            }
            rest = after.split_first().map(|(_, after)| {
                self.named(b'F');
                after
            });
        }
    }

    /// Text: every delimiter in it is escaped, so that it stays one value (2.7).
    pub(crate) fn text(&mut self, text: &[u8]) {
        // Not `chunk_by`: the compiler does not see that it cannot panic.
        let mut rest = text;
        while let Some((&first, after)) = rest.split_first() {
            if is_block(first) {
                self.hexadecimal(first);
                rest = after;
                continue;
            }
            let end = rest.iter().position(|byte| is_block(*byte)).unwrap_or(rest.len());
            let (part, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after;
            self.settle();
            if let Some(room) = self.claim(escaped_len_with(part, &self.delimiters, self.scan)) {
                // It fits.
                let _ = escape_with(part, &self.delimiters, self.scan, room);
            }
        }
    }

    /// A decimal number.
    pub(crate) fn number(&mut self, number: i64) {
        if number < 0 {
            self.raw(b"-");
        }
        // Subtraction: a division of 64 bits is a kilobyte of code where the processor has none.
        let mut rest = number.unsigned_abs();
        let mut begun = false;
        // By reference: an array that is taken by value is first copied, onto the stack.
        for &power in &POWERS_OF_TEN {
            let mut digit = b'0';
            while rest >= power {
                rest = rest.wrapping_sub(power);
                digit = digit.wrapping_add(1);
            }
            begun = begun || digit != b'0' || power == 1;
            if begun {
                self.raw(&[digit]);
            }
        }
    }

    /// `\F\` and the like (2.7.1), or a space where the message has no escape character.
    fn named(&mut self, name: u8) {
        match self.delimiters.escape {
            Some(escape) => self.raw(&[escape, name, escape]),
            None => self.raw(b" "),
        }
    }

    /// `\Xhh\` (2.7.5), or a space where the message has no escape character.
    fn hexadecimal(&mut self, byte: u8) {
        const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        match self.delimiters.escape {
            Some(escape) => self.raw(&[escape, b'X', digit(byte >> 4), digit(byte & 15), escape]),
            None => self.raw(b" "),
        }
    }
}

/// The greatest first.
static POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 19;
    while at > 0 {
        at -= 1;
        powers[at] = powers[at + 1] * 10;
    }
    powers
};

/// Begins an escape sequence of ISO 2022.
const ESCAPE: u8 = 0x1B;

/// Bytes that cannot travel in an MLLP block, whatever message they are part of.
const fn is_block(byte: u8) -> bool {
    matches!(byte, 0x0B | 0x1C)
}

/// Whether no byte is a control character or the field separator, so that none can be breaking.
///
/// Many bytes at a time: this looks at everything that an acknowledgment quotes. The last block may
/// overlap the one before it; looking at a byte twice costs nothing.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub(crate) fn is_plain(bytes: &[u8], field: u8) -> bool {
    // A microcontroller has no vectors, and less flash than time.
    if cfg!(target_os = "none") {
        return bytes.iter().all(|byte| *byte >= 0x20 && *byte != field);
    }
    // Without a branch, which the compiler turns into vector instructions.
    let plain = |block: &[u8; 16]| {
        block.iter().fold(true, |plain, byte| plain & (*byte >= 0x20) & (*byte != field))
    };
    if let Some(last) = bytes.last_chunk() {
        let (blocks, _) = bytes.as_chunks();
        return plain(last) && blocks.iter().all(plain);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        return is_plain_word(*first, field) && is_plain_word(*last, field);
    }
    bytes.iter().all(|byte| *byte >= 0x20 && *byte != field)
}

/// Whether the bytes need no name of a character set: all are ASCII, and none begins an escape sequence
/// of ISO 2022.
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |ascii, byte| ascii & (*byte < 0x80) & (*byte != ESCAPE))
}

/// [`is_plain`] for one word. A byte is below n exactly if subtracting n borrows into its highest
/// bit, which was not set; bytes above a borrowing one may be reported wrongly, but then the answer
/// is no already.
fn is_plain_word(word: [u8; 8], field: u8) -> bool {
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let any_below = |word: u64, n: u8| word.wrapping_sub(u64::from_le_bytes([n; 8])) & !word & HIGH;
    let word = u64::from_le_bytes(word);
    any_below(word, 0x20) | any_below(word ^ u64::from_le_bytes([field; 8]), 1) == 0
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn one_byte_decides_wherever_it_stands() {
        for len in 0..50 {
            for (at, byte) in (0..len).flat_map(|at| (0..=255u8).map(move |byte| (at, byte))) {
                let mut bytes = [b'a'; 50];
                bytes[at] = byte;
                let expected = byte >= 0x20 && byte != b'|';
                assert_eq!(is_plain(&bytes[..len], b'|'), expected, "{byte:#x} at {at} of {len}");
            }
        }
        assert!(is_plain(b"", b'|'));
    }
}
