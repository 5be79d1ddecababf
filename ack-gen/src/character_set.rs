//! Names of character sets that an acknowledgment may repeat.

/// Whether a value of MSH-18 names sets, and neither UTF-16 nor UTF-32: MLLP does not carry those, so
/// the name is wrong.
///
/// It looks for an `F` at most two bytes before a 1 or a 3, which no other set has in its name. The list
/// of all names, `CharacterSet::from_name`, would take a kilobyte of a microcontroller; the masks, for
/// both cases of the letter and both digits, save 24 bytes of it.
pub(crate) fn names_a_set(names: &[u8]) -> bool {
    let mut near = 0u32;
    for byte in names {
        near >>= 1;
        if byte | 0x20 == b'f' {
            near = 4;
        }
        if near != 0 && byte & !2 == b'1' {
            return false;
        }
    }
    !names.is_empty()
}
