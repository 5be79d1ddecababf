//! The acknowledgment message itself.

use core::{fmt, iter};

use hl7_peek::{Delimiters, MessageHeader, Scan};

use crate::err;
use crate::version::Version;
use crate::writer::Writer;
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
    pub header: Option<MessageHeader<'a>>,
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
}

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
        header: Option<MessageHeader<'a>>,
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
        }
    }

    /// An acknowledgment by the policy `conformant`.
    pub const fn conformant(
        code: AckCode,
        header: MessageHeader<'a>,
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
    pub fn encoded_len(&self) -> Result<usize, Error> {
        self.write(&mut [])
    }

    /// Writes the acknowledgment, unframed, to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] when `out` is shorter than [`encoded_len`](Ack::encoded_len). With
    /// the policy `conformant`, [`Error::NoHeader`] without MSH, and [`Error::NoControlId`] for a
    /// positive code without MSH-10.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        let len = self.write(out)?;
        if len <= out.len() { Ok(len) } else { Err(Error::BufferTooSmall) }
    }

    fn write(&self, out: &mut [u8]) -> Result<usize, Error> {
        let header = self.header.as_ref();
        let separators = match (self.policy, header) {
            (Policy::Conformant, None) => return Err(Error::NoHeader),
            // A batch without a message.
            (Policy::Conformant, Some(header)) if header.field_separator.is_empty() => {
                return Err(Error::NoHeader);
            }
            // 2.9.2: without a control ID nothing tells the sender which message was accepted.
            (Policy::Conformant, Some(header))
                if self.code.is_accept() && header.message_control_id.is_empty() =>
            {
                return Err(Error::NoControlId);
            }
            (Policy::Conformant, Some(header)) => echoed(header),
            (Policy::Always, header) => mirrored(header),
        };
        let mut writer = Writer::new(out, separators.delimiters, self.scan);
        match (self.policy, header) {
            (Policy::Conformant, Some(header)) => {
                self.conformant_msh(&mut writer, header, separators.encoding_characters);
            }
            _ => self.always_msh(&mut writer, header, separators.encoding_characters),
        }
        // Only text and errors are written differently from version to version.
        let version = if self.text.is_empty() && self.errors.is_empty() {
            Version::UNKNOWN
        } else {
            Version::parse(header.map_or(self.default_version(), |header| self.version_of(header)))
        };
        self.msa(&mut writer, version);
        err::write(&mut writer, version, self.code.outcome(), self.errors, self.text);
        Ok(writer.len())
    }

    /// MSH-12 of the acknowledgment where the message has none.
    const fn default_version(&self) -> &'static [u8] {
        match self.policy {
            Policy::Always => b"2.3",
            Policy::Conformant => b"2.5.1",
        }
    }

    fn always_msh(
        &self,
        writer: &mut Writer<'_>,
        header: Option<&MessageHeader<'a>>,
        encoding_characters: &[u8],
    ) {
        let component = writer.delimiters().component;
        let of = |field: fn(&MessageHeader<'a>) -> &'a [u8]| header.map(field).unwrap_or_default();
        let or = |value: &'a [u8], default: &'static [u8]| -> &'a [u8] {
            if value.is_empty() { default } else { value }
        };
        writer.segment(b"MSH");
        writer.field();
        writer.raw(encoding_characters);
        writer.fields(&[
            or(self.sending_application.unwrap_or(of(|h| h.receiving_application)), b"FASTMLLP"),
            or(self.sending_facility.unwrap_or(of(|h| h.receiving_facility)), b"FASTMLLP"),
            or(of(|h| h.sending_application), b"UNKNOWN"),
            or(of(|h| h.sending_facility), b"UNKNOWN"),
            self.timestamp,
        ]);
        writer.field(); // MSH-8
        writer.field();
        writer.raw(b"ACK");
        let trigger_event = of(MessageHeader::trigger_event);
        if !trigger_event.is_empty() {
            writer.delimiter(component);
            writer.copied(trigger_event);
        }
        writer.fields(&[
            self.control_id,
            or(of(|h| h.processing_id), b"P"),
            or(of(|h| h.version_id), self.default_version()),
            b"", // MSH-13
            b"", // MSH-14
            self.accept_acknowledgment_type,
            self.application_acknowledgment_type,
        ]);
        writer.end_segment();
    }

    fn conformant_msh(
        &self,
        writer: &mut Writer<'_>,
        header: &MessageHeader<'a>,
        encoding_characters: &[u8],
    ) {
        let component = writer.delimiters().component;
        writer.segment(b"MSH");
        writer.field();
        writer.encoding_characters(encoding_characters);
        writer.fields(&[
            self.sending_application.unwrap_or(header.receiving_application),
            self.sending_facility.unwrap_or(header.receiving_facility),
            header.sending_application,
            header.sending_facility,
            self.timestamp,
        ]);
        writer.field(); // MSH-8
        writer.field();
        writer.raw(b"ACK");
        // MSH-9.3 is in the dictionaries from 2.3.1 and required from 2.7; products write it from
        // 2.4 on, and so does this.
        let structured = !Version::parse(self.version_of(header)).is_before(4);
        let trigger_event = header.trigger_event();
        if structured || !trigger_event.is_empty() {
            writer.delimiter(component);
            writer.copied(trigger_event);
        }
        if structured {
            writer.delimiter(component);
            writer.raw(b"ACK");
        }
        let version = header.version_id;
        writer.fields(&[
            self.control_id,
            if header.processing_id.is_empty() { b"P" } else { header.processing_id },
            if version.is_empty() { self.default_version() } else { version },
            b"", // MSH-13
            b"", // MSH-14
            self.accept_acknowledgment_type,
            self.application_acknowledgment_type,
            b"", // MSH-17
            // The copied bytes are in the character set of the message, so its name goes with them.
            header.character_set_first(),
        ]);
        writer.end_segment();
    }

    fn version_of(&self, header: &MessageHeader<'a>) -> &'a [u8] {
        let version = header.version();
        if version.is_empty() { self.default_version() } else { version }
    }

    fn msa(&self, writer: &mut Writer<'_>, version: Version) {
        let inbound = self.header.map(|header| header.message_control_id).unwrap_or_default();
        let missing = inbound.is_empty() && self.policy == Policy::Always;
        writer.segment(b"MSA");
        writer.field();
        writer.raw(self.code.as_str().as_bytes());
        // MSA-2 is required: its separator is written even when there is nothing to quote.
        writer.required_field();
        writer.copied(if missing { self.control_id } else { inbound });
        writer.field();
        if !version.is_from(7) {
            writer.text(self.text);
        }
        writer.field();
        if let Some(number) = self.expected_sequence_number {
            writer.number(number);
        }
        writer.field(); // MSA-5, withdrawn in 2.5
        writer.field();
        if let Some(error) = self.errors.first() {
            // MSA-6 came with 2.2 and is deprecated since 2.4; from 2.5 on ERR-3 says it.
            if version.is_from(2) && version.is_before(5) {
                err::coded(writer, error.code, writer.delimiters().component);
            }
        }
        writer.end_segment();
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
    let (delimiters, encoding_characters) = (header.delimiters, header.encoding_characters);
    let Delimiters { component, repetition, escape, subcomponent, truncation, .. } = delimiters;
    let read = [component, repetition, escape, subcomponent, truncation];
    let written = encoding_characters.iter().copied().map(Some).chain(iter::repeat(None));
    // 2.8.2.1 is silent; echoing the delimiters lets MSH-10 and names be copied raw.
    if written.take(read.len()).eq(read) {
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
    let field = header.delimiters.field;
    if header.encoding_characters == ENCODING_CHARACTERS && field == b'|' {
        return suggested;
    }
    for encoding_characters in [header.encoding_characters, ENCODING_CHARACTERS] {
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
