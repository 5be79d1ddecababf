//! What both ends of a link can report.

/// What a link reports: `MLLP_LINK_*`.
pub type mllp_link_event_kind_t = u32;

/// Nothing has happened: read, send, or wait for the deadline.
pub const MLLP_LINK_NONE: mllp_link_event_kind_t = 0;
/// Responders: a complete message. `ticket` for its one answer, `payload`, `offset` of its start
/// block, `frame_kind`, `deviations`. From a stream responder `payload` is empty: what has come
/// since `MLLP_LINK_START` is the message.
pub const MLLP_LINK_MESSAGE: mllp_link_event_kind_t = 1;
/// Responders: a message over the limit is to be refused, with `MLLP_OVER_LIMIT_REFUSE`: `refusal`
/// for that, or later answers wait for ever; `offset` of the first byte over the limit. `payload`
/// has its beginning, except from a stream responder: there, what has come since the start is no
/// message.
pub const MLLP_LINK_TOO_LARGE: mllp_link_event_kind_t = 2;
/// A message or a reply was lost: `fault`, `offset` of the byte that showed it. A message is not
/// answered then; from a stream responder, what has come since the start is none.
pub const MLLP_LINK_FAULT: mllp_link_event_kind_t = 3;
/// Responders: a commit block of MLLP release 2 about an answer: `positive`.
pub const MLLP_LINK_COMMIT: mllp_link_event_kind_t = 4;
/// The peer left the grammar behind a frame that was delivered: `deviations` has what it did,
/// `offset` the byte that showed it.
pub const MLLP_LINK_WARNING: mllp_link_event_kind_t = 5;
/// Bytes in no frame: `offset`, `len`, `discard_reason`, `blank`.
pub const MLLP_LINK_DISCARD: mllp_link_event_kind_t = 6;
/// Responders: the first bytes of the connection are of another protocol: `protocol`. Once, before
/// the discards of these bytes; whether the connection goes on is for the caller to say.
pub const MLLP_LINK_PROTOCOL: mllp_link_event_kind_t = 7;
/// Responders: the time for sending ran out and the link was given up: `answers` places, answered
/// or not, were not done. At most once, also behind `MLLP_LINK_CLOSING`.
pub const MLLP_LINK_ANSWERS_LOST: mllp_link_event_kind_t = 8;
/// Responders: once. Nothing more will be delivered, `close_reason`. When all answers are sent the
/// connection can be closed.
pub const MLLP_LINK_CLOSING: mllp_link_event_kind_t = 9;
/// Stream responder: a frame begins, at `offset`.
pub const MLLP_LINK_START: mllp_link_event_kind_t = 10;
/// Stream responder: the MSH segment has come whole, or as much of it as is kept. At most once in a
/// frame, behind the span that ends there.
pub const MLLP_LINK_HEADER: mllp_link_event_kind_t = 11;
/// Stream responder: the next bytes of the message are `payload`, MSH included. How it is cut into
/// spans depends on the input; their concatenation does not.
pub const MLLP_LINK_SPAN: mllp_link_event_kind_t = 12;
/// Initiator: the end of a message, `handle`; each one that was submitted has exactly one.
/// `verdict` says what it is, where `MLLP_ACTION_RETRY` means that the attempts are used up;
/// `reply` is the reply that gave it.
pub const MLLP_LINK_VERDICT: mllp_link_event_kind_t = 13;
/// Initiator: enhanced mode, the receiver has stored the message `handle` (CA). Its application
/// acknowledgment is still to come.
pub const MLLP_LINK_STORED: mllp_link_event_kind_t = 14;
/// Initiator: the message `handle` will be sent again, not before `at`, because of `verdict`.
pub const MLLP_LINK_RETRY: mllp_link_event_kind_t = 15;
/// Initiator: a reply, `reply`, that belongs to no message in flight, by `stray`. It is never a
/// success of anything.
pub const MLLP_LINK_STRAY: mllp_link_event_kind_t = 16;
/// Initiator: the connection must be given up, with whatever is being written to it. A late reply
/// on it could be taken for another's, or what is left on it could swallow the next one.
pub const MLLP_LINK_RECONNECT: mllp_link_event_kind_t = 17;
