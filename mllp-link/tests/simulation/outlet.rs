//! The answers of one connection as they leave: each frame is the one whose turn it is.

use std::collections::VecDeque;

use ack_gen::AckCode;

use crate::hl7::{field, reply_number};
use crate::invariant::Invariant::Answered;
use crate::ledger::Ledger;

/// A frame that a message gets.
#[derive(Clone, Copy, Debug)]
enum Due {
    Commit(bool),
    Reply(usize),
}

/// One message that has arrived, and what it gets.
struct Arrival {
    due: VecDeque<Due>,
    committed: bool,
    /// Nothing more will be due.
    decided: bool,
}

#[derive(Default)]
pub struct Outlet {
    conformant: bool,
    commits: bool,
    arrivals: Vec<Arrival>,
    /// The first arrival that has not got everything.
    turn: usize,
    /// The frame that is leaving.
    part: Vec<u8>,
}

impl Outlet {
    pub fn new(conformant: bool, commits: bool) -> Outlet {
        Outlet { conformant, commits, ..Outlet::default() }
    }

    pub fn arrived(&mut self) {
        self.arrivals.push(Arrival {
            due: VecDeque::new(),
            committed: !self.commits,
            decided: false,
        });
    }

    pub fn is_committed(&self, place: usize) -> bool {
        self.arrivals[place].committed
    }

    /// The commit block of a message is due, unless it is already.
    pub fn commit(&mut self, place: usize, positive: bool) {
        let arrival = &mut self.arrivals[place];
        if !std::mem::replace(&mut arrival.committed, true) {
            arrival.due.push_back(Due::Commit(positive));
        }
    }

    /// A message gets this reply, or none; its commit block goes before.
    pub fn decide(&mut self, place: usize, reply: Option<usize>) {
        self.commit(place, true);
        self.arrivals[place].due.extend(reply.map(Due::Reply));
        self.arrivals[place].decided = true;
    }

    /// The message could not be stored: a negative commit block is all it gets.
    pub fn refuse_commit(&mut self, place: usize) {
        self.commit(place, false);
        self.arrivals[place].decided = true;
    }

    /// The message gets nothing at all.
    pub fn silence(&mut self, place: usize) {
        self.arrivals[place].committed = true;
        self.arrivals[place].decided = true;
    }

    /// How many places are not done: with commit blocks a message has two.
    pub fn places(&self) -> usize {
        let open =
            |it: &Arrival| it.due.len() + usize::from(!it.committed) + usize::from(!it.decided);
        self.arrivals.iter().map(open).sum()
    }

    /// Whether the last frame has left whole.
    pub fn is_between_frames(&self) -> bool {
        self.part.is_empty()
    }

    pub fn leave(&mut self, bytes: &[u8], ledger: &mut Ledger) {
        for byte in bytes {
            self.part.push(*byte);
            match self.part.as_slice() {
                // With the end block a peer has all that it needs.
                [0x0B, payload @ .., 0x1C] => {
                    let payload = payload.to_vec();
                    self.check(&payload, ledger);
                }
                [0x0B, .., 0x1C, trailer] => {
                    Answered.check(*trailer == b'\r', "a frame without its trailer");
                    self.part.clear();
                    self.arrivals[self.turn].due.pop_front();
                }
                [first, ..] => Answered.check(*first == 0x0B, "bytes between the answers"),
                [] => {}
            }
        }
    }

    /// Everything that arrived has got what it gets.
    pub fn is_done(&mut self) -> bool {
        self.advance();
        self.turn == self.arrivals.len() && self.part.is_empty()
    }

    fn advance(&mut self) {
        let done = |it: &Arrival| it.decided && it.due.is_empty();
        while self.arrivals.get(self.turn).is_some_and(done) {
            self.turn += 1;
        }
    }

    fn check(&mut self, payload: &[u8], ledger: &mut Ledger) {
        self.advance();
        let turn = self.turn;
        match self.arrivals.get(turn).and_then(|it| it.due.front().copied()) {
            None => Answered.check(false, format_args!("place {turn}: a frame that is not due")),
            Some(Due::Commit(positive)) => {
                let block: &[u8] = if positive { b"\x06" } else { b"\x15" };
                Answered.check(payload == block, format_args!("place {turn}: no commit block"));
            }
            Some(Due::Reply(reply)) => {
                let left = reply_number(payload);
                Answered.check(
                    left == Some(reply),
                    format_args!("place {turn}: reply {left:?} in the turn of {reply}"),
                );
                let code = field(payload, b"MSA", 1).and_then(AckCode::from_bytes);
                Answered.check(code == ledger.replies[reply].code, "not the handler's code");
                let id = ledger.expected_id(reply, self.conformant);
                Answered.check(field(payload, b"MSA", 2) == Some(&id), "MSA-2 of another message");
                ledger.replies[reply].payload = Some(payload.to_vec());
            }
        }
    }
}
