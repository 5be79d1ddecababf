//! Both ends of an MLLP link as state machines, without a clock or a socket.
//!
//! A [`Responder`] receives messages and answers them; an [`Initiator`] sends messages and gives each
//! one verdict. The host moves bytes and tells the time. This is the whole loop of a host that
//! receives, here with a message at hand in place of a socket:
//!
//! ```
//! use ack_gen::{Ack, AckCode, Timestamp};
//! use mllp_link::{Responder, ResponderConfig, ResponderEvent};
//!
//! let mut now = 0; // milliseconds of any clock that never goes back
//! let mut responder: Responder<_, _, 4> =
//!     Responder::new([0u8; 4096], [0u8; 4096], ResponderConfig::DEFAULT, now);
//! let mut socket_in = &b"\x0bMSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|M1|P|2.5\r\x1c\r"[..];
//! let mut socket_out = Vec::new();
//!
//! while !responder.is_finished() {
//!     while let Some(event) = responder.next_event(now) {
//!         if let ResponderEvent::Message(ticket, _arrived) = event {
//!             let stored = !responder.payload().is_empty(); // the handler's work
//!             let code = if stored { AckCode::AA } else { AckCode::AE };
//!             let time = Timestamp::utc(1_767_323_045);
//!             let ack = Ack::always(code, None, b"4711", time.as_bytes());
//!             responder.answer(ticket, &ack, now).expect("an answer of ordinary size fits");
//!         }
//!     }
//!     let len = responder.outgoing().len(); // what the socket takes of it
//!     socket_out.extend_from_slice(responder.outgoing());
//!     responder.sent(len, now);
//!     if responder.wants_input() {
//!         match responder.receive(socket_in, now) {
//!             0 => responder.peer_closed(now),
//!             len => socket_in = &socket_in[len..],
//!         }
//!     }
//!     now += 1; // or wait for the socket, until responder.next_deadline()
//!     responder.on_time(now);
//! }
//! assert!(socket_out.ends_with(b"MSA|AA|M1\r\x1c\r"));
//! ```
//!
//! # Messages larger than memory
//!
//! A [`StreamResponder`] gives out payloads as they pass and keeps the header alone:
//!
//! ```
//! use ack_gen::{Ack, AckCode};
//! use mllp_link::{ResponderConfig, StreamEvent, StreamResponder};
//!
//! let mut now = 0;
//! let mut responder: StreamResponder<_, 512, 4> =
//!     StreamResponder::new([0u8; 4096], ResponderConfig::DEFAULT, now);
//! let first = &b"\x0bMSH|^~\\&|PACS||||2026||MDM^T02|M1|P|2.5\rOBX|1|ED|"[..];
//! let mut socket_in = [first, b"scan\r\x1c\r"].into_iter();
//! let (mut socket_out, mut file, mut input) = (Vec::new(), Vec::new(), &b""[..]);
//!
//! while !responder.is_finished() {
//!     if responder.wants_input() && input.is_empty() {
//!         match socket_in.next() {
//!             Some(bytes) => input = bytes,
//!             None => responder.peer_closed(now),
//!         }
//!     }
//!     loop {
//!         let step = responder.step(input, now);
//!         input = &input[step.consumed..];
//!         match step.event {
//!             Some(StreamEvent::Start { .. } | StreamEvent::Lost { .. }) => file.clear(),
//!             Some(StreamEvent::Span(bytes)) => file.extend_from_slice(bytes),
//!             Some(StreamEvent::End(ticket, _arrived)) => {
//!                 let ack = Ack::always(AckCode::AA, None, b"4711", b"20260101"); // it is stored
//!                 responder.answer(ticket, &ack, now).expect("an answer of ordinary size fits");
//!             }
//!             Some(_) => {}
//!             None => break,
//!         }
//!     }
//!     let len = responder.outgoing().len();
//!     socket_out.extend_from_slice(responder.outgoing());
//!     responder.sent(len, now);
//!     now += 1; // or wait for the socket, until responder.next_deadline()
//!     responder.on_time(now);
//! }
//! assert!(file.ends_with(b"OBX|1|ED|scan\r"));
//! assert!(socket_out.ends_with(b"MSA|AA|M1\r\x1c\r"));
//! ```
//!
//! Both responders are an [`Answering`]: they differ in how they receive, and answer the same way.
//!
//! # What holds
//!
//! * Every complete frame is answered once, in the order of arrival, in whatever order the host
//!   finishes. A positive answer needs a [`Ticket`], and only a complete frame has one.
//!   [`Responder::settled`] tells when an answer has left.
//! * A connection closes once: [`ResponderEvent::Closing`]. Answers that nobody took are counted:
//!   [`ResponderEvent::AnswersLost`].
//! * A reply is credited to the message whose MSH-10 its MSA-2 repeats, for every code; late, foreign
//!   and doubled replies are events. After a reply that did not come, the connection is given up.
//! * Every verdict says what became of the message, its [`Fate`]. After CA a message is never sent
//!   again.
//! * Times are values: [`Responder::next_deadline`] and [`Initiator::next_deadline`] say when
//!   `on_time` is to be called.
//! * What a reply means is a list of [`Rules`]; every [`Verdict`] names the one that gave it.
//!
//! [`conformant_answer`] decides which answer a message gets by the policy `conformant`.
//! [`Detector`] tells by the first bytes of a connection which protocol is spoken; both responders
//! use it. [`ProxyHeader`] reads the header that a proxy puts before the bytes of its client; a host
//! that expects one reads it first, and gives a responder what follows.
//!
//! # Limits, panics, costs
//!
//! Memory is what the caller brings, and fixed-capacity lists of as many entries as messages may be
//! without an answer. Storage that grows takes what a message or an answer needs, and may shrink when
//! nothing is in it. No function panics or allocates.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod answering;
mod answers;
mod conformant;
mod conversation;
mod detect;
mod error;
mod event;
mod fate;
mod header;
mod initiator;
mod outbox;
mod proxy;
mod recent;
mod reply;
mod responder;
mod rules;
mod settings;
mod stream;
mod submission;
mod timer;

pub use answering::{Answering, Receiving};
pub use answers::{Refusal, Ticket};
pub use conformant::conformant_answer;
pub use detect::{Detection, Detector, Protocol, ProtocolVerdict, detect};
pub use error::{AnswerError, Unanswered, Unrefused};
pub use event::{Arrived, CloseReason, Fed, Refuse, ResponderEvent, StreamEvent, StreamStep};
pub use fate::Fate;
pub use initiator::Initiator;
pub use proxy::{ProxyError, ProxyHeader, ProxyOrigin};
pub use reply::answers;
pub use responder::{Responder, Stored};
pub use rules::{Action, Condition, ReplyKind, Rule, RuleError, RuleErrorKind, Rules, Verdict};
pub use settings::{OverLimit, ResponderConfig};
pub use stream::{Passing, StreamResponder};
pub use submission::{
    Handle, InitiatorConfig, InitiatorEvent, MAX_RULES, SpanError, Stray, SubmitError,
};
pub use timer::{Expired, Millis, Times};
