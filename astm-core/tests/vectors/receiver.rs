//! Streams to a receiver.

use std::collections::VecDeque;

use astm_core::{FrameInfo, Profile, Receiver, ReceiverEvent, Ticket};
use serde_json::{Value, json};

use crate::support::Growing;
use crate::{Options, hex, options, split, unhex, vectors};

/// A receiver, its host, and what they said.
struct Player {
    receiver: Receiver<Growing>,
    host: String,
    now: u64,
    unread: Vec<u8>,
    tickets: VecDeque<Ticket>,
    events: Vec<Value>,
    sent: Vec<u8>,
}

impl Player {
    fn new(options: &Options) -> Player {
        let mut receiver = Receiver::new(Growing::default(), options.link.receiver, 0);
        receiver.set_ready(options.ready);
        let (host, tickets) = (options.host.clone(), VecDeque::new());
        let (unread, events, sent) = (Vec::new(), Vec::new(), Vec::new());
        Player { receiver, host, now: 0, unread, tickets, events, sent }
    }

    fn pump(&mut self) {
        loop {
            let fed = self.receiver.feed(&self.unread, self.now);
            self.unread.drain(..fed.consumed);
            let replies = self.receiver.outgoing().len();
            self.sent.extend_from_slice(self.receiver.outgoing());
            self.receiver.sent(replies);
            match fed.event {
                Some(event) => self.event(event),
                None if fed.consumed == 0 && replies == 0 => break,
                None => {}
            }
        }
    }

    fn event(&mut self, event: ReceiverEvent) {
        let (seen, ticket) = describe(event, &self.receiver);
        self.events.push(seen);
        if let Some(ticket) = ticket {
            self.tickets.push_back(ticket);
            if self.host != "hold" {
                self.answer(&self.host.clone());
            }
        }
    }

    fn answer(&mut self, how: &str) {
        let Some(ticket) = self.tickets.pop_front() else { return };
        match how {
            "accept" => self.receiver.accept(ticket, self.now),
            "refuse" => self.receiver.refuse(ticket, self.now),
            "interrupt" => self.receiver.accept_and_interrupt(ticket, self.now),
            other => panic!("{other}"),
        };
    }

    fn wait(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(at) = self.receiver.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.receiver.on_time(self.now);
            self.pump();
        }
        self.now = end;
    }

    fn op(&mut self, op: &Value, cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) {
        match op[0].as_str().unwrap() {
            "bytes" => {
                for chunk in cut(&unhex(op[1].as_str().unwrap())) {
                    self.unread.extend_from_slice(&chunk);
                    self.pump();
                }
            }
            "wait" => self.wait(op[1].as_u64().unwrap()),
            "line_lost" => {
                self.unread.clear();
                self.receiver.line_lost(self.now);
            }
            how => self.answer(how),
        }
        self.pump();
    }

    fn state(&self) -> &'static str {
        match (self.receiver.wants_input(), self.receiver.in_frame(), self.receiver.in_session()) {
            (false, ..) => "owed",
            (_, true, _) => "frame",
            (.., true) => "session",
            _ => "neutral",
        }
    }
}

fn frame(ev: &str, text: &[u8], info: &FrameInfo) -> Value {
    let number = info.number.map(|number| number.get());
    let end = info.ending.name();
    let mut seen = json!({"ev": ev, "number": number, "end": end, "text": hex(text)});
    if !info.deviations.is_empty() {
        let mut names: Vec<&str> = info.deviations.iter().map(|one| one.name()).collect();
        names.sort_unstable();
        seen["deviations"] = json!(names);
    }
    seen
}

/// An event as the vectors write it, and its ticket.
pub fn describe(event: ReceiverEvent, receiver: &Receiver<Growing>) -> (Value, Option<Ticket>) {
    let message = || hex(receiver.message());
    let seen = match event {
        ReceiverEvent::SessionStart { without_enq: false } => json!({"ev": "session_start"}),
        ReceiverEvent::SessionStart { without_enq: true } => {
            json!({"ev": "session_start", "deviations": ["no_enq"]})
        }
        ReceiverEvent::Frame(ticket, info) => {
            assert_eq!(receiver.text().len(), info.text_len);
            return (frame("frame", receiver.text(), &info), Some(ticket));
        }
        ReceiverEvent::Message(ticket, completed) => {
            assert_eq!(completed.len, receiver.message().len());
            let mut seen = frame("message", receiver.message(), &completed.last);
            seen["repeated"] = json!(completed.repeated);
            return (seen, Some(ticket));
        }
        ReceiverEvent::MessageAtEot(completed) => {
            json!({"ev": "message_at_eot", "text": message(), "repeated": completed.repeated})
        }
        ReceiverEvent::Repeat { number } => {
            json!({"ev": "repeat", "number": number.map(|number| number.get())})
        }
        ReceiverEvent::Refused { fault, number: None } => {
            json!({"ev": "refused", "fault": fault.name()})
        }
        ReceiverEvent::Refused { fault, number: Some(number) } => {
            json!({"ev": "refused", "fault": fault.name(), "number": number.get()})
        }
        ReceiverEvent::RefusedForGood { fault } => {
            json!({"ev": "refused_for_good", "fault": fault.name()})
        }
        ReceiverEvent::Incomplete { reason, len } => {
            assert_eq!(len, receiver.message().len());
            json!({"ev": "incomplete", "reason": reason.of_message(), "text": message()})
        }
        ReceiverEvent::SessionEnd { reason, frames, messages } => {
            let reason = reason.name();
            json!({"ev": "session_end", "reason": reason, "frames": frames, "messages": messages})
        }
        ReceiverEvent::EnqStorm => json!({"ev": "enq_storm"}),
        ReceiverEvent::ForeignBody => json!({"ev": "foreign_body"}),
        ReceiverEvent::Discard(discard) => json!({"ev": "discard", "len": discard.len}),
    };
    (seen, None)
}

fn check(case: &Value, profile: Profile, name: &str, cut: &dyn Fn(&[u8]) -> Vec<Vec<u8>>) {
    let mut player = Player::new(&options(case, profile));
    for op in case["ops"].as_array().unwrap() {
        player.op(op, cut);
    }
    let expected = &case["expect"][name];
    let (events, sent) = split(&expected["events"]);
    assert_eq!(player.events, events, "{} {name}", case["id"]);
    assert_eq!(hex(&player.sent), hex(&sent), "{} {name}", case["id"]);
    assert_eq!(player.state(), expected["state"], "{} {name}", case["id"]);
}

#[test]
fn every_stream_in_every_chunking() {
    let mut runs = 0;
    for case in vectors("receiver") {
        let len = |op: &Value| op[1].as_str().map_or(0, |text| text.len() / 2);
        let longest = case["ops"].as_array().unwrap().iter().map(len).max().unwrap();
        for (profile, name) in [(Profile::Default, "default"), (Profile::Strict, "strict")] {
            check(&case, profile, name, &|bytes| vec![bytes.to_vec()]);
            check(&case, profile, name, &|bytes| bytes.iter().map(|byte| vec![*byte]).collect());
            for at in 1..longest {
                check(&case, profile, name, &|bytes| {
                    let (front, back) = bytes.split_at(at.min(bytes.len()));
                    vec![front.to_vec(), back.to_vec()]
                });
            }
            runs += longest + 1;
        }
    }
    assert!(runs > 10_000, "{runs}");
}
