//! Invariant: the events of a scanner do not depend on the chunks and no byte is lost; a link never panics and
//! never stands still, and acknowledges no frame that its host has not accepted.

#![no_main]

mod input;

use astm_core::{Event, Link, LinkConfig, LinkEvent, ReceiverEvent, Role, Scanner};
use input::{Input, cuts};
use libfuzzer_sys::fuzz_target;

const MESSAGE: &[u8] = b"H|\\^&|||A\rR|1|^^^GLU|5\rL|1|N\r";

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (flags, seed, time) = (input.byte(), input.byte(), u64::from(input.byte()) * 200);
    let stream = input.rest();
    let cuts = cuts(stream.len(), seed);
    assert_eq!(scanned(stream, &vec![false; stream.len() + 1]), scanned(stream, &cuts));
    let role = if flags & 1 == 0 { Role::Computer } else { Role::Instrument };
    let mut link = Link::new([0; 128], LinkConfig::of(role), 0);
    if flags & 2 != 0 {
        link.offer(MESSAGE.len()).expect("nothing was offered before");
    }
    let (mut now, mut from) = (0, 0);
    for (at, cut) in cuts.iter().enumerate() {
        if *cut || at == stream.len() {
            feed(&mut link, &stream[from..at], now, flags & 4 != 0);
            from = at;
            now = pass(&mut link, now, now + time);
        }
    }
});

fn scanned(stream: &[u8], cuts: &[bool]) -> Vec<(String, Vec<u8>)> {
    let mut scanner = Scanner::new(64);
    let (mut events, mut text, mut len, mut from) = (Vec::new(), Vec::new(), 0, 0);
    let mut note = |event: Event<'_>| {
        len += match event {
            Event::Text(span) => return text.extend_from_slice(span),
            Event::Control(..) => 1,
            Event::End(frame) => frame.len,
            Event::Fault { len, .. } => len,
            Event::Discard(discard) => discard.len,
            Event::Start { .. } => 0,
        };
        events.push((format!("{event:?}"), std::mem::take(&mut text)));
    };
    for at in 0..=stream.len() {
        if !cuts[at] && at < stream.len() {
            continue;
        }
        let mut rest = &stream[from..at];
        from = at;
        loop {
            let step = scanner.step(rest);
            rest = &rest[step.consumed..];
            let Some(event) = step.event else { break };
            note(event);
        }
        assert!(rest.is_empty());
    }
    while let Some(event) = scanner.finish() {
        note(event);
    }
    assert_eq!(len, stream.len() as u64, "a byte is lost");
    events
}

fn feed(link: &mut Link<[u8; 128]>, mut bytes: &[u8], now: u64, refuses: bool) {
    loop {
        let fed = link.feed(bytes, now);
        bytes = &bytes[fed.consumed..];
        match fed.event {
            Some(LinkEvent::Received(
                ReceiverEvent::Frame(ticket, _) | ReceiverEvent::Message(ticket, _),
            )) => {
                // What was owed before leaves first.
                link.outgoing(MESSAGE, &mut [0; 300]).expect("a frame fits");
                link.sent(now);
                assert_eq!(link.receiver().outgoing(), b"", "an answer without the host");
                assert!(!link.wants_input(), "bytes are read while an answer is owed");
                if refuses {
                    link.refuse(ticket, now)
                } else {
                    link.accept(ticket, now)
                };
            }
            Some(_) => {}
            None => {
                let len = link.outgoing(MESSAGE, &mut [0; 300]).expect("a frame fits");
                link.sent(now);
                if len == 0 && fed.consumed == 0 {
                    return;
                }
            }
        }
    }
}

fn pass(link: &mut Link<[u8; 128]>, mut now: u64, end: u64) -> u64 {
    let mut steps = 0;
    while let Some(at) = link.next_deadline().filter(|at| *at <= end) {
        now = now.max(at);
        link.on_time(now);
        feed(link, b"", now, false);
        steps += 1;
        assert!(steps < 10_000, "time stands still");
    }
    end
}
