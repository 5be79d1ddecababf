//! MSH, field by field.

use core::fmt;

use crate::opening::Opening;
use crate::segment::Syntax;
use crate::split::{Split, split_into};
use crate::{Delimiters, Message, Scan};

/// The fields of a message header segment as they stand, MSH-1 to MSH-21.
///
/// Names are those of the MSH attribute table of HL7 v2.9.1 chapter 2. A field that is empty or missing is an empty
/// slice; all components and repetitions of a field are in its slice.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageHeader<'a> {
    /// MSH-1 and MSH-2 as delimiters.
    pub delimiters: Delimiters,
    /// MSH-1, one byte.
    pub field_separator: &'a [u8],
    /// MSH-2.
    pub encoding_characters: &'a [u8],
    /// MSH-3.
    pub sending_application: &'a [u8],
    /// MSH-4.
    pub sending_facility: &'a [u8],
    /// MSH-5.
    pub receiving_application: &'a [u8],
    /// MSH-6.
    pub receiving_facility: &'a [u8],
    /// MSH-7.
    pub date_time_of_message: &'a [u8],
    /// MSH-8.
    pub security: &'a [u8],
    /// MSH-9: message code, trigger event, message structure.
    pub message_type: &'a [u8],
    /// MSH-10.
    pub message_control_id: &'a [u8],
    /// MSH-11.
    pub processing_id: &'a [u8],
    /// MSH-12.
    pub version_id: &'a [u8],
    /// MSH-13.
    pub sequence_number: &'a [u8],
    /// MSH-14.
    pub continuation_pointer: &'a [u8],
    /// MSH-15.
    pub accept_acknowledgment_type: &'a [u8],
    /// MSH-16.
    pub application_acknowledgment_type: &'a [u8],
    /// MSH-17.
    pub country_code: &'a [u8],
    /// MSH-18, repeating; see [`CharacterSet::of`](crate::CharacterSet::of).
    pub character_set: &'a [u8],
    /// MSH-19.
    pub principal_language_of_message: &'a [u8],
    /// MSH-20.
    pub alternate_character_set_handling_scheme: &'a [u8],
    /// MSH-21, repeating.
    pub message_profile_identifier: &'a [u8],
}

impl<'a> MessageHeader<'a> {
    /// Reads as much of a header as there is: for a receiver that acknowledges everything.
    ///
    /// Needs no more than `MSH` (after a byte order mark and blanks) and a usable MSH-1; otherwise
    /// the answer is `None`. A batch gives the header of its first message. `encoding_characters` is MSH-2 as it stands. If
    /// [`Message::parse`](crate::Message::parse) would refuse it, `delimiters` keeps its usable
    /// characters, each at its position, and takes the other positions from `^~\&` as far as those
    /// characters are not taken.
    ///
    /// ```
    /// use hl7_peek::{Message, MessageHeader};
    ///
    /// let payload = b"MSH||LAB||||||ORU^R01|M1";
    /// assert!(Message::parse(payload).is_err());
    /// let header = MessageHeader::parse_lenient(payload).unwrap();
    /// assert_eq!(header.message_control_id, b"M1");
    /// assert_eq!(header.trigger_event(), b"R01");
    /// ```
    #[inline]
    pub fn parse_lenient(payload: &'a [u8]) -> Option<MessageHeader<'a>> {
        MessageHeader::parse_lenient_with(payload, Scan::SingleByte)
    }

    /// As [`parse_lenient`](MessageHeader::parse_lenient), for a payload whose delimiters must be
    /// searched by `scan`: a name in Shift_JIS may hold the byte of the field separator.
    #[inline]
    pub fn parse_lenient_with(payload: &'a [u8], scan: Scan) -> Option<MessageHeader<'a>> {
        let opening = Opening::read(payload).ok()?;
        if !opening.is_message() {
            return MessageHeader::first_of_batch(payload, scan);
        }
        let delimiters = Delimiters::read_lenient(opening.separator(), opening.encoding_characters);
        let syntax = Syntax { delimiters, scan };
        Some(MessageHeader::read(opening.line, opening.field_separator, syntax))
    }

    /// MSH-`number`, or an empty slice for a number outside 1 to 21.
    pub fn field(&self, number: usize) -> &'a [u8] {
        match number {
            1 => self.field_separator,
            2 => self.encoding_characters,
            3 => self.sending_application,
            4 => self.sending_facility,
            5 => self.receiving_application,
            6 => self.receiving_facility,
            7 => self.date_time_of_message,
            8 => self.security,
            9 => self.message_type,
            10 => self.message_control_id,
            11 => self.processing_id,
            12 => self.version_id,
            13 => self.sequence_number,
            14 => self.continuation_pointer,
            15 => self.accept_acknowledgment_type,
            16 => self.application_acknowledgment_type,
            17 => self.country_code,
            18 => self.character_set,
            19 => self.principal_language_of_message,
            20 => self.alternate_character_set_handling_scheme,
            21 => self.message_profile_identifier,
            _ => &[],
        }
    }

    /// MSH-9.1, `ADT` in `ADT^A01^ADT_A01`: its first subcomponent.
    pub fn message_code(&self) -> &'a [u8] {
        self.leaf(self.message_type)
    }

