//! What the engine and the process of a connector say to each other.
//!
//! ```text
//! process of an inbound                    engine
//!          ◄──────────────────── Welcome
//!   Hello (or Refusal) ───────────────────►
//!   Part, Part, ..., Submit (or GiveUp) ──►      received
//!          ◄──────────────────── Submitted       committed, or not
//!          ◄──────────────────── Paused, End
//!
//! process of an outbound
//!   Ready, NotReady ──────────────────────►
//!          ◄──────────────────── Deliver         claimed
//!   More ─────────────────────────────────►      only of what is large
//!          ◄──────────────────── Piece (or Unreadable)
//!   Delivered, Failed ────────────────────►      classified
//! ```

use mllp_io::{Outcome, Stored, Submitted};

use crate::program::{Fields, Outgoing, Payload, put};

/// Both ends say it. Any change of a frame makes it another.
pub(super) const VERSION: u16 = 1;

/// What the engine says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FromEngine<'a> {
    Welcome {
        version: u16,
        is_inbound: bool,
        connection: &'a str,
    },
    /// Whether a message that is submitted waits.
    Paused(bool),
    Submitted(Submitted),
    Deliver(DeliveryFrame<'a>),
    /// A piece of this delivery.
    Piece(u64, Payload<'a>),
    /// A piece of this delivery cannot be read now.
    Unreadable(u64),
    End,
}

/// A delivery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DeliveryFrame<'a> {
    /// Names it in this process.
    pub(super) number: u64,
    pub(super) message: u64,
    pub(super) attempt: u32,
    pub(super) control_id: &'a [u8],
    /// The length of all of it.
    pub(super) len: u64,
    /// All of it, unless it is large: then nothing.
    pub(super) payload: Payload<'a>,
}

