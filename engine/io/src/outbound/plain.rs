//! One connection of a sender that reads nothing from what it sends: framed bytes out, one delivery
//! after the other, and if so wanted a frame back for each.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use mllp_core::{Config, Event, Fault, Framing, Profile, Scanner};
use tokio::time::Instant;

use super::queue::Delivery;
use super::sender::Life;
use super::wire::Ended;
use super::{Content, Loss, Note, Outcome, Source};
use crate::clock;
use crate::transport::Transport;

const READ_SIZE: usize = 16 * 1024;

/// A store that has not read a piece after this will not.
const PIECE: Duration = Duration::from_secs(30);

pub(super) struct Plain {
    transport: Transport,
    replies: Replies,
    room: Box<[u8]>,
}

/// Why a delivery did not get to its end here.
enum Failed {
    /// It is not to be sent at all. The connection is as before.
    Unsent(Outcome, &'static str),
    /// The connection is over.
    Lost(Outcome, Loss),
    /// Everything is abandoned: nobody hears of it.
    Abandoned,
}

impl Failed {
    /// A frame has begun, and can only be ended with the connection.
    fn midway(self) -> Failed {
        match self {
            Failed::Unsent(outcome, _) => Failed::Lost(outcome, Loss::GivenUp),
            other => other,
        }
    }
}

/// The frames that come, of which only the ends count.
struct Replies {
    scanner: Scanner,
    /// One has begun.
    began: bool,
    /// One is longer than it may be, and nothing says where it ends.
    too_long: bool,
}

impl Plain {
    pub(super) fn new(transport: Transport, life: &Life) -> Self {
        let room = vec![0; READ_SIZE].into_boxed_slice();
        Plain { transport, replies: Replies::new(life), room }
    }

    /// Sends until the connection is over.
    pub(super) async fn converse(mut self, life: &mut Life) -> Ended {
        let why = loop {
            if life.take() {
                return Ended::Lost;
            }
            // A partner that has left is noticed before anything is given to it, even if the runtime
            // does not know of it yet. What waits goes over the next connection.
            let read = self.read(|_| {}).and_then(|()| self.hear(Transport::read_at_once, |_| {}));
            if let Err(why) = read {
                life.lose(why);
                return Ended::Lost;
            }
            let Some(delivery) = life.waiting.pop_front() else {
                if life.stopping || life.closed {
                    self.transport.say_goodbye();
                    return if life.stopping { Ended::Stopped } else { Ended::Closed };
                }
                tokio::select! {
                    biased;
                    () = self.transport.ready(true, false) => {}
                    () = life.queue.arrived() => {}
                }
                continue;
            };
            let began = clock::now();
            let (outcome, note, lost) = match self.deliver(life, &delivery).await {
                Ok(note) => (Outcome::Delivered, note, None),
                Err(Failed::Unsent(outcome, note)) => (outcome, note.to_owned(), None),
                Err(Failed::Lost(outcome, why)) => (outcome, String::new(), Some(why)),
                Err(Failed::Abandoned) => return Ended::Lost,
            };
            life.ended(&delivery.name(), Some(began), outcome, Note(note));
            life.report();
            if let Some(why) = lost {
                break why;
            }
            if self.replies.too_long {
                break Loss::GivenUp;
            }
        };
        // None of those behind it passes it.
        life.fail_all();
        life.lose(why);
        Ended::Lost
    }

    /// Sends one delivery, and waits for the frame that answers it; returns what it says.
    async fn deliver(&mut self, life: &mut Life, delivery: &Delivery) -> Result<String, Failed> {
        let framing = life.options.framing;
        self.check(life, &delivery.content).await?;
        self.write(life, &[framing.start_block()]).await?;
        match &delivery.content {
            Content::Whole(payload) => self.write(life, payload).await?,
            Content::Pieces { len, source, .. } => {
                let mut pieces = Pieces::new(source, *len);
                while let Some(piece) = pieces.next(life).await.map_err(Failed::midway)? {
                    self.write(life, &piece).await?;
                }
            }
        }
        if life.options.expects_reply {
            // What has come by now answers nothing, and neither does what has begun by now.
            let lost = |why| Failed::Lost(Outcome::Transport, why);
            self.hear(Transport::read_at_once, |_| {}).map_err(lost)?;
            self.hear_out(life).await?;
        }
        let end = [framing.end_block(), framing.trailer().unwrap_or_default()];
        self.write(life, &end[..1 + usize::from(framing.trailer().is_some())]).await?;
        match life.options.expects_reply {
            true => self.reply(life).await,
            false => Ok(String::new()),
        }
    }

    /// Whether a message can be framed: all of it is looked at before its first byte leaves.
    async fn check(&mut self, life: &mut Life, content: &Content) -> Result<(), Failed> {
        let framing = life.options.framing;
        match content {
            Content::Whole(payload) => frames(framing, payload),
            Content::Pieces { len, source, .. } => {
                let mut pieces = Pieces::new(source, *len);
                while let Some(piece) = pieces.next(life).await? {
                    frames(framing, &piece)?;
                }
                Ok(())
            }
        }
    }

    /// Lets a frame end that nobody has asked for: its end is not taken for a reply.
    async fn hear_out(&mut self, life: &mut Life) -> Result<(), Failed> {
        let until = Instant::now() + life.options.reply;
        while self.replies.began {
            self.wait(life, false, until, Outcome::Transport).await?;
            self.read(|_| {}).map_err(|why| Failed::Lost(Outcome::Transport, why))?;
        }
        Ok(())
    }

