//! Bytes of one message as bytes of another, whose MSH-1 and MSH-2 differ.

use alloc::vec::Vec;

use hl7_peek::unescape_with;

use crate::Error;
use crate::encode::Content;
use crate::syntax::{Level, Marks, Syntax};

/// A node of this level, read with `from`, as it is written with `to`.
///
/// Delimiters become those of `to`. A delimiter that was escaped and is none in `to` stands for itself,
/// and a byte that is one in `to` alone is escaped. Hexadecimal, formatting, highlighting, character set
/// and local sequences stay what they are, between the new escape characters; an escape character that
/// opens none of these is literal. Where nothing differs, no byte does.
pub(crate) fn transcode(
    raw: &[u8],
    level: Level,
    from: Syntax,
    to: Syntax,
) -> Result<Vec<u8>, Error> {
    if from == to {
        return Ok(Vec::from(raw));
    }
    let counterparts: Vec<(u8, Option<u8>)> = Level::SEPARATED
        .into_iter()
        .filter(|below| *below > level)
        .filter_map(|below| Some((from.separator(below)?, to.separator(below))))
        .collect();
    let mut out = Vec::with_capacity(raw.len());
    let mut done = 0;
    for (at, byte) in Marks::new(raw, from.scan, counterparts.iter().map(|(old, _)| *old)) {
        value(raw.get(done..at).unwrap_or_default(), from, to, &mut out)?;
        let counterpart = counterparts.iter().find(|(old, _)| *old == byte);
        out.push(counterpart.and_then(|(_, new)| *new).ok_or(Error::NoDelimiter)?);
        done = at.saturating_add(1);
    }
    value(raw.get(done..).unwrap_or_default(), from, to, &mut out)?;
    Ok(out)
}

/// A text between two separators.
fn value(raw: &[u8], from: Syntax, to: Syntax, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut rest = raw;
    while let Some((before, after)) = cut(rest, from.delimiters.escape, from) {
        literal(before, from, to, out)?;
        let opened = rest.get(before.len()..).unwrap_or_default();
        rest = after;
        if let Some((body, next)) = cut(after, from.delimiters.escape, from)
            && let Some(sequence) = opened.get(..body.len().saturating_add(2))
            && let Some(bytes) = sequence_in(body, sequence, from, to)?
        {
            out.extend_from_slice(&bytes);
            rest = next;
        } else {
            let escape = opened.get(..1).unwrap_or_default();
            Content::Text(escape).write(Level::Subcomponent, to, out)?;
        }
    }
    literal(rest, from, to, out)
}

/// The escape sequence with this body, as it is written with `to`; `None` if it is none.
fn sequence_in(
    body: &[u8],
    sequence: &[u8],
    from: Syntax,
    to: Syntax,
) -> Result<Option<Vec<u8>>, Error> {
    let mut text = Vec::from(sequence);
    let len = unescape_with(sequence, &from.delimiters, from.scan, &mut text)?;
    text.truncate(len);
    // What stays as it is may be kept or unknown to the reader; what is shorter has been replaced.
    let is_replaced = len < sequence.len();
    match body {
        [b'X', ..] if !is_replaced => return Ok(None),
        [b'X' | b'.' | b'H' | b'N' | b'C' | b'M' | b'Z', ..] => {}
        _ if is_replaced => return Content::Text(&text).encode(Level::Subcomponent, to).map(Some),
        _ => return Ok(None),
    }
    let escape = to.delimiters.escape.ok_or(Error::NoDelimiter)?;
    // A body with a delimiter of `to` in it is no sequence there, so all of it becomes text.
    if Content::Text(body).encode(Level::Subcomponent, to)? != body {
        return Ok(None);
    }
    Ok(Some([&[escape], body, &[escape]].concat()))
}

