//! MSH-1 and MSH-2: the six characters that give a message its structure.

use crate::Error;

/// The delimiters of a message, as bytes.
///
/// `field` is MSH-1; the others are the characters of MSH-2 in their order there (HL7 v2.9.1
/// chapter 2, 2.4.4). A character that MSH-2 leaves out is `None`, and nothing is split at it:
/// `^~\` has no subcomponents, `^~` has no escape sequences either. The position decides, so in
/// `^~&` the `&` is the escape character.
///
/// ```
/// let standard = hl7_peek::Delimiters::default();
/// assert_eq!((standard.field, standard.component), (b'|', Some(b'^')));
/// assert_eq!(standard.truncation, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// MSH-1, `|` as a rule.
    pub field: u8,
    /// First character of MSH-2, `^` as a rule.
    pub component: Option<u8>,
    /// Second character of MSH-2, `~` as a rule.
    pub repetition: Option<u8>,
    /// Third character of MSH-2, `\` as a rule.
    pub escape: Option<u8>,
    /// Fourth character of MSH-2, `&` as a rule.
    pub subcomponent: Option<u8>,
    /// Fifth character of MSH-2, `#` where it is used (version 2.7 and later).
    pub truncation: Option<u8>,
}

/// The encoding characters that chapter 2 suggests (2.5.4).
const SUGGESTED: &[u8] = br"^~\&";

impl Default for Delimiters {
    /// `|^~\&`: what HL7 recommends and nearly everybody sends.
    fn default() -> Delimiters {
        Delimiters::of(b'|', [Some(b'^'), Some(b'~'), Some(b'\\'), Some(b'&'), None])
    }
}

impl Delimiters {
    /// The delimiters that `encoding_characters` (MSH-2) defines beside the field separator.
    ///
    /// A sixth and later character means nothing and is not looked at. `field` must be usable.
    pub(crate) fn read(field: u8, encoding_characters: &[u8]) -> Result<Delimiters, Error> {
        // Nearly every message has these, and this function is on the path of every message.
        if field == b'|' && encoding_characters == SUGGESTED {
            return Ok(Delimiters::default());
        }
        if encoding_characters.is_empty() {
            return Err(Error::NoEncodingCharacters);
        }
        let mut positions = [None; 5];
        for (index, &character) in encoding_characters.iter().take(positions.len()).enumerate() {
            put(character, field, index, &mut positions)?;
        }
        Ok(Delimiters::of(field, positions))
    }

    /// As [`read`](Delimiters::read), but MSH-2 may be damaged.
    ///
    /// In a damaged MSH-2 each usable character counts for its position, the first of equal ones;
    /// every other position falls back to its character of `^~\&` unless that one is taken. An escape
    /// character that is doubled, as in `^~\\&` pasted from source code, counts once.
    pub(crate) fn read_lenient(field: u8, encoding_characters: &[u8]) -> Delimiters {
        if field == b'|' && encoding_characters == SUGGESTED {
            return Delimiters::default();
        }
        let mut positions = [None; 5];
        let mut damaged = encoding_characters.is_empty();
        let doubled = has_doubled_escape(encoding_characters);
        let once = encoding_characters.iter().enumerate().filter(|(at, _)| !doubled || *at != 3);
        for (index, (_, &character)) in once.take(positions.len()).enumerate() {
            damaged |= put(character, field, index, &mut positions).is_err();
        }
        if damaged {
            for (index, &character) in SUGGESTED.iter().enumerate() {
                if positions.get(index) == Some(&None) {
                    let _ = put(character, field, index, &mut positions);
                }
            }
        }
        Delimiters::of(field, positions)
    }

    /// These delimiters for a text that must not be split: MSH-1 and MSH-2 themselves.
    pub(crate) fn atomic(self) -> Delimiters {
        Delimiters { component: None, repetition: None, subcomponent: None, ..self }
    }

    fn of(field: u8, positions: [Option<u8>; 5]) -> Delimiters {
        let [component, repetition, escape, subcomponent, truncation] = positions;
        Delimiters { field, component, repetition, escape, subcomponent, truncation }
    }
}

