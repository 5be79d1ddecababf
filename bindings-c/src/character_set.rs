//! MSH-18: the names of HL7 table 0211.

use core::ffi::c_char;

use hl7_peek::CharacterSet;

use crate::code::{Numbered, name, numbered};
use crate::delimiters::{MLLP_SCAN_SINGLE_BYTE, mllp_scan_t};
use crate::header::mllp_message_header_t;
use crate::slice::bytes;
use crate::state::state;

/// A character set of HL7 table 0211, including those that table once had, or one that vendors name in
/// MSH-18 although the table lacks it: `MLLP_CHARACTER_SET_*`.
pub type mllp_character_set_t = u32;

/// None that is known here.
pub const MLLP_CHARACTER_SET_UNKNOWN: mllp_character_set_t = 0;
/// `ASCII`, also meant by an empty MSH-18.
pub const MLLP_CHARACTER_SET_ASCII: mllp_character_set_t = 1;
/// `8859/1`.
pub const MLLP_CHARACTER_SET_ISO8859_1: mllp_character_set_t = 2;
/// `8859/2`.
pub const MLLP_CHARACTER_SET_ISO8859_2: mllp_character_set_t = 3;
/// `8859/3`.
pub const MLLP_CHARACTER_SET_ISO8859_3: mllp_character_set_t = 4;
/// `8859/4`.
pub const MLLP_CHARACTER_SET_ISO8859_4: mllp_character_set_t = 5;
/// `8859/5`.
pub const MLLP_CHARACTER_SET_ISO8859_5: mllp_character_set_t = 6;
/// `8859/6`.
pub const MLLP_CHARACTER_SET_ISO8859_6: mllp_character_set_t = 7;
/// `8859/7`.
pub const MLLP_CHARACTER_SET_ISO8859_7: mllp_character_set_t = 8;
/// `8859/8`.
pub const MLLP_CHARACTER_SET_ISO8859_8: mllp_character_set_t = 9;
/// `8859/9`.
pub const MLLP_CHARACTER_SET_ISO8859_9: mllp_character_set_t = 10;
/// `8859/15`.
pub const MLLP_CHARACTER_SET_ISO8859_15: mllp_character_set_t = 11;
/// `ISO IR6`: ASCII by its registration number.
pub const MLLP_CHARACTER_SET_ISO_IR6: mllp_character_set_t = 12;
/// `ISO IR14`: JIS X 0201.
pub const MLLP_CHARACTER_SET_ISO_IR14: mllp_character_set_t = 13;
/// `ISO IR87`: JIS X 0208, switched to by ISO 2022 escape sequences.
pub const MLLP_CHARACTER_SET_ISO_IR87: mllp_character_set_t = 14;
/// `ISO IR159`: JIS X 0212, switched to by ISO 2022 escape sequences.
pub const MLLP_CHARACTER_SET_ISO_IR159: mllp_character_set_t = 15;
/// `GB 18030-2000`.
pub const MLLP_CHARACTER_SET_GB18030: mllp_character_set_t = 16;
/// `KS X 1001`.
pub const MLLP_CHARACTER_SET_KS_X1001: mllp_character_set_t = 17;
/// `CNS 11643-1992`.
pub const MLLP_CHARACTER_SET_CNS11643: mllp_character_set_t = 18;
/// `BIG-5`.
pub const MLLP_CHARACTER_SET_BIG5: mllp_character_set_t = 19;
/// `UNICODE`: deprecated, read as UTF-8.
pub const MLLP_CHARACTER_SET_UNICODE: mllp_character_set_t = 20;
/// `UNICODE UTF-8`.
pub const MLLP_CHARACTER_SET_UTF8: mllp_character_set_t = 21;
/// `UNICODE UTF-16`: cannot be framed by MLLP.
pub const MLLP_CHARACTER_SET_UTF16: mllp_character_set_t = 22;
/// `UNICODE UTF-32`: cannot be framed by MLLP.
pub const MLLP_CHARACTER_SET_UTF32: mllp_character_set_t = 23;
/// `JAS2020`: ISO 2022 for Japanese, removed in version 2.9.
pub const MLLP_CHARACTER_SET_JAS2020: mllp_character_set_t = 24;
/// `JIS X 0202`: ISO 2022, removed in version 2.9.
pub const MLLP_CHARACTER_SET_JIS_X0202: mllp_character_set_t = 25;
/// `8859/10`.
pub const MLLP_CHARACTER_SET_ISO8859_10: mllp_character_set_t = 26;
/// `8859/11`: Thai, also known as TIS-620.
pub const MLLP_CHARACTER_SET_ISO8859_11: mllp_character_set_t = 27;
/// `8859/13`.
pub const MLLP_CHARACTER_SET_ISO8859_13: mllp_character_set_t = 28;
/// `8859/14`.
pub const MLLP_CHARACTER_SET_ISO8859_14: mllp_character_set_t = 29;
/// `8859/16`.
pub const MLLP_CHARACTER_SET_ISO8859_16: mllp_character_set_t = 30;
/// `ISO IR13`: the half-width katakana of JIS X 0201.
pub const MLLP_CHARACTER_SET_ISO_IR13: mllp_character_set_t = 31;
/// `WINDOWS-874`: Thai.
pub const MLLP_CHARACTER_SET_WINDOWS_874: mllp_character_set_t = 32;
/// `WINDOWS-1250`: Central European.
pub const MLLP_CHARACTER_SET_WINDOWS_1250: mllp_character_set_t = 33;
/// `WINDOWS-1251`: Cyrillic.
pub const MLLP_CHARACTER_SET_WINDOWS_1251: mllp_character_set_t = 34;
/// `WINDOWS-1252`: Western European.
pub const MLLP_CHARACTER_SET_WINDOWS_1252: mllp_character_set_t = 35;
/// `WINDOWS-1253`: Greek.
pub const MLLP_CHARACTER_SET_WINDOWS_1253: mllp_character_set_t = 36;
/// `WINDOWS-1254`: Turkish.
pub const MLLP_CHARACTER_SET_WINDOWS_1254: mllp_character_set_t = 37;
/// `WINDOWS-1255`: Hebrew.
pub const MLLP_CHARACTER_SET_WINDOWS_1255: mllp_character_set_t = 38;
/// `WINDOWS-1256`: Arabic.
pub const MLLP_CHARACTER_SET_WINDOWS_1256: mllp_character_set_t = 39;
/// `WINDOWS-1257`: Baltic.
pub const MLLP_CHARACTER_SET_WINDOWS_1257: mllp_character_set_t = 40;
/// `WINDOWS-1258`: Vietnamese.
pub const MLLP_CHARACTER_SET_WINDOWS_1258: mllp_character_set_t = 41;
/// `WINDOWS-31J`: Shift_JIS with the extensions of Windows, also known as cp932.
pub const MLLP_CHARACTER_SET_WINDOWS_31J: mllp_character_set_t = 42;
/// `WINDOWS-949`: KS X 1001 with all other Hangul, also known as UHC.
pub const MLLP_CHARACTER_SET_WINDOWS_949: mllp_character_set_t = 43;
/// `EUC-JP`.
pub const MLLP_CHARACTER_SET_EUC_JP: mllp_character_set_t = 44;
/// `KOI8-R`.
pub const MLLP_CHARACTER_SET_KOI8_R: mllp_character_set_t = 45;
/// `KOI8-U`.
pub const MLLP_CHARACTER_SET_KOI8_U: mllp_character_set_t = 46;
/// `CP437`: DOS, United States.
pub const MLLP_CHARACTER_SET_CP437: mllp_character_set_t = 47;
/// `CP850`: DOS, Western European.
pub const MLLP_CHARACTER_SET_CP850: mllp_character_set_t = 48;
/// `CP852`: DOS, Central European.
pub const MLLP_CHARACTER_SET_CP852: mllp_character_set_t = 49;
/// `CP858`: CP850 with the euro sign.
pub const MLLP_CHARACTER_SET_CP858: mllp_character_set_t = 50;
/// `CP866`: DOS, Cyrillic.
pub const MLLP_CHARACTER_SET_CP866: mllp_character_set_t = 51;

