//! How long a peer may take: deadlines as values, from the caller's clock.

/// A point in time or a length of time, in milliseconds of a clock that never goes back. Which clock
/// is the caller's business; nothing here reads one.
pub type Millis = u64;

/// How long the peer of a [`Responder`](crate::Responder) may take, in milliseconds. 0 turns a time
/// off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Without a byte, between frames. Does not run while an answer is owed.
    pub idle: Millis,
    /// Without a byte, inside a frame.
    pub byte: Millis,
    /// For a whole frame, from its start block on: a sender that drips bytes does not extend it.
    pub frame: Millis,
    /// Without taking a byte of an answer.
    pub send: Millis,
    /// Without a byte behind an end block, where only what follows can tell whether it ends the
    /// frame (profile `resync`). Then the frame is complete; the connection goes on.
    pub trailer: Millis,
}

impl Times {
    /// 10 seconds each, 60 seconds for a whole frame, and a quarter of a second for a trailer.
    pub const DEFAULT: Times =
        Times { idle: 10_000, byte: 10_000, frame: 60_000, send: 10_000, trailer: 250 };
}

impl Default for Times {
    fn default() -> Self {
        Times::DEFAULT
    }
}

/// Which time has run out and ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expired {
    /// [`Times::idle`].
    Idle,
    /// [`Times::byte`].
    Byte,
    /// [`Times::frame`].
    Frame,
    /// [`Times::send`].
    Send,
}

impl Expired {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Expired::Idle => "idle_timeout",
            Expired::Byte => "byte_timeout",
            Expired::Frame => "frame_timeout",
            Expired::Send => "send_timeout",
        }
    }
}

/// What a time that has run out does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// It ends the connection.
    End(Expired),
    /// It completes the open frame.
    Trailer,
}

/// What a responder is waiting for, as its timer sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// Whether it takes bytes at all; a peer that is not read cannot be late.
    pub(crate) reads: bool,
    /// Stream offset of the open frame's start block.
    pub(crate) frame: Option<u64>,
    /// Whether that frame would be complete if nothing more came.
    pub(crate) trailer: bool,
    /// Whether the host owes an answer.
    pub(crate) owes: bool,
    /// Whether bytes wait for the socket.
    pub(crate) sends: bool,
}

/// When what happened last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    times: Times,
    /// The last byte from the peer, or the moment since when it is its turn again.
    last_read: Millis,
    /// The last byte that the socket took, or the moment since when there are some to take.
    last_sent: Millis,
    /// The open frame and when it began.
    frame: Option<(u64, Millis)>,
    /// The time for a trailer has run out, and no byte has come since.
    idle: bool,
    was: Waiting,
}

impl Timer {
    pub(crate) fn new(times: Times, now: Millis) -> Timer {
        let was = Waiting { reads: true, frame: None, trailer: false, owes: false, sends: false };
        Timer { times, last_read: now, last_sent: now, frame: None, idle: false, was }
    }

    /// Bytes came.
    pub(crate) fn read(&mut self, now: Millis) {
        self.last_read = now;
        self.idle = false;
    }

    /// The socket took bytes.
    pub(crate) fn sent(&mut self, now: Millis) {
        self.last_sent = now;
    }

    /// Notes what is waited for from now on. Times begin when their reason begins.
    pub(crate) fn observe(&mut self, waiting: Waiting, now: Millis) {
        let was = core::mem::replace(&mut self.was, waiting);
        if !was.sends && waiting.sends {
            self.last_sent = now;
        }
        // The time of the host is not the peer's: its turn begins when it has its answers, and when
        // it is read again.
        let busy = |waiting: Waiting| waiting.owes || waiting.sends || !waiting.reads;
        let heard_again = !was.reads && waiting.reads;
        let turn = heard_again || (busy(was) && !busy(waiting));
        if turn {
            self.last_read = now;
        }
        match (self.frame, waiting.frame) {
            // Once at most: nothing is owed for what comes behind an open frame.
            (Some((open, _)), Some(frame)) if open == frame => {
                if turn {
                    self.frame = Some((frame, now));
                }
            }
            (_, frame) => self.frame = frame.map(|frame| (frame, now)),
        }
    }

    /// Whether the line counts as idle: no trailer has come in its time.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle
    }

    /// The next moment at which a time runs out, and what it does.
    pub(crate) fn next(&self) -> Option<(Millis, Due)> {
        let Waiting { reads, trailer, owes, sends, .. } = self.was;
        let after = |since: Millis, time: Millis, due: Due| {
            (time > 0).then(|| (since.saturating_add(time), due))
        };
        let end = |since, time, expired| after(since, time, Due::End(expired));
        let send = if sends { end(self.last_sent, self.times.send, Expired::Send) } else { None };
        let read = match self.frame {
            _ if !reads => None,
            Some((_, began)) => {
                let byte = end(self.last_read, self.times.byte, Expired::Byte);
                let frame = end(began, self.times.frame, Expired::Frame);
                let idle = if trailer && !self.idle {
                    after(self.last_read, self.times.trailer, Due::Trailer)
                } else {
                    None
                };
                // Of two times that run out together, the one that loses nothing.
                earlier(idle, earlier(byte, frame))
            }
            None if owes || sends => None,
            None => end(self.last_read, self.times.idle, Expired::Idle),
        };
        earlier(read, send)
    }

    /// The time that has run out by now and ends the connection.
    pub(crate) fn expired(&mut self, now: Millis) -> Option<Expired> {
        match self.next().filter(|(at, _)| *at <= now)? {
            (_, Due::End(expired)) => Some(expired),
            (_, Due::Trailer) => {
                self.idle = true;
                None
            }
        }
    }
}

/// The first that runs out; `a` if both do at once.
fn earlier(a: Option<(Millis, Due)>, b: Option<(Millis, Due)>) -> Option<(Millis, Due)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}
