//! The names that senders write into MSH-18.

use super::CharacterSet;

impl CharacterSet {
    /// The set that a value of MSH-18 names, or `None` if it is not known here.
    ///
    /// Case, blanks and punctuation do not count, and other common names are understood:
    /// `ISO-8859-1`, `ISO8859-1`, `latin1` and `ISO_IR 100` are `8859/1`, `UTF-8` and `utf8` are
    /// `UNICODE UTF-8`, `Shift_JIS` is `ISO IR14`, `CP1252` and `windows-1252` are the code page of
    /// Windows. A name that could mean several sets, such as `ANSI`, is unknown. An empty value is
    /// ASCII.
    pub fn from_name(name: &[u8]) -> Option<CharacterSet> {
        // Most messages write one of these, and exactly so.
        match name {
            b"UNICODE UTF-8" => return Some(CharacterSet::Utf8),
            b"8859/1" => return Some(CharacterSet::Iso8859_1),
            _ => {}
        }
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
        let letters = letters.get(..len)?;
        in_table(letters).or_else(|| of_iso(letters)).or_else(|| of_a_vendor(letters))
    }
}

/// The names of table 0211 that have no number of an ISO standard in them.
fn in_table(letters: &[u8]) -> Option<CharacterSet> {
    Some(match letters {
        b"" | b"ASCII" | b"USASCII" | b"ISO646" | b"ISO646US" => CharacterSet::Ascii,
        b"GB180302000" | b"GB18030" | b"GBK" | b"GB2312" | b"EUCCN" => CharacterSet::Gb18030,
        b"KSX1001" | b"KSC5601" | b"KSC56011987" | b"EUCKR" => CharacterSet::KsX1001,
        b"CNS116431992" | b"CNS11643" => CharacterSet::Cns11643,
        b"BIG5" => CharacterSet::Big5,
        b"UNICODE" => CharacterSet::Unicode,
        b"UNICODEUTF8" | b"UTF8" => CharacterSet::Utf8,
        b"UNICODEUTF16" | b"UTF16" => CharacterSet::Utf16,
        b"UNICODEUTF32" | b"UTF32" => CharacterSet::Utf32,
        b"JAS2020" => CharacterSet::Jas2020,
        b"JISX0202" => CharacterSet::JisX0202,
        _ => return None,
    })
}

/// `8859/1`, `ISO-8859-1` and `ISO/IEC 8859-1`; `ISO IR100` by the number of the registration, with
/// DICOM's `ISO_IR 100` and `ISO 2022 IR 100`.
fn of_iso(letters: &[u8]) -> Option<CharacterSet> {
    let iso = letters.strip_prefix(b"ISO").unwrap_or(letters);
    let part = iso.strip_prefix(b"IEC").unwrap_or(iso).strip_prefix(b"8859");
    let latin = letters.strip_prefix(b"LATIN").or(letters.strip_prefix(b"ISOLATIN"));
    let registration = iso.strip_prefix(b"2022").unwrap_or(iso).strip_prefix(b"IR");
    match (part, latin, registration) {
        (Some(part), ..) => of_part(part),
        (_, Some(number), _) => of_latin(number),
        (.., Some(number)) => of_registration(number),
        _ => None,
    }
}

/// A part of ISO 8859.
fn of_part(number: &[u8]) -> Option<CharacterSet> {
    Some(match number {
        b"1" => CharacterSet::Iso8859_1,
        b"2" => CharacterSet::Iso8859_2,
        b"3" => CharacterSet::Iso8859_3,
        b"4" => CharacterSet::Iso8859_4,
        b"5" => CharacterSet::Iso8859_5,
        b"6" => CharacterSet::Iso8859_6,
        b"7" => CharacterSet::Iso8859_7,
        b"8" => CharacterSet::Iso8859_8,
        b"9" => CharacterSet::Iso8859_9,
        b"10" => CharacterSet::Iso8859_10,
        b"11" => CharacterSet::Iso8859_11,
        b"13" => CharacterSet::Iso8859_13,
        b"14" => CharacterSet::Iso8859_14,
        b"15" => CharacterSet::Iso8859_15,
        b"16" => CharacterSet::Iso8859_16,
        _ => return None,
    })
}

