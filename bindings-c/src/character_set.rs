//! MSH-18: the names of HL7 table 0211.

use core::ffi::c_char;

use hl7_peek::CharacterSet;

use crate::code::{Numbered, name, numbered};
use crate::delimiters::{MLLP_SCAN_SINGLE_BYTE, mllp_scan_t};
use crate::header::mllp_message_header_t;
use crate::slice::bytes;
use crate::state::state;

/// A character set of HL7 table 0211, including those that table once had: `MLLP_CHARACTER_SET_*`.
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
}, _ = MLLP_CHARACTER_SET_UNKNOWN);

/// The set that a value of MSH-18 names. An empty value is ASCII.
///
/// Case, blanks and punctuation do not count, and common other names are understood: `latin1` is
/// `8859/1`, `utf8` is `UNICODE UTF-8`, `Shift_JIS` is `ISO IR14`.
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

/// The name in HL7 table 0211; `unknown` for a number that is none.
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
