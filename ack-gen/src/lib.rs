//! The HL7 v2 acknowledgment for a message: which one it gets, and the bytes of it.
//!
//! ```
//! use ack_gen::{Ack, AckCode, Timestamp};
//! use hl7_peek::MessageHeader;
//!
//! let message = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|M1|P|2.5\rPID|1\r";
//! let header = MessageHeader::parse_lenient(message);
//! let now = Timestamp::utc(1_767_323_045);
//! let ack = Ack::always(AckCode::AA, header.as_ref(), b"4711", now.as_bytes());
//! let mut out = [0; 256];
//! let len = ack.encode(&mut out)?;
//! assert_eq!(
//!     &out[..len],
//!     b"MSH|^~\\&|HIS|H|LAB|L|20260102030405||ACK^R01|4711|P|2.5\rMSA|AA|M1\r"
//! );
//! # Ok::<(), ack_gen::Error>(())
//! ```
//!
//! # Two policies
//!
//! [`Policy::Always`], the default, answers every complete frame: what the message lacks takes a
//! default, so that no sender waits for an answer that never comes. [`Policy::Conformant`] is
//! chapter 2 of the standard.
//!
//! | field | `always` | `conformant` |
//! |---|---|---|
//! | MSH-1, MSH-2 | the message's, when MSH-2 has exactly four usable characters, else `^~\&`; `\|^~\&` when that collides | the message's, when its header was read by it, else as `always` |
//! | MSH-3, MSH-4 | the message's MSH-5, MSH-6, or `FASTMLLP` | the message's MSH-5, MSH-6 |
//! | MSH-5, MSH-6 | the message's MSH-3, MSH-4, or `UNKNOWN` | the message's MSH-3, MSH-4 |
//! | MSH-7 | the `timestamp` of the caller: [`Timestamp::utc`] | the same: [`Timestamp::with_offset`] |
//! | MSH-9 | `ACK^trigger` or `ACK` | the same; from 2.4 on `ACK^trigger^ACK` |
//! | MSH-11 | the message's, or `P` | the same |
//! | MSH-12 | the message's, or `2.3` | the message's, or `2.5.1` |
//! | MSH-18 | none; the message's, if anything is not ASCII | the first repetition of the message's; all, if anything is not ASCII |
//! | MSH-20 | none; the message's, if anything is not ASCII | the same |
//! | MSH-21 | none | none |
//! | MSA-2 | the message's MSH-10, or the new control ID | the message's MSH-10 |
//!
//! # Which acknowledgment
//!
//! [`Request::decide`] is the decision table for original and enhanced mode, [`check`] the tests that
//! a header must pass before a positive answer, [`SequenceReceiver`] the sequence number protocol.
//! [`ConformantAnswer`] puts the first two together to the one answer that goes back on the connection.
//! None of them writes anything: they return codes and error details for an [`Ack`].
//!
//! # Limits, panics, costs
//!
//! Time and control ID are arguments. No function panics, nothing is allocated. Encoding is one
//! pass over what is written. Fields are copied as bytes, in the character set of the message; the
//! bytes `0B`, `1C`, carriage return, line feed and the field separator inside a copied field are
//! written as escapes, because they would end the frame, the segment or the field.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod ack;
mod character_set;
mod check;
mod code;
mod conformant;
mod decision;
mod detail;
mod err;
mod error;
mod separators;
mod sequence;
mod timestamp;
mod version;
mod writer;

pub use ack::{Ack, Policy};
pub use check::{AcceptLists, HeaderErrors, Receipt, check};
pub use code::{AckCode, Outcome, Phase};
pub use conformant::ConformantAnswer;
pub use decision::{Condition, Decision, Inbound, Mode, Request};
pub use detail::{ErrorCode, ErrorDetail, Location, Severity};
pub use error::Error;
pub use sequence::{SequenceAction, SequenceAnswer, SequenceReceiver};
pub use timestamp::Timestamp;

// The Rust example of the project's README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
