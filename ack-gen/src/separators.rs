//! MSH-1 and MSH-2 of an acknowledgment.

use hl7_peek::{Delimiters, MessageHeader};

use crate::Policy;

/// MSH-1 and MSH-2 of the acknowledgment.
pub(crate) struct Separators<'a> {
    pub(crate) delimiters: Delimiters,
    pub(crate) encoding_characters: &'a [u8],
}

/// `^~\&`, the encoding characters that chapter 2 suggests (2.5.4).
const ENCODING_CHARACTERS: &[u8] = br"^~\&";

/// MSH-1 and MSH-2 of the answer to a message with this header.
///
/// The policy `conformant`: the message's delimiters, when MSH-2 holds those that its header was read
/// by; otherwise as `always`. A batch is read by those of its first segment, and a lenient header by
/// usable ones.
///
/// The policy `always`: the message's delimiters where they are usable, the suggested ones elsewhere.
// Apart from its caller: neither needs the stack of the other, and the caller stays small enough to be
// put into those that give it constants, which saves a tenth of an answer's instructions.
#[inline(never)]
pub(crate) fn separators<'h>(policy: Policy, header: Option<&MessageHeader<'h>>) -> Separators<'h> {
    let suggested =
        Separators { delimiters: Delimiters::default(), encoding_characters: ENCODING_CHARACTERS };
    let Some(header) = header else { return suggested };
    // 2.8.2.1 is silent; echoing the delimiters lets MSH-10 and names be copied raw.
    if policy == Policy::Conformant && is_read_as_written(header) {
        let (delimiters, encoding_characters) = (header.delimiters(), header.encoding_characters());
        return Separators { delimiters, encoding_characters };
    }
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

/// Whether MSH-2 holds the delimiters that the header was read by.
fn is_read_as_written(header: &MessageHeader<'_>) -> bool {
    let Delimiters { component, repetition, escape, subcomponent, truncation, .. } =
        header.delimiters();
    let read = [component, repetition, escape, subcomponent, truncation];
    let written = header.encoding_characters();
    read.iter().enumerate().all(|(at, read)| written.get(at) == read.as_ref())
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
