//! Reads fields of an HL7 v2 message where they stand: no copy, no allocation, no parse tree.
//!
//! ```
//! use hl7_peek::{Message, Path, Value};
//!
//! let payload = b"MSH|^~\\&|LAB|HOSPITAL|EHR||20260101120000||ORU^R01|M1|P|2.5\r\
//!                 PID|1||1001^^^MR~2002^^^PI||DOE^JANE\r\
//!                 OBX|1|NM|GLU||5.4|mmol/L||\"\"\r";
//! let message = Message::parse(payload)?;
//!
//! let header = message.header();
//! assert_eq!(header.message_control_id(), b"M1");
//! assert_eq!(header.trigger_event(), b"R01");
//!
//! assert_eq!(message.get(Path::parse("PID-3[2].1")?), Some(&b"2002"[..]));
//! assert_eq!(message.get(Path::parse("PID-5")?), Some(&b"DOE^JANE"[..]));
//! assert_eq!(message.value(Path::parse("OBX-8")?), Value::Null);
//! assert_eq!(message.value(Path::parse("OBX-9")?), Value::Absent);
//! # Ok::<(), hl7_peek::Error>(())
//! ```
//!
//! # Words
//!
//! What the specifications call *HL7 content* or *data* is the **payload** here: the bytes of one
//! message (or one batch) without any framing. All other names are those of HL7 v2.9.1 chapter 2:
//! segment, field, repetition, component, subcomponent, delimiters, encoding characters.
//!
//! # What is read, and what it costs
//!
//! | call | reads | cost |
//! |---|---|---|
//! | [`Message::parse`] | MSH-1, MSH-2, the first segment terminator | one search over the first segment |
//! | [`Message::header`] | MSH-1 to MSH-21 | one pass over MSH |
//! | [`MessageHeader::parse_lenient`] | both of the above, for whoever must answer everything | the same |
//! | [`MessageHeader::parse_prefix`] | both of the above, from a message still arriving | the same |
//! | [`Message::get`], [`leaf`](Message::leaf), [`value`](Message::value) | one node, named by a [`Path`] | one search for terminators up to the segment, then the fields before the one asked for |
//! | [`Message::segments`] | everything, segment by segment | linear, lazy |
//! | [`unescape`], [`escape`] | one value, into the caller's buffer | linear |
//!
//! Values are the bytes on the wire, still escaped and in the sender's character set. They borrow
//! from the payload, not from the `Message`.
//!
//! # Character sets
//!
//! Bytes are never decoded. In most sets a delimiter byte is always a delimiter; Shift_JIS,
//! GB 18030, Big5 and ISO-2022-JP are the exception, and [`Message::parse_with`] takes a [`Scan`]
//! that knows their characters. [`CharacterSet`] names the sets of HL7 table 0211 and tells which
//! `Scan` each one needs; [`Scan::Auto`] follows the MSH-18 of each message.
//!
//! # Limits
//!
//! * No validation: lengths, data types, optionality and tables are not looked at.
//! * One set of delimiters per payload: those of the first header segment, in a batch too.
//! * A [`MessageHeader`] ends at MSH-21. Later fields are reached with [`Message::get`]. Where MSH is
//!   4 GiB long or longer, all its fields are empty.
//! * Panics: none, for any input, in any function.
//! * No payload byte appears in an [`Error`] or in the `Debug` output of any type here: payloads
//!   are health data.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod character_set;
mod delimiters;
mod detect;
mod error;
mod escape;
mod find;
mod header;
mod message;
mod opening;
mod path;
mod prefix;
mod scan;
mod segment;
mod separators;
mod split;
mod terminator;
mod value;
mod whole_fields;

pub use character_set::CharacterSet;
pub use delimiters::Delimiters;
pub use error::Error;
pub use escape::{escape, escape_with, escaped_len, escaped_len_with, unescape, unescape_with};
pub use header::MessageHeader;
pub use message::{Kind, Message};
pub use path::Path;
pub use prefix::Status;
pub use scan::Scan;
pub use segment::{
    Component, Components, Field, Fields, Repetition, Repetitions, Segment, Segments, Subcomponents,
};
pub use terminator::Terminator;
pub use value::{Value, trim_blanks};
pub use whole_fields::whole_fields;
