//! One connection: messages out, answers in.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;

use rustix::event::epoll::{self, EventData, EventFlags};

use crate::template::Template;

const END_BLOCK: u8 = 0x1C;
const CARRIAGE_RETURN: u8 = 0x0D;

/// A message without an answer: its number, and when it was sent or due, in nanoseconds.
pub struct Unanswered {
    pub id: u64,
    pub at: u64,
}

pub struct Connection {
    stream: TcpStream,
    event: EventData,
    outgoing: Vec<u8>,
    sent: usize,
    waits_for_room: bool,
    unanswered: VecDeque<Unanswered>,
    /// The beginning of an answer.
    partial: Vec<u8>,
    pub is_closed: bool,
}

impl Connection {
    /// Connects, and announces the socket to epoll under this number.
    pub fn open(addr: SocketAddrV4, poll: &OwnedFd, number: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let event = EventData::new_u64(number as u64);
        epoll::add(poll, &stream, event, EventFlags::IN | EventFlags::RDHUP)?;
        Ok(Self {
            stream,
            event,
            outgoing: Vec::new(),
            sent: 0,
            waits_for_room: false,
            unanswered: VecDeque::new(),
            partial: Vec::new(),
            is_closed: false,
        })
    }

    /// Puts a message behind those that wait to be sent.
    pub fn push(&mut self, template: &Template, message: Unanswered) {
        template.write(message.id, &mut self.outgoing);
        self.unanswered.push_back(message);
    }

    pub fn unanswered(&self) -> usize {
        self.unanswered.len()
    }

    /// Sends what the socket takes, at most `split` bytes at a time.
    pub fn flush(&mut self, poll: &OwnedFd, split: usize) -> io::Result<()> {
        while self.sent < self.outgoing.len() {
            let end = self.sent.saturating_add(split).min(self.outgoing.len());
            match self.stream.write(&self.outgoing[self.sent..end]) {
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.wait_for_room(poll, true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        self.wait_for_room(poll, false)
    }

    fn wait_for_room(&mut self, poll: &OwnedFd, wait: bool) -> io::Result<()> {
        if self.waits_for_room == wait {
            return Ok(());
        }
        self.waits_for_room = wait;
        let room = if wait { EventFlags::OUT } else { EventFlags::empty() };
        let wanted = EventFlags::IN | EventFlags::RDHUP | room;
        Ok(epoll::modify(poll, &self.stream, self.event, wanted)?)
    }

    /// Reads what has come and passes each answer on, with the message that was sent first.
    ///
    /// Returns the number of answers, and whether the connection is open.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(&[u8], Option<Unanswered>),
    ) -> io::Result<(usize, bool)> {
        let mut answers = 0;
        loop {
            let length = match self.stream.read(buffer) {
                Ok(0) => return Ok((answers, false)),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok((answers, true)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut held = std::mem::take(&mut self.partial);
            let mut data = &buffer[..length];
            if !held.is_empty() {
                held.extend_from_slice(data);
                data = &held;
            }
            while let Some(end) = frame_len(data) {
                take(&data[..end], self.unanswered.pop_front());
                data = &data[end..];
                answers += 1;
            }
            self.partial = data.to_vec();
            // Less than there was room for: the socket is empty.
            if length < buffer.len() {
                return Ok((answers, true));
            }
        }
    }

    /// Takes the socket out of epoll.
    pub fn close(&mut self, poll: &OwnedFd) {
        self.is_closed = true;
        // The socket is closed soon, which does the same.
        let _ = epoll::delete(poll, &self.stream);
    }
}

/// The length of the frame that is complete, its end block and carriage return included.
fn frame_len(data: &[u8]) -> Option<usize> {
    let mut ends = memchr::memchr_iter(END_BLOCK, data).map(|at| at + 2);
    ends.find(|&end| data.get(end - 1) == Some(&CARRIAGE_RETURN))
}
