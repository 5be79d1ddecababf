//! The acknowledgment message itself.

use core::fmt;

use hl7_peek::{Delimiters, MessageHeader, Scan};

use crate::err;
use crate::version::Version;
use crate::writer::{Writer, is_plain};
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
    /// MSH-18 of the acknowledgment, with its repetitions. `None` repeats MSH-18 of the message, and
    /// MSH-20 with it, where a copied field, a text or a name is not ASCII; the policy `conformant`
    /// repeats the first repetition elsewhere. Give it where a text is not ASCII and the message names
    /// no set: nothing is converted here.
    pub character_set: Option<&'a [u8]>,
    /// Takes the names (MSH-3 to MSH-6), trigger event, processing ID and character set of the
    /// message as empty: for an answer that would be too long with them.
    pub brief: bool,
}

type Details = fn(&Ack<'_>, &mut Writer<'_>);

/// MSH-1 and MSH-2 of the acknowledgment.
struct Separators<'a> {
    delimiters: Delimiters,
    encoding_characters: &'a [u8],
}

/// `^~\&`, the encoding characters that chapter 2 suggests (2.5.4).
const ENCODING_CHARACTERS: &[u8] = br"^~\&";

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
            character_set: None,
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
        self.write(&mut [], self.details())
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
        let len = self.write(out, self.details())?;
        if len <= out.len() { Ok(len) } else { Err(Error::BufferTooSmall) }
    }

    /// What writes MSA-3 and all that follows, if there is anything to write.
    ///
    /// It is looked at where an answer is made, because there the compiler mostly sees that there is
    /// nothing. Then nobody refers to that code, and a microcontroller is spared a quarter of it all.
    #[inline(always)]
    fn details(&self) -> Option<Details> {
        let sequence_number = self.expected_sequence_number;
        if self.text.is_empty() && self.errors.is_empty() && sequence_number.is_none() {
            return None;
        }
        Some(err::write)
    }

    fn write(&self, out: &mut [u8], details: Option<Details>) -> Result<usize, Error> {
        let header = self.header;
        let separators = match (self.policy, header) {
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
            (Policy::Conformant, Some(header)) => echoed(header),
            (Policy::Always, header) => mirrored(header),
        };
        let plain = self.is_plain(separators.delimiters.field);
        let scan = match (self.scan, header) {
            (Scan::Auto, Some(header)) => header.scan(),
            (scan, _) => scan,
        };
        let mut writer = Writer::new(out, separators.delimiters, scan, plain);
        self.msh(&mut writer, separators.encoding_characters);
        self.msa(&mut writer);
        match details {
            None => writer.end_segment(),
            Some(write) => write(self, &mut writer),
        }
        Ok(writer.len())
    }

    /// Whether nothing that is copied needs an escape: looked at as a whole, not field by field.
    fn is_plain(&self, field: u8) -> bool {
        // A header is cut at its separator, so no field of it holds one, unless half of a
        // character looks like it.
        let header = self.header.is_none_or(|header| {
            header.delimiters().field == field
                && header.scan() == Scan::SingleByte
                && is_plain(header.raw(), 0)
        });
        let given = [
            self.control_id,
            self.timestamp,
            self.sending_application.unwrap_or_default(),
            self.sending_facility.unwrap_or_default(),
            self.accept_acknowledgment_type,
            self.application_acknowledgment_type,
            self.character_set.unwrap_or_default(),
        ];
        header && given.iter().all(|bytes| bytes.is_empty() || is_plain(bytes, field))
    }

    /// MSH-12 of the acknowledgment where the message has none.
    const fn default_version(&self) -> &'static [u8] {
        match self.policy {
            Policy::Always => b"2.3",
            Policy::Conformant => b"2.5.1",
        }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn msh(&self, writer: &mut Writer<'_>, encoding_characters: &[u8]) {
        let component = writer.delimiters().component;
        let conformant = self.policy == Policy::Conformant;
        let hidden = if self.brief { Some(&b""[..]) } else { None };
        let mirrored = if self.brief { None } else { self.header };
        let (sender, receiver): (&[u8], &[u8]) =
            if conformant { (b"", b"") } else { (b"FASTMLLP", b"UNKNOWN") };
        // MSH-9.3 is in the dictionaries from 2.3.1 and required from 2.7; products write it from
        // 2.4 on, and so does this.
        let structured = conformant && !Version::parse(self.version()).is_before(4);
        let trigger_event = mirrored.map(MessageHeader::trigger_event).unwrap_or_default();

        writer.segment(b"MSH");
        writer.encoding_characters(encoding_characters);
        let given = [self.sending_application.or(hidden), self.sending_facility.or(hidden)];
        self.pair(writer, 5, given, [sender; 2]);
        self.pair(writer, 3, [hidden; 2], [receiver; 2]);
        writer.copied_field(self.timestamp);
        writer.field(); // MSH-8
        writer.raw_field(b"ACK");
        if structured || !trigger_event.is_empty() {
            writer.delimiter(component);
            writer.copied(trigger_event);
        }
        if structured {
            writer.delimiter(component);
            writer.raw(b"ACK");
        }
        writer.copied_field(self.control_id);
        self.pair(writer, 11, [hidden, None], [b"P", self.default_version()]);
        writer.field(); // MSH-13
        writer.field(); // MSH-14
        writer.copied_field(self.accept_acknowledgment_type);
        writer.copied_field(self.application_acknowledgment_type);
        if let Some([character_set, scheme]) = self.label(mirrored) {
            writer.field(); // MSH-17
            writer.copied_field(character_set);
            writer.field(); // MSH-19
            writer.copied_field(scheme);
        }
        writer.end_segment();
    }

    /// MSH-18 and MSH-20. The copied bytes are in the character set of the message, so its name goes
    /// with them; the policy `always` writes it where that says something.
    fn label(&self, mirrored: Option<&MessageHeader<'a>>) -> Option<[&'a [u8]; 2]> {
        if let Some(character_set) = self.character_set {
            return Some([character_set, b""]);
        }
        let header = mirrored?;
        let character_set = header.character_set();
        if character_set.is_empty() {
            return None;
        }
        if !is_ascii(header.fields(3, 12)) || !self.says_ascii() {
            return Some([character_set, header.alternate_character_set_handling_scheme()]);
        }
        let conformant = self.policy == Policy::Conformant;
        conformant.then(|| [header.character_set_first(), b""])
    }

    /// Whether the texts and names that are given are ASCII.
    fn says_ascii(&self) -> bool {
        let names = [self.sending_application, self.sending_facility];
        let texts = |error: &ErrorDetail<'_>| {
            let [identifier, text, system] = error.application;
            [identifier, text, system, error.diagnostic, error.user_message]
                .into_iter()
                .all(is_ascii)
        };
        is_ascii(self.text)
            && names.into_iter().flatten().all(is_ascii)
            && self.errors.iter().all(texts)
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

