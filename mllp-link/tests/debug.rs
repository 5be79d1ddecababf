//! Payloads are health data: no debug output shows one.

mod messages;

use ack_gen::AckCode;
use messages::{ack, frame};
use mllp_link::{Responder, ResponderConfig, ResponderEvent, StreamEvent, StreamResponder};

const PAYLOAD: &[u8] =
    b"MSH|^~\\&|MARK4711|MARK4711|C|D|2026||ADT^A01|MARK4711|P|2.5\rPID|MARK4711\r";

#[track_caller]
fn assert_hidden(shown: &str) {
    let bytes = format!("{:?}", b"MARK4711");
    let bytes = bytes.trim_matches(['[', ']']);
    assert!(!shown.contains("MARK4711") && !shown.contains(bytes), "{shown}");
}

#[test]
fn a_responder_hides_what_it_stores() {
    let config = ResponderConfig::DEFAULT;
    let mut link: Responder<_, _, 4> = Responder::new([0; 512], [0; 4096], config, 0);
    link.receive(&frame(PAYLOAD), 0);
    assert_hidden(&format!("{link:?}"));
    let event = link.next_event(0);
    assert_hidden(&format!("{event:?} {link:?}"));
    let Some(ResponderEvent::Message(ticket, _)) = event else { panic!("no message") };
    let error = link.answer_with(ticket, b"MARK4711\x1c", 0).expect_err("an end block");
    assert_hidden(&format!("{error:?} {}", error.error));
    assert!(link.answer(error.ticket, &ack(AckCode::AA), 0).is_ok());
    assert!(link.outgoing().windows(8).any(|it| it == b"MARK4711"));
    assert_hidden(&format!("{link:?}"));
}

#[test]
fn a_stream_responder_hides_what_passes_by() {
    let config = ResponderConfig::DEFAULT;
    let mut link: StreamResponder<_, 256, 4> = StreamResponder::new([0; 4096], config, 0);
    let stream = frame(PAYLOAD);
    let mut input = &stream[..];
    while !input.is_empty() {
        let step = link.step(input, 0);
        input = &input[step.consumed..];
        assert_hidden(&format!("{step:?} {link:?}"));
        if let Some(StreamEvent::End(ticket, _)) = step.event {
            assert!(link.answer(ticket, &ack(AckCode::AA), 0).is_ok());
            assert!(link.outgoing().windows(8).any(|it| it == b"MARK4711"));
        }
    }
    assert_hidden(&format!("{link:?}"));
}
