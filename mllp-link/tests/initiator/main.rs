//! The initiator, step by step.

mod enhanced;
mod fates;
mod matching;
mod queue;
mod spans;
mod strays;
mod times;

use mllp_core::{Config, Profile};
use mllp_link::{Fate, Handle, Initiator, InitiatorConfig, InitiatorEvent, Rules};

type Link = Initiator<[u8; 512], 4, 8>;

fn config() -> InitiatorConfig {
    InitiatorConfig {
        window: 4,
        send: 50,
        reply: 100,
        trailer: 20,
        application: 300,
        max_attempts: 3,
        back_off: 10,
        max_back_off: 30,
        ..InitiatorConfig::default()
    }
}

fn with_rules(rules: &str) -> InitiatorConfig {
    InitiatorConfig { rules: Rules::parse(rules).expect("a good list"), ..config() }
}

fn with_profile(profile: Profile) -> InitiatorConfig {
    InitiatorConfig { decoder: Config { profile, ..Config::DEFAULT }, ..config() }
}

/// A link with an open connection.
fn link(config: InitiatorConfig) -> Link {
    let mut link = Initiator::new([0; 512], config);
    link.connected();
    link
}

fn message(id: &str, accept: &str, application: &str) -> Vec<u8> {
    let asks = format!("|||{accept}|{application}");
    format!("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|{id}|P|2.5{asks}\rPID|1\r").into()
}

fn submit(link: &mut Link, id: &str, now: u64) -> Handle {
    link.submit(&message(id, "", ""), now).expect("room for a message")
}

/// Writes the next message to its end.
fn send(link: &mut Link, now: u64) -> Option<u32> {
    let handle = link.next_to_send(now)?;
    link.sent(handle, now);
    Some(handle.number())
}

/// Submits a message and writes it to its end.
fn sent(link: &mut Link, id: &str, now: u64) {
    let handle = submit(link, id, now);
    assert_eq!(send(link, now), Some(handle.number()));
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

fn reply(code: &str, id: &str) -> Vec<u8> {
    frame(format!("MSH|^~\\&|C|D|A|B|20260101||ACK|9|P|2.5\rMSA|{code}|{id}\r").as_bytes())
}

/// Everything that happens when these bytes come.
fn hear(link: &mut Link, bytes: &[u8], now: u64) -> Vec<String> {
    assert_eq!(link.receive(bytes, now), bytes.len());
    events(link, now)
}

/// Everything that happens when this much time has passed.
fn pass(link: &mut Link, now: u64) -> Vec<String> {
    link.on_time(now);
    events(link, now)
}

/// What has happened, a line for each event: the number of a message is that of its submission. The
/// fate of a verdict is named where no reply gave it.
fn events(link: &mut Link, now: u64) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(event) = link.next_event(now) {
        all.push(match event {
            InitiatorEvent::Verdict { handle, verdict, fate } => {
                let (reply, action) = (verdict.reply.name(), verdict.action.name());
                let fate = match fate {
                    Fate::Answered => String::new(),
                    fate => format!(", {}", fate.name()),
                };
                format!("{}: {reply} {action}{fate}", handle.number())
            }
            InitiatorEvent::Retry { handle, at, verdict } => {
                format!("{}: {} again at {at}", handle.number(), verdict.reply.name())
            }
            InitiatorEvent::Stored { handle } => format!("{}: stored", handle.number()),
            InitiatorEvent::Stray(stray) => stray.name().to_string(),
            InitiatorEvent::Reconnect => "reconnect".to_string(),
            InitiatorEvent::Warning { deviation, .. } => deviation.name().to_string(),
            InitiatorEvent::Fault { fault, .. } => fault.name().to_string(),
            InitiatorEvent::Discard(discard) => discard.why.name().to_string(),
        });
        assert!(all.len() < 20, "no end of events");
    }
    all
}
