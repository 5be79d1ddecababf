//! MSH-18: the names of HL7 table 0211.

use crate::{MessageHeader, Scan};

/// A character set of HL7 table 0211, including those that table once had.
///
/// The variants are in the order of the table. [`name`](CharacterSet::name) is the table's own
/// spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CharacterSet {
    /// `ASCII`, also meant by an empty MSH-18.
    Ascii,
    /// `8859/1`.
    Iso8859_1,
    /// `8859/2`.
    Iso8859_2,
    /// `8859/3`.
    Iso8859_3,
    /// `8859/4`.
    Iso8859_4,
    /// `8859/5`.
    Iso8859_5,
    /// `8859/6`.
    Iso8859_6,
    /// `8859/7`.
    Iso8859_7,
    /// `8859/8`.
    Iso8859_8,
    /// `8859/9`.
    Iso8859_9,
    /// `8859/15`.
    Iso8859_15,
    /// `ISO IR6`: ASCII by its registration number.
    IsoIr6,
    /// `ISO IR14`: JIS X 0201.
    IsoIr14,
    /// `ISO IR87`: JIS X 0208, switched to by ISO 2022 escape sequences.
    IsoIr87,
    /// `ISO IR159`: JIS X 0212, switched to by ISO 2022 escape sequences.
    IsoIr159,
    /// `GB 18030-2000`.
    Gb18030,
    /// `KS X 1001`.
    KsX1001,
    /// `CNS 11643-1992`.
    Cns11643,
    /// `BIG-5`.
    Big5,
    /// `UNICODE`: deprecated, read as UTF-8.
    Unicode,
    /// `UNICODE UTF-8`.
    Utf8,
    /// `UNICODE UTF-16`: cannot be framed by MLLP.
    Utf16,
    /// `UNICODE UTF-32`: cannot be framed by MLLP.
    Utf32,
    /// `JAS2020`: ISO 2022 for Japanese, removed in version 2.9.
    Jas2020,
    /// `JIS X 0202`: ISO 2022, removed in version 2.9.
    JisX0202,
}

impl CharacterSet {
    /// The set that a value of MSH-18 names, or `None` if it is not known here.
    ///
    /// Case, blanks and punctuation do not count, and common other names are understood:
    /// `ISO-8859-1`, `ISO8859-1` and `latin1` are `8859/1`, `UTF-8` and `utf8` are
    /// `UNICODE UTF-8`, `Shift_JIS` is `ISO IR14`. An empty value is ASCII.
    pub fn from_name(name: &[u8]) -> Option<CharacterSet> {
        // Longer than any name below, so a name that does not fit is none of them.
        let mut letters = [0u8; 16];
        let mut len = 0usize;
        for &byte in name {
            if byte.is_ascii_alphanumeric() {
                *letters.get_mut(len)? = byte.to_ascii_uppercase();
                len = len.wrapping_add(1);
            } else if !matches!(byte, b' ' | b'-' | b'_' | b'/' | b'.' | b':') {
                return None;
            }
        }
        // ISO_IR 100 and the like are the names that DICOM has for these sets.
        Some(match letters.get(..len)? {
            b"" | b"ASCII" | b"USASCII" | b"ISO646" => CharacterSet::Ascii,
            b"88591" | b"ISO88591" | b"LATIN1" | b"ISOIR100" => CharacterSet::Iso8859_1,
            b"88592" | b"ISO88592" | b"LATIN2" | b"ISOIR101" => CharacterSet::Iso8859_2,
            b"88593" | b"ISO88593" | b"LATIN3" | b"ISOIR109" => CharacterSet::Iso8859_3,
            b"88594" | b"ISO88594" | b"LATIN4" | b"ISOIR110" => CharacterSet::Iso8859_4,
            b"88595" | b"ISO88595" | b"ISOIR144" => CharacterSet::Iso8859_5,
            b"88596" | b"ISO88596" | b"ISOIR127" => CharacterSet::Iso8859_6,
            b"88597" | b"ISO88597" | b"ISOIR126" => CharacterSet::Iso8859_7,
            b"88598" | b"ISO88598" | b"ISOIR138" => CharacterSet::Iso8859_8,
            b"88599" | b"ISO88599" | b"LATIN5" | b"ISOIR148" => CharacterSet::Iso8859_9,
            b"885915" | b"ISO885915" | b"LATIN9" | b"ISOIR203" => CharacterSet::Iso8859_15,
            b"ISOIR6" => CharacterSet::IsoIr6,
            b"ISOIR14" | b"SHIFTJIS" | b"SJIS" => CharacterSet::IsoIr14,
            b"ISOIR87" | b"ISO2022JP" => CharacterSet::IsoIr87,
            b"ISOIR159" => CharacterSet::IsoIr159,
            b"GB180302000" | b"GB18030" | b"GBK" | b"GB2312" => CharacterSet::Gb18030,
            b"KSX1001" | b"EUCKR" => CharacterSet::KsX1001,
            b"CNS116431992" | b"CNS11643" => CharacterSet::Cns11643,
            b"BIG5" => CharacterSet::Big5,
            b"UNICODE" => CharacterSet::Unicode,
            b"UNICODEUTF8" | b"UTF8" | b"ISOIR192" => CharacterSet::Utf8,
            b"UNICODEUTF16" | b"UTF16" => CharacterSet::Utf16,
            b"UNICODEUTF32" | b"UTF32" => CharacterSet::Utf32,
            b"JAS2020" => CharacterSet::Jas2020,
            b"JISX0202" => CharacterSet::JisX0202,
            _ => return None,
        })
    }

