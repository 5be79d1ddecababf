//! Segments, written field by field into a caller's buffer.

use hl7_peek::{Delimiters, Scan, escape, escaped_len};

/// Counts every byte, and keeps those that fit. One code path gives both the length and the bytes.
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
    delimiters: Delimiters,
    /// How the copied fields are read.
    scan: Scan,
    /// Separators of empty fields, written when a field with content follows.
    owed: usize,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut [u8], delimiters: Delimiters, scan: Scan) -> Self {
        Writer { out, len: 0, delimiters, scan, owed: 0 }
    }

    /// The length of everything written, whether or not it fitted.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// Ends the segment before, without its trailing empty fields, and begins the next.
    pub(crate) fn segment(&mut self, id: &[u8; 3]) {
        self.owed = 0;
        self.raw(id);
    }

    pub(crate) fn end_segment(&mut self) {
        self.owed = 0;
        // 2.5.2: the segment terminator is always a carriage return.
        self.raw(b"\r");
    }

    /// Begins the next field; it costs nothing until something is written into it.
    pub(crate) fn field(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    /// A field that is written even when it is empty.
    pub(crate) fn required_field(&mut self) {
        self.field();
        self.settle();
    }

    /// Bytes that go out as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.append(bytes);
        }
    }

    /// MSH-2 of another message. Five characters have a meaning and are delimiters; what follows
    /// them can be anything, and goes out only if it can break nothing.
    pub(crate) fn encoding_characters(&mut self, characters: &[u8]) {
        let whole = is_plain(characters, self.delimiters.field);
        self.raw(if whole { characters } else { characters.get(..5).unwrap_or(characters) });
    }

    /// One delimiter. A message without it cannot express the level: a space keeps the parts apart.
    pub(crate) fn delimiter(&mut self, delimiter: Option<u8>) {
        self.raw(&[delimiter.unwrap_or(b' ')]);
    }

    /// Fields of another message, one behind the other.
    pub(crate) fn fields(&mut self, fields: &[&[u8]]) {
        for field in fields {
            self.field();
            self.copied(field);
        }
    }

    /// Bytes of a field of another message: their delimiters keep their meaning. What would end the
    /// field, the segment or the frame around it is escaped.
    #[inline(always)]
    pub(crate) fn copied(&mut self, bytes: &[u8]) {
        if is_plain(bytes, self.delimiters.field) {
            self.raw(bytes);
        } else {
            self.escaped(bytes);
        }
    }

    #[cold]
    fn escaped(&mut self, bytes: &[u8]) {
        let mut rest = Some(bytes);
        while let Some(bytes) = rest {
            // The second byte of a two-byte character may equal the separator and is none.
            let end = self.scan.find(self.delimiters.field, bytes).unwrap_or(bytes.len());
            let (part, after) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
            for byte in part {
                match *byte {
                    0x0B | 0x1C | b'\r' | b'\n' => self.hexadecimal(*byte),
                    byte => self.raw(&[byte]),
                }
            }
            rest = after.split_first().map(|(separator, after)| {
                self.text(&[*separator]);
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
            let room = self.out.get_mut(self.len..).unwrap_or_default();
            // Does not fit: the count alone goes on.
            let _ = escape(part, &self.delimiters, room);
            self.len = self.len.saturating_add(escaped_len(part, &self.delimiters));
        }
    }

    /// A decimal number.
    pub(crate) fn number(&mut self, number: i64) {
        let mut digits = [0; 20];
        let mut rest = number.unsigned_abs();
        let mut first = digits.len();
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            // rest % 10 is below 10.
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            first = at;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            self.raw(b"-");
        }
        self.raw(digits.get(first..).unwrap_or_default());
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

    fn settle(&mut self) {
        if self.owed > 0 {
            self.append(&[]);
        }
    }

    /// Writes the separators owed, then the bytes.
    fn append(&mut self, bytes: &[u8]) {
        let owed = core::mem::take(&mut self.owed);
        let spare = self.out.get_mut(self.len..).unwrap_or_default();
        if let Some((separators, spare)) = spare.split_at_mut_checked(owed)
            && let Some(room) = spare.get_mut(..bytes.len())
        {
            // One is the normal case, and a call to fill one byte costs more than all the rest.
            match separators {
                [one] => *one = self.delimiters.field,
                more => more.fill(self.delimiters.field),
            }
            room.copy_from_slice(bytes);
        }
        self.len = self.len.saturating_add(owed).saturating_add(bytes.len());
    }
}

/// Bytes that cannot travel in an MLLP block, whatever message they are part of.
const fn is_block(byte: u8) -> bool {
    matches!(byte, 0x0B | 0x1C)
}

/// Whether no byte is a control character or the field separator, so that none can be breaking.
/// Eight bytes at a time: this looks at everything that an acknowledgment quotes.
fn is_plain(bytes: &[u8], field: u8) -> bool {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // A byte is below n exactly if subtracting n borrows into its highest bit, which was not set;
    // bytes above a borrowing one may be reported wrongly, but then the answer is no already.
    let any_below = |word: u64, n: u64| word.wrapping_sub(ONES.wrapping_mul(n)) & !word & HIGH;
    let separators = u64::from_le_bytes([field; 8]);
    let plain = |word: u64| any_below(word, 0x20) | any_below(word ^ separators, 1) == 0;
    // The last word may overlap the one before it; looking at a byte twice costs nothing.
    if let Some(last) = bytes.last_chunk() {
        let (words, _) = bytes.as_chunks();
        return words.iter().chain([last]).all(|word| plain(u64::from_le_bytes(*word)));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return plain(u64::from(first) << 32 | u64::from(last));
    }
    bytes.iter().all(|byte| *byte >= 0x20 && *byte != field)
}