    /// MSH-9.2, `A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
    pub fn trigger_event(&self) -> &'a [u8] {
        self.component(self.message_type, 2)
    }

    /// MSH-9.3, `ADT_A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
    pub fn message_structure(&self) -> &'a [u8] {
        self.component(self.message_type, 3)
    }

    /// MSH-12.1, `2.5.1` in `2.5.1^DEU`: its first subcomponent.
    pub fn version(&self) -> &'a [u8] {
        self.leaf(self.version_id)
    }

    /// MSH-11.1, `P` in `P^T`: its first subcomponent.
    pub fn processing(&self) -> &'a [u8] {
        self.leaf(self.processing_id)
    }

    /// The first repetition of MSH-18: the character set of the whole message. Later repetitions
    /// name sets that are switched to inside values.
    pub fn character_set_first(&self) -> &'a [u8] {
        let is_end = |byte: &u8| Some(*byte) == self.delimiters.repetition;
        self.character_set.split(is_end).next().unwrap_or_default()
    }

    /// Cuts an MSH segment, given without its terminator, into fields.
    #[inline]
    pub(crate) fn read(
        line: &'a [u8],
        field_separator: &'a [u8],
        syntax: Syntax,
    ) -> MessageHeader<'a> {
        let mut fields = [&[][..]; FIELDS];
        cut(line, field_separator, syntax, &mut fields);
        MessageHeader::of(syntax.delimiters, fields)
    }

    /// A header all of whose fields are empty.
    pub(crate) fn empty(delimiters: Delimiters) -> MessageHeader<'a> {
        MessageHeader::of(delimiters, [&[]; FIELDS])
    }

    /// Names the fields.
    #[inline]
    pub(crate) fn of(delimiters: Delimiters, fields: [&'a [u8]; FIELDS]) -> MessageHeader<'a> {
        let [f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, ..] = fields;
        let [.., f12, f13, f14, f15, f16, f17, f18, f19, f20, f21] = fields;
        MessageHeader {
            delimiters,
            field_separator: f1,
            encoding_characters: f2,
            sending_application: f3,
            sending_facility: f4,
            receiving_application: f5,
            receiving_facility: f6,
            date_time_of_message: f7,
            security: f8,
            message_type: f9,
            message_control_id: f10,
            processing_id: f11,
            version_id: f12,
            sequence_number: f13,
            continuation_pointer: f14,
            accept_acknowledgment_type: f15,
            application_acknowledgment_type: f16,
            country_code: f17,
            character_set: f18,
            principal_language_of_message: f19,
            alternate_character_set_handling_scheme: f20,
            message_profile_identifier: f21,
        }
    }

    #[cold]
    fn first_of_batch(payload: &'a [u8], scan: Scan) -> Option<MessageHeader<'a>> {
        let header = Message::parse_lenient(payload, scan)?.header();
        if header.field_separator.is_empty() { None } else { Some(header) }
    }

    /// First subcomponent of the first component of the first repetition.
    fn leaf(&self, field: &'a [u8]) -> &'a [u8] {
        let component = self.component(field, 1);
        let is_end = |byte: &u8| Some(*byte) == self.delimiters.subcomponent;
        component.split(is_end).next().unwrap_or_default()
    }

    /// The component of this number, counted from 1, of the first repetition.
    ///
    /// A plain loop, because codes and version numbers are a few bytes long; plain bytes, because
    /// they are ASCII in every character set.
    fn component(&self, field: &'a [u8], number: usize) -> &'a [u8] {
        let Delimiters { component, repetition, .. } = self.delimiters;
        let (mut start, mut before) = (0usize, number.wrapping_sub(1));
        for (at, byte) in field.iter().copied().map(Some).enumerate() {
            if byte == component && before > 0 {
                before -= 1;
                start = at.saturating_add(1);
            } else if byte == component || byte == repetition {
                return if before == 0 { field.get(start..at).unwrap_or_default() } else { &[] };
            }
        }
        if before == 0 { field.get(start..).unwrap_or_default() } else { &[] }
    }
}

impl fmt::Debug for MessageHeader<'_> {
    /// The length of every field that is not empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("MessageHeader");
        debug.field("delimiters", &self.delimiters);
        let lens = core::array::from_fn::<usize, FIELDS, _>(|index| {
            self.field(index.wrapping_add(1)).len()
        });
        debug.field("field_lens", &lens).finish()
    }
}

/// How many fields of MSH are kept.
pub(crate) const FIELDS: usize = 21;

/// Writes the fields of an MSH segment, MSH-1 first, and returns how many of them a field separator
/// follows. `fields` must be empty slices.
#[inline]
pub(crate) fn cut<'a>(
    line: &'a [u8],
    field_separator: &'a [u8],
    syntax: Syntax,
    fields: &mut [&'a [u8]; FIELDS],
) -> usize {
    // Four bytes: the segment ID, and MSH-1, which is a separator and a field at once.
    let after = line.get(4..).unwrap_or_default();
    let [first, slots @ ..] = fields;
    *first = field_separator;
    let separator = syntax.delimiters.field;
    let ended = match syntax.scan {
        Scan::SingleByte => split_into(after, separator, slots),
        scan => {
            let parts = Split::new(after, Some(separator), scan);
            slots.iter_mut().zip(parts).map(|(slot, part)| *slot = part).count().saturating_sub(1)
        }
    };
    ended.saturating_add(1)
}