numbered!(CharacterSet {
    CharacterSet::Ascii = MLLP_CHARACTER_SET_ASCII, c"ASCII";
    CharacterSet::Iso8859_1 = MLLP_CHARACTER_SET_ISO8859_1, c"8859/1";
    CharacterSet::Iso8859_2 = MLLP_CHARACTER_SET_ISO8859_2, c"8859/2";
    CharacterSet::Iso8859_3 = MLLP_CHARACTER_SET_ISO8859_3, c"8859/3";
    CharacterSet::Iso8859_4 = MLLP_CHARACTER_SET_ISO8859_4, c"8859/4";
    CharacterSet::Iso8859_5 = MLLP_CHARACTER_SET_ISO8859_5, c"8859/5";
    CharacterSet::Iso8859_6 = MLLP_CHARACTER_SET_ISO8859_6, c"8859/6";
    CharacterSet::Iso8859_7 = MLLP_CHARACTER_SET_ISO8859_7, c"8859/7";
    CharacterSet::Iso8859_8 = MLLP_CHARACTER_SET_ISO8859_8, c"8859/8";
    CharacterSet::Iso8859_9 = MLLP_CHARACTER_SET_ISO8859_9, c"8859/9";
    CharacterSet::Iso8859_15 = MLLP_CHARACTER_SET_ISO8859_15, c"8859/15";
    CharacterSet::IsoIr6 = MLLP_CHARACTER_SET_ISO_IR6, c"ISO IR6";
    CharacterSet::IsoIr14 = MLLP_CHARACTER_SET_ISO_IR14, c"ISO IR14";
    CharacterSet::IsoIr87 = MLLP_CHARACTER_SET_ISO_IR87, c"ISO IR87";
    CharacterSet::IsoIr159 = MLLP_CHARACTER_SET_ISO_IR159, c"ISO IR159";
    CharacterSet::Gb18030 = MLLP_CHARACTER_SET_GB18030, c"GB 18030-2000";
    CharacterSet::KsX1001 = MLLP_CHARACTER_SET_KS_X1001, c"KS X 1001";
    CharacterSet::Cns11643 = MLLP_CHARACTER_SET_CNS11643, c"CNS 11643-1992";
    CharacterSet::Big5 = MLLP_CHARACTER_SET_BIG5, c"BIG-5";
    CharacterSet::Unicode = MLLP_CHARACTER_SET_UNICODE, c"UNICODE";
    CharacterSet::Utf8 = MLLP_CHARACTER_SET_UTF8, c"UNICODE UTF-8";
    CharacterSet::Utf16 = MLLP_CHARACTER_SET_UTF16, c"UNICODE UTF-16";
    CharacterSet::Utf32 = MLLP_CHARACTER_SET_UTF32, c"UNICODE UTF-32";
    CharacterSet::Jas2020 = MLLP_CHARACTER_SET_JAS2020, c"JAS2020";
    CharacterSet::JisX0202 = MLLP_CHARACTER_SET_JIS_X0202, c"JIS X 0202";
    CharacterSet::Iso8859_10 = MLLP_CHARACTER_SET_ISO8859_10, c"8859/10";
    CharacterSet::Iso8859_11 = MLLP_CHARACTER_SET_ISO8859_11, c"8859/11";
    CharacterSet::Iso8859_13 = MLLP_CHARACTER_SET_ISO8859_13, c"8859/13";
    CharacterSet::Iso8859_14 = MLLP_CHARACTER_SET_ISO8859_14, c"8859/14";
    CharacterSet::Iso8859_16 = MLLP_CHARACTER_SET_ISO8859_16, c"8859/16";
    CharacterSet::IsoIr13 = MLLP_CHARACTER_SET_ISO_IR13, c"ISO IR13";
    CharacterSet::Windows874 = MLLP_CHARACTER_SET_WINDOWS_874, c"WINDOWS-874";
    CharacterSet::Windows1250 = MLLP_CHARACTER_SET_WINDOWS_1250, c"WINDOWS-1250";
    CharacterSet::Windows1251 = MLLP_CHARACTER_SET_WINDOWS_1251, c"WINDOWS-1251";
    CharacterSet::Windows1252 = MLLP_CHARACTER_SET_WINDOWS_1252, c"WINDOWS-1252";
    CharacterSet::Windows1253 = MLLP_CHARACTER_SET_WINDOWS_1253, c"WINDOWS-1253";
    CharacterSet::Windows1254 = MLLP_CHARACTER_SET_WINDOWS_1254, c"WINDOWS-1254";
    CharacterSet::Windows1255 = MLLP_CHARACTER_SET_WINDOWS_1255, c"WINDOWS-1255";
    CharacterSet::Windows1256 = MLLP_CHARACTER_SET_WINDOWS_1256, c"WINDOWS-1256";
    CharacterSet::Windows1257 = MLLP_CHARACTER_SET_WINDOWS_1257, c"WINDOWS-1257";
    CharacterSet::Windows1258 = MLLP_CHARACTER_SET_WINDOWS_1258, c"WINDOWS-1258";
    CharacterSet::Windows31J = MLLP_CHARACTER_SET_WINDOWS_31J, c"WINDOWS-31J";
    CharacterSet::Windows949 = MLLP_CHARACTER_SET_WINDOWS_949, c"WINDOWS-949";
    CharacterSet::EucJp = MLLP_CHARACTER_SET_EUC_JP, c"EUC-JP";
    CharacterSet::Koi8R = MLLP_CHARACTER_SET_KOI8_R, c"KOI8-R";
    CharacterSet::Koi8U = MLLP_CHARACTER_SET_KOI8_U, c"KOI8-U";
    CharacterSet::Cp437 = MLLP_CHARACTER_SET_CP437, c"CP437";
    CharacterSet::Cp850 = MLLP_CHARACTER_SET_CP850, c"CP850";
    CharacterSet::Cp852 = MLLP_CHARACTER_SET_CP852, c"CP852";
    CharacterSet::Cp858 = MLLP_CHARACTER_SET_CP858, c"CP858";
    CharacterSet::Cp866 = MLLP_CHARACTER_SET_CP866, c"CP866";
}, _ = MLLP_CHARACTER_SET_UNKNOWN);

