//! MLLP frames from bytes and bytes from frames, without storage of its own, the same for every
//! chunking of a stream.
//!
//! ```
//! use mllp_core::{Config, ReceiveBuffer, Received};
//!
//! let mut buffer = ReceiveBuffer::new([0; 4096], Config::DEFAULT);
//! let fed = buffer.feed(b"\x0bMSH|^~\\&|LAB\r\x1c\r");
//! match fed.event {
//!     Some(Received::Frame(frame)) => assert_eq!(frame.payload, b"MSH|^~\\&|LAB\r"),
//!     _ => unreachable!(),
//! }
//! ```
//!
//! The minimal lower layer protocol puts a message between a start block and an end block:
//! `<SB> payload <EB><CR>`, `0B .. 1C 0D`. The specification calls the unit a *block* and its
//! content *data*; here they are a **frame** and its **payload**, everywhere.
//!
//! # One machine, three uses
//!
//! | type | the payload | for |
//! |---|---|---|
//! | [`Scanner`] | leaves as spans of the input | messages larger than memory |
//! | [`Decoder`] | is borrowed from the caller's buffer | hosts that own a buffer for each connection |
//! | [`ReceiveBuffer`] | is borrowed from the chunk, or put together in its storage | everyone else |
//!
//! "Need more" is a value: `event` is `None`. Nothing a peer sends is an error of a call, nothing
//! disappears without an event, every event has its offset in the stream, and a fault ends one
//! frame, never the stream.
//!
//! # Profiles
//!
//! [`Profile::Permissive`], the default, answers every sender at once:
//!
//! | state | byte | result |
//! |---|---|---|
//! | outside | start block | opens a frame |
//! | outside | other | discarded, reported as one run when the run ends |
//! | in a frame | end block | the frame is complete |
//! | in a frame | start block | payload, [`Deviation::SbInPayload`] |
//! | in a frame | one byte over the limit | [`Fault::TooLarge`]; skipped up to the end block |
//! | after the end block | trailer | swallowed, however the reads were cut |
//! | after the end block | other | [`Deviation::MissingCr`], then as outside |
//!
//! [`Profile::Resync`] never fuses two messages, and [`Profile::Strict`] is the grammar:
//!
//! | state | byte | `resync` | `strict` |
//! |---|---|---|---|
//! | in a frame | start block | [`Fault::SbInBlock`], opens a new frame | the same |
//! | in a frame | other below `20`, not CR | payload | [`Fault::IllegalByte`] |
//! | in a frame | one byte over the limit | [`Fault::TooLarge`], then outside | the same |
//! | after an end block | trailer | the frame is complete | the same |
//! | after an end block | start block, idle, end of stream | complete, [`Deviation::MissingCr`] | [`Fault::MissingCr`] |
//! | after an end block | LF | complete, [`Deviation::LfForCr`] | [`Fault::MissingCr`] |
//! | after an end block | other | both are payload, [`Deviation::FsInPayload`] | [`Fault::MissingCr`] |
//!
//! At the end of the stream an open frame is lost, with [`Fault::Truncated`].
//!
//! # Limits, panics, costs
//!
//! Payloads are limited to [`Config::max_payload_len`] bytes, 1 MiB by default. Offsets and
//! counters are 64 bits wide. No function panics. Time is linear in the number of bytes for every
//! chunking: one search over each payload byte, nothing rescanned. Nothing is allocated; a
//! [`Scanner`] is about 200 bytes.
//!
//! # Features
//!
//! `std` (off): lets `memchr` choose AVX2 at run time. It changes no behaviour.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bytes;
mod config;
mod counters;
mod decoder;
mod encode;
mod error;
mod event;
mod find;
mod framing;
mod receive_buffer;
mod scanner;

pub use config::{Config, Profile};
pub use counters::Counters;
pub use decoder::{Decoded, Decoder, Frame, Received};
pub use encode::{encode, encode_slices, encode_with, encoded_len};
pub use error::Error;
pub use event::{Deviation, Deviations, Discard, DiscardReason, Event, Fault, FrameEnd, FrameKind};
pub use framing::{CARRIAGE_RETURN, END_BLOCK, Framing, START_BLOCK};
pub use receive_buffer::{ReceiveBuffer, Storage};
pub use scanner::{Scanner, Step};
