//! Conversations of a sender. Its host writes at once.

use astm_core::{Profile, SendVerdict, Sender, SenderEvent};
use serde_json::{Value, json};

use crate::{hex, latin1, options, split, unhex, vectors};

pub fn verdict(verdict: SendVerdict) -> Value {
    let mut seen = json!({"ev": "verdict", "verdict": verdict.name()});
    match verdict {
        SendVerdict::NoReply { uncertain } | SendVerdict::LineLost { uncertain } => {
            seen["uncertain"] = json!(uncertain);
        }
        SendVerdict::Interrupted { frames } => seen["frames"] = json!(frames),
        _ => {}
    }
    seen
}

fn describe(event: SenderEvent) -> Value {
    match event {
        SenderEvent::Verdict(found) => verdict(found),
        SenderEvent::Busy => json!({"ev": "busy"}),
        SenderEvent::Contention => json!({"ev": "contention"}),
        SenderEvent::Interrupted { frames } => json!({"ev": "interrupted", "frames": frames}),
        SenderEvent::Asked => json!({"ev": "asked"}),
        SenderEvent::Stray => json!({"ev": "stray"}),
    }
}

struct Player {
    sender: Sender,
    message: Vec<u8>,
    now: u64,
    events: Vec<Value>,
    sent: Vec<u8>,
}

impl Player {
    fn flush(&mut self) {
        let mut out = vec![0; self.message.len() + 7];
        let len = self.sender.outgoing(&self.message, &mut out).unwrap();
        if len > 0 {
            self.sent.extend_from_slice(&out[..len]);
            self.sender.sent(self.now);
        }
    }

    fn op(&mut self, op: &Value) {
        match op[0].as_str().unwrap() {
            "start" => self.sender.start(self.message.len()),
            "resume" => self.sender.resume(),
            "line_lost" => self.events.extend(self.sender.line_lost().map(describe)),
            "rx" => {
                let bytes = unhex(op[1].as_str().unwrap());
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let step = self.sender.receive(rest, self.now);
                    rest = &rest[step.consumed..];
                    self.events.extend(step.event.map(describe));
                }
            }
            "wait" => {
                let end = self.now + op[1].as_u64().unwrap();
                while let Some(at) = self.sender.next_deadline().filter(|at| *at <= end) {
                    self.now = at;
                    self.events.extend(self.sender.on_time(at).map(describe));
                    self.flush();
                }
                self.now = end;
            }
            other => panic!("{other}"),
        }
        self.flush();
    }
}

#[test]
fn every_conversation() {
    for case in vectors("sender") {
        let sender = Sender::new(options(&case, Profile::Default).link.sender);
        let message = latin1(case["message"].as_str().unwrap());
        let (events, sent) = (Vec::new(), Vec::new());
        let mut player = Player { sender, message, now: 0, events, sent };
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            player.op(&step["op"]);
            let (events, sent) = split(&step["events"]);
            let at = format!("{} step {number}", case["id"]);
            assert_eq!(std::mem::take(&mut player.events), events, "{at}");
            assert_eq!(hex(&std::mem::take(&mut player.sent)), hex(&sent), "{at}");
            let state = step["state"].as_str().unwrap();
            assert_eq!(player.sender.is_waiting(), state == "waiting", "{at}");
            assert_eq!(player.sender.is_active(), !["waiting", "idle"].contains(&state), "{at}");
        }
    }
}
