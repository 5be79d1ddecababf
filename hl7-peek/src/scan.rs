//! Finding a delimiter byte in text of any character set.

use crate::find::memchr;

/// How delimiters are told from bytes that only look like them.
///
/// In ASCII, ISO 8859, UTF-8, EUC-KR and most others a byte below 80 (hex) is always the ASCII
/// character, and [`SingleByte`](Scan::SingleByte) is right. In the other sets the second byte of
/// a two-byte character can be `\`, `^`, `|` or `~`, and a plain search cuts characters in half.
/// [`CharacterSet::scan`](crate::CharacterSet::scan) names the right one for a value of MSH-18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scan {
    /// Every byte that equals a delimiter is one. The fast way, and the default.
    #[default]
    SingleByte,
    /// Shift_JIS and its relative cp932: 81-9F and E0-FC start a two-byte character.
    ShiftJis,
    /// GB 18030, GBK and Big5: 81-FE start a two-byte character, or half of a four-byte one.
    Gb18030,
    /// ISO-2022-JP, and ISO 2022 with any other sets: escape sequences switch to two-byte sets and
    /// back.
    Iso2022Jp,
    /// The one that MSH-18 and MSH-20 of the message call for: [`Scan::detect`]. Each message costs one
    /// more pass over its MSH segment, and three more if that has other characters than ASCII.
    Auto,
}

// Segment terminators need none of this and are searched plainly: no second byte of these sets is
// below 30 (hex) outside ISO-2022-JP, none below 21 there, so CR (0D) and LF (0A) are always
// themselves.
impl Scan {
    /// Offset of the first `separator` in `text` that is a delimiter.
    ///
    /// `text` must start at the beginning of a character, in the ASCII state. That holds at the
    /// start of a segment and after any delimiter that was found this way. `Auto` is chosen by a whole
    /// message, so here it searches plainly; the header of a message that was read with `Auto` tells
    /// which scan was chosen.
    #[inline]
    pub fn find(self, separator: u8, text: &[u8]) -> Option<usize> {
        match self {
            Scan::SingleByte | Scan::Auto => memchr(separator, text),
            Scan::ShiftJis => find_between_pairs(
                separator,
                text,
                |byte| matches!(byte, 0x81..=0x9F | 0xE0..=0xFC),
            ),
            Scan::Gb18030 => {
                find_between_pairs(separator, text, |byte| matches!(byte, 0x81..=0xFE))
            }
            Scan::Iso2022Jp => find_in_ascii_state(separator, text),
        }
    }
}

/// Skips the byte after every lead byte, whatever it is.
fn find_between_pairs(separator: u8, text: &[u8], is_lead: fn(u8) -> bool) -> Option<usize> {
    let mut bytes = text.iter().copied().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        if byte == separator {
            return Some(offset);
        }
        if is_lead(byte) {
            bytes.next();
        }
    }
    None
}

/// Looks only where the left half of the code table (GL) is ASCII or JIS X 0201 Roman.
///
/// `ESC $ B`, `ESC $ @`, `ESC $ A` and `ESC $ ( F` switch it to two-byte sets, whose bytes are all of 21
/// to 7E; `ESC ( B` and `ESC ( J` switch back. Any other `ESC ( F` names a set in which the delimiter
/// bytes are letters too (`ESC ( I`: half-width katakana). Every other designation, such as
/// `ESC $ ) C`, concerns the right half (A0 to FF) and changes nothing here.
fn find_in_ascii_state(separator: u8, text: &[u8]) -> Option<usize> {
    const ESC: u8 = 0x1B;
    let mut ascii = true;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = match rest {
            [ESC, b'$', b')'..=b'/', _, after @ ..] | [ESC, b')'..=b'/', _, after @ ..] => after,
            [ESC, b'$', b'(', _, after @ ..] | [ESC, b'$', _, after @ ..] => {
                ascii = false;
                after
            }
            [ESC, b'(', set, after @ ..] => {
                ascii = matches!(set, b'B' | b'J');
                after
            }
            _ if ascii && *byte == separator => return text.len().checked_sub(rest.len()),
            _ => after,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Scan;

    #[test]
    fn the_byte_after_a_lead_byte_is_never_a_delimiter() {
        assert_eq!(Scan::SingleByte.find(b'|', b"\x83|a|"), Some(1));
        assert_eq!(Scan::ShiftJis.find(b'|', b"\x83|a|"), Some(3));
        assert_eq!(Scan::Gb18030.find(b'|', b"\x83|a|"), Some(3));
    }

    #[test]
    fn half_width_katakana_stands_alone_in_shift_jis_but_leads_in_gb18030() {
        assert_eq!(Scan::ShiftJis.find(b'^', b"\xB1^a"), Some(1));
        assert_eq!(Scan::Gb18030.find(b'^', b"\xB1^a"), None);
    }

    #[test]
    fn four_byte_gb18030_characters_are_two_pairs() {
        assert_eq!(Scan::Gb18030.find(b'|', b"\x81\x30\x81\x30|"), Some(4));
    }

    #[test]
    fn iso_2022_jp_finds_delimiters_in_the_ascii_state_only() {
        let find = |text| Scan::Iso2022Jp.find(b'^', text);
        assert_eq!(find(b"a^"), Some(1));
        assert_eq!(find(b"\x1B$B^^\x1B(B^"), Some(8));
        assert_eq!(find(b"\x1B$@^^\x1B(J^"), Some(8));
        assert_eq!(find(b"\x1B$(D^^\x1B(B^"), Some(9));
        assert_eq!(find(b"\x1B(I^\x1B(B^"), Some(7));
        assert_eq!(find(b"\x1B$B^^"), None);
        assert_eq!(find(b"\x1B^"), Some(1));
        assert_eq!(find(b"\x1B$(C^^\x1B(B^"), Some(9));
        // What is designated to the right half leaves ASCII where it is.
        assert_eq!(find(b"\x1B$)C\xB0\xA1^"), Some(6));
        assert_eq!(find(b"\x1B-A\xE4^"), Some(4));
        // The bytes of an escape sequence are not delimiters either.
        assert_eq!(Scan::Iso2022Jp.find(b'$', b"\x1B$B!!\x1B(B$"), Some(8));
    }

    #[test]
    fn a_text_cut_inside_a_character_has_no_delimiter() {
        for scan in [Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp] {
            assert_eq!(scan.find(b'|', b""), None);
            assert_eq!(scan.find(b'|', b"\x83"), None);
            assert_eq!(scan.find(b'|', b"\x1B"), None);
            assert_eq!(scan.find(b'|', b"\x1B$"), None);
        }
    }
}