    /// Waits for the frame that answers what has just left.
    async fn reply(&mut self, life: &mut Life) -> Result<String, Failed> {
        let until = Instant::now() + life.options.reply;
        loop {
            let mut came = None;
            let read = self.read(|len| came = came.or(Some(len)));
            if let Some(len) = came {
                return Ok(format!("a reply of {len} bytes"));
            }
            if self.replies.too_long {
                return Ok(format!("a reply of more than {} bytes", life.options.max_reply));
            }
            read.map_err(|why| Failed::Lost(Outcome::Transport, why))?;
            self.wait(life, false, until, Outcome::NoReply).await?;
        }
    }

    /// Reads what there is, and tells the length of each frame that ends.
    fn read(&mut self, ended: impl FnMut(u64)) -> Result<(), Loss> {
        self.hear(Transport::try_read, ended)
    }

    fn hear(
        &mut self,
        read: impl Fn(&mut Transport, &mut [u8]) -> std::io::Result<usize>,
        mut ended: impl FnMut(u64),
    ) -> Result<(), Loss> {
        loop {
            match read(&mut self.transport, &mut self.room) {
                Ok(0) => return Err(Loss::Closed),
                Ok(len) => self.replies.take(&self.room[..len], &mut ended)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(Loss::Broken(error.kind())),
            }
        }
    }

    async fn write(&mut self, life: &mut Life, mut bytes: &[u8]) -> Result<(), Failed> {
        let mut until = Instant::now() + life.options.send;
        while !bytes.is_empty() {
            match self.transport.try_write(bytes) {
                Ok(len) => {
                    bytes = &bytes[len..];
                    until = Instant::now() + life.options.send;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.wait(life, true, until, Outcome::Transport).await?;
                }
                Err(error) => {
                    let why = Loss::Broken(error.kind());
                    return Err(Failed::Lost(Outcome::Transport, why));
                }
            }
        }
        // What TLS keeps has not left.
        if self.transport.flush() {
            return Ok(());
        }
        Err(Failed::Lost(Outcome::Transport, Loss::Broken(ErrorKind::BrokenPipe)))
    }

    /// Waits until the socket can be written, or else read.
    async fn wait(
        &mut self,
        life: &mut Life,
        writes: bool,
        until: Instant,
        late: Outcome,
    ) -> Result<(), Failed> {
        tokio::select! {
            biased;
            () = self.transport.ready(!writes, writes) => Ok(()),
            () = life.queue.arrived() => if life.take() { Err(Failed::Abandoned) } else { Ok(()) },
            () = tokio::time::sleep_until(until) => Err(Failed::Lost(late, Loss::GivenUp)),
        }
    }
}

impl Replies {
    fn new(life: &Life) -> Replies {
        let decoder = Config {
            // A reply is there once it has ended, whatever follows it.
            profile: Profile::Permissive,
            framing: life.options.framing,
            max_payload_len: life.options.max_reply,
        };
        Replies { scanner: Scanner::new(decoder), began: false, too_long: false }
    }

    fn take(&mut self, mut bytes: &[u8], ended: &mut impl FnMut(u64)) -> Result<(), Loss> {
        loop {
            let step = self.scanner.step(bytes);
            bytes = &bytes[step.consumed..];
            match step.event {
                Some(Event::FrameStart { .. }) => self.began = true,
                Some(Event::FrameEnd(end)) => {
                    self.began = false;
                    // One byte is a frame of a kind of its own.
                    ended(end.payload_len);
                }
                Some(Event::Fault { fault: Fault::TooLarge, .. }) => {
                    self.too_long = true;
                    return Err(Loss::GivenUp);
                }
                Some(Event::Fault { .. }) => self.began = false,
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }
}

/// A large payload, read piece by piece.
struct Pieces<'a> {
    source: &'a Arc<dyn Source>,
    left: u64,
    next: u32,
}

impl<'a> Pieces<'a> {
    const fn new(source: &'a Arc<dyn Source>, len: u64) -> Self {
        Pieces { source, left: len, next: 0 }
    }

    async fn next(&mut self, life: &mut Life) -> Result<Option<Arc<[u8]>>, Failed> {
        if self.left == 0 {
            return Ok(None);
        }
        let question = life.ask(|to| self.source.read(self.next, to));
        let until = Instant::now() + PIECE;
        let piece = loop {
            if let Some((_, piece)) = life.piece.take_if(|(answered, _)| *answered == question) {
                break piece;
            }
            tokio::select! {
                biased;
                () = life.queue.arrived() => if life.take() { return Err(Failed::Abandoned) },
                () = tokio::time::sleep_until(until) => break None,
            }
        };
        let piece = piece.filter(|it| !it.is_empty() && it.len() as u64 <= self.left);
        let Some(piece) = piece else { return Err(Failed::Unsent(Outcome::Unreadable, "")) };
        self.left -= piece.len() as u64;
        self.next += 1;
        Ok(Some(piece))
    }
}

fn frames(framing: Framing, payload: &[u8]) -> Result<(), Failed> {
    match framing.encode_slices(payload) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failed::Unsent(Outcome::Unsendable, error.name())),
    }
}
