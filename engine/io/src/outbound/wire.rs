//! One connection of a sender: frames out, replies in.

mod streaming;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;

use ack_gen::AckCode;
use mllp_link::{Handle, InitiatorEvent, ReplyKind, Stray};

use super::actions::{Absence, Reply};
use super::sender::Life;
use super::{Content, Loss, Outcome, verdict};
use crate::alarm::Alarm;
use crate::transport::Transport;
use crate::{clock, tls};
use streaming::Streaming;

const READ_SIZE: usize = 16 * 1024;
/// Frames that leave with one write, in bytes.
const WRITE_SIZE: usize = 64 * 1024;

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It broke, or had to be given up; there may be more to send.
    Lost,
    /// The sender was told to stop, and nothing is open.
    Stopped,
    /// It was told to close the connection, and nothing is open.
    Closed,
}

pub(super) struct Wire {
    transport: Transport,
    out: Vec<u8>,
    /// How much of it has left.
    written: usize,
    /// Where in it each message ends.
    ends: VecDeque<(Handle, usize)>,
    /// A message of which the end is not in it yet.
    streaming: Option<Streaming>,
    /// Why it is over.
    hung_up: Option<Loss>,
    /// It was given up because of one message: what the others hear then is not the partner's.
    is_given_up: bool,
    /// The last reply that names no message. Those that were waiting when it came may be judged by it.
    unnamed: Option<Reply>,
}

impl Wire {
    pub(super) fn new(transport: Transport) -> Self {
        let (out, ends) = (Vec::new(), VecDeque::new());
        Wire {
            transport,
            out,
            written: 0,
            ends,
            streaming: None,
            hung_up: None,
            is_given_up: false,
            unnamed: None,
        }
    }

    /// Sends and hears until the connection is over.
    pub(super) async fn converse(mut self, life: &mut Life) -> Ended {
        life.link.connected();
        let mut alarm = Alarm::new();
        while self.hung_up.is_none() {
            if life.take() {
                return Ended::Lost;
            }
            self.hear(life, Outcome::NoReply);
            self.write(life);
            // What has left may have its verdict: nothing was asked for.
            self.hear(life, Outcome::NoReply);
            if self.hung_up.is_some() {
                break;
            }
            if life.open.is_empty() && (life.stopping || life.closed) {
                self.transport.say_goodbye();
                return if life.stopping { Ended::Stopped } else { Ended::Closed };
            }
            self.wait(life, &mut alarm).await;
        }
        // Replies that had come are credited by now; the rest was lost with the connection.
        life.link.disconnected(clock::now());
        let why = self.hung_up.take().unwrap_or(Loss::GivenUp);
        let unanswered = match why {
            Loss::NotBelieved(_) => Outcome::Credential,
            _ => Outcome::Transport,
        };
        self.hear(life, unanswered);
        life.lose(why);
        Ended::Lost
    }

    async fn wait(&mut self, life: &mut Life, alarm: &mut Alarm) {
        let writes = self.written < self.out.len();
        let deadline = life.link.next_deadline();
        // Whatever is ready ends the wait, and then everything is looked at: no need to draw lots.
        tokio::select! {
            biased;
            () = self.transport.ready(true, writes) => {}
            () = life.queue.arrived() => {}
            () = alarm.rings(deadline) => {}
        }
        self.read(life);
        life.link.on_time(clock::now());
    }

