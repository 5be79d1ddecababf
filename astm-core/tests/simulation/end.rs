//! One end of the line and its host: a queue of messages, a store, a handler with bad days.

use std::collections::{BTreeSet, VecDeque};

use astm_core::{
    Answered, Fault, Link, LinkConfig, LinkEvent, Packing, ReceiverEvent, Role, SendVerdict, Ticket,
};

use crate::random::Random;
use crate::sabotage::Sabotage;
use crate::support::Growing;

/// What a host does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    Succeeds,
    Fails,
    /// Stores and answers later.
    Stalls(u64),
    /// Stores, and dies before it answers.
    DiesAfter,
    /// Dies before it stores.
    DiesBefore,
}

/// What became of a message that was offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    pub attempts: u32,
    pub delivered: bool,
    pub reported: bool,
    /// The protocol could not see what happened to it.
    pub unseen: bool,
}

pub struct End {
    pub link: Link<Growing>,
    config: LinkConfig,
    /// What is to be sent, and what became of it.
    pub messages: Vec<Vec<u8>>,
    pub fates: Vec<Fate>,
    next: usize,
    offered: bool,
    /// When the next offer is made.
    pub offer_at: u64,
    /// Durable.
    pub store: Vec<Vec<u8>>,
    /// Messages that were stored when their sender had given up, or had begun again.
    pub late: usize,
    slow: VecDeque<(u64, Ticket, Vec<u8>, bool)>,
    unread: Vec<u8>,
    /// What leaves until then.
    pub sending: Option<u64>,
    /// The frame that is read, for the sabotage of its host.
    frame: Vec<u8>,
    pub bad_days: u64,
    /// The connection is to be closed.
    pub closes: bool,
    /// The program has died: a new link, and nothing in memory.
    pub dies: bool,
    pub seen: BTreeSet<&'static str>,
    sabotage: Sabotage,
}

impl End {
    pub fn new(role: Role, contention_more: u64, bad_days: u64, sabotage: Sabotage) -> End {
        let mut config = LinkConfig::of(role);
        config.sender.times.contention += contention_more;
        End {
            link: Link::new(Growing::default(), config, 0),
            config,
            messages: Vec::new(),
            fates: Vec::new(),
            next: 0,
            offered: false,
            offer_at: 0,
            store: Vec::new(),
            late: 0,
            slow: VecDeque::new(),
            unread: Vec::new(),
            sending: None,
            frame: Vec::new(),
            bad_days,
            closes: false,
            dies: false,
            seen: BTreeSet::new(),
            sabotage,
        }
    }

    pub fn pack(&mut self, packing: Packing) {
        self.config.sender.packing = packing;
        self.link = Link::new(Growing::default(), self.config, 0);
    }

    pub fn is_done(&self) -> bool {
        self.next >= self.messages.len()
    }

    /// The message that is under way.
    pub fn current(&self) -> usize {
        self.next
    }

    pub fn next_event(&self) -> Option<u64> {
        let link = if self.sending.is_none() { self.link.next_deadline() } else { None };
        let offer = (!self.offered && !self.is_done()).then_some(self.offer_at);
        let slow = self.slow.iter().map(|(at, ..)| *at).min();
        [link, offer, slow, self.sending].into_iter().flatten().min()
    }

    /// All that is due at this moment.
    pub fn on_time(&mut self, now: u64, random: &mut Random) {
        if self.sending.is_some_and(|at| at <= now) {
            self.sending = None;
            self.link.sent(now);
        }
        if self.sending.is_none() {
            self.link.on_time(now);
        }
        while let Some(place) = self.slow.iter().position(|(at, ..)| *at <= now) {
            let (_, ticket, message, succeeds) = self.slow.remove(place).unwrap();
            if succeeds {
                self.store.push(message);
                self.late += usize::from(self.link.accept(ticket, now) == Answered::Late);
            } else {
                self.link.refuse(ticket, now);
            }
        }
        if !self.offered && !self.is_done() && self.offer_at <= now {
            self.link.offer(self.messages[self.next].len()).unwrap();
            self.offered = true;
            self.fates[self.next].attempts += 1;
        }
        self.pump(now, random);
    }

    pub fn read(&mut self, bytes: &[u8], now: u64, random: &mut Random) {
        if self.sabotage != Sabotage::EnqCountsAtOnce {
            self.unread.extend_from_slice(bytes);
            return self.pump(now, random);
        }
        for chunk in bytes.chunk_by(|before, after| *before != 5 && *after != 5) {
            if chunk == [5] && self.link.receiver().in_session() {
                // The session is thrown away, and the ENQ begins the next one.
                self.link.line_lost(now);
                self.pump(now, random);
            }
            self.unread.extend_from_slice(chunk);
            self.pump(now, random);
        }
    }

