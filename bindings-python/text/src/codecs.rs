//! The codecs of Python for the sets that MSH-18 names.

use hl7_peek::{CharacterSet, MessageHeader, Scan};

/// Whether a header names more than the set of the whole message.
pub fn has_alternates(header: &MessageHeader<'_>) -> bool {
    header.character_set() != header.character_set_first()
        || !header.alternate_character_set_handling_scheme().is_empty()
}

/// The codec of text without escape sequences.
pub fn default_codec(set: CharacterSet) -> Option<&'static str> {
    match set {
        // Empty means ASCII, which UTF-8 contains; many senders leave it empty and send UTF-8.
        CharacterSet::Ascii => Some("utf-8"),
        // No message that came in a frame is in UTF-16 or UTF-32: the name is wrong, and says as little.
        set if !set.allowed_in_mllp() => Some("utf-8"),
        // These are reached by escape sequences; what stands before the first one is ASCII.
        set if set.scan() == Scan::Iso2022Jp => Some("ascii"),
        set => set.codec(),
    }
}

/// The codecs that write text in the sets of a header, the set of the whole message first.
pub fn codecs_of(header: &MessageHeader<'_>) -> Vec<&'static str> {
    let set = CharacterSet::of(header).filter(|set| set.allowed_in_mllp());
    let Some(codec) = set.and_then(CharacterSet::codec) else { return vec!["ascii"] };
    if !CharacterSet::switches(header) {
        return vec![codec];
    }
    // JIS X 0201 has no characters of two bytes, and the codec for it has.
    let mut codecs = vec![if codec == "shift_jis" { "ascii" } else { codec }];
    let is_separator = |byte: &u8| Some(*byte) == header.delimiters().repetition;
    for name in header.character_set().split(is_separator) {
        let set = CharacterSet::from_name(name).filter(|set| set.scan() == Scan::Iso2022Jp);
        codecs.extend(set.and_then(CharacterSet::codec));
    }
    codecs
}

/// Whether MSH-18 names UTF-16 or UTF-32, which MLLP does not carry: such a name is wrong.
pub fn is_wide(header: &MessageHeader<'_>) -> bool {
    let is_separator = |byte: &u8| Some(*byte) == header.delimiters().repetition;
    let mut sets = header.character_set().split(is_separator).filter_map(CharacterSet::from_name);
    sets.any(|set| !set.allowed_in_mllp())
}