/// A Latin alphabet, whose number is not that of its part in ISO 8859 from 5 on.
fn of_latin(number: &[u8]) -> Option<CharacterSet> {
    Some(match number {
        b"1" => CharacterSet::Iso8859_1,
        b"2" => CharacterSet::Iso8859_2,
        b"3" => CharacterSet::Iso8859_3,
        b"4" => CharacterSet::Iso8859_4,
        b"5" => CharacterSet::Iso8859_9,
        b"6" => CharacterSet::Iso8859_10,
        b"7" => CharacterSet::Iso8859_13,
        b"8" => CharacterSet::Iso8859_14,
        b"9" => CharacterSet::Iso8859_15,
        b"10" => CharacterSet::Iso8859_16,
        _ => return None,
    })
}

/// A set by its number in the register of ISO 2375.
fn of_registration(number: &[u8]) -> Option<CharacterSet> {
    Some(match number {
        b"6" => CharacterSet::IsoIr6,
        b"13" => CharacterSet::IsoIr13,
        b"14" => CharacterSet::IsoIr14,
        b"58" => CharacterSet::Gb18030,
        b"87" => CharacterSet::IsoIr87,
        b"100" => CharacterSet::Iso8859_1,
        b"101" => CharacterSet::Iso8859_2,
        b"109" => CharacterSet::Iso8859_3,
        b"110" => CharacterSet::Iso8859_4,
        b"126" => CharacterSet::Iso8859_7,
        b"127" => CharacterSet::Iso8859_6,
        b"138" => CharacterSet::Iso8859_8,
        b"144" => CharacterSet::Iso8859_5,
        b"148" => CharacterSet::Iso8859_9,
        b"149" => CharacterSet::KsX1001,
        b"157" => CharacterSet::Iso8859_10,
        b"159" => CharacterSet::IsoIr159,
        b"166" => CharacterSet::Iso8859_11,
        b"179" => CharacterSet::Iso8859_13,
        b"192" => CharacterSet::Utf8,
        b"199" => CharacterSet::Iso8859_14,
        b"203" => CharacterSet::Iso8859_15,
        b"226" => CharacterSet::Iso8859_16,
        _ => return None,
    })
}

/// Code pages, and names that table 0211 does not have.
fn of_a_vendor(letters: &[u8]) -> Option<CharacterSet> {
    let prefixes = [&b"WINDOWS"[..], b"MSWIN", b"WIN", b"CP", b"IBM", b"MS"];
    let page = prefixes.iter().find_map(|prefix| letters.strip_prefix(*prefix));
    if let Some(set) = page.and_then(of_code_page) {
        return Some(set);
    }
    Some(match letters {
        b"SHIFTJIS" | b"SJIS" | b"JISX0201" => CharacterSet::IsoIr14,
        b"JISX0208" | b"ISO2022JP" => CharacterSet::IsoIr87,
        b"JISX0212" => CharacterSet::IsoIr159,
        b"EUCJP" => CharacterSet::EucJp,
        b"UHC" => CharacterSet::Windows949,
        b"TIS620" => CharacterSet::Iso8859_11,
        b"KOI8R" => CharacterSet::Koi8R,
        b"KOI8U" => CharacterSet::Koi8U,
        _ => return None,
    })
}

fn of_code_page(number: &[u8]) -> Option<CharacterSet> {
    Some(match number {
        b"437" => CharacterSet::Cp437,
        b"850" => CharacterSet::Cp850,
        b"852" => CharacterSet::Cp852,
        b"858" => CharacterSet::Cp858,
        b"866" => CharacterSet::Cp866,
        b"874" => CharacterSet::Windows874,
        b"31J" | b"932" => CharacterSet::Windows31J,
        b"936" => CharacterSet::Gb18030,
        b"949" => CharacterSet::Windows949,
        b"950" => CharacterSet::Big5,
        b"1250" => CharacterSet::Windows1250,
        b"1251" => CharacterSet::Windows1251,
        b"1252" => CharacterSet::Windows1252,
        b"1253" => CharacterSet::Windows1253,
        b"1254" => CharacterSet::Windows1254,
        b"1255" => CharacterSet::Windows1255,
        b"1256" => CharacterSet::Windows1256,
        b"1257" => CharacterSet::Windows1257,
        b"1258" => CharacterSet::Windows1258,
        b"65001" => CharacterSet::Utf8,
        _ => return None,
    })
}
