//! The four states of a value.

use core::fmt;

/// What stands at an address: nothing, nothing between two delimiters, a null, or a value.
///
/// A receiver that updates records must tell them apart (HL7 v2.9.1
/// chapter 2, 2.5.3): absent and empty leave the stored value alone, null deletes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// The segment, field, repetition, component or subcomponent is not there.
    Absent,
    /// It is there and has no bytes.
    Empty,
    /// Exactly two double quotes: delete what is stored.
    Null,
    /// Anything else, as it stands in the payload: still escaped.
    Value(&'a [u8]),
}

/// A value of data type ST or ID without its trailing blanks, which are optional (2.A.75): two such
/// values are the same when they differ in nothing else.
///
/// ```
/// assert_eq!(hl7_peek::trim_blanks(b" M1  "), b" M1");
/// ```
pub const fn trim_blanks(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = value {
        value = rest;
    }
    value
}

impl<'a> Value<'a> {
    /// Names the state of what a lookup gave.
    ///
    /// ```
    /// use hl7_peek::Value;
    /// assert_eq!(Value::of(None), Value::Absent);
    /// assert_eq!(Value::of(Some(b"")), Value::Empty);
    /// assert_eq!(Value::of(Some(b"\"\"")), Value::Null);
    /// assert_eq!(Value::of(Some(b"7.4")), Value::Value(b"7.4"));
    /// ```
    pub const fn of(bytes: Option<&'a [u8]>) -> Value<'a> {
        match bytes {
            None => Value::Absent,
            Some(b"") => Value::Empty,
            Some(b"\"\"") => Value::Null,
            Some(bytes) => Value::Value(bytes),
        }
    }
}

impl fmt::Debug for Value<'_> {
    /// The state, and the length of a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Absent => f.write_str("Absent"),
            Value::Empty => f.write_str("Empty"),
            Value::Null => f.write_str("Null"),
            Value::Value(bytes) => write!(f, "Value({} bytes)", bytes.len()),
        }
    }
}
