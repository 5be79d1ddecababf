//! What an acknowledgment says beyond its code: MSA-3 to MSA-6 and the ERR segments, in the layout of
//! the version.

use hl7_peek::Delimiters;

use crate::version::Version;
use crate::writer::{self, Writer};
use crate::{Ack, ErrorCode, ErrorDetail, Outcome, Severity};

/// Whether the texts need no name of a character set. Apart from the writing, so that neither needs the
/// stack of the other.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn is_ascii(ack: &Ack<'_>) -> bool {
    writer::is_ascii(ack.text)
        && ack.errors.iter().all(|error| {
            let [identifier, text, system] = error.application;
            let texts = [identifier, text, system, error.diagnostic, error.user_message];
            writer::is_ascii(error.location.segment) && texts.into_iter().all(writer::is_ascii)
        })
}

/// Writes everything behind MSA-2.
pub(crate) fn write(ack: &Ack<'_>, writer: &mut Writer<'_>) {
    let version = Version::parse(ack.version());
    writer.field();
    if !version.is_from(7) {
        writer.text(ack.text);
    }
    writer.field();
    if let Some(number) = ack.expected_sequence_number {
        writer.number(number);
    }
    writer.field(); // MSA-5, withdrawn in 2.5
    writer.field();
    if let Some(error) = ack.errors.first() {
        // MSA-6 came with 2.2 and is deprecated since 2.4; from 2.5 on ERR-3 says it.
        if version.is_from(2) && version.is_before(5) {
            coded(writer, error.code, writer.delimiters().component);
        }
    }
    writer.end_segment();
    segments(writer, version, ack.code.outcome(), ack.errors, ack.text);
}

/// What a text says that goes out without an error.
static ACCEPTED: ErrorDetail<'static> =
    ErrorDetail { severity: Severity::Information, ..ErrorDetail::new(ErrorCode::MessageAccepted) };
static REFUSED: ErrorDetail<'static> = ErrorDetail::new(ErrorCode::ApplicationInternalError);

/// The errors, and the text for people where MSA-3 cannot take it.
fn segments(
    writer: &mut Writer<'_>,
    version: Version,
    outcome: Outcome,
    errors: &[ErrorDetail<'_>],
    text: &[u8],
) {
    if version.is_before(5) {
        return before_2_5(writer, errors);
    }
    // From 2.7 on MSA-3 is gone and the text goes into ERR-8, of the first error without one.
    let text = if version.is_from(7) { text } else { b"" };
    for (at, error) in errors.iter().enumerate() {
        let takes_text = at == 0 && error.user_message.is_empty();
        segment(writer, error, if takes_text { text } else { error.user_message });
    }
    if errors.is_empty() && !text.is_empty() {
        let detail = if outcome == Outcome::Accept { &ACCEPTED } else { &REFUSED };
        segment(writer, detail, text);
    }
}

/// 2.2 to 2.4: one ERR whose first field repeats, `segment^sequence^field^code&text&system`.
fn before_2_5(writer: &mut Writer<'_>, errors: &[ErrorDetail<'_>]) {
    let Delimiters { component, repetition, subcomponent, .. } = writer.delimiters();
    // Without a repetition separator there is room for one error.
    let count = if repetition.is_some() { errors.len() } else { 1 };
    for (at, error) in errors.iter().take(count).enumerate() {
        if at == 0 {
            writer.segment(b"ERR");
            writer.field();
        } else {
            writer.delimiter(repetition);
        }
        writer.text(error.location.segment);
        for number in error.location.numbers().into_iter().take(2) {
            writer.delimiter(component);
            position(writer, number);
        }
        writer.delimiter(component);
        coded(writer, error.code, subcomponent);
    }
    if !errors.is_empty() {
        writer.end_segment();
    }
}

/// From 2.5 on: one segment for each error.
fn segment(writer: &mut Writer<'_>, error: &ErrorDetail<'_>, user_message: &[u8]) {
    let component = writer.delimiters().component;
    writer.segment(b"ERR");
    writer.field(); // ERR-1, deprecated in 2.4
    writer.field();
    writer.text(error.location.segment);
    for number in known(&error.location.numbers(), |number| *number > 0) {
        writer.delimiter(component);
        position(writer, *number);
    }
    writer.field();
    coded(writer, error.code, component);
    writer.field();
    writer.raw(error.severity.as_str().as_bytes());
    writer.field();
    for (at, part) in known(&error.application, |part| !part.is_empty()).iter().enumerate() {
        if at > 0 {
            writer.delimiter(component);
        }
        writer.text(part);
    }
    writer.field(); // ERR-6
    writer.field();
    writer.text(error.diagnostic);
    writer.field();
    writer.text(user_message);
    writer.end_segment();
}

/// Code, text and coding system, as ERR-3, MSA-6 and the last part of the old ERR-1 have them.
fn coded(writer: &mut Writer<'_>, code: ErrorCode, separator: Option<u8>) {
    writer.number(i64::from(code.number()));
    writer.delimiter(separator);
    writer.text(code.text().as_bytes());
    writer.delimiter(separator);
    writer.raw(b"HL70357");
}

/// A number that counts from 1; 0 is an empty component.
fn position(writer: &mut Writer<'_>, number: u32) {
    if number > 0 {
        writer.number(i64::from(number));
    }
}

/// The parts up to the last one that says something.
fn known<T>(parts: &[T], says_something: impl Fn(&T) -> bool) -> &[T] {
    let len = parts.iter().rposition(says_something).map_or(0, |last| last.saturating_add(1));
    parts.get(..len).unwrap_or_default()
}
