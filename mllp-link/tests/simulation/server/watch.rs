//! The host's own clocks: no time of the receiver runs out late, and none early.

use mllp_link::{CloseReason, Expired, Times};

use crate::invariant::Invariant::Deadline;

pub struct Watch {
    times: Times,
    /// When anybody last did anything.
    acted: u64,
    /// When the last bytes were read, and when the open frame began.
    read: u64,
    frame: Option<u64>,
    /// When the frame began to be read without a break, at the latest.
    read_on: Option<u64>,
    /// When the peer was last seen waiting to be read, waiting for its answers, and with nothing to
    /// take.
    unread: u64,
    reads: bool,
    owed: u64,
    empty: u64,
}

impl Watch {
    pub fn new(times: Times, now: u64) -> Watch {
        Watch {
            times,
            acted: now,
            read: now,
            frame: None,
            read_on: None,
            unread: now,
            reads: true,
            owed: now,
            empty: now,
        }
    }

    pub fn acted(&mut self, now: u64) {
        self.acted = now;
        self.blocked(now);
    }

    /// Bytes were read. A start block in them begins the time of a new frame.
    pub fn read(&mut self, begins: bool, in_frame: bool, now: u64) {
        (self.acted, self.read) = (now, now);
        if begins || !in_frame {
            self.frame = in_frame.then_some(now);
            self.read_on = self.frame;
        }
    }

    pub fn frame_ended(&mut self) {
        self.read_on = None;
    }

    pub fn sent(&mut self, now: u64) {
        self.acted(now);
        self.empty = now;
    }

    /// The receiver may have stopped reading, or owes answers: the time of a frame begins again
    /// when the peer's turn does.
    pub fn blocked(&mut self, now: u64) {
        self.read_on = self.read_on.map(|_| now);
    }

    /// At the end of a step: whether the receiver reads, owes answers, and has bytes to send.
    pub fn observe(&mut self, reads: bool, owes: bool, sends: bool, now: u64) {
        self.reads = reads;
        if !reads {
            self.unread = now;
        }
        if owes || sends {
            self.owed = now;
            self.blocked(now);
        }
        if !sends {
            self.empty = now;
        }
    }

    /// A time that has run out has acted.
    pub fn nothing_waits_too_long(&self, idle: bool, reads: bool, now: u64) {
        let longest = self.times.idle.max(self.times.byte).max(self.times.send);
        let rests = now - self.acted;
        Deadline.check(!idle || rests < longest, format_args!("nothing for {rests} ms"));
        if let (Some(began), true) = (self.read_on, reads) {
            let open = now - began;
            Deadline.check(open < self.times.frame, format_args!("a frame open for {open} ms"));
        }
    }

    /// A peer that was not read, or had no answer, was not late.
    pub fn no_time_runs_out_early(&self, reason: CloseReason, now: u64) {
        let CloseReason::Expired(expired) = reason else { return };
        // It ran out earlier than it is reported, when answers were in the way.
        if !self.reads && expired != Expired::Send {
            return;
        }
        let read = self.read.max(self.unread);
        let (since, time) = match expired {
            Expired::Idle => (read.max(self.owed), self.times.idle),
            Expired::Byte => (read, self.times.byte),
            Expired::Frame => (self.frame.unwrap_or(now).max(self.unread), self.times.frame),
            Expired::Send => (self.empty, self.times.send),
        };
        let waited = now - since;
        Deadline.check(waited >= time, format_args!("{expired:?} after {waited} ms"));
    }

    /// A frame ends without its trailer after a pause, and a peer that is not read makes none.
    pub fn no_pause_is_early(&self, now: u64) {
        let waited = now - self.read.max(self.unread);
        Deadline.check(
            waited >= self.times.trailer,
            format_args!("a trailer was awaited for {waited} ms"),
        );
    }
}
