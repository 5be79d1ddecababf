//! Both ends on one line. The host writes at once.

use std::collections::VecDeque;

use astm_core::{Link, LinkEvent, Profile, Ticket};
use serde_json::{Value, json};

use crate::receiver::describe;
use crate::sender::verdict;
use crate::support::Growing;
use crate::{hex, latin1, options, split, unhex, vectors};

struct Player {
    link: Link<Growing>,
    host: String,
    now: u64,
    message: Vec<u8>,
    unread: Vec<u8>,
    tickets: VecDeque<Ticket>,
    events: Vec<Value>,
    sent: Vec<u8>,
}

impl Player {
    /// All events of what was read, then what is to leave.
    fn pump(&mut self) {
        loop {
            let fed = self.link.feed(&self.unread, self.now);
            self.unread.drain(..fed.consumed);
            match fed.event {
                Some(event) => self.event(event),
                None => {
                    let mut out = vec![0; self.message.len() + 16];
                    let len = self.link.outgoing(&self.message, &mut out).unwrap();
                    self.sent.extend_from_slice(&out[..len]);
                    self.link.sent(self.now);
                    if len == 0 && fed.consumed == 0 {
                        break;
                    }
                }
            }
        }
    }

    fn event(&mut self, event: LinkEvent) {
        let (seen, ticket) = match event {
            LinkEvent::Received(event) => describe(event, self.link.receiver()),
            LinkEvent::Sent(_, found) => (verdict(found), None),
            LinkEvent::Busy => (json!({"ev": "busy"}), None),
            LinkEvent::Contention => (json!({"ev": "contention"}), None),
            LinkEvent::Interrupted { frames } => {
                (json!({"ev": "interrupted", "frames": frames}), None)
            }
            LinkEvent::StrayReply => (json!({"ev": "stray"}), None),
        };
        self.events.push(seen);
        if let Some(ticket) = ticket {
            self.tickets.push_back(ticket);
            if self.host == "accept" {
                self.answer("accept");
            }
        }
    }

    fn answer(&mut self, how: &str) {
        let ticket = self.tickets.pop_front().unwrap();
        match how {
            "accept" => self.link.accept(ticket, self.now),
            "refuse" => self.link.refuse(ticket, self.now),
            other => panic!("{other}"),
        };
    }

    fn op(&mut self, op: &Value) {
        match op[0].as_str().unwrap() {
            "bytes" => self.unread.extend(unhex(op[1].as_str().unwrap())),
            "offer" => {
                self.message = latin1(op[1].as_str().unwrap());
                self.link.offer(self.message.len()).unwrap();
            }
            "line_lost" => self.link.line_lost(self.now),
            "wait" => {
                let end = self.now + op[1].as_u64().unwrap();
                while let Some(at) = self.link.next_deadline().filter(|at| *at <= end) {
                    self.now = self.now.max(at);
                    self.link.on_time(self.now);
                    self.pump();
                }
                self.now = end;
            }
            how => self.answer(how),
        }
        self.pump();
    }
}

#[test]
fn every_conversation() {
    for case in vectors("link") {
        let options = options(&case, Profile::Default);
        let mut link = Link::new(Growing::default(), options.link, 0);
        link.set_ready(options.ready);
        let mut player = Player {
            link,
            host: options.host,
            now: 0,
            message: Vec::new(),
            unread: Vec::new(),
            tickets: VecDeque::new(),
            events: Vec::new(),
            sent: Vec::new(),
        };
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            player.op(&step["op"]);
            let (events, sent) = split(&step["events"]);
            let at = format!("{} step {number}", case["id"]);
            assert_eq!(std::mem::take(&mut player.events), events, "{at}");
            assert_eq!(hex(&std::mem::take(&mut player.sent)), hex(&sent), "{at}");
        }
    }
}