    /// The set of a whole message: the first repetition of MSH-18, ASCII if that is empty.
    ///
    /// `None` if it names a set that is not known here.
    pub fn of(header: &MessageHeader<'_>) -> Option<CharacterSet> {
        CharacterSet::from_name(header.character_set_first())
    }

    /// The name in HL7 table 0211.
    pub const fn name(self) -> &'static str {
        match self {
            CharacterSet::Ascii => "ASCII",
            CharacterSet::Iso8859_1 => "8859/1",
            CharacterSet::Iso8859_2 => "8859/2",
            CharacterSet::Iso8859_3 => "8859/3",
            CharacterSet::Iso8859_4 => "8859/4",
            CharacterSet::Iso8859_5 => "8859/5",
            CharacterSet::Iso8859_6 => "8859/6",
            CharacterSet::Iso8859_7 => "8859/7",
            CharacterSet::Iso8859_8 => "8859/8",
            CharacterSet::Iso8859_9 => "8859/9",
            CharacterSet::Iso8859_15 => "8859/15",
            CharacterSet::IsoIr6 => "ISO IR6",
            CharacterSet::IsoIr14 => "ISO IR14",
            CharacterSet::IsoIr87 => "ISO IR87",
            CharacterSet::IsoIr159 => "ISO IR159",
            CharacterSet::Gb18030 => "GB 18030-2000",
            CharacterSet::KsX1001 => "KS X 1001",
            CharacterSet::Cns11643 => "CNS 11643-1992",
            CharacterSet::Big5 => "BIG-5",
            CharacterSet::Unicode => "UNICODE",
            CharacterSet::Utf8 => "UNICODE UTF-8",
            CharacterSet::Utf16 => "UNICODE UTF-16",
            CharacterSet::Utf32 => "UNICODE UTF-32",
            CharacterSet::Jas2020 => "JAS2020",
            CharacterSet::JisX0202 => "JIS X 0202",
        }
    }

    /// The name of the Python codec that decodes it, or `None` where Python has none.
    ///
    /// These are the ISO tables themselves. The labels of the WHATWG encoding standard differ:
    /// they read `iso-8859-1` as windows-1252, which does not round-trip byte for byte.
    pub const fn codec(self) -> Option<&'static str> {
        Some(match self {
            CharacterSet::Ascii | CharacterSet::IsoIr6 => "ascii",
            CharacterSet::Iso8859_1 => "iso8859-1",
            CharacterSet::Iso8859_2 => "iso8859-2",
            CharacterSet::Iso8859_3 => "iso8859-3",
            CharacterSet::Iso8859_4 => "iso8859-4",
            CharacterSet::Iso8859_5 => "iso8859-5",
            CharacterSet::Iso8859_6 => "iso8859-6",
            CharacterSet::Iso8859_7 => "iso8859-7",
            CharacterSet::Iso8859_8 => "iso8859-8",
            CharacterSet::Iso8859_9 => "iso8859-9",
            CharacterSet::Iso8859_15 => "iso8859-15",
            CharacterSet::IsoIr14 => "shift_jis",
            CharacterSet::IsoIr87 | CharacterSet::Jas2020 | CharacterSet::JisX0202 => "iso2022_jp",
            CharacterSet::IsoIr159 => "iso2022_jp_1",
            CharacterSet::Gb18030 => "gb18030",
            CharacterSet::KsX1001 => "euc_kr",
            CharacterSet::Cns11643 => return None,
            CharacterSet::Big5 => "big5",
            CharacterSet::Unicode | CharacterSet::Utf8 => "utf-8",
            CharacterSet::Utf16 => "utf-16",
            CharacterSet::Utf32 => "utf-32",
        })
    }

    /// Whether a delimiter byte is a delimiter wherever it occurs, so that text can be searched and
    /// escaped byte by byte.
    pub const fn delimiter_safe(self) -> bool {
        !matches!(
            self,
            CharacterSet::IsoIr87
                | CharacterSet::IsoIr159
                | CharacterSet::Gb18030
                | CharacterSet::Cns11643
                | CharacterSet::Big5
                | CharacterSet::Utf16
                | CharacterSet::Utf32
                | CharacterSet::Jas2020
                | CharacterSet::JisX0202
        )
    }

    /// How to search a message in this set.
    ///
    /// For `ISO IR14` this is [`Scan::ShiftJis`]: JIS X 0201 has no lead bytes, so the answers are
    /// those of a plain search, and they stay right for senders who put all of Shift_JIS under
    /// that name. CNS 11643 is searched plainly, which is right for its usual form EUC-TW;
    /// for UTF-16 and UTF-32 no search is right.
    pub const fn scan(self) -> Scan {
        match self {
            CharacterSet::IsoIr14 => Scan::ShiftJis,
            CharacterSet::Gb18030 | CharacterSet::Big5 => Scan::Gb18030,
            CharacterSet::IsoIr87
            | CharacterSet::IsoIr159
            | CharacterSet::Jas2020
            | CharacterSet::JisX0202 => Scan::Iso2022Jp,
            _ => Scan::SingleByte,
        }
    }

    /// Whether a message in this set can travel over MLLP, whose framing bytes 0B, 1C and 0D occur
    /// inside the characters of UTF-16 and UTF-32.
    pub const fn allowed_in_mllp(self) -> bool {
        !matches!(self, CharacterSet::Utf16 | CharacterSet::Utf32)
    }
}
