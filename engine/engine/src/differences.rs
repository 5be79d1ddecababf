//! In which fields two messages differ.

use std::collections::BTreeMap;

use hl7_peek::{Field, Message, Repetition, Scan, Segment};

/// What is said of two messages whose segments are the same and whose bytes are not.
const BETWEEN: &str = "the bytes between segments";
/// What is said of two payloads of which one is no message.
const BYTES: &str = "the bytes";

/// The fields in which two messages differ, such as `MSH-5`; `PV1-3.1` where it is single components
/// of a field, `PID-3[2]` where it is one of several repetitions. A segment that one of them lacks is
/// `+ZPI` or `-ZPI`, the second one of its name `-NK1[2]`. Never a value. Empty: they are the same.
pub fn differences(before: &[u8], after: &[u8]) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let parsed = |it| Message::parse_lenient(it, Scan::detect(it));
    let (Some(old), Some(new)) = (parsed(before), parsed(after)) else {
        return vec![BYTES.to_owned()];
    };
    let (old, new) = (places(&old), places(&new));
    let mut found = Vec::new();
    for (place, segment) in &old {
        match new.iter().find(|it| it.0 == *place) {
            Some((_, other)) => in_segment(&mut found, place, segment, other),
            None => found.push(format!("-{place}")),
        }
    }
    let is_new = |place: &String| old.iter().all(|it| it.0 != *place);
    let added = new.iter().map(|it| &it.0).filter(|place| is_new(place));
    found.extend(added.map(|place| format!("+{place}")));
    if found.is_empty() {
        found.push(BETWEEN.to_owned());
    }
    found
}

/// The segments of a message, each with its name, and its number among those of its name.
fn places<'a>(message: &Message<'a>) -> Vec<(String, Segment<'a>)> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let place = |segment: Segment<'a>| {
        let name = name(segment.id());
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        let place = if *count == 1 { name } else { format!("{name}[{count}]") };
        (place, segment)
    };
    message.segments().map(place).collect()
}

/// A line that does not begin with the name of a segment may be a patient's data.
fn name(id: &[u8]) -> String {
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_one = id.len() == 3 && id.iter().all(is_name);
    if is_one { String::from_utf8_lossy(id).into_owned() } else { "(no segment)".to_owned() }
}

fn in_segment(found: &mut Vec<String>, place: &str, old: &Segment<'_>, new: &Segment<'_>) {
    if old.raw() == new.raw() {
        return;
    }
    let before = found.len();
    let count = old.fields().count().max(new.fields().count()) + 1;
    for number in 1..=count {
        match (old.field(number), new.field(number)) {
            (Some(old), Some(new)) => in_field(found, &format!("{place}-{number}"), &old, &new),
            (Some(one), None) | (None, Some(one)) if !one.raw().is_empty() => {
                found.push(format!("{place}-{number}"));
            }
            _ => {}
        }
    }
    if found.len() == before {
        found.push(place.to_owned());
    }
}

fn in_field(found: &mut Vec<String>, path: &str, old: &Field<'_>, new: &Field<'_>) {
    if old.raw() == new.raw() {
        return;
    }
    let all = |field: &Field<'_>| field.repetitions().count();
    let (count, same) = (all(old), all(old) == all(new));
    let both: Vec<_> = (1..).zip(old.repetitions().zip(new.repetitions())).collect();
    let differ = || both.iter().filter(|(_, (old, new))| old.raw() != new.raw());
    if !same || count > 1 && differ().count() == count {
        return found.push(path.to_owned());
    }
    for (number, (old, new)) in differ() {
        let path = if count == 1 { path.to_owned() } else { format!("{path}[{number}]") };
        in_repetition(found, path, old, new);
    }
}

/// Names components where only some of them differ.
fn in_repetition(
    found: &mut Vec<String>,
    path: String,
    old: &Repetition<'_>,
    new: &Repetition<'_>,
) {
    let components = |it: &Repetition<'_>| {
        it.components().map(|component| component.raw().to_vec()).collect::<Vec<_>>()
    };
    let (old, new) = (components(old), components(new));
    let count = old.len().max(new.len());
    let at = |all: &[Vec<u8>], number: usize| all.get(number).cloned().unwrap_or_default();
    let differ: Vec<_> = (0..count).filter(|it| at(&old, *it) != at(&new, *it)).collect();
    if differ.is_empty() || differ.len() == count {
        return found.push(path);
    }
    found.extend(differ.into_iter().map(|number| format!("{path}.{}", number + 1)));
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn fields_components_repetitions_and_segments_are_named() {
        let before = b"MSH|^~\\&|A|B|C|D\rPID|1|2|7~8^^X||DOE^JANE\rPV1||I|W1^12^A\rNK1|1\rNK1|2\r";
        let after = b"MSH|^~\\&|A|B|E|D\rPID|1|2|7~9^^X|4|ROE^JIM\rPV1||I|W2^12^A\rNK1|1\rZPI|1\r";
        let expected = ["MSH-5", "PID-3[2].1", "PID-4", "PID-5", "PV1-3.1", "-NK1[2]", "+ZPI"];
        assert_eq!(differences(before, after), expected);
        assert!(differences(before, before).is_empty());
    }

    #[test]
    fn what_has_no_field_of_its_own_is_said() {
        let message = &b"MSH|^~\\&|A\rPID|1\r"[..];
        assert_eq!(differences(message, b"MSH|^~\\&|A\rPID|1\r\r"), ["the bytes between segments"]);
        assert_eq!(differences(message, b"MSH|^~\\&|A\rPID|1|\r"), ["PID"]);
        assert_eq!(differences(message, b"MSH|^~\\$|A\rPID|1\r"), ["MSH-2"]);
        assert_eq!(differences(message, b"no message"), ["the bytes"]);
        assert_eq!(differences(b"a", b"b"), ["the bytes"]);
        assert_eq!(differences(b"", message), ["the bytes"]);
    }

    #[test]
    fn no_value_is_told() {
        let secret = b"MSH|^~\\&|A\rPID|1||SECRET~SECRET^SECRET\rSECRET\r";
        for all in [differences(b"MSH|^~\\&|A\rPID|1\r", secret), differences(secret, b"x")] {
            assert!(all.iter().all(|it| !it.contains("SECRET")), "{all:?}");
        }
    }
}
