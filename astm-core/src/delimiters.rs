//! The four characters that give records their structure.

/// The delimiters of a message: the four bytes behind the `H` of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// Between fields, `|` as a rule.
    pub field: u8,
    /// Between repeats of a field, `\` as a rule.
    pub repeat: u8,
    /// Between components, `^` as a rule.
    pub component: u8,
    /// Around escape sequences, `&` as a rule.
    pub escape: u8,
}

impl Delimiters {
    /// `|\^&`: what the standard recommends and nearly everybody sends.
    pub const DEFAULT: Delimiters =
        Delimiters { field: b'|', repeat: b'\\', component: b'^', escape: b'&' };

    /// Those of a header record; `None` if they are not four different printable characters, neither
    /// letters nor digits, or if more of them follow.
    pub(crate) fn of_header(record: &[u8]) -> Option<Delimiters> {
        let [b'H', field, repeat, component, escape, rest @ ..] = record else { return None };
        let found = [*field, *repeat, *component, *escape];
        let usable = found.iter().enumerate().all(|(at, byte)| {
            is_usable(*byte) && found.iter().skip(at.saturating_add(1)).all(|other| other != byte)
        });
        let ended = rest.first().is_none_or(|byte| byte == field);
        let [field, repeat, component, escape] = found;
        (usable && ended).then_some(Delimiters { field, repeat, component, escape })
    }
}

impl Default for Delimiters {
    fn default() -> Self {
        Delimiters::DEFAULT
    }
}

/// Whether a byte can be a delimiter: printable ASCII, neither blank nor letter nor digit.
pub(crate) const fn is_usable(byte: u8) -> bool {
    byte.is_ascii_punctuation()
}