/// The set that a value of MSH-18 names. An empty value is ASCII.
///
/// Case, blanks and punctuation do not count, and common other names are understood: `latin1` is
/// `8859/1`, `utf8` is `UNICODE UTF-8`, `Shift_JIS` is `ISO IR14`, `CP1252` is `WINDOWS-1252`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_character_set_from_name(
    text: *const u8,
    text_len: usize,
) -> mllp_character_set_t {
    // SAFETY: rule 6.
    let set = unsafe { bytes(text, text_len) }.ok().and_then(CharacterSet::from_name);
    set.map_or(MLLP_CHARACTER_SET_UNKNOWN, Numbered::number)
}

/// The set of a whole message: the first repetition of MSH-18, ASCII if that is empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_character_set_of(
    header: *const mllp_message_header_t,
) -> mllp_character_set_t {
    // SAFETY: rule 2.
    let set = unsafe { state(header) }.ok().and_then(CharacterSet::of);
    set.map_or(MLLP_CHARACTER_SET_UNKNOWN, Numbered::number)
}

/// The name in HL7 table 0211, or a common name where the table has none; `unknown` for a number that
/// is none.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_character_set_name(set: mllp_character_set_t) -> *const c_char {
    name::<CharacterSet>(set)
}

/// How to search a message in this set; `MLLP_SCAN_SINGLE_BYTE` for one that is not known.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_character_set_scan(set: mllp_character_set_t) -> mllp_scan_t {
    CharacterSet::from_number(set).map_or(MLLP_SCAN_SINGLE_BYTE, |set| set.scan().number())
}

/// 1: a delimiter byte is a delimiter wherever it occurs, so that text can be searched and escaped
/// byte by byte.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_character_set_delimiter_safe(set: mllp_character_set_t) -> u32 {
    CharacterSet::from_number(set).map_or(0, |set| u32::from(set.delimiter_safe()))
}

/// 1: a message in this set can travel over MLLP. The framing bytes occur inside the characters of
/// UTF-16 and UTF-32.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_character_set_allowed_in_mllp(set: mllp_character_set_t) -> u32 {
    CharacterSet::from_number(set).map_or(0, |set| u32::from(set.allowed_in_mllp()))
}