/// Text without escape sequences. A truncation character in it means that the value has been cut.
fn literal(text: &[u8], from: Syntax, to: Syntax, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut rest = text;
    while let Some(truncation) = to.delimiters.truncation
        && let Some((before, after)) = cut(rest, from.delimiters.truncation, from)
    {
        Content::Text(before).write(Level::Subcomponent, to, out)?;
        out.push(truncation);
        rest = after;
    }
    Content::Text(rest).write(Level::Subcomponent, to, out)
}

/// The text before and after the first `delimiter`.
fn cut(text: &[u8], delimiter: Option<u8>, syntax: Syntax) -> Option<(&[u8], &[u8])> {
    let at = syntax.scan.find(delimiter?, text)?;
    match text.split_at_checked(at)? {
        (before, [_, after @ ..]) => Some((before, after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hl7_peek::{Message, Scan};

    use super::*;

    fn syntax(header: &[u8], scan: Scan) -> Syntax {
        Syntax::of(&Message::parse_with(header, scan).unwrap())
    }

    #[track_caller]
    fn check(raw: &[u8], to: &[u8], expected: Result<&[u8], Error>) {
        let from = syntax(b"MSH|^~\\&#", Scan::SingleByte);
        let to = syntax(to, Scan::SingleByte);
        let written = transcode(raw, Level::Field, from, to);
        assert_eq!(written.as_deref().map_err(|error| *error), expected);
    }

    #[test]
    fn structure_and_text_change_places() {
        check(b"A^B~C&D", b"MSH:!@*%", Ok(b"A!B@C%D"));
        check(b"1:2!3@4*5%6", b"MSH:!@*%", Ok(b"1*F*2*S*3*R*4*E*5*T*6"));
        check(br"\F\\S\\R\\T\\E\\P\", b"MSH:!@*%", Ok(br"|^~&\#"));
        // `|` separates components there, `*` repetitions, `~` is the escape character.
        check(br"\F\\S\\R\\T\\E\*", b"MSH^|*~!", Ok(br"~S~~F~~E~&\~R~"));
    }

    #[test]
    fn sequences_keep_their_meaning() {
        check(
            br"a\.br\b\H\c\N\\C2D41\\M2442\\Zx\\X0d41\",
            b"MSH:!@*%",
            Ok(b"a*.br*b*H*c*N**C2D41**M2442**Zx**X0d41*"),
        );
        // Neither of these is a sequence, but the escape character that closes it opens one.
        check(br"\Q\F\", b"MSH:!@*%", Ok(br"\Q|"));
        check(br"\X0\F\", b"MSH:!@*%", Ok(br"\X0|"));
        check(br"a\", b"MSH:!@*%", Ok(br"a\"));
        check(br"a\", b"MSH:!@\\%", Ok(br"a\E\"));
        check(br"\Za!b\", b"MSH:!@\\%", Ok(br"\E\Za\S\b\E\"));
    }

    #[test]
    fn a_truncated_value_stays_truncated() {
        check(b"Anders#", b"MSH|^~\\&$", Ok(b"Anders$"));
        check(b"Anders#", b"MSH|^~\\&", Ok(b"Anders#"));
        check(b"Anders$", b"MSH|^~\\&$", Ok(br"Anders\P\"));
    }

    #[test]
    fn what_the_other_message_cannot_say_is_refused() {
        check(b"A&B", b"MSH|^~\\", Err(Error::NoDelimiter));
        check(br"A\.br\B", b"MSH|^~", Err(Error::NoDelimiter));
        check(br"A\T\B", b"MSH|^~", Ok(b"A&B"));
        check(br"A\F\B", b"MSH|^~", Err(Error::NoDelimiter));
    }

    #[test]
    fn a_character_is_no_delimiter_where_it_came_from() {
        let from = syntax(b"MSH|^~\\&", Scan::ShiftJis);
        let to = syntax(b"MSH|^~\\&", Scan::SingleByte);
        let there = transcode(b"\x83\x7C^\x83\x5C", Level::Field, from, to).unwrap();
        assert_eq!(there, b"\x83\\F\\^\x83\\E\\");
        assert_eq!(transcode(b"\x83^b", Level::Field, to, from), Err(Error::OpenCharacter));
    }
}
