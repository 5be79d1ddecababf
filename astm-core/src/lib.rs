//! Both ends of an ASTM E1381 / LIS01 link, and LIS02 records read and written in place, without an
//! allocator, a clock or a socket.
//!
//! An analyzer asks for the line (ENQ), sends numbered frames with a check sum, each of which is
//! acknowledged, and gives the line back (EOT). A [`Link`] does this in both directions; the host moves
//! bytes and tells the time. This is the whole loop of a host that receives:
//!
//! ```
//! use astm_core::{Link, LinkConfig, LinkEvent, Message, Path, ReceiverEvent};
//!
//! let mut now = 0; // milliseconds of any clock that never goes back
//! let mut link = Link::new([0u8; 4096], LinkConfig::DEFAULT, now);
//! let line = [
//!     &b"\x05"[..],
//!     b"\x021H|\\^&|||LAB\r\x0328\r\n\x022R|1|^^^GLU|5.4\r\x03D2\r\n\x023L|1|N\r\x0306\r\n",
//!     b"\x04",
//! ];
//! let (mut out, mut replies, mut stored) = ([0; 256], Vec::new(), Vec::new());
//! for mut read in line {
//!     loop {
//!         let fed = link.feed(read, now);
//!         read = &read[fed.consumed..];
//!         match fed.event {
//!             Some(LinkEvent::Received(ReceiverEvent::Frame(ticket, _))) => {
//!                 link.accept(ticket, now);
//!             }
//!             Some(LinkEvent::Received(ReceiverEvent::Message(ticket, _))) => {
//!                 let message = Message::parse(link.message()).expect("a link gives whole messages");
//!                 stored.extend_from_slice(message.get(Path::parse("R-4").unwrap()).unwrap());
//!                 link.accept(ticket, now); // only now: with this ACK the message is ours
//!             }
//!             Some(_) => {}
//!             None => break,
//!         }
//!     }
//!     let len = link.outgoing(b"", &mut out).unwrap();
//!     replies.extend_from_slice(&out[..len]);
//!     link.sent(now);
//!     now += 1; // or wait for the line, until link.next_deadline()
//!     link.on_time(now);
//! }
//! assert_eq!(stored, b"5.4");
//! assert_eq!(replies, b"\x06\x06\x06\x06");
//! ```
//!
//! # When is what acknowledged
//!
//! A sender keeps a message until its last frame is acknowledged, and sends all of it again after
//! anything else. Nothing answers EOT. So **the message is the sender's until the ACK of the frame that
//! completes it, and ours with that ACK**:
//!
//! | what leaves | what must be true before |
//! |---|---|
//! | ACK to ENQ | there is room, [`Receiver::set_ready`]; otherwise NAK |
//! | ACK to a frame that completes nothing | its sum and number are right, and there is room |
//! | ACK to the frame that completes the L record | the host has said [`Receiver::accept`]: the message is stored |
//! | NAK to that frame | the host said [`Receiver::refuse`], or has not answered within [`Times::handler`] |
//! | ACK to a repeated frame | the host has accepted it, before or since |
//!
//! # What noise does
//!
//! A receiver never refuses a frame before its end has passed or the line is quiet, and no ENQ or EOT
//! inside a frame counts before the line has been silent for [`Times::broken_off`]: one bit turns `E` into
//! ENQ, and an ACK at that moment would be taken for the answer to the frame. Even then ENQ is refused: a
//! frame that became ENQ is sent again, and a sender that was restarted waits and asks again. The same holds
//! for an ENQ between frames. A message begins with a header record, so that a session which noise has cut in two is
//! refused, and sent again from its beginning.
//!
//! The check sum is eight bits wide and blind to the order of bytes, and an acknowledgment is a single
//! byte without a check: *accepted* never means *right*. Let the serial port use parity.
//!
//! # Parts
//!
//! | type | what |
//! |---|---|
//! | [`Scanner`] | bytes to frames; text leaves as spans of the input |
//! | [`Receiver`] | judges frames, puts messages together, answers |
//! | [`Sender`] | sends one message, and gives it a verdict |
//! | [`Link`] | both of them on one line: who may speak, contention, interrupts |
//! | [`encode_frame`], [`checksum`] | one frame |
//! | [`Message`], [`Record`], [`Path`] | views of a message: `R[2]-4`, `O-3.1` |
//! | [`RecordWriter`], [`escape`], [`unescape`] | records into a buffer of the caller |
//!
//! # Limits, panics, costs
//!
//! Nothing panics or allocates, for any input. Each byte of a text is looked at once by the scanner, and
//! once more to recognise a repeated frame. No text appears in an error or in the `Debug` output of any
//! type: records are health data.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod buffer;
mod control;
mod delimiters;
mod error;
mod escape;
mod event;
mod frame;
mod link;
mod message;
mod path;
mod receiver;
mod record;
mod results;
mod scan;
mod scanner;
mod sender;
mod settings;
mod text;
mod writer;

pub use buffer::Storage;
pub use control::Control;
pub use delimiters::Delimiters;
pub use error::Error;
pub use escape::{escape, unescape};
pub use event::{
    Completed, Deviation, Deviations, Discard, EndReason, Fault, FrameInfo, ReceiverEvent, Ticket,
};
pub use frame::{
    FRAME_OVERHEAD, FrameEnding, FrameNumber, MAX_TEXT_E1381, MAX_TEXT_LIS01, checksum,
    encode_frame,
};
pub use link::{Full, Handle, Link, LinkConfig, LinkEvent, LinkFed};
pub use message::{Message, RecordDeviation};
pub use path::Path;
pub use receiver::{Answered, Fed, Receiver};
pub use record::{Record, RecordKind, Records};
pub use results::{ResultContext, Results};
pub use scan::Scan;
pub use scanner::{Event, Frame, Scanner, Step, Sum};
pub use sender::{SendVerdict, Sender, SenderEvent, SenderStep};
pub use settings::{
    Checksum, Content, FrameNumbers, Millis, Packing, Profile, ReceiverConfig, Role, SenderConfig,
    SlowHandler, Times,
};
pub use writer::{RecordInProgress, RecordWriter};
