//! Cutting a text at a separator into parts, lazily.

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