    fn read(&mut self, life: &mut Life) {
        let room = life.link.spare_mut(READ_SIZE);
        match self.transport.try_read(room) {
            Ok(0) => self.hung_up = Some(Loss::Closed),
            Ok(len) => life.link.commit_read(len, clock::now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => self.hung_up = Some(loss(&error)),
        }
    }

    /// What is known of the reply of a message, for the actions.
    fn heard(&self, kind: ReplyKind, reply: Option<&[u8]>, unanswered: Outcome) -> Reply {
        let absence = match unanswered {
            _ if self.is_given_up => Absence::GivenUp,
            Outcome::Transport => Absence::Lost,
            _ => Absence::Late,
        };
        match (reply, &self.unnamed, kind) {
            (None, Some(unnamed), ReplyKind::NoMsa) => unnamed.clone().since(kind, absence),
            _ => Reply::new(kind, reply, absence),
        }
    }

    /// Takes every event of the link.
    fn hear(&mut self, life: &mut Life, unanswered: Outcome) {
        let now = clock::now();
        while let Some(event) = life.link.next_event(now) {
            match event {
                InitiatorEvent::Verdict { handle, verdict, fate } => {
                    let place = life.open.iter().position(|it| it.handle == handle);
                    let Some(open) = place.and_then(|at| life.open.remove(at)) else { continue };
                    let outcome = verdict::outcome(&verdict, fate, unanswered);
                    let reply = life.link.reply();
                    let note = verdict::note(&verdict, reply);
                    let heard = self.heard(verdict.reply, reply, unanswered);
                    // A partner who does not let us in has said nothing of the message.
                    let is_heard = unanswered != Outcome::Credential;
                    let actions = life.options.actions.as_ref().filter(|_| is_heard);
                    let action = actions.and_then(|it| it.action(&verdict, fate, heard));
                    life.ended(&open.name, open.began, outcome, note);
                    life.decide(action);
                }
                // CA: the partner has it, and nothing is ever sent again. What it thinks of it later
                // is not waited for.
                InitiatorEvent::Stored { handle } => {
                    life.link.withdraw(handle);
                    let place = life.open.iter().position(|it| it.handle == handle);
                    let Some(open) = place.and_then(|at| life.open.remove(at)) else { continue };
                    let note = verdict::said(AckCode::CA, life.link.reply());
                    life.ended(&open.name, open.began, Outcome::Delivered, note);
                }
                InitiatorEvent::Reconnect => {
                    self.hung_up = Some(Loss::GivenUp);
                    self.is_given_up = true;
                }
                InitiatorEvent::Stray(Stray::NoMsa) if life.options.actions.is_some() => {
                    let reply = life.link.reply();
                    self.unnamed = Some(Reply::new(ReplyKind::NoMsa, reply, Absence::Late));
                }
                #[cfg(feature = "sabotage")]
                InitiatorEvent::Stray(mllp_link::Stray::Foreign)
                    if life.options.foreign_completes =>
                {
                    let Some(open) = life.open.pop_front() else { continue };
                    life.link.withdraw(open.handle);
                    life.ended(
                        &open.name,
                        open.began,
                        Outcome::Delivered,
                        super::Note("AA".into()),
                    );
                }
                _ => {}
            }
        }
        // Whether a lane stops is the engine's to decide: a link that suspends itself, as it does after
        // a reply without MSA, would be silent for ever.
        life.link.resume();
        life.submit();
        life.report();
    }

    fn write(&mut self, life: &mut Life) {
        if !self.transport.flush() {
            self.hung_up = Some(Loss::Broken(ErrorKind::BrokenPipe));
        }
        loop {
            if self.written == self.out.len() {
                self.fill(life);
            }
            let rest = self.out.get(self.written..).unwrap_or_default();
            if rest.is_empty() {
                return;
            }
            match self.transport.try_write(rest) {
                Ok(len) => self.left(len, life),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    // A partner that refuses to go on has perhaps said why before it closed.
                    self.read(life);
                    self.hung_up.get_or_insert(loss(&error));
                    return;
                }
            }
        }
    }

    /// Frames the next messages.
    fn fill(&mut self, life: &mut Life) {
        self.out.clear();
        self.written = 0;
        if self.streaming.is_some() {
            return self.fill_piece(life);
        }
        // After a large message, what it took is let go.
        self.out.shrink_to(2 * WRITE_SIZE);
        let now = clock::now();
        let mut next = life.link.next_to_send(now);
        while let Some(handle) = next {
            let Some(open) = life.open.iter_mut().find(|it| it.handle == handle) else { break };
            open.began = Some(now);
            let payload = match &open.content {
                Content::Whole(payload) => payload,
                Content::Pieces { source, .. } => {
                    self.streaming = Some(Streaming::begin(handle, Arc::clone(source)));
                    if self.out.is_empty() {
                        self.fill_piece(life);
                    }
                    return;
                }
            };
            // The link has checked it when it was submitted.
            if let Ok(slices) = life.options.framing.encode_slices(payload) {
                slices.iter().for_each(|part| self.out.extend_from_slice(part));
            }
            self.ends.push_back((handle, self.out.len()));
            if self.out.len() >= WRITE_SIZE {
                break;
            }
            next = life.link.next_to_send_along(now);
        }
    }

    fn left(&mut self, len: usize, life: &mut Life) {
        self.written += len;
        let now = clock::now();
        while let Some((handle, _)) = self.ends.front().filter(|(_, end)| *end <= self.written) {
            life.link.sent(*handle, now);
            self.ends.pop_front();
        }
        match (self.ends.front(), &self.streaming) {
            (Some((handle, _)), _) => life.link.span_advanced(*handle, now),
            (None, Some(it)) if self.written == self.out.len() => {
                life.link.span_left(it.handle, now);
            }
            (None, Some(it)) => life.link.span_advanced(it.handle, now),
            (None, None) => {}
        }
    }
}

/// Why a connection broke.
fn loss(error: &std::io::Error) -> Loss {
    if tls::is_certificate_refused(error) {
        return Loss::NotBelieved(error.to_string());
    }
    Loss::Broken(error.kind())
}
