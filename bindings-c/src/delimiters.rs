//! MSH-1 and MSH-2 as delimiters, and how to search for them.

use hl7_peek::{Delimiters, Scan};

use crate::code::numbered;

/// How delimiters are told from bytes that only look like them: `MLLP_SCAN_*`.
///
/// `mllp_character_set_scan` tells the right one for a value of MSH-18.
pub type mllp_scan_t = u32;

/// Every byte that equals a delimiter is one: ASCII, ISO 8859, UTF-8, EUC-KR and most others.
pub const MLLP_SCAN_SINGLE_BYTE: mllp_scan_t = 0;
/// Shift_JIS and its relative cp932.
pub const MLLP_SCAN_SHIFT_JIS: mllp_scan_t = 1;
/// GB 18030, GBK and Big5.
pub const MLLP_SCAN_GB18030: mllp_scan_t = 2;
/// ISO-2022-JP, and ISO 2022 with any other sets.
pub const MLLP_SCAN_ISO2022_JP: mllp_scan_t = 3;
/// The one of these that MSH-18 and MSH-20 of each message call for. Costs one more pass over the MSH
/// segment, and three more if that has other characters than ASCII. `mllp_message_header_scan` tells
/// which one it was; for a text without a message it is `MLLP_SCAN_SINGLE_BYTE`.
pub const MLLP_SCAN_AUTO: mllp_scan_t = 4;

numbered!(Scan {
    Scan::SingleByte = MLLP_SCAN_SINGLE_BYTE, c"single_byte";
    Scan::ShiftJis = MLLP_SCAN_SHIFT_JIS, c"shift_jis";
    Scan::Gb18030 = MLLP_SCAN_GB18030, c"gb18030";
    Scan::Iso2022Jp = MLLP_SCAN_ISO2022_JP, c"iso2022_jp";
    Scan::Auto = MLLP_SCAN_AUTO, c"auto";
});

/// The delimiters of a message. 0: the message does not define it, and nothing is split at it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_delimiters_t {
    /// MSH-1, `|` as a rule.
    pub field: u8,
    /// First character of MSH-2, `^` as a rule.
    pub component: u8,
    /// Second character of MSH-2, `~` as a rule.
    pub repetition: u8,
    /// Third character of MSH-2, a backslash as a rule.
    pub escape: u8,
    /// Fourth character of MSH-2, `&` as a rule.
    pub subcomponent: u8,
    /// Fifth character of MSH-2, `#` where it is used (version 2.7 and later).
    pub truncation: u8,
}

impl mllp_delimiters_t {
    pub(crate) const NONE: mllp_delimiters_t = mllp_delimiters_t {
        field: 0,
        component: 0,
        repetition: 0,
        escape: 0,
        subcomponent: 0,
        truncation: 0,
    };

    pub(crate) fn of(delimiters: Delimiters) -> mllp_delimiters_t {
        mllp_delimiters_t {
            field: delimiters.field,
            component: delimiters.component.unwrap_or_default(),
            repetition: delimiters.repetition.unwrap_or_default(),
            escape: delimiters.escape.unwrap_or_default(),
            subcomponent: delimiters.subcomponent.unwrap_or_default(),
            truncation: delimiters.truncation.unwrap_or_default(),
        }
    }

    pub(crate) fn read(self) -> Delimiters {
        let defined = |character: u8| (character != 0).then_some(character);
        Delimiters {
            field: self.field,
            component: defined(self.component),
            repetition: defined(self.repetition),
            escape: defined(self.escape),
            subcomponent: defined(self.subcomponent),
            truncation: defined(self.truncation),
        }
    }
}

/// `|^~\&`: what HL7 recommends and nearly everybody sends.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_delimiters_default() -> mllp_delimiters_t {
    mllp_delimiters_t::of(Delimiters::default())
}
