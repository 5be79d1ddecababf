//! Values of an HL7 v2 message as strings of Python.
//!
//! Which character set a message is in, and what its bytes are as text, is decided here alone: for
//! `fastmllp`, and for the message that `fastmllp-engine` gives to routers and handlers.

#![forbid(unsafe_code)]

mod codecs;
mod iso_2022;
mod sets;

pub use codecs::{codecs_of, default_codec, has_alternates, is_wide};
pub use sets::{Sets, UnknownSet, decode, unescaped};
