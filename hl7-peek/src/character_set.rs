//! MSH-18: the character sets of HL7 table 0211, and those that vendors write beside them.

mod names;

use crate::{MessageHeader, Scan};

/// A character set of HL7 table 0211, including those that table once had, or one that vendors name
/// in MSH-18 although the table lacks it.
///
/// The sets of the table come first, in its order. [`name`](CharacterSet::name) is the table's own
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
    /// `8859/10`.
    Iso8859_10,
    /// `8859/11`: Thai, also known as TIS-620.
    Iso8859_11,
    /// `8859/13`.
    Iso8859_13,
    /// `8859/14`.
    Iso8859_14,
    /// `8859/16`.
    Iso8859_16,
    /// `ISO IR13`: the half-width katakana of JIS X 0201.
    IsoIr13,
    /// `WINDOWS-874`: Thai.
    Windows874,
    /// `WINDOWS-1250`: Central European.
    Windows1250,
    /// `WINDOWS-1251`: Cyrillic.
    Windows1251,
    /// `WINDOWS-1252`: Western European.
    Windows1252,
    /// `WINDOWS-1253`: Greek.
    Windows1253,
    /// `WINDOWS-1254`: Turkish.
    Windows1254,
    /// `WINDOWS-1255`: Hebrew.
    Windows1255,
    /// `WINDOWS-1256`: Arabic.
    Windows1256,
    /// `WINDOWS-1257`: Baltic.
    Windows1257,
    /// `WINDOWS-1258`: Vietnamese.
    Windows1258,
    /// `WINDOWS-31J`: Shift_JIS with the extensions of Windows, also known as cp932.
    Windows31J,
    /// `WINDOWS-949`: KS X 1001 with all other Hangul, also known as UHC.
    Windows949,
    /// `EUC-JP`.
    EucJp,
    /// `KOI8-R`.
    Koi8R,
    /// `KOI8-U`.
    Koi8U,
    /// `CP437`: DOS, United States.
    Cp437,
    /// `CP850`: DOS, Western European.
    Cp850,
    /// `CP852`: DOS, Central European.
    Cp852,
    /// `CP858`: CP850 with the euro sign.
    Cp858,
    /// `CP866`: DOS, Cyrillic.
    Cp866,
}

impl CharacterSet {
    /// The set of a whole message: the first repetition of MSH-18, ASCII if that is empty.
    ///
    /// The further repetitions name sets that escape sequences switch to (HL7 v2.9.1 chapter 2,
    /// 2.14.9.18); see [`switches`](CharacterSet::switches). `None` if the first one names a set that
    /// is not known here.
    pub fn of(header: &MessageHeader<'_>) -> Option<CharacterSet> {
        CharacterSet::from_name(header.character_set_first())
    }

    /// The name in HL7 table 0211, or a name that is common where the table has none.
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
            CharacterSet::Iso8859_10 => "8859/10",
            CharacterSet::Iso8859_11 => "8859/11",
            CharacterSet::Iso8859_13 => "8859/13",
            CharacterSet::Iso8859_14 => "8859/14",
            CharacterSet::Iso8859_16 => "8859/16",
            CharacterSet::IsoIr13 => "ISO IR13",
            CharacterSet::Windows874 => "WINDOWS-874",
            CharacterSet::Windows1250 => "WINDOWS-1250",
            CharacterSet::Windows1251 => "WINDOWS-1251",
            CharacterSet::Windows1252 => "WINDOWS-1252",
            CharacterSet::Windows1253 => "WINDOWS-1253",
            CharacterSet::Windows1254 => "WINDOWS-1254",
            CharacterSet::Windows1255 => "WINDOWS-1255",
            CharacterSet::Windows1256 => "WINDOWS-1256",
            CharacterSet::Windows1257 => "WINDOWS-1257",
            CharacterSet::Windows1258 => "WINDOWS-1258",
            CharacterSet::Windows31J => "WINDOWS-31J",
            CharacterSet::Windows949 => "WINDOWS-949",
            CharacterSet::EucJp => "EUC-JP",
            CharacterSet::Koi8R => "KOI8-R",
            CharacterSet::Koi8U => "KOI8-U",
            CharacterSet::Cp437 => "CP437",
            CharacterSet::Cp850 => "CP850",
            CharacterSet::Cp852 => "CP852",
            CharacterSet::Cp858 => "CP858",
            CharacterSet::Cp866 => "CP866",
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
            CharacterSet::IsoIr13 | CharacterSet::IsoIr14 => "shift_jis",
            CharacterSet::IsoIr87 | CharacterSet::Jas2020 | CharacterSet::JisX0202 => "iso2022_jp",
            CharacterSet::IsoIr159 => "iso2022_jp_1",
            CharacterSet::Gb18030 => "gb18030",
            CharacterSet::KsX1001 => "euc_kr",
            CharacterSet::Cns11643 => return None,
            CharacterSet::Big5 => "big5",
            CharacterSet::Unicode | CharacterSet::Utf8 => "utf-8",
            CharacterSet::Utf16 => "utf-16",
            CharacterSet::Utf32 => "utf-32",
            CharacterSet::Iso8859_10 => "iso8859-10",
            CharacterSet::Iso8859_11 => "iso8859-11",
            CharacterSet::Iso8859_13 => "iso8859-13",
            CharacterSet::Iso8859_14 => "iso8859-14",
            CharacterSet::Iso8859_16 => "iso8859-16",
            CharacterSet::Windows874 => "cp874",
            CharacterSet::Windows1250 => "cp1250",
            CharacterSet::Windows1251 => "cp1251",
            CharacterSet::Windows1252 => "cp1252",
            CharacterSet::Windows1253 => "cp1253",
            CharacterSet::Windows1254 => "cp1254",
            CharacterSet::Windows1255 => "cp1255",
            CharacterSet::Windows1256 => "cp1256",
            CharacterSet::Windows1257 => "cp1257",
            CharacterSet::Windows1258 => "cp1258",
            CharacterSet::Windows31J => "cp932",
            CharacterSet::Windows949 => "cp949",
            CharacterSet::EucJp => "euc_jp",
            CharacterSet::Koi8R => "koi8-r",
            CharacterSet::Koi8U => "koi8-u",
            CharacterSet::Cp437 => "cp437",
            CharacterSet::Cp850 => "cp850",
            CharacterSet::Cp852 => "cp852",
            CharacterSet::Cp858 => "cp858",
            CharacterSet::Cp866 => "cp866",
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
                | CharacterSet::Windows31J
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
            CharacterSet::IsoIr13 | CharacterSet::IsoIr14 | CharacterSet::Windows31J => {
                Scan::ShiftJis
            }
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