    fn pump(&mut self, now: u64, random: &mut Random) {
        loop {
            let len = match self.sabotage {
                // What came with a reply is read after the next frame has left.
                Sabotage::EarlyReplies if !self.link.receiver().in_session() => {
                    usize::from(self.sending.is_none()).min(self.unread.len())
                }
                _ => self.unread.len(),
            };
            let fed = self.link.feed(&self.unread[..len], now);
            let read: Vec<u8> = self.unread.drain(..fed.consumed).collect();
            self.remember(&read);
            match fed.event {
                Some(event) => self.event(event, now, random),
                None => break,
            }
        }
    }

    fn remember(&mut self, read: &[u8]) {
        if let Some(start) = read.iter().rposition(|byte| *byte == 2) {
            self.frame = read[start..].to_vec();
        } else {
            self.frame.extend_from_slice(read);
        }
    }

    fn event(&mut self, event: LinkEvent, now: u64, random: &mut Random) {
        self.seen.insert(name(&event));
        match event {
            LinkEvent::Received(ReceiverEvent::Frame(ticket, _)) => {
                self.link.accept(ticket, now);
            }
            LinkEvent::Received(ReceiverEvent::Message(ticket, _)) => {
                self.handle(ticket, now, random);
            }
            LinkEvent::Received(ReceiverEvent::RefusedForGood { .. }) => self.closes = true,
            LinkEvent::Received(ReceiverEvent::Refused { fault: Fault::NulInText, .. })
                if self.sabotage == Sabotage::NulPasses =>
            {
                // The frame is read a second time, as if it had come again.
                let frame = std::mem::take(&mut self.frame);
                self.unread.splice(..0, frame);
            }
            LinkEvent::Sent(_, verdict) => self.verdict(verdict, now, random),
            _ => {}
        }
    }

    fn handle(&mut self, ticket: Ticket, now: u64, random: &mut Random) {
        let message = self.link.message().to_vec();
        let handler = if !random.happens(self.bad_days) {
            Handler::Succeeds
        } else {
            let stall = Handler::Stalls(random.below(40_000));
            random.choose(&[Handler::Fails, stall, stall, Handler::DiesAfter, Handler::DiesBefore])
        };
        match handler {
            Handler::Succeeds => {
                self.store.push(message);
                self.link.accept(ticket, now);
            }
            Handler::Fails => {
                self.link.refuse(ticket, now);
            }
            Handler::Stalls(time) => {
                self.slow.push_back((now + time, ticket, message, random.below(4) > 0));
            }
            Handler::DiesAfter => {
                self.store.push(message);
                self.dies = true;
            }
            Handler::DiesBefore => self.dies = true,
        }
    }

    fn verdict(&mut self, verdict: SendVerdict, now: u64, random: &mut Random) {
        let fate = &mut self.fates[self.next];
        self.offered = false;
        self.offer_at = now + random.below(20_000);
        // After a reply that did not come, a late one must not meet the next message.
        self.closes |= matches!(verdict, SendVerdict::NoReply { .. });
        fate.delivered = verdict == SendVerdict::Delivered;
        fate.reported = !fate.delivered && fate.attempts >= 12;
        if fate.delivered || fate.reported {
            self.next += 1;
        }
    }

    /// What leaves now.
    pub fn write(&mut self, now: u64) -> Vec<u8> {
        if self.sending.is_some() {
            return Vec::new();
        }
        let nothing = Vec::new();
        let message = self.messages.get(self.next).unwrap_or(&nothing);
        let mut out = vec![0; message.len() + 64];
        let len = self.link.outgoing(message, &mut out).unwrap();
        out.truncate(len);
        if len > 0 {
            // A byte takes a millisecond.
            self.sending = Some(now + len as u64);
        }
        out
    }

    /// The connection is gone; with a dead program everything in memory as well.
    pub fn line_lost(&mut self, now: u64, random: &mut Random) {
        self.unread.clear();
        self.sending = None;
        self.closes = false;
        if std::mem::take(&mut self.dies) {
            self.seen.insert("died");
            self.link = Link::new(Growing::default(), self.config, now);
            self.slow.clear();
            if std::mem::take(&mut self.offered) {
                // A host that begins again does not know what became of it: it is sent again.
                self.offer_at = now + random.below(5_000);
            }
            return;
        }
        self.link.line_lost(now);
        self.pump(now, random);
    }
}

fn name(event: &LinkEvent) -> &'static str {
    match event {
        LinkEvent::Received(ReceiverEvent::Refused { fault, .. }) => fault.name(),
        LinkEvent::Received(ReceiverEvent::Repeat { .. }) => "repeat",
        LinkEvent::Received(ReceiverEvent::Incomplete { .. }) => "incomplete",
        LinkEvent::Received(ReceiverEvent::RefusedForGood { .. }) => "refused_for_good",
        LinkEvent::Received(_) => "received",
        LinkEvent::Sent(_, verdict) => verdict.name(),
        LinkEvent::Busy => "sees_busy",
        LinkEvent::Contention => "sees_contention",
        LinkEvent::Interrupted { .. } => "sees_interrupt",
        LinkEvent::StrayReply => "stray_reply",
    }
}