/// Whether the third of five or six characters is written twice and nothing else is: no reading of
/// that as five delimiters is possible, and source code writes `\` so. Other doubled characters could
/// mean anything.
pub(crate) fn has_doubled_escape(encoding_characters: &[u8]) -> bool {
    match encoding_characters {
        [a, b, c, again, rest @ ..] => {
            let others = [a, b, c];
            c == again
                && matches!(rest.len(), 1 | 2)
                && a != b
                && a != c
                && b != c
                && rest.iter().all(|byte| !others.contains(&byte))
                && rest.first() != rest.get(1)
        }
        _ => false,
    }
}

/// Puts a character into its position, if it can be a delimiter and is none yet.
fn put(
    character: u8,
    field: u8,
    index: usize,
    positions: &mut [Option<u8>; 5],
) -> Result<(), Error> {
    if !is_usable(character) {
        return Err(Error::BadEncodingCharacter);
    }
    if character == field || positions.contains(&Some(character)) {
        return Err(Error::DuplicateDelimiter);
    }
    if let Some(position) = positions.get_mut(index) {
        *position = Some(character);
    }
    Ok(())
}

/// Whether a byte can be a delimiter: printable ASCII, neither blank nor letter nor digit.
///
/// HL7 asks for a displayable 7-bit character and no more. Letters and digits are refused too: a
/// segment ID could not be told from such a separator, nor an escape sequence from such an escape.
pub(crate) fn is_usable(byte: u8) -> bool {
    byte.is_ascii_punctuation()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The characters of MSH-2 in order, `.` for a position that is not defined.
    fn positions(delimiters: Delimiters) -> [u8; 5] {
        [
            delimiters.component,
            delimiters.repetition,
            delimiters.escape,
            delimiters.subcomponent,
            delimiters.truncation,
        ]
        .map(|position| position.unwrap_or(b'.'))
    }

    #[test]
    fn usable_is_printable_ascii_without_letters_and_digits() {
        for byte in 0..=255u8 {
            let printable = (0x21..=0x7E).contains(&byte);
            let expected = printable && !(byte as char).is_ascii_alphanumeric();
            assert_eq!(is_usable(byte), expected, "{byte:#04x}");
        }
    }

    #[test]
    fn position_decides() {
        assert_eq!(positions(Delimiters::read(b'|', b"^~\\&").unwrap()), *b"^~\\&.");
        assert_eq!(positions(Delimiters::read(b'|', b"^~&").unwrap()), *b"^~&..");
        assert_eq!(positions(Delimiters::read(b'#', b"*+%$!@9").unwrap()), *b"*+%$!");
    }

    #[test]
    fn the_first_wrong_character_is_reported() {
        assert_eq!(Delimiters::read(b'|', b""), Err(Error::NoEncodingCharacters));
        assert_eq!(Delimiters::read(b'|', b"^^A"), Err(Error::DuplicateDelimiter));
        assert_eq!(Delimiters::read(b'|', b"^A^"), Err(Error::BadEncodingCharacter));
        assert_eq!(Delimiters::read(b'|', b"^~|"), Err(Error::DuplicateDelimiter));
    }

    #[test]
    fn lenient_equals_strict_where_strict_succeeds() {
        for text in [&b"^"[..], b"^~", b"^~&", b"^~\\&#", b"*+%$!@"] {
            assert_eq!(Ok(Delimiters::read_lenient(b'|', text)), Delimiters::read(b'|', text));
        }
    }

    #[test]
    fn lenient_keeps_what_is_usable_and_fills_the_rest() {
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"")), *b"^~\\&.");
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"^^\\&")), *b"^~\\&.");
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"A~\\&#")), *b"^~\\&#");
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"A*")), *b"^*\\&.");
        // What the sender wrote wins: `^` is its repetition separator, so no component one is left.
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"A^\\&")), *b".^\\&.");
        // Pasted from source code, from 2.7 on with five characters.
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"^~\\\\&")), *b"^~\\&.");
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"^~\\\\&#")), *b"^~\\&#");
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"*+%%$")), *b"*+%$.");
        // Pasted from XML: `a` is not a delimiter, and the first four are.
        assert_eq!(positions(Delimiters::read_lenient(b'|', b"^~\\&amp;")), *b"^~\\&.");
        // `^` is MSH-1 here.
        assert_eq!(positions(Delimiters::read_lenient(b'^', b"")), *b".~\\&.");
    }
}
