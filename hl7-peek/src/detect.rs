//! The way to search a message, told by the message itself.

use memchr::{memchr, memchr_iter};

use crate::opening::Opening;
use crate::segment::Syntax;
use crate::terminator::{Lines, has_id};
use crate::{CharacterSet, Delimiters, MessageHeader, Scan};

/// The scans that a plain reading of MSH may hide, because it misreads MSH itself.
const AWARE: [Scan; 3] = [Scan::Iso2022Jp, Scan::ShiftJis, Scan::Gb18030];
/// The number of the field in MSH that names the character set.
const CHARACTER_SET: usize = 18;
/// Begins the escape sequences of ISO 2022.
const ESCAPE: u8 = 0x1B;
/// MSH-1 is the first separator itself.
const SEPARATORS_BEFORE_18: usize = 17;

impl Scan {
    /// How a message with this header must be searched: by all repetitions of MSH-18, and MSH-20.
    ///
    /// The first repetition is the set of the whole message; the further ones, and MSH-20 with
    /// `ISO 2022-1994`, announce escape sequences (HL7 v2.9.1 chapter 2, 2.14.9.18 and 2.14.9.20).
    /// [`Scan::SingleByte`] for names that are not known here. Never [`Scan::Auto`].
    pub fn of(header: &MessageHeader<'_>) -> Scan {
        match CharacterSet::of(header).map_or(Scan::SingleByte, CharacterSet::scan) {
            Scan::Gb18030 => Scan::Gb18030,
            // Nothing else is announced, as in nearly every message.
            scan if header.fields(18, 20).len() == header.character_set_first().len() => scan,
            _ if CharacterSet::switches(header) => Scan::Iso2022Jp,
            scan => scan,
        }
    }

    /// The scan that [`Scan::Auto`] stands for in this payload: the one under which MSH-18 calls for
    /// that very scan; [`Scan::SingleByte`] if there is none, and without a usable header.
    ///
    /// A search that ignores a two-byte set may have lost MSH-18 already, so every scan is tried on
    /// its own reading. Costs a count of separators where MSH ends before MSH-18, a pass over MSH
    /// where that is ASCII, and up to four elsewhere; what follows MSH is not looked at.
    ///
    /// Where a message was cut inside MSH before MSH-18 was whole, nothing tells how to read what
    /// stands behind the first byte that is not ASCII. With [`Scan::Auto`] those fields count as
    /// absent, so that no other field is taken for MSH-10. A message is taken to be cut when MSH is
    /// not terminated and ends in a field separator, as [`whole_fields`](crate::whole_fields) leaves
    /// it.
    ///
    /// ```
    /// use hl7_peek::Scan;
    ///
    /// // A character of MSH-4 ends in the byte of `|`.
    /// let payload = b"MSH|^~\\&|LAB|\x81\x7C|||||ADT^A01|G1|P|2.5||||||GB 18030-2000\r";
    /// assert_eq!(Scan::detect(payload), Scan::Gb18030);
    /// ```
    pub fn detect(payload: &[u8]) -> Scan {
        if ends_before_18(payload) {
            return Scan::SingleByte;
        }
        let read = |opening: Opening<'_>| {
            let characters = opening.encoding_characters;
            let delimiters = Delimiters::read_lenient(opening.separator(), characters);
            Scan::Auto.chosen_for(opening, delimiters).0
        };
        Opening::read(payload).map_or(Scan::SingleByte, read)
    }

    /// Itself, or what it stands for in a message with this opening; and the opening without the
    /// fields that cannot be read reliably.
    #[inline]
    pub(crate) fn chosen_for<'a>(
        self,
        opening: Opening<'a>,
        delimiters: Delimiters,
    ) -> (Scan, Opening<'a>) {
        if self == Scan::Auto { named_by(opening, delimiters) } else { (self, opening) }
    }
}

