//! MSH, field by field.

use core::fmt;
use core::hash::{Hash, Hasher};

use crate::opening::Opening;
use crate::segment::Syntax;
use crate::separators::{find_all, find_all_with};
use crate::{Delimiters, Message, Scan};

/// The fields of a message header segment as they stand, MSH-1 to MSH-21.
///
/// Reading a header finds out where its fields end, in one pass; each field is cut out when it is
/// asked for. Names are those of the MSH attribute table of HL7 v2.9.1 chapter 2. A field that is
/// empty or missing is an empty slice; all components and repetitions of a field are in its slice.
/// Headers are equal when their delimiters and fields are.
#[derive(Clone, Copy)]
pub struct MessageHeader<'a> {
    /// Without its terminator; empty where a batch has no message.
    segment: &'a [u8],
    field_separator: &'a [u8],
    /// Where the field separators are: MSH-1, then the one behind each field from MSH-2 on. The
    /// length of the segment stands for one that is not there.
    separators: [u32; FIELDS],
    syntax: Syntax,
}

/// How many fields of MSH are kept.
pub(crate) const FIELDS: usize = 21;

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
    /// assert_eq!(header.message_control_id(), b"M1");
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
            return MessageHeader::first_of_batch(payload, opening, scan);
        }
        let delimiters = Delimiters::read_lenient(opening.separator(), opening.encoding_characters);
        let (scan, opening) = scan.chosen_for(opening, delimiters);
        let syntax = Syntax { delimiters, scan };
        Some(MessageHeader::read(opening.line, opening.field_separator, syntax))
    }

    /// MSH-`number`, or an empty slice for a number outside 1 to 21.
    #[inline]
    pub fn field(&self, number: usize) -> &'a [u8] {
        match number {
            1 => self.field_separator,
            _ => self.fields(number, number),
        }
    }

    /// MSH-`first` to MSH-`last` with the separators between them, as they stand. Both are numbers
    /// from 2 to 21; others give an empty slice.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline)]
    pub fn fields(&self, first: usize, last: usize) -> &'a [u8] {
        let before = self.separators.get(first.wrapping_sub(2));
        let behind = self.separators.get(last.wrapping_sub(1));
        let (Some(before), Some(behind)) = (before, behind) else { return &[] };
        // A field that is missing would begin beyond the segment.
        let start = (*before as usize).wrapping_add(1);
        self.segment.get(start..*behind as usize).unwrap_or_default()
    }

    /// MSH-1 and MSH-2 as delimiters.
    pub fn delimiters(&self) -> Delimiters {
        self.syntax.delimiters
    }

    /// How delimiters were searched.
    pub fn scan(&self) -> Scan {
        self.syntax.scan
    }

    /// All bytes of the segment, without its terminator. Empty in the header of a batch that has no
    /// message.
    pub fn raw(&self) -> &'a [u8] {
        self.segment
    }

    /// MSH-9.1, `ADT` in `ADT^A01^ADT_A01`: its first subcomponent.
    pub fn message_code(&self) -> &'a [u8] {
        self.leaf(self.message_type())
    }

    /// MSH-9.2, `A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
    pub fn trigger_event(&self) -> &'a [u8] {
        self.component(self.message_type(), 2)
    }

    /// MSH-9.3, `ADT_A01` in `ADT^A01^ADT_A01`. Empty if it is not there.
    pub fn message_structure(&self) -> &'a [u8] {
        self.component(self.message_type(), 3)
    }

    /// MSH-12.1, `2.5.1` in `2.5.1^DEU`: its first subcomponent.
    pub fn version(&self) -> &'a [u8] {
        self.leaf(self.version_id())
    }

    /// MSH-11.1, `P` in `P^T`: its first subcomponent.
    pub fn processing(&self) -> &'a [u8] {
        self.leaf(self.processing_id())
    }

    /// The first repetition of MSH-18: the character set of the whole message. Later repetitions
    /// name sets that are switched to inside values.
    pub fn character_set_first(&self) -> &'a [u8] {
        let is_end = |byte: &u8| Some(*byte) == self.delimiters().repetition;
        self.character_set().split(is_end).next().unwrap_or_default()
    }

    /// Finds the fields of an MSH segment, given without its terminator.
    #[inline]
    pub(crate) fn read(
        segment: &'a [u8],
        field_separator: &'a [u8],
        syntax: Syntax,
    ) -> MessageHeader<'a> {
        // A place costs half as much in 32 bits, and no header is 4 GiB long.
        let Ok(len) = u32::try_from(segment.len()) else {
            return MessageHeader::empty(syntax.delimiters);
        };
        let mut separators = [len; FIELDS];
        let separator = syntax.delimiters.field;
        match syntax.scan {
            Scan::SingleByte => find_all(segment, separator, &mut separators),
            scan => find_all_with(segment, separator, scan, &mut separators),
        }
        MessageHeader { segment, field_separator, separators, syntax }
    }

    /// A header all of whose fields are empty.
    pub(crate) fn empty(delimiters: Delimiters) -> MessageHeader<'a> {
        let syntax = Syntax { delimiters, scan: Scan::SingleByte };
        MessageHeader { segment: &[], field_separator: &[], separators: [0; FIELDS], syntax }
    }

    /// How many fields a field separator follows; MSH-1 is one itself.
    pub(crate) fn ended(&self) -> usize {
        self.separators.iter().filter(|at| (**at as usize) < self.segment.len()).count()
    }

    /// Without the fields above MSH-`last`.
    pub(crate) fn through(self, last: usize) -> MessageHeader<'a> {
        let Some(end) = self.separators.get(last.wrapping_sub(1)).copied() else { return self };
        MessageHeader {
            segment: self.segment.get(..end as usize).unwrap_or_default(),
            separators: self.separators.map(|at| at.min(end)),
            ..self
        }
    }

    #[cold]
    fn first_of_batch(
        payload: &'a [u8],
        opening: Opening<'a>,
        scan: Scan,
    ) -> Option<MessageHeader<'a>> {
        let header = Message::opened_leniently(payload, opening, scan).header();
        if header.field_separator.is_empty() { None } else { Some(header) }
    }

    /// First subcomponent of the first component of the first repetition.
    fn leaf(&self, field: &'a [u8]) -> &'a [u8] {
        let component = self.component(field, 1);
        let is_end = |byte: &u8| Some(*byte) == self.delimiters().subcomponent;
        component.split(is_end).next().unwrap_or_default()
    }

    /// The component of this number, counted from 1, of the first repetition.
    ///
    /// A plain loop, because codes and version numbers are a few bytes long; plain bytes, because
    /// they are ASCII in every character set.
    #[cfg_attr(target_os = "none", inline(never))]
    fn component(&self, field: &'a [u8], number: usize) -> &'a [u8] {
        let Delimiters { component, repetition, .. } = self.delimiters();
        // A delimiter that is not defined ends nothing, like the terminator, which no field holds.
        let component = component.unwrap_or(b'\r');
        let repetition = repetition.unwrap_or(b'\r');
        let is_end = |byte: &u8| *byte == component || *byte == repetition;
        let mut rest = field;
        for _ in 1..number {
            let end = rest.iter().position(is_end).unwrap_or(rest.len());
            match rest.split_at_checked(end) {
                Some((_, [byte, after @ ..])) if *byte == component => rest = after,
                _ => return &[],
            }
        }
        let end = rest.iter().position(is_end).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}

macro_rules! fields {
    ($($number:literal $name:ident: $what:literal,)*) => {
        impl<'a> MessageHeader<'a> {
            $(
                #[doc = concat!("MSH-", $number, $what, ".")]
                #[inline]
                pub fn $name(&self) -> &'a [u8] {
                    self.field($number)
                }
            )*
        }
    };
}

fields! {
    1 field_separator: ", one byte",
    2 encoding_characters: "",
    3 sending_application: "",
    4 sending_facility: "",
    5 receiving_application: "",
    6 receiving_facility: "",
    7 date_time_of_message: "",
    8 security: "",
    9 message_type: ": message code, trigger event, message structure",
    10 message_control_id: "",
    11 processing_id: "",
    12 version_id: "",
    13 sequence_number: "",
    14 continuation_pointer: "",
    15 accept_acknowledgment_type: "",
    16 application_acknowledgment_type: "",
    17 country_code: "",
    18 character_set: ", repeating; see [`CharacterSet::of`](crate::CharacterSet::of)",
    19 principal_language_of_message: "",
    20 alternate_character_set_handling_scheme: "",
    21 message_profile_identifier: ", repeating",
}

impl PartialEq for MessageHeader<'_> {
    fn eq(&self, other: &Self) -> bool {
        let same = |number| self.field(number) == other.field(number);
        self.delimiters() == other.delimiters() && (1..=FIELDS).all(same)
    }
}

impl Eq for MessageHeader<'_> {}

impl Hash for MessageHeader<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.delimiters().hash(state);
        (1..=FIELDS).for_each(|number| self.field(number).hash(state));
    }
}

impl fmt::Debug for MessageHeader<'_> {
    /// The length of every field that is not empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("MessageHeader");
        debug.field("delimiters", &self.delimiters());
        let lens = core::array::from_fn::<usize, FIELDS, _>(|index| {
            self.field(index.wrapping_add(1)).len()
        });
        debug.field("field_lens", &lens).finish()
    }
}
