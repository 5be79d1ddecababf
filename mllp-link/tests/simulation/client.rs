//! The sending host: it keeps payloads until their verdict, and checks every verdict.

mod writing;

use std::collections::{BTreeMap, BTreeSet};

use ack_gen::Outcome;
use mllp_link::{Action, Fate, Handle, Initiator, InitiatorEvent, ReplyKind, Verdict};

use crate::connection::Connection;
use crate::hl7::{message, reply_number};
use crate::invariant::Invariant;
use crate::invariant::Invariant::{Credited, Deadline, Fate as FateIs, Memory, Truncated};
use crate::sabotage::sending::Sabotaged;
use crate::scenario::Mode;
use crate::world::World;
use writing::Writing;

/// Where a message is, as far as its host was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Queued,
    Writing(u64),
    Sent(u64),
    Stored(u64),
}

pub struct Client<const W: usize> {
    link: Sabotaged<W>,
    /// The messages without a verdict, by their number in the ledger.
    open: BTreeMap<usize, (Handle, Stage)>,
    /// Of all messages, those whose payload the link sees in spans.
    in_spans: BTreeSet<usize>,
    pub verdicts: BTreeMap<usize, Action>,
    /// The connection, as a place among all of them.
    connection: Option<usize>,
    /// A line that this host has left and may go on with.
    line: Option<usize>,
    writing: Option<Writing>,
    /// When somebody looks at a suspended link.
    resumes: Option<u64>,
}

impl<const W: usize> Client<W> {
    pub fn new(world: &World) -> Self {
        let config = world.scenario.initiator.clone();
        let initiator = Initiator::new(world.scenario.replies(), config);
        Client {
            link: Sabotaged::new(initiator, world.sabotage),
            open: BTreeMap::new(),
            in_spans: BTreeSet::new(),
            verdicts: BTreeMap::new(),
            connection: None,
            line: None,
            writing: None,
            resumes: None,
        }
    }

    /// Whether every message has its verdict.
    pub fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    pub fn submit(&mut self, fresh: bool, world: &mut World) -> bool {
        let number = world.ledger.messages.len();
        let rng = &mut world.rng;
        let enhanced = match world.scenario.mode {
            Mode::Original => false,
            Mode::Enhanced => true,
            Mode::Mixed => rng.one_in(2),
        };
        // Where every message gets one reply, some may have asked for none.
        let unasked = world.scenario.nameless && world.scenario.courteous && rng.one_in(3);
        let asks = match (enhanced, fresh) {
            (false, false) if unasked => ("NE", "NE"),
            (false, _) => ("", ""),
            (true, true) => rng.pick(&[("AL", "AL"), ("AL", "NE"), ("", "AL")]),
            (true, false) => rng.pick(&ASKS),
        };
        let nameless = world.scenario.nameless && !fresh && rng.one_in(4);
        let blanks = if rng.one_in(10) { 1 + rng.below(3) as usize } else { 0 };
        let blanks = " ".repeat(blanks);
        let id = if nameless { String::new() } else { format!("M{number}{blanks}") };
        let names = if rng.one_in(15) { 1000 } else { 3 };
        let length = if !fresh && rng.one_in(20) {
            3950 + rng.below(500)
        } else {
            rng.below(world.scenario.length)
        };
        let payload = message(number, &id, asks, names, length as usize);
        let in_spans = world.rng.one_in(3);
        let handle = match in_spans {
            true => {
                let header = payload.iter().position(|byte| *byte == b'\r').unwrap_or_default();
                self.link.submit_header(&payload[..=header], payload.len() as u64, world.now)
            }
            false => self.link.submit(&payload, world.now),
        };
        let Ok(handle) = handle else { return false };
        if in_spans {
            self.in_spans.insert(number);
        }
        world.ledger.message(payload, fresh);
        let twice = self.open.values().any(|(it, _)| *it == handle);
        Invariant::Verdict.check(!twice, "one handle for two messages");
        self.open.insert(number, (handle, Stage::Queued));
        true
    }

    pub fn step(&mut self, connections: &mut Vec<Connection>, world: &mut World) {
        let now = world.now;
        if let Some(at) = self.connection {
            self.read(at, connections, world);
        }
        if self.link.next_deadline().is_some_and(|at| at <= now) {
            self.say_what_has_not_left();
            self.link.on_time(now);
        }
        self.events(connections, world);
        self.check_times(world);
        self.look_at_suspension(world);
        self.connect(connections, world);
        let Some(at) = self.connection else { return };
        if world.scenario.serial && !world.calm && world.rng.one_in(40) {
            self.begin_again(connections, world);
            return;
        }
        self.write(&mut connections[at].wire.inward, world);
        self.events(connections, world);
        if self.connection.is_some() {
            let spins = self.link.next_deadline().is_some_and(|at| at <= now);
            Deadline.check(!spins, "the host would spin");
        }
        self.check_window(world);
    }