impl CharacterSet {
    /// Whether the header announces ISO 2022 escape sequences: MSH-20 is `ISO 2022-1994`, or some
    /// repetition of MSH-18 names a set that is only reached by them.
    pub fn switches(header: &MessageHeader<'_>) -> bool {
        let is_switched =
            |name| CharacterSet::from_name(name).map(CharacterSet::scan) == Some(Scan::Iso2022Jp);
        let is_separator = |byte: &u8| Some(*byte) == header.delimiters().repetition;
        header.alternate_character_set_handling_scheme().trim_ascii().starts_with(b"ISO 2022")
            || header.character_set().split(is_separator).any(is_switched)
    }
}

/// Whether a first line MSH has too few separators for an MSH-18, as most have. They are counted in
/// bytes: characters of two bytes can only add to them.
fn ends_before_18(payload: &[u8]) -> bool {
    let [b'M', b'S', b'H', separator, ..] = payload else { return false };
    let end = memchr(b'\r', payload).unwrap_or(payload.len());
    let line = payload.get(..end).unwrap_or_default();
    memchr_iter(*separator, line).count() < SEPARATORS_BEFORE_18
}

#[cold]
fn named_by<'a>(opening: Opening<'a>, delimiters: Delimiters) -> (Scan, Opening<'a>) {
    let mut lines = Lines::new(opening.body, opening.terminator.unwrap_or_default());
    let Some(line) = lines.find(|line| has_id(line, b"MSH", delimiters.field)) else {
        return (Scan::SingleByte, opening);
    };
    let read =
        |scan| MessageHeader::read(line, opening.field_separator, Syntax { delimiters, scan });
    // Nothing in such a line can be misread.
    if line.is_ascii() && memchr(ESCAPE, line).is_none() {
        return (Scan::of(&read(Scan::SingleByte)), opening);
    }
    if let Some(scan) = AWARE.into_iter().find(|scan| Scan::of(&read(*scan)) == *scan) {
        return (scan, opening);
    }
    let is_cut = !lines.is_terminated() && line.last() == Some(&delimiters.field);
    if is_cut && AWARE.into_iter().any(|scan| read(scan).ended() < CHARACTER_SET) {
        let is_uncertain = |byte: &u8| !byte.is_ascii() || *byte == ESCAPE;
        let certain = line.iter().position(is_uncertain).unwrap_or(line.len());
        return (Scan::SingleByte, opening.without_end(line.len().saturating_sub(certain)));
    }
    (Scan::SingleByte, opening)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    /// MSH with these bytes in MSH-4, MSH-18 and MSH-20.
    fn check(facility: &[u8], sets: &[u8], scheme: &[u8], expected: Scan) {
        let parts: [&[u8]; 6] =
            [b"MSH|^~\\&|A|", facility, b"|||||ADT^A01|M1|P|2.5||||||", sets, b"||", scheme];
        let mut payload = [0; 160];
        let mut len = 0;
        for part in parts {
            payload[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        }
        let payload = &payload[..len];
        assert_eq!(Scan::detect(payload), expected);
        let message = Message::parse_with(payload, Scan::Auto).unwrap();
        assert_eq!(message.header().scan(), expected);
        assert_eq!(message.header().message_control_id(), b"M1");
        let header = MessageHeader::parse_lenient_with(payload, Scan::Auto).unwrap();
        assert_eq!(header.scan(), expected);
    }

    #[test]
    fn a_name_decides_where_msh_is_ascii() {
        check(b"L", b"", b"", Scan::SingleByte);
        check(b"L", b"8859/1", b"", Scan::SingleByte);
        check(b"L", b"UNICODE UTF-8", b"", Scan::SingleByte);
        check(b"L", b"ISO IR14", b"", Scan::ShiftJis);
        check(b"L", b"GB 18030-2000", b"", Scan::Gb18030);
        check(b"L", b"BIG-5", b"", Scan::Gb18030);
        check(b"L", b"WINDOWS-31J", b"", Scan::ShiftJis);
        check(b"L", b"EBCDIC", b"", Scan::SingleByte);
    }

    #[test]
    fn msh_18_may_be_the_last_field() {
        let payload = b"MSH|^~\\&|A|L|||||ADT^A01|M1|P|2.5||||||BIG-5\rPID|1\r";
        assert_eq!(Scan::detect(payload), Scan::Gb18030);
        assert_eq!(Scan::detect(&payload[..payload.len() - 12]), Scan::SingleByte);
    }

    #[test]
    fn escape_sequences_are_announced_by_any_repetition_or_by_msh_20() {
        check(b"L", b"ISO IR87", b"", Scan::Iso2022Jp);
        check(b"L", b"~ISO IR87", b"ISO 2022-1994", Scan::Iso2022Jp);
        check(b"L", b"~ISO IR87", b"", Scan::Iso2022Jp);
        check(b"L", b"ISO IR14~ISO IR87", b"", Scan::Iso2022Jp);
        check(b"L", b"8859/1~KS X 1001", b"ISO 2022-1994", Scan::Iso2022Jp);
        check(b"L", b"8859/1~8859/2", b"2.3", Scan::SingleByte);
    }

    #[test]
    fn a_misread_header_is_read_again() {
        check(b"\xD2\xBD\x81\x7C", b"GB 18030-2000", b"", Scan::Gb18030);
        check(b"\x83\x7C\x83\x7C", b"ISO IR14", b"", Scan::ShiftJis);
        check(b"\x1B$B%|%|\x1B(B", b"~ISO IR87", b"ISO 2022-1994", Scan::Iso2022Jp);
        // The last byte of these is not a lead byte, though it could be one.
        check(b"M\xFC", b"8859/1", b"", Scan::SingleByte);
        check(b"M\xC3\xBC", b"UNICODE UTF-8", b"", Scan::SingleByte);
        check(b"M\xFC", b"", b"", Scan::SingleByte);
    }

    #[test]
    fn a_batch_is_read_by_its_first_message() {
        let batch = b"BHS|^~\\&\rMSH|^~\\&|A|\x81\x7C|||||ADT|M1|P|2.5||||||BIG-5\r";
        assert_eq!(Scan::detect(batch), Scan::Gb18030);
        assert_eq!(
            Message::parse_lenient(batch, Scan::Auto).unwrap().header().scan(),
            Scan::Gb18030
        );
        assert_eq!(Scan::detect(b"BHS|^~\\&\r"), Scan::SingleByte);
        assert_eq!(Scan::detect(b""), Scan::SingleByte);
    }

    #[test]
    fn a_cut_header_that_has_lost_msh_18_has_no_field_that_could_be_misread() {
        // Three characters of MSH-4, each with the byte of `|`: a plain search takes MSH-7
        // for MSH-10.
        let cut = b"MSH|^~\\&|LAB|\x81\x7C\x81\x7C\x81\x7C|HIS|H|2026||ADT^A01|G1|P|2.5|";
        let scan = Scan::Auto;
        for before in [&b""[..], b"BHS|^~\\&|B\r"] {
            let mut payload = [0; 120];
            let len = before.len() + cut.len();
            payload[..before.len()].copy_from_slice(before);
            payload[before.len()..len].copy_from_slice(cut);
            let payload = &payload[..len];
            let header = MessageHeader::parse_lenient_with(payload, scan).unwrap();
            let message = Message::parse_with(payload, scan).unwrap();
            let lenient = Message::parse_lenient(payload, scan).unwrap();
            for header in [header, message.header(), lenient.header()] {
                assert_eq!(header.sending_application(), b"LAB");
                assert_eq!(header.sending_facility(), b"");
                assert_eq!(header.message_control_id(), b"");
            }
            assert_eq!(message.get(crate::Path::parse("MSH-10").unwrap()), None);
        }
        let known = MessageHeader::parse_lenient_with(cut, Scan::Gb18030).unwrap();
        assert_eq!(known.message_control_id(), b"G1");
        // It is complete: there is no MSH-18.
        let whole = b"MSH|^~\\&|LAB|M\xFC|HIS|H|2026||ADT^A01|G1|P|2.5|\rPID|";
        let header = MessageHeader::parse_lenient_with(whole, Scan::Auto).unwrap();
        assert_eq!(header.message_control_id(), b"G1");
    }
}
