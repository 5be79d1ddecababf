//! MSH-1 and MSH-2 of an acknowledgment.

use hl7_peek::{Delimiters, MessageHeader};

/// MSH-1 and MSH-2 of the acknowledgment.
pub(crate) struct Separators<'a> {
    pub(crate) delimiters: Delimiters,
    pub(crate) encoding_characters: &'a [u8],
}

/// `^~\&`, the encoding characters that chapter 2 suggests (2.5.4).
const ENCODING_CHARACTERS: &[u8] = br"^~\&";

/// The policy `conformant`: the message's delimiters, when MSH-2 holds those that its header was read
/// by; otherwise as `always`. A batch is read by those of its first segment, and a lenient header by
/// usable ones.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn echoed<'h>(header: &MessageHeader<'h>) -> Separators<'h> {
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
pub(crate) fn mirrored<'a>(header: Option<&MessageHeader<'a>>) -> Separators<'a> {
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