    /// Hangs up.
    pub fn give_up(&mut self, connections: &mut [Connection]) {
        self.writing = None;
        for at in [self.connection.take(), self.line.take()].into_iter().flatten() {
            connections[at].wire.hang_up();
        }
    }

    fn connect(&mut self, connections: &mut Vec<Connection>, world: &mut World) {
        if !self.link.wants_connection(world.now) {
            return;
        }
        Invariant::Verdict.check(self.connection.is_none(), "a second connection");
        if !world.calm && world.rng.one_in(4) {
            return self.link.connect_failed(world.now);
        }
        self.link.connected();
        // When the faults have stopped, a line is one that works.
        let over = |it: &Connection| it.is_finished() || (world.calm && it.wire.inward.is_dead());
        let line = self.line.take();
        self.connection = match line.filter(|at| !over(&connections[*at])) {
            Some(at) if world.rng.one_in(2) => Some(at),
            _ => {
                if let Some(at) = line {
                    connections[at].wire.hang_up();
                }
                connections.push(Connection::new(world));
                world.tell(format_args!("connection {}", connections.len() - 1));
                Some(connections.len() - 1)
            }
        };
    }

    /// The host dies, wherever it is in a message, and its successor takes over.
    fn begin_again(&mut self, connections: &mut [Connection], world: &mut World) {
        self.say_what_has_not_left();
        self.writing = None;
        self.line = self.connection.take();
        world.tell("sender: begins again");
        self.link.disconnected(world.now);
        self.events(connections, world);
    }

    fn read(&mut self, at: usize, connections: &mut [Connection], world: &mut World) {
        let want = 1 + world.rng.below(400) as usize;
        let bytes = connections[at].wire.outward.peek(want, world.now);
        let taken = self.link.receive(&bytes, world.now);
        Memory.check(taken > 0 || bytes.is_empty(), "no room for a reply");
        connections[at].wire.outward.take(taken);
        self.events(connections, world);
        if self.connection == Some(at) && connections[at].wire.outward.ended(world.now) {
            self.say_what_has_not_left();
            self.link.disconnected(world.now);
            self.give_up(connections);
            self.events(connections, world);
        }
    }

    fn look_at_suspension(&mut self, world: &mut World) {
        if !self.link.is_suspended() {
            return;
        }
        let late = world.rng.below(if world.calm { 20 } else { 800 });
        if *self.resumes.get_or_insert(world.now + late) <= world.now {
            self.resumes = None;
            self.link.resume();
        }
    }

    fn number(&self, handle: Handle) -> Option<usize> {
        let found = self.open.iter().find(|(_, (it, _))| *it == handle);
        found.map(|(number, _)| *number)
    }

    fn events(&mut self, connections: &mut [Connection], world: &World) {
        while let Some(event) = self.link.next_event(world.now) {
            world.tell(format_args!("sender: {event:?}"));
            match event {
                InitiatorEvent::Verdict { handle, verdict, fate } => {
                    let number = self.number(handle);
                    Invariant::Verdict.check(number.is_some(), "a second verdict");
                    let number = number.unwrap_or_default();
                    self.check_fate(number, fate, verdict, world);
                    self.open.remove(&number);
                    self.verdicts.insert(number, verdict.action);
                    let suspends = verdict.action == Action::Suspend;
                    let suspended = !suspends || self.link.is_suspended();
                    Invariant::Verdict.check(suspended, "a suspension that does not suspend");
                }
                InitiatorEvent::Retry { handle, at, verdict } => {
                    let number = self.number(handle);
                    Invariant::Verdict.check(number.is_some(), "a retry behind the verdict");
                    let number = number.unwrap_or_default();
                    let stored = matches!(self.open.get(&number), Some((_, Stage::Stored(_))));
                    FateIs.check(!stored, "a stored message is sent again");
                    self.check(number, verdict, world);
                    let latest = world.now + world.scenario.initiator.max_back_off;
                    Deadline.check((world.now..=latest).contains(&at), "a retry at no time");
                    self.open.insert(number, (handle, Stage::Queued));
                }
                InitiatorEvent::Stored { handle } => {
                    let number = self.number(handle).expect("stored, without a verdict");
                    self.check_reply(number, ack_gen::AckCode::CA, world);
                    self.open.insert(number, (handle, Stage::Stored(world.now)));
                }
                InitiatorEvent::Reconnect => {
                    self.writing = None;
                    match world.scenario.serial {
                        true => self.line = self.connection.take(),
                        false => self.give_up(connections),
                    }
                }
                _ => {}
            }
        }
    }

