//! The acknowledgment message itself.

use core::fmt;

use hl7_peek::{MessageHeader, Scan};

use crate::character_set::names_a_set;
use crate::err;
use crate::separators::separators;
use crate::version::Version;
use crate::writer::{Find, Writer, is_ascii, is_plain};
use crate::{AckCode, Error, ErrorDetail};

/// How an acknowledgment mirrors its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Every complete frame can be answered, whatever it holds: what is missing takes a default.
    #[default]
    Always,
    /// The acknowledgment of chapter 2 (2.8.2.1, 2.12.1); a message without MSH has none.
    Conformant,
}

/// An acknowledgment: what goes into it, all of it borrowed.
///
/// Make one with [`Ack::always`] or [`Ack::conformant`] and set further fields with struct update
/// syntax. Time and control ID are arguments: nothing here knows a clock or a random number.
///
/// Whatever the fields hold, the result is `MSH`, `MSA` and, for errors, `ERR` segments and nothing
/// else: text is escaped, and copied bytes that would end a segment or the frame around it are
/// escaped too.
#[derive(Clone, Copy)]
pub struct Ack<'a> {
    /// How the message is mirrored.
    pub policy: Policy,
    /// MSA-1.
    pub code: AckCode,
    /// The header of the message; `None` when it has no usable MSH.
    pub header: Option<&'a MessageHeader<'a>>,
    /// How the header was read, for names in Shift_JIS and the like: see
    /// [`MessageHeader::parse_lenient_with`].
    pub scan: Scan,
    /// MSH-10 of the acknowledgment, new and unique.
    pub control_id: &'a [u8],
    /// MSH-7 of the acknowledgment, as `YYYYMMDDHHMMSS[+ZZZZ]`: the time of the answer.
    pub timestamp: &'a [u8],
    /// Text for people: MSA-3, or ERR-8 from version 2.7 on, where MSA-3 is withdrawn.
    pub text: &'a [u8],
    /// What is wrong with the message.
    pub errors: &'a [ErrorDetail<'a>],
    /// MSA-4, for the sequence number protocol (2.9.1).
    pub expected_sequence_number: Option<i64>,
    /// MSH-3 of the acknowledgment, with its delimiters; `None` mirrors MSH-5.
    pub sending_application: Option<&'a [u8]>,
    /// MSH-4 of the acknowledgment, with its delimiters; `None` mirrors MSH-6.
    pub sending_facility: Option<&'a [u8]>,
    /// MSH-15 of the acknowledgment: empty, or what an application acknowledgment in enhanced mode
    /// asks for itself (2.8.3.2).
    pub accept_acknowledgment_type: &'a [u8],
    /// MSH-16 of the acknowledgment: empty, or `NE` in an application acknowledgment in enhanced
    /// mode.
    pub application_acknowledgment_type: &'a [u8],
    /// MSH-9.3 of the acknowledgment. Empty: `ACK` by the policy `conformant` from 2.4 on, none by
    /// the policy `always`.
    pub message_structure: &'a [u8],
    /// MSH-18 of the acknowledgment, with its repetitions. `None` repeats MSH-18 of the message, and
    /// MSH-20 with it, where a copied field, a text or a name is not ASCII; the policy `conformant`
    /// repeats the first repetition elsewhere. UTF-16 and UTF-32 are never repeated, because MLLP does
    /// not carry them. Give it where a text is not ASCII and the message names no set: nothing is
    /// converted here.
    pub character_set: Option<&'a [u8]>,
    /// MSH-21 of the acknowledgment, with its delimiters. Empty: none. It is not copied from the
    /// message, because a profile describes one message, and the acknowledgment is another (2.B).
    pub message_profile_identifier: &'a [u8],
    /// Takes the names (MSH-3 to MSH-6), trigger event, processing ID and character set of the
    /// message as empty: for an answer that would be too long with them.
    pub brief: bool,
}

