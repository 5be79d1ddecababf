//! How delimiters are searched.

/// In which character sets a byte that looks like a delimiter may be half of a character. No record
/// names its character set: the host knows its instruments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scan {
    /// Every delimiter byte is a delimiter: ASCII, Latin, Windows and KOI8 sets, UTF-8, EUC.
    #[default]
    SingleByte,
    /// Shift_JIS: second bytes may be `\`, `^` and `|`.
    ShiftJis,
    /// GB 18030, GBK and Big5: second bytes may be `\`, `^`, `|` and others.
    Gb18030,
}

impl Scan {
    const fn is_lead(self, byte: u8) -> bool {
        match self {
            Scan::SingleByte => false,
            Scan::ShiftJis => matches!(byte, 0x81..=0x9F | 0xE0..=0xFC),
            Scan::Gb18030 => matches!(byte, 0x81..=0xFE),
        }
    }

    /// The first byte that is a character of its own and satisfies `wanted`.
    pub(crate) fn position(self, text: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
        if self == Scan::SingleByte {
            return text.iter().position(|&byte| wanted(byte));
        }
        let mut at = 0usize;
        while let Some(&byte) = text.get(at) {
            let pair = self.is_lead(byte) && at.saturating_add(1) < text.len();
            if !pair && wanted(byte) {
                return Some(at);
            }
            at = at.saturating_add(if pair { 2 } else { 1 });
        }
        None
    }
}

/// The parts of a text between separators. An empty text is one empty part.
#[derive(Clone, Copy)]
pub(crate) struct Split<'a> {
    rest: Option<&'a [u8]>,
    /// `None`: the text is one part.
    separator: Option<u8>,
    scan: Scan,
}

impl<'a> Split<'a> {
    pub(crate) fn new(text: &'a [u8], separator: Option<u8>, scan: Scan) -> Split<'a> {
        Split { rest: Some(text), separator, scan }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let found =
            self.separator.and_then(|separator| self.scan.position(rest, |byte| byte == separator));
        let Some((part, [_, after @ ..])) = found.and_then(|at| rest.split_at_checked(at)) else {
            return Some(rest);
        };
        self.rest = Some(after);
        Some(part)
    }
}