    /// The fate is true of the message, and the verdict goes with it.
    fn check_fate(&self, number: usize, fate: Fate, verdict: Verdict, world: &World) {
        let message = &world.ledger.messages[number];
        let stored = matches!(self.open.get(&number), Some((_, Stage::Stored(_))));
        let accepted = verdict.action == Action::Accept;
        match fate {
            Fate::Answered => return self.check(number, verdict, world),
            Fate::Stored => FateIs.check(stored && accepted, "stored, without CA or not accepted"),
            Fate::Unasked => {
                let decision = message.request.decide(Outcome::Accept, Outcome::Accept);
                let asks = decision.accept.is_some() || decision.application.is_some();
                let whole = message.whole > 0;
                FateIs.check(!asks && whole && accepted, "unasked, and a receipt was asked for");
            }
            Fate::NotSent => FateIs.check(!message.left, "not sent, and some byte has left"),
            Fate::Uncertain => FateIs.check(!stored, "uncertain, and it was stored"),
        }
        if !matches!(fate, Fate::Stored | Fate::Unasked) {
            self.check(number, verdict, world);
        }
    }

    /// A verdict or a retry is the one of the rules, and for a reply to this message.
    fn check(&self, number: usize, verdict: Verdict, world: &World) {
        let judged = world.scenario.initiator.rules.judge(verdict.reply);
        Invariant::Verdict.check(verdict == judged, "not what the rules say");
        match verdict.reply {
            ReplyKind::Code(code) => self.check_reply(number, code, world),
            // A rule may take what has no name for a receipt, if there is no doubt of what.
            ReplyKind::NoMsa if verdict.action == Action::Accept => {
                let flying = |stage: &Stage| *stage != Stage::Queued;
                let others = self.open.values().filter(|(_, stage)| flying(stage)).count();
                let only = others == 1 && self.link.reply().is_some();
                Credited.check(only, "a nameless reply, and not one message in flight");
            }
            _ => Credited.check(verdict.action != Action::Accept, "accepted without a reply"),
        }
        if verdict.action == Action::Accept {
            let whole = world.ledger.messages[number].whole > 0;
            Truncated.check(whole, "accepted, and never written whole");
        }
    }

    /// The reply at hand was made for this message, and has come as it was written.
    fn check_reply(&self, number: usize, code: ack_gen::AckCode, world: &World) {
        let payload = self.link.reply().unwrap_or_default();
        let made = reply_number(payload).and_then(|it| world.ledger.replies.get(it));
        Truncated.check(made.is_some(), "a reply that nobody made");
        let Some(made) = made else { return };
        Credited.check(
            made.message == Some(number),
            format_args!("{number}: a reply for {:?}", made.message),
        );
        Truncated.check(made.payload.as_deref() == Some(payload), "a reply that nobody wrote");
        Credited.check(made.code == Some(code), "another code than that of the reply");
    }

    fn check_times(&self, world: &World) {
        let config = &world.scenario.initiator;
        for (number, (_, stage)) in &self.open {
            let limit = match *stage {
                Stage::Writing(since) => since + config.send,
                Stage::Sent(since) => since + config.reply,
                Stage::Stored(since) => since + config.application,
                Stage::Queued => continue,
            };
            Deadline.check(world.now < limit, format_args!("{number} still {stage:?}"));
        }
    }

    fn check_window(&self, world: &World) {
        let unanswered = |stage: &Stage| matches!(stage, Stage::Writing(_) | Stage::Sent(_));
        let unanswered = self.open.values().filter(|(_, stage)| unanswered(stage)).count();
        let window = world.scenario.initiator.window;
        Memory.check(
            unanswered <= window,
            format_args!("{unanswered} messages wait for replies, not {window}"),
        );
        let open = self.link.open_messages();
        Memory.check(open <= W, format_args!("{open} messages in a window of {W}"));
        Invariant::Verdict.check(open == self.open.len(), "a message without a verdict is gone");
    }
}

/// MSH-15 and MSH-16. Messages that ask for nothing are sent as often as they may be.
const ASKS: [(&str, &str); 12] = [
    ("AL", "AL"),
    ("AL", "AL"),
    ("AL", "AL"),
    ("AL", "NE"),
    ("AL", "NE"),
    ("AL", ""),
    ("", "AL"),
    ("NE", "AL"),
    ("AL", "ER"),
    ("ER", "AL"),
    ("SU", "ER"),
    ("NE", "NE"),
];
