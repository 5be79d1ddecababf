//! Changes an HL7 v2 message by path and leaves every other byte as it is.
//!
//! ```
//! use hl7_edit::{Content, MessageBuf};
//! use hl7_peek::Path;
//!
//! let mut message = MessageBuf::parse(
//!     b"MSH|^~\\&|LAB|HOSPITAL|EHR||20260101120000||ORU^R01|M1|P|2.5\r\
//!       PID|1||1001^^^MR||DOE^JANE\r\
//!       OBX|1|NM|GLU||5.4|mmol/L\r",
//! )?;
//! message.set(Path::parse("PID-5.1")?, "DOE & SON")?;
//! message.set(Path::parse("PID-11")?, Content::Raw(b"1 MAIN ST^^SPRINGFIELD"))?;
//! message.add_repetition(Path::parse("PID-3")?, Content::Raw(b"2002^^^PI"))?;
//! message.delete(Path::parse("OBX-6")?)?;
//! message.insert_segment_after(Path::parse("OBX")?, b"NTE|1||checked")?;
//! assert_eq!(
//!     message.as_bytes(),
//!     b"MSH|^~\\&|LAB|HOSPITAL|EHR||20260101120000||ORU^R01|M1|P|2.5\r\
//!       PID|1||1001^^^MR~2002^^^PI||DOE \\T\\ SON^JANE||||||1 MAIN ST^^SPRINGFIELD\r\
//!       OBX|1|NM|GLU||5.4\r\
//!       NTE|1||checked\r"
//! );
//! # Ok::<(), hl7_edit::Error>(())
//! ```
//!
//! A [`MessageBuf`] is to [`hl7_peek::Message`] what a `String` is to a `&str`: it has the bytes, and
//! `message()` lends them for reading. Paths, delimiters and character sets are those of `hl7_peek`.
//!
//! # Text and raw bytes
//!
//! [`Content::Text`] is one value, and all of it is escaped. [`Content::Raw`] is written as it stands,
//! with its separators and escape sequences, except for what would end the node that it is written to.
//! CR, LF and the bytes 0B and 1C, which end a segment or an MLLP frame, are always escaped.
//!
//! # What is refused
//!
//! * A batch: a path names one message.
//! * MSH-1 and MSH-2, on which every other byte depends. [`MessageBuf::reencode`] changes them and
//!   everything with them.
//! * A segment or repetition with a gap before it, and more than 9,999 new positions.
//! * A text that needs an escape character which MSH-2 does not define: nothing is replaced by blanks.
//! * A text that ends inside a character of more than one byte, which would take the delimiter after it.
//!
//! # Cost
//!
//! Each call searches from the start of the message and moves the bytes after the change.
//! [`reencode`](MessageBuf::reencode) writes all of them. Panics: none, for any input. No byte of a
//! message appears in an [`Error`] or in the `Debug` output of any type here.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod encode;
mod error;
mod message_buf;
mod place;
mod segment;
mod syntax;
mod transcode;

pub use encode::Content;
pub use error::Error;
pub use message_buf::MessageBuf;