/// The parts of an acknowledgment besides its message, code, control ID and time.
///
/// They are checked where an answer is made, because there the compiler mostly sees that there are
/// none. It then drops the code that writes them, which saves a microcontroller a quarter of the
/// whole.
#[derive(Clone, Copy)]
struct Given {
    /// Some field of MSH.
    msh: bool,
    /// What writes MSA-3 and all that follows, if there is anything to write.
    details: Option<fn(&Ack<'_>, &mut Writer<'_>)>,
    /// Texts and names are ASCII, and need no name of a character set.
    ascii: bool,
    /// How a delimiter is found in what is copied.
    find: Find,
}

impl<'a> Ack<'a> {
    /// An acknowledgment by the policy `always`, for any payload; read its header with
    /// [`MessageHeader::parse_lenient`].
    ///
    /// A message without MSH-10 is answered with `control_id` in MSH-10 and MSA-2 both.
    pub const fn always(
        code: AckCode,
        header: Option<&'a MessageHeader<'a>>,
        control_id: &'a [u8],
        timestamp: &'a [u8],
    ) -> Ack<'a> {
        Ack {
            policy: Policy::Always,
            code,
            header,
            scan: Scan::SingleByte,
            control_id,
            timestamp,
            text: b"",
            errors: &[],
            expected_sequence_number: None,
            sending_application: None,
            sending_facility: None,
            accept_acknowledgment_type: b"",
            application_acknowledgment_type: b"",
            message_structure: b"",
            character_set: None,
            message_profile_identifier: b"",
            brief: false,
        }
    }

    /// An acknowledgment by the policy `conformant`.
    pub const fn conformant(
        code: AckCode,
        header: &'a MessageHeader<'a>,
        control_id: &'a [u8],
        timestamp: &'a [u8],
    ) -> Ack<'a> {
        Ack { policy: Policy::Conformant, ..Ack::always(code, Some(header), control_id, timestamp) }
    }

    /// Length of the acknowledgment in bytes. Costs as much as [`encode`](Ack::encode).
    ///
    /// # Errors
    ///
    /// [`Error::NoHeader`] and [`Error::NoControlId`] as for [`encode`](Ack::encode).
    #[inline]
    pub fn encoded_len(&self) -> Result<usize, Error> {
        self.write(&mut [], self.given())
    }

    /// Writes the acknowledgment, unframed, to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] when `out` is shorter than [`encoded_len`](Ack::encoded_len). With
    /// the policy `conformant`, [`Error::NoHeader`] without MSH, and [`Error::NoControlId`] for a
    /// positive code without MSH-10.
    #[inline]
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        let len = self.write(out, self.given())?;
        if len <= out.len() { Ok(len) } else { Err(Error::BufferTooSmall) }
    }

    #[inline(always)]
    fn given(&self) -> Given {
        let names = (self.sending_application, self.sending_facility);
        let msh = names.0.is_some()
            || names.1.is_some()
            || !self.accept_acknowledgment_type.is_empty()
            || !self.application_acknowledgment_type.is_empty()
            || !self.message_structure.is_empty()
            || self.character_set.is_some()
            || !self.message_profile_identifier.is_empty();
        let details = !self.text.is_empty()
            || !self.errors.is_empty()
            || self.expected_sequence_number.is_some();
        Given {
            msh,
            details: if details { Some(err::write) } else { None },
            ascii: names.0.is_none_or(is_ascii)
                && names.1.is_none_or(is_ascii)
                && (!details || err::is_ascii(self)),
            find: match self.scan {
                Scan::SingleByte => |_, byte, bytes| Scan::SingleByte.find(byte, bytes),
                _ => Scan::find,
            },
        }
    }

    fn write(&self, out: &mut [u8], given: Given) -> Result<usize, Error> {
        let header = self.header;
        match (self.policy, header) {
            (Policy::Conformant, None) => return Err(Error::NoHeader),
            // A batch without a message.
            (Policy::Conformant, Some(header)) if header.field_separator().is_empty() => {
                return Err(Error::NoHeader);
            }
            // 2.9.2: without a control ID nothing tells the sender which message was accepted.
            (Policy::Conformant, Some(header))
                if self.code.is_accept() && header.message_control_id().is_empty() =>
            {
                return Err(Error::NoControlId);
            }
            _ => {}
        }
        let separators = separators(self.policy, header);
        let plain = self.is_plain(given.msh, separators.delimiters.field);
        let scan = match (self.scan, header) {
            (Scan::Auto, Some(header)) => header.scan(),
            (scan, _) => scan,
        };
        let mut writer = Writer::new(out, separators.delimiters, (scan, given.find), plain);
        let encoding_characters = separators.encoding_characters;
        match given.msh {
            false => self.msh::<false>(&mut writer, encoding_characters, given.ascii),
            true => self.msh::<true>(&mut writer, encoding_characters, given.ascii),
        }
        self.msa(&mut writer);
        match given.details {
            None => writer.end_segment(),
            Some(write) => write(self, &mut writer),
        }
        Ok(writer.len())
    }

    /// Whether nothing that is copied needs an escape: looked at as a whole, not field by field.
    fn is_plain(&self, given: bool, field: u8) -> bool {
        // A header is cut at its separator, so no field of it holds one, unless half of a
        // character looks like it.
        let header = self.header.is_none_or(|header| {
            header.delimiters().field == field
                && header.scan() == Scan::SingleByte
                && is_plain(header.raw(), 0)
        });
        let plain = |bytes: &[u8]| bytes.is_empty() || is_plain(bytes, field);
        let given = !given || self.given_is_plain(field);
        header && plain(self.control_id) && plain(self.timestamp) && given
    }

    /// Whether no field of MSH that is given needs an escape. Apart from the writing, so that neither
    /// needs the stack of the other.
    #[cfg_attr(target_os = "none", inline(never))]
    fn given_is_plain(&self, field: u8) -> bool {
        let fields = [
            self.sending_application.unwrap_or_default(),
            self.sending_facility.unwrap_or_default(),
            self.accept_acknowledgment_type,
            self.application_acknowledgment_type,
            self.message_structure,
            self.character_set.unwrap_or_default(),
            self.message_profile_identifier,
        ];
        fields.iter().all(|bytes| bytes.is_empty() || is_plain(bytes, field))
    }

    /// MSH-12 of the acknowledgment where the message has none.
    const fn default_version(&self) -> &'static [u8] {
        match self.policy {
            Policy::Always => b"2.3",
            Policy::Conformant => b"2.5.1",
        }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn msh<const GIVEN: bool>(
        &self,
        writer: &mut Writer<'_>,
        encoding_characters: &[u8],
        ascii: bool,
    ) {
        let given = if GIVEN { Some(self) } else { None };
        let component = writer.delimiters().component;
        let conformant = self.policy == Policy::Conformant;
        let hidden = if self.brief { Some(&b""[..]) } else { None };
        let mirrored = if self.brief { None } else { self.header };
        let (sender, receiver): (&[u8], &[u8]) =
            if conformant { (b"", b"") } else { (b"FASTMLLP", b"UNKNOWN") };
        let trigger_event = mirrored.map(MessageHeader::trigger_event).unwrap_or_default();
        let structure = self.structure(given);
        let names = given.map_or([None; 2], |ack| [ack.sending_application, ack.sending_facility]);

        writer.segment(b"MSH");
        writer.encoding_characters(encoding_characters);
        self.pair(writer, 5, names.map(|name| name.or(hidden)), [sender; 2]);
        self.pair(writer, 3, [hidden; 2], [receiver; 2]);
        writer.copied_field(self.timestamp);
        writer.field(); // MSH-8
        writer.raw_field(b"ACK");
        if !structure.is_empty() || !trigger_event.is_empty() {
            writer.delimiter(component);
            writer.copied(trigger_event);
        }
        if !structure.is_empty() {
            writer.delimiter(component);
            writer.copied(structure);
        }
        writer.copied_field(self.control_id);
        self.pair(writer, 11, [hidden, None], [b"P", self.default_version()]);
        writer.field(); // MSH-13
        writer.field(); // MSH-14
        writer.copied_field(given.map_or(b"", |ack| ack.accept_acknowledgment_type));
        writer.copied_field(given.map_or(b"", |ack| ack.application_acknowledgment_type));
        writer.field(); // MSH-17
        self.character_sets(writer, mirrored, given, ascii);
        writer.copied_field(given.map_or(b"", |ack| ack.message_profile_identifier));
        writer.end_segment();
    }

    /// MSH-9.3 of the acknowledgment. It is in the dictionaries from 2.3.1 and required from 2.7;
    /// products write it from 2.4 on, and so does this.
    fn structure<'g>(&self, given: Option<&'g Ack<'_>>) -> &'g [u8] {
        let given = given.map_or(&b""[..], |ack| ack.message_structure);
        let own = self.policy == Policy::Conformant && given.is_empty();
        if own && !Version::parse(self.version()).is_before(4) { b"ACK" } else { given }
    }

    /// MSH-18 to MSH-20 of the acknowledgment.
    fn character_sets(
        &self,
        writer: &mut Writer<'_>,
        mirrored: Option<&MessageHeader<'_>>,
        given: Option<&Ack<'_>>,
        ascii: bool,
    ) {
        let (set, scheme) = match (given.and_then(|ack| ack.character_set), mirrored) {
            (Some(set), _) => (set, &b""[..]),
            (None, Some(header)) if header.character_set().is_empty() => (&b""[..], &b""[..]),
            // What is copied is in the sets of the message, and so is the text.
            (None, Some(header)) if !(ascii && is_ascii(header.fields(3, 12))) => {
                (header.character_set(), header.alternate_character_set_handling_scheme())
            }
            (None, Some(header)) if self.policy == Policy::Conformant => {
                (header.character_set_first(), &b""[..])
            }
            (None, _) => (&b""[..], &b""[..]),
        };
        // Looked at last: most answers repeat no set.
        let repeats = names_a_set(set);
        writer.copied_field(if repeats { set } else { b"" });
        writer.field(); // MSH-19
        writer.copied_field(if repeats { scheme } else { b"" });
    }

    /// Two fields: those `given`, or else MSH-`first` and the field behind it, or else `defaults`.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn pair(
        &self,
        writer: &mut Writer<'_>,
        first: usize,
        given: [Option<&[u8]>; 2],
        defaults: [&[u8]; 2],
    ) {
        let second = first.saturating_add(1);
        let field = |number| self.header.map(|h| h.field(number)).unwrap_or_default();
        let ([left, right], [left_default, right_default]) = (given, defaults);
        let (left, right) = (left.unwrap_or(field(first)), right.unwrap_or(field(second)));
        // Nearly always both are there and need no escape: they are one copy.
        if let (true, [None, None], Some(header)) = (writer.is_plain(), given, self.header)
            && !left.is_empty()
            && !right.is_empty()
        {
            return writer.raw_field(header.fields(first, second));
        }
        writer.copied_field(if left.is_empty() { left_default } else { left });
        writer.copied_field(if right.is_empty() { right_default } else { right });
    }

    /// MSH-12.1 of the acknowledgment.
    pub(crate) fn version(&self) -> &'a [u8] {
        let version = self.header.map(MessageHeader::version).unwrap_or_default();
        if version.is_empty() { self.default_version() } else { version }
    }

    /// MSA-1 and MSA-2.
    #[cfg_attr(target_os = "none", inline(never))]
    fn msa(&self, writer: &mut Writer<'_>) {
        let header = self.header;
        let inbound = header.map(MessageHeader::message_control_id).unwrap_or_default();
        let missing = inbound.is_empty() && self.policy == Policy::Always;
        let id = if missing { self.control_id } else { inbound };
        writer.segment(b"MSA");
        writer.raw_field(self.code.as_str().as_bytes());
        // MSA-2 is required: its separator is written even when there is nothing to quote.
        if id.is_empty() { writer.required_field(b"") } else { writer.copied_field(id) }
    }
}

// The fields may quote a message: a debug output shows what kind of answer this is, no more.
impl fmt::Debug for Ack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack")
            .field("policy", &self.policy)
            .field("code", &self.code)
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}