/// The policy `conformant`: the message's delimiters, when MSH-2 holds those that its header was read
/// by; otherwise as `always`. A batch is read by those of its first segment, and a lenient header by
/// usable ones.
fn echoed<'h>(header: &MessageHeader<'h>) -> Separators<'h> {
    let (delimiters, encoding_characters) = (header.delimiters(), header.encoding_characters());
    let Delimiters { component, repetition, escape, subcomponent, truncation, .. } = delimiters;
    let read = [component, repetition, escape, subcomponent, truncation];
    let is_written =
        |(at, read): (usize, &Option<u8>)| encoding_characters.get(at) == read.as_ref();
    // 2.8.2.1 is silent; echoing the delimiters lets MSH-10 and names be copied raw.
    if read.iter().enumerate().all(is_written) {
        return Separators { delimiters, encoding_characters };
    }
    mirrored(Some(header))
}

/// The policy `always`: the message's delimiters where they are usable, the suggested ones
/// elsewhere.
fn mirrored<'a>(header: Option<&MessageHeader<'a>>) -> Separators<'a> {
    let suggested =
        Separators { delimiters: Delimiters::default(), encoding_characters: ENCODING_CHARACTERS };
    let Some(header) = header else { return suggested };
    let field = header.delimiters().field;
    if header.encoding_characters() == ENCODING_CHARACTERS && field == b'|' {
        return suggested;
    }
    for encoding_characters in [header.encoding_characters(), ENCODING_CHARACTERS] {
        if let [component, repetition, escape, subcomponent] = *encoding_characters {
            let all = [field, component, repetition, escape, subcomponent];
            if all.iter().all(|byte| byte.is_ascii_punctuation()) && distinct(&all) {
                let delimiters = Delimiters {
                    field,
                    component: Some(component),
                    repetition: Some(repetition),
                    escape: Some(escape),
                    subcomponent: Some(subcomponent),
                    truncation: None,
                };
                return Separators { delimiters, encoding_characters };
            }
        }
    }
    suggested
}

/// Whether every byte is an ASCII character, and none begins an escape sequence of ISO 2022.
fn is_ascii(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |ascii, byte| ascii & (*byte < 0x80) & (*byte != 0x1B))
}

fn distinct(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((first, others)) = rest.split_first() {
        if others.contains(first) {
            return false;
        }
        rest = others;
    }
    true
}