/// What a process says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FromChild<'a> {
    Hello(u16),
    /// It cannot work, for this reason.
    Refusal(&'a str),
    /// The next bytes of a message.
    Part(Payload<'a>),
    /// The message has ended.
    Submit,
    /// The rest of it will not come.
    GiveUp,
    Ready,
    NotReady(&'a str),
    /// The piece with this number of a delivery is needed.
    More(u64, u32),
    /// What has become of a delivery, with a note.
    Done(u64, Outcome, &'a str),
    /// A line of the log.
    Note(u8, &'a str),
}

/// What can become of a delivery, by its number in a frame.
const OUTCOMES: [Outcome; 8] = [
    Outcome::Delivered,
    Outcome::RefusedForGood,
    Outcome::RefusedForNow,
    Outcome::Transport,
    Outcome::Credential,
    Outcome::NoReply,
    Outcome::Unsendable,
    Outcome::Unreadable,
];

impl FromEngine<'_> {
    pub(super) fn write(&self, out: &mut Outgoing) {
        match self {
            FromEngine::Welcome { version, is_inbound, connection } => out.frame(1, |out| {
                out.extend_from_slice(&version.to_le_bytes());
                out.push(u8::from(*is_inbound));
                put(out, connection.as_bytes());
            }),
            FromEngine::Paused(paused) => out.frame(2, |out| out.push(u8::from(*paused))),
            FromEngine::Submitted(submitted) => out.frame(3, |out| {
                let (kind, stored) = match submitted {
                    Submitted::Stored(stored) => (0, Some(stored)),
                    Submitted::NotDelivered(stored) => (1, Some(stored)),
                    Submitted::Refused(stored) => (2, Some(stored)),
                    Submitted::NotStored => (3, None),
                    Submitted::Unknown => (4, None),
                };
                out.push(kind);
                let (message, first) = stored.map_or((0, None), |it| (it.message, it.duplicate_of));
                out.extend_from_slice(&message.to_le_bytes());
                out.push(u8::from(first.is_some()));
                out.extend_from_slice(&first.unwrap_or(0).to_le_bytes());
            }),
            FromEngine::Deliver(it) => out.frame(4, |out| {
                out.extend_from_slice(&it.number.to_le_bytes());
                out.extend_from_slice(&it.message.to_le_bytes());
                out.extend_from_slice(&it.attempt.to_le_bytes());
                put(out, it.control_id);
                out.extend_from_slice(&it.len.to_le_bytes());
                put(out, it.payload.0);
            }),
            FromEngine::Piece(number, bytes) => out.frame(5, |out| {
                out.extend_from_slice(&number.to_le_bytes());
                put(out, bytes.0);
            }),
            FromEngine::Unreadable(number) => {
                out.frame(6, |out| out.extend_from_slice(&number.to_le_bytes()));
            }
            FromEngine::End => out.frame(7, |_| ()),
        }
    }

    /// The frame alone.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Outgoing::default();
        self.write(&mut out);
        out.bytes
    }
}

impl<'a> FromEngine<'a> {
    /// `None`: this is no such frame.
    pub(super) fn parse((kind, bytes): (u8, &'a [u8])) -> Option<Self> {
        let mut fields = Fields(bytes);
        let said = match kind {
            1 => {
                let (version, is_inbound) = (fields.u16()?, fields.u8()? != 0);
                FromEngine::Welcome { version, is_inbound, connection: fields.text()? }
            }
            2 => FromEngine::Paused(fields.u8()? != 0),
            3 => {
                let (kind, message) = (fields.u8()?, fields.u64()?);
                let (is_duplicate, first) = (fields.u8()? != 0, fields.u64()?);
                let stored = Stored { message, duplicate_of: is_duplicate.then_some(first) };
                FromEngine::Submitted(match kind {
                    0 => Submitted::Stored(stored),
                    1 => Submitted::NotDelivered(stored),
                    2 => Submitted::Refused(stored),
                    3 => Submitted::NotStored,
                    4 => Submitted::Unknown,
                    _ => return None,
                })
            }
            4 => FromEngine::Deliver(DeliveryFrame {
                number: fields.u64()?,
                message: fields.u64()?,
                attempt: fields.u32()?,
                control_id: fields.bytes()?,
                len: fields.u64()?,
                payload: Payload(fields.bytes()?),
            }),
            5 => FromEngine::Piece(fields.u64()?, Payload(fields.bytes()?)),
            6 => FromEngine::Unreadable(fields.u64()?),
            7 => FromEngine::End,
            _ => return None,
        };
        fields.is_empty().then_some(said)
    }
}

impl FromChild<'_> {
    pub(super) fn write(&self, out: &mut Outgoing) {
        match self {
            FromChild::Hello(version) => {
                out.frame(1, |out| out.extend_from_slice(&version.to_le_bytes()));
            }
            FromChild::Refusal(why) => out.frame(2, |out| put(out, why.as_bytes())),
            FromChild::Part(bytes) => out.frame(3, |out| put(out, bytes.0)),
            FromChild::Submit => out.frame(4, |_| ()),
            FromChild::GiveUp => out.frame(5, |_| ()),
            FromChild::Ready => out.frame(6, |_| ()),
            FromChild::NotReady(why) => out.frame(7, |out| put(out, why.as_bytes())),
            FromChild::More(number, n) => out.frame(8, |out| {
                out.extend_from_slice(&number.to_le_bytes());
                out.extend_from_slice(&n.to_le_bytes());
            }),
            FromChild::Done(number, outcome, note) => out.frame(9, |out| {
                let kind = OUTCOMES.iter().position(|it| it == outcome).unwrap_or(0);
                out.extend_from_slice(&number.to_le_bytes());
                out.push(kind as u8);
                put(out, note.as_bytes());
            }),
            FromChild::Note(level, text) => out.frame(10, |out| {
                out.push(*level);
                put(out, text.as_bytes());
            }),
        }
    }
}

impl<'a> FromChild<'a> {
    /// `None`: this is no such frame.
    pub(super) fn parse((kind, bytes): (u8, &'a [u8])) -> Option<Self> {
        let mut fields = Fields(bytes);
        let said = match kind {
            1 => FromChild::Hello(fields.u16()?),
            2 => FromChild::Refusal(fields.text()?),
            3 => FromChild::Part(Payload(fields.bytes()?)),
            4 => FromChild::Submit,
            5 => FromChild::GiveUp,
            6 => FromChild::Ready,
            7 => FromChild::NotReady(fields.text()?),
            8 => FromChild::More(fields.u64()?, fields.u32()?),
            9 => {
                let (number, kind) = (fields.u64()?, fields.u8()?);
                FromChild::Done(number, *OUTCOMES.get(usize::from(kind))?, fields.text()?)
            }
            10 => FromChild::Note(fields.u8()?, fields.text()?),
            _ => return None,
        };
        fields.is_empty().then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine_says() -> Vec<FromEngine<'static>> {
        let stored = Stored { message: 1 << 40, duplicate_of: Some(3) };
        let first = Stored { message: 3, duplicate_of: None };
        let delivery = DeliveryFrame {
            number: 5,
            message: 4711,
            attempt: 2,
            control_id: b"M1",
            len: 4,
            payload: Payload(b"MSH|"),
        };
        vec![
            FromEngine::Welcome { version: 1, is_inbound: true, connection: "IB_Ä" },
            FromEngine::Paused(true),
            FromEngine::Submitted(Submitted::Stored(stored)),
            FromEngine::Submitted(Submitted::NotDelivered(first)),
            FromEngine::Submitted(Submitted::Refused(first)),
            FromEngine::Submitted(Submitted::NotStored),
            FromEngine::Submitted(Submitted::Unknown),
            FromEngine::Deliver(delivery),
            FromEngine::Piece(5, Payload(b"\xff")),
            FromEngine::Unreadable(5),
            FromEngine::End,
        ]
    }

    fn child_says() -> Vec<FromChild<'static>> {
        let done = OUTCOMES.map(|it| FromChild::Done(7, it, "AE"));
        let mut said = vec![
            FromChild::Hello(1),
            FromChild::Refusal("no folder"),
            FromChild::Part(Payload(b"MSH|")),
            FromChild::Submit,
            FromChild::GiveUp,
            FromChild::Ready,
            FromChild::NotReady("no route"),
            FromChild::More(7, 3),
            FromChild::Note(2, "two files"),
        ];
        said.extend(done);
        said
    }

    fn cut(bytes: &[u8], parses: impl Fn((u8, &[u8])) -> bool) {
        let (kind, fields) = (bytes[4], &bytes[5..]);
        for len in 0..fields.len() {
            assert!(!parses((kind, &fields[..len])), "{kind} cut at {len}");
        }
        assert!(!parses((kind, &[fields, &[0]].concat())), "{kind} and more");
    }

    #[test]
    fn what_is_said_is_understood_and_nothing_that_is_cut() {
        for said in engine_says() {
            let bytes = said.bytes();
            assert_eq!(FromEngine::parse((bytes[4], &bytes[5..])), Some(said));
            cut(&bytes, |frame| FromEngine::parse(frame).is_some());
        }
        for said in child_says() {
            let mut out = Outgoing::default();
            said.write(&mut out);
            assert_eq!(FromChild::parse((out.bytes[4], &out.bytes[5..])), Some(said));
            cut(&out.bytes, |frame| FromChild::parse(frame).is_some());
        }
        assert!(FromChild::parse((99, &[])).is_none() && FromEngine::parse((99, &[])).is_none());
        let no_outcome = [[7, 0, 0, 0, 0, 0, 0, 0].as_slice(), &[8, 0, 0, 0, 0]].concat();
        assert!(FromChild::parse((9, &no_outcome)).is_none());
    }

    #[test]
    fn what_is_said_shows_no_payload() {
        let shown = format!("{:?} {:?}", engine_says(), child_says());
        assert!(!shown.contains("MSH"), "{shown}");
    }
}
