//! What the engine and a worker say to each other over their socket.
//!
//! ```text
//! worker                                   engine
//!   Hello (or Refusal) ───────────────────►
//!          ◄──────────────────── Batch, Message, Message, ...
//!   Rest of message 1 ────────────────────►      only where the function asks for it
//!          ◄──────────────────── Chunk, Chunk, ... (or Unreadable)
//!   Answer to message 0, 1, ... ──────────►      in order, each once
//!          ◄──────────────────── Probe
//!   Alive ────────────────────────────────►
//!          ◄──────────────────── End
//! ```

use mllp_pipeline::Failure;

use super::{Answer, Kind, Sent};
use crate::program::{Fields, put, put_all};
pub(crate) use crate::program::{Incoming, Outgoing, Payload, broken};

/// Both ends say it first. Any change of a frame makes it another.
pub(crate) const VERSION: u16 = 1;
/// What the engine says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FromEngine<'a> {
    /// Run this function on the messages that follow.
    Batch {
        batch: u64,
        kind: Kind,
        function: &'a str,
        count: u32,
    },
    Message(MessageFrame<'a>),
    /// The next bytes of the message whose rest was asked for.
    Chunk(Payload<'a>),
    /// The rest cannot be read now.
    Unreadable,
    Probe,
    End,
}

/// One message of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MessageFrame<'a> {
    pub(crate) number: u64,
    pub(crate) received: u64,
    pub(crate) hops: u8,
    pub(crate) inbound: &'a str,
    /// The length of all of it.
    pub(crate) len: u64,
    /// Its first bytes: all of them, unless it is large.
    pub(crate) beginning: Payload<'a>,
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FromWorker<'a> {
    Hello {
        version: u16,
        routers: Vec<&'a str>,
        handlers: Vec<&'a str>,
    },
    /// It cannot work, for this reason.
    Refusal(&'a str),
    /// The answer to a probe.
    Alive,
    /// The rest of this message of the batch is needed.
    Rest(u32),
    /// What the function has made of this message of the batch.
    Answer(u32, Answer<'a>),
}

impl Outgoing {
    pub(crate) fn engine(&mut self, said: FromEngine<'_>) {
        match said {
            FromEngine::Batch { batch, kind, function, count } => self.frame(1, |out| {
                out.extend_from_slice(&batch.to_le_bytes());
                out.push(u8::from(kind == Kind::Handler));
                out.extend_from_slice(&count.to_le_bytes());
                put(out, function.as_bytes());
            }),
            FromEngine::Message(it) => self.frame(2, |out| {
                out.extend_from_slice(&it.number.to_le_bytes());
                out.extend_from_slice(&it.received.to_le_bytes());
                out.push(it.hops);
                out.extend_from_slice(&it.len.to_le_bytes());
                put(out, it.inbound.as_bytes());
                put(out, it.beginning.0);
                // What a later version adds comes here.
            }),
            FromEngine::Chunk(bytes) => self.frame(3, |out| out.extend_from_slice(bytes.0)),
            FromEngine::Unreadable => self.frame(4, |_| ()),
            FromEngine::Probe => self.frame(5, |_| ()),
            FromEngine::End => self.frame(6, |_| ()),
        }
    }

    pub(crate) fn worker(&mut self, said: &FromWorker<'_>) {
        match said {
            FromWorker::Hello { version, routers, handlers } => self.frame(1, |out| {
                out.extend_from_slice(&version.to_le_bytes());
                put_all(out, routers);
                put_all(out, handlers);
            }),
            FromWorker::Refusal(why) => self.frame(2, |out| put(out, why.as_bytes())),
            FromWorker::Alive => self.frame(3, |_| ()),
            FromWorker::Rest(n) => self.frame(4, |out| out.extend_from_slice(&n.to_le_bytes())),
            FromWorker::Answer(n, answer) => self.answer(*n, answer),
        }
    }

    pub(crate) fn answer(&mut self, n: u32, answer: &Answer<'_>) {
        let kind = match answer {
            Answer::Handlers(_) => 5,
            Answer::Sends(_) => 6,
            Answer::Failed { .. } => 7,
        };
        self.frame(kind, |out| {
            out.extend_from_slice(&n.to_le_bytes());
            match answer {
                Answer::Handlers(names) => put_all(out, names),
                Answer::Sends(sends) => {
                    out.extend_from_slice(&(sends.len() as u32).to_le_bytes());
                    for Sent { to, bytes } in sends {
                        put(out, to.as_bytes());
                        out.push(u8::from(bytes.is_some()));
                        put(out, bytes.unwrap_or_default());
                    }
                }
                Answer::Failed { failure, note, trace } => {
                    out.push(u8::from(*failure != Failure::Content));
                    put(out, note.as_bytes());
                    put(out, trace.as_bytes());
                }
            }
        });
    }
}

impl<'a> FromEngine<'a> {
    /// `None`: this is no such frame.
    pub(crate) fn parse((kind, bytes): (u8, &'a [u8])) -> Option<Self> {
        let mut fields = Fields(bytes);
        let said = match kind {
            1 => {
                let batch = fields.u64()?;
                let kind = if fields.u8()? == 0 { Kind::Router } else { Kind::Handler };
                let (count, function) = (fields.u32()?, fields.text()?);
                FromEngine::Batch { batch, kind, function, count }
            }
            2 => FromEngine::Message(MessageFrame {
                number: fields.u64()?,
                received: fields.u64()?,
                hops: fields.u8()?,
                len: fields.u64()?,
                inbound: fields.text()?,
                beginning: Payload(fields.bytes()?),
            }),
            3 => FromEngine::Chunk(Payload(bytes)),
            4 => FromEngine::Unreadable,
            5 => FromEngine::Probe,
            6 => FromEngine::End,
            _ => return None,
        };
        Some(said)
    }
}

impl<'a> FromWorker<'a> {
    /// `None`: this is no such frame.
    pub(crate) fn parse((kind, bytes): (u8, &'a [u8])) -> Option<Self> {
        let mut fields = Fields(bytes);
        let said = match kind {
            1 => {
                let (version, routers) = (fields.u16()?, fields.texts()?);
                FromWorker::Hello { version, routers, handlers: fields.texts()? }
            }
            2 => FromWorker::Refusal(fields.text()?),
            3 => FromWorker::Alive,
            4 => FromWorker::Rest(fields.u32()?),
            5 => FromWorker::Answer(fields.u32()?, Answer::Handlers(fields.texts()?)),
            6 => FromWorker::Answer(fields.u32()?, Answer::Sends(fields.sends()?)),
            7 => {
                let n = fields.u32()?;
                let ours = fields.u8()? != 0;
                let failure = if ours { Failure::Infrastructure } else { Failure::Content };
                let (note, trace) = (fields.text()?, fields.text()?);
                FromWorker::Answer(n, Answer::Failed { failure, note, trace })
            }
            _ => return None,
        };
        fields.is_empty().then_some(said)
    }
}

impl<'a> Fields<'a> {
    fn sends(&mut self) -> Option<Vec<Sent<'a>>> {
        let count = self.u32()?;
        let mut one = || {
            let (to, has_bytes, bytes) = (self.text()?, self.u8()? != 0, self.bytes()?);
            Some(Sent { to, bytes: has_bytes.then_some(bytes) })
        };
        (0..count).map(|_| one()).collect()
    }
}

/// Which message a worker runs, as it stands in a file that both have open: it outlives the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The last 32 bits of the batch.
    pub(crate) batch: u32,
    /// The place of the message in the batch.
    pub(crate) index: u32,
    /// Whether the function has returned from it. Set for the last message of a batch alone.
    pub(crate) returned: bool,
}

impl Mark {
    pub(crate) const fn new(batch: u64, index: u32, returned: bool) -> Mark {
        Mark { batch: batch as u32, index, returned }
    }

    pub(crate) fn bytes(self) -> [u8; 8] {
        let place = u64::from(self.index) << 1 | u64::from(self.returned);
        (u64::from(self.batch) << 32 | place).to_le_bytes()
    }

    pub(crate) fn of(bytes: [u8; 8]) -> Mark {
        let number = u64::from_le_bytes(bytes);
        let (batch, index) = ((number >> 32) as u32, number as u32 >> 1);
        Mark { batch, index, returned: number & 1 == 1 }
    }
}

#[cfg(test)]
mod tests;
