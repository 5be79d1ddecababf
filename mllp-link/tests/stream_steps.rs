//! The stream responder, step by step.

mod messages;

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::{MessageHeader, Scan};
use messages::{ack, answers, frame, message};
use mllp_core::{Config, Fault, Profile};
use mllp_link::{
    AnswerError, CloseReason, Expired, OverLimit, Refusal, Refuse, ResponderConfig, StreamEvent,
    StreamResponder, Ticket, Times,
};

const TIMES: Times = Times { idle: 100, byte: 50, frame: 200, send: 70, trailer: 20 };

type Link<const HEADER: usize, const W: usize> = StreamResponder<[u8; 8192], HEADER, W>;

fn link<const HEADER: usize, const W: usize>(config: ResponderConfig) -> Link<HEADER, W> {
    StreamResponder::new([0; 8192], ResponderConfig { times: TIMES, ..config }, 0)
}

/// Steps over the input up to the end of the first frame.
fn ticket<const H: usize, const W: usize>(
    link: &mut Link<H, W>,
    input: &mut &[u8],
    now: u64,
) -> Ticket {
    loop {
        let step = link.step(input, now);
        *input = &input[step.consumed..];
        match step.event.expect("no message") {
            StreamEvent::End(ticket, _) => return ticket,
            StreamEvent::Start { .. } | StreamEvent::Header | StreamEvent::Span(_) => {}
            other => panic!("no message: {other:?}"),
        }
    }
}

/// Steps over all of the input: what has happened, without the payloads.
fn events<const H: usize, const W: usize>(
    link: &mut Link<H, W>,
    mut input: &[u8],
    now: u64,
) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let step = link.step(input, now);
        input = &input[step.consumed..];
        match step.event {
            Some(StreamEvent::Span(_)) => {}
            Some(event) => seen.push(format!("{event:?}")),
            None => return seen,
        }
    }
}

fn lost<const H: usize, const W: usize>(
    link: &mut Link<H, W>,
    input: &mut &[u8],
) -> (Option<Refusal>, Fault) {
    loop {
        let step = link.step(input, 0);
        *input = &input[step.consumed..];
        match step.event.expect("nothing lost") {
            StreamEvent::Lost { refusal, fault, .. } => return (refusal, fault),
            StreamEvent::End(..) => panic!("not lost"),
            _ => {}
        }
    }
}

fn sent<const H: usize, const W: usize>(link: &mut Link<H, W>, now: u64) -> Vec<String> {
    let mut all = Vec::new();
    while !link.outgoing().is_empty() {
        all.extend(link.outgoing());
        link.sent(link.outgoing().len(), now);
    }
    answers(&all)
}

#[test]
fn a_message_larger_than_memory_is_answered_from_its_header() {
    let decoder = Config { max_payload_len: Config::UNLIMITED, ..Config::DEFAULT };
    let mut link = link::<256, 2>(ResponderConfig { decoder, ..ResponderConfig::DEFAULT });
    let mut input = &b"\x0bMSH|^~\\&|A|B|C|D|20260101||MDM^T02|BIG|P|2.5\rOBX|1|ED|"[..];
    let mut seen = Vec::new();
    while !input.is_empty() {
        let step = link.step(input, 0);
        input = &input[step.consumed..];
        seen.push(step.event.expect("an event"));
    }
    let [StreamEvent::Start { offset: 0 }, StreamEvent::Span(msh), StreamEvent::Header, span] =
        &seen[..]
    else {
        panic!("{seen:?}");
    };
    assert!(msh.ends_with(b"|2.5\r") && *span == StreamEvent::Span(b"OBX|1|ED|"));
    let header = link.header().expect("MSH");
    assert_eq!((header.message_control_id(), header.trigger_event()), (&b"BIG"[..], &b"T02"[..]));
    let mebibyte = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        let step = link.step(&mebibyte, 0);
        assert_eq!((step.consumed, step.event), (1 << 20, Some(StreamEvent::Span(&mebibyte))));
    }
    let mut input = &b"\r\x1c\r"[..];
    let owed = ticket(&mut link, &mut input, 0);
    assert!(link.answer(owed, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(sent(&mut link, 0), ["AA|BIG"]);
}

#[test]
fn the_header_is_at_hand_until_the_next_frame_begins() {
    let mut link = link::<256, 2>(ResponderConfig::DEFAULT);
    let all = [frame(&message("1", 0)), frame(&message("2", 0))].concat();
    let mut input = &all[..];
    let first = ticket(&mut link, &mut input, 0);
    let kept = link.header_bytes().to_vec();
    assert!(link.step(input, 0).event.is_some_and(|it| matches!(it, StreamEvent::Start { .. })));
    let error = link.answer(first, &ack(AckCode::AA), 0).expect_err("another header");
    assert_eq!(error.error, AnswerError::NotAtHand);
    assert!(link.answer_later(error.ticket, &kept, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(sent(&mut link, 0), ["AA|1"]);
    assert_eq!(link.settled(), 1);
}

#[test]
fn nothing_is_consumed_while_the_window_is_full() {
    let mut link = link::<256, 1>(ResponderConfig::DEFAULT);
    let all = [frame(&message("1", 0)), frame(&message("2", 0))].concat();
    let mut input = &all[..];
    let first = ticket(&mut link, &mut input, 0);
    assert!(!link.wants_input());
    let step = link.step(input, 0);
    assert_eq!((step.consumed, step.event), (0, None));
    assert!(link.answer(first, &ack(AckCode::AE), 0).is_ok());
    assert_eq!(sent(&mut link, 0), ["AE|1"]);
    let second = ticket(&mut link, &mut input, 0);
    link.leave_unanswered(second, 0);
    assert!(input.is_empty() && link.wants_input());
}

#[test]
fn what_is_cut_short_is_not_answered() {
    let decoder = Config { profile: Profile::Resync, ..Config::DEFAULT };
    let mut restart = link::<256, 2>(ResponderConfig { decoder, ..ResponderConfig::DEFAULT });
    let all = [b"\x0bMSH|^~\\&|half".to_vec(), frame(&message("2", 0))].concat();
    let mut input = &all[..];
    assert_eq!(lost(&mut restart, &mut input), (None, Fault::SbInBlock));
    assert_eq!(restart.step(input, 0).consumed, 0, "its extent");
    let owed = ticket(&mut restart, &mut input, 0);
    assert!(restart.answer(owed, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(sent(&mut restart, 0), ["AA|2"]);

    let mut end = link::<256, 2>(ResponderConfig::DEFAULT);
    assert_eq!(events(&mut end, b"\x0bMSH|^~\\&|half", 0), ["Start { offset: 0 }"]);
    end.peer_closed(0);
    assert!(!end.wants_input());
    let step = end.step(b"\x1c\r", 0);
    assert_eq!(step.consumed, 0, "it is too late for more");
    let lost = StreamEvent::Lost { refusal: None, fault: Fault::Truncated, offset: 14 };
    assert_eq!(step.event, Some(lost));
    let rest = events(&mut end, b"", 0);
    assert!(rest[0].starts_with("Discard") && rest[1] == "Closing(end_of_stream)", "{rest:?}");
    assert!(end.is_finished());
}

#[test]
fn a_message_over_the_limit_is_refused() {
    let over_limit = OverLimit::Refuse;
    let decoder = Config { max_payload_len: 300, ..Config::DEFAULT };
    for (commit_blocks, answer) in [(false, "AR|BIG"), (true, "\x15")] {
        let base = ResponderConfig { decoder, over_limit, ..ResponderConfig::DEFAULT };
        let mut link = link::<256, 2>(ResponderConfig { commit_blocks, ..base });
        let large = frame(&message("BIG", 600));
        let mut input = &large[..500];
        let (refusal, fault) = lost(&mut link, &mut input);
        assert_eq!(fault, Fault::TooLarge);
        let refusal = refusal.expect("a refusal");
        assert!(link.refuse(refusal, Refuse::Reject, &ack(AckCode::AA), 0).is_ok());
        assert!(events(&mut link, input, 0).is_empty());
        assert!(link.outgoing().is_empty(), "held until the frame has ended");
        assert_eq!(events(&mut link, &large[500..], 0).len(), 1);
        assert_eq!(sent(&mut link, 0), [answer]);
    }
    let mut close = link::<256, 2>(ResponderConfig { decoder, ..ResponderConfig::DEFAULT });
    let large = frame(&message("BIG", 600));
    let mut input = &large[..];
    assert_eq!(lost(&mut close, &mut input), (None, Fault::TooLarge));
    assert!(!close.wants_input());
    let closing = StreamEvent::Closing(CloseReason::TooLarge);
    assert_eq!(close.step(input, 0).event, Some(closing));
    assert!(close.is_finished());
}

#[test]
fn times_run_as_for_a_responder() {
    let mut byte = link::<256, 1>(ResponderConfig::DEFAULT);
    assert_eq!(byte.next_deadline(), Some(100));
    events(&mut byte, b"\x0bMSH", 10);
    events(&mut byte, b"", 20);
    assert_eq!(byte.next_deadline(), Some(60), "nothing has come since");
    byte.on_time(60);
    let seen = events(&mut byte, b"", 60);
    assert_eq!(seen.last().map(String::as_str), Some("Closing(byte_timeout)"));

    let mut send = link::<256, 1>(ResponderConfig::DEFAULT);
    let owed = ticket(&mut send, &mut &frame(&message("1", 0))[..], 0);
    assert_eq!(send.next_deadline(), None);
    assert!(send.answer(owed, &ack(AckCode::AA), 30).is_ok());
    send.on_time(100);
    let expired = CloseReason::Expired(Expired::Send).name();
    let seen = events(&mut send, b"", 100);
    assert_eq!(seen, ["AnswersLost { answers: 1 }", &format!("Closing({expired})")]);
    assert!(send.is_finished());
}

#[test]
fn bytes_that_come_in_time_decide_about_the_end_block() {
    let decoder = Config { profile: Profile::Resync, ..Config::DEFAULT };
    let mut link = link::<256, 1>(ResponderConfig { decoder, ..ResponderConfig::DEFAULT });
    assert_eq!(events(&mut link, b"\x0bone\x1c", 0).len(), 1);
    assert_eq!(link.next_deadline(), Some(20));
    link.on_time(20);
    assert!(events(&mut link, b"\x1c", 20).is_empty(), "its trailer has its own time");
    link.on_time(39);
    assert!(events(&mut link, b"", 39).is_empty());
    link.on_time(40);
    let _owed = ticket(&mut link, &mut &b""[..], 40);
}

/// Every field of a header that was cut off is there whole or not at all.
#[track_caller]
fn assert_whole(kept: &[u8], payload: &[u8]) {
    assert!(payload.starts_with(kept));
    for scan in [Scan::SingleByte, Scan::ShiftJis, Scan::Gb18030, Scan::Iso2022Jp] {
        let whole = MessageHeader::parse_lenient_with(payload, scan);
        let Some(header) = MessageHeader::parse_lenient_with(kept, scan) else { continue };
        for number in 1..=21 {
            let field = header.field(number);
            let whole = whole.as_ref().expect("a header").field(number);
            assert!(field.is_empty() || field == whole, "MSH-{number} of {kept:?}, {scan:?}");
        }
    }
}

const LONG: [&[u8]; 7] = [
    b"MSH|^~\\&|SENDER|FACILITY|RECEIVER|HOSPITAL|20260101||ADT^A01^ADT_A01|CONTROL|P|2.5||\rPID\r",
    b"MSH|^~\\&|\x83\x7C\x83\x7C|\x83\x7C|\xB1|A\x83\x7C|2026||ADT^A01|CONTROL|P|2.5||||||ISO IR14\r",
    b"MSH|^~\\&|\x81\x7C|\x81\x30\x81\x30|\x81\x81|A\x81\x7C|2026||ADT^A01|CONTROL|P|2.5|||||\r",
    b"MSH|^~\\&|\x1B$B||||\x1B(B|\x1B$B!|\x1B(J|X|Y|2026||ADT^A01|CONTROL|P|2.5||||||\r",
    b"MSH|^~\\&|M\xC3\xBCller|\xE5\xB1\xB1|C|D|2026||ADT^A01|CONTROL|P|2.5|||||UNICODE UTF-8\r",
    b"FHS|^~\\&|FILE\rBHS|^~\\&|BATCH|X\rMSH|^~\\&|A|LF\nLF|C|D|2026||ADT^A01|CONTROL|P|2.5|||\r",
    b"\xEF\xBB\xBF\r\nMSH|^~\\&|LF|SEGMENTS|C|D|2026||ADT^A01|CONTROL|P|2.5|||||||||||||||||||||\nPID\n",
];

#[test]
fn a_field_that_was_cut_short_is_absent() {
    fn check<const HEADER: usize>(payload: &[u8]) {
        let mut link = link::<HEADER, 2>(ResponderConfig::DEFAULT);
        let owed = ticket(&mut link, &mut &frame(payload)[..], 0);
        assert_whole(link.header_bytes(), payload);
        assert!(link.header_bytes().len() <= HEADER);
        link.leave_unanswered(owed, 0);
    }
    for payload in LONG {
        check::<0>(payload);
        check::<3>(payload);
        check::<4>(payload);
        check::<7>(payload);
        check::<11>(payload);
        check::<13>(payload);
        check::<24>(payload);
        check::<40>(payload);
        check::<47>(payload);
        check::<64>(payload);
        for max_payload_len in 0..payload.len() {
            let decoder = Config { max_payload_len, ..Config::DEFAULT };
            let over_limit = OverLimit::Refuse;
            let mut link =
                link::<256, 2>(ResponderConfig { decoder, over_limit, ..ResponderConfig::DEFAULT });
            let (refusal, _) = lost(&mut link, &mut &frame(payload)[..]);
            assert_whole(link.header_bytes(), payload);
            assert!(link.header_bytes().len() <= max_payload_len);
            link.leave_unrefused(refusal.expect("a refusal"), 0);
        }
    }
}

#[test]
fn a_control_id_that_was_cut_short_is_never_quoted() {
    let payload = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|CONTROL-ID|P|2.5\rPID|1\r";
    for (policy, answered) in [(Policy::Always, true), (Policy::Conformant, false)] {
        let mut cut = link::<40, 2>(ResponderConfig { policy, ..ResponderConfig::DEFAULT });
        let owed = ticket(&mut cut, &mut &frame(payload)[..], 0);
        assert!(cut.header_bytes().ends_with(b"|ADT^A01|"), "MSH-9 is the last");
        let answer = cut.answer(owed, &ack(AckCode::AA), 0);
        assert_eq!(answer.is_ok(), answered);
        match answer {
            // As for a message without MSH-10: the answer's own.
            Ok(()) => assert_eq!(sent(&mut cut, 0), ["AA|1"]),
            Err(unanswered) => {
                assert_eq!(unanswered.error.name(), "no_control_id");
                cut.leave_unanswered(unanswered.ticket, 0);
            }
        }
    }
    let mut fits = link::<53, 2>(ResponderConfig::DEFAULT);
    let owed = ticket(&mut fits, &mut &frame(payload)[..], 0);
    assert!(fits.answer(owed, &ack(AckCode::AA), 0).is_ok());
    assert_eq!(sent(&mut fits, 0), ["AA|CONTROL-ID"]);
}

/// A sender that goes silent in the rest of a message over the limit does not hold its connection.
#[test]
fn silence_behind_the_limit_ends_the_connection() {
    for profile in [Profile::Permissive, Profile::Resync, Profile::Strict] {
        let decoder = Config { profile, max_payload_len: 50, ..Config::DEFAULT };
        let over_limit = OverLimit::Refuse;
        let config = ResponderConfig { decoder, over_limit, ..ResponderConfig::DEFAULT };
        let mut link: StreamResponder<_, 512, 4> = StreamResponder::new([0; 4096], config, 0);
        let mut input = &b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|M1|P|2.5\rPID|1|and so on"[..];
        let (mut now, mut refused) = (5, 0);
        while !link.is_finished() {
            loop {
                let step = link.step(input, now);
                input = &input[step.consumed..];
                match step.event {
                    Some(StreamEvent::Lost { refusal: Some(refusal), .. }) => {
                        let ack = Ack::always(AckCode::AR, None, b"1", b"2026");
                        link.refuse(refusal, Refuse::Reject, &ack, now).expect("it fits");
                        refused += 1;
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            link.sent(link.outgoing().len(), now);
            if !link.is_finished() {
                now = link.next_deadline().expect("no silence lasts for ever");
                link.on_time(now);
            }
        }
        assert_eq!(refused, 1);
    }
}

#[test]
fn a_peer_that_is_not_read_cannot_be_late() {
    let mut link: Link<64, 1> = link(ResponderConfig::DEFAULT);
    assert!(link.step(b"\x0bMSH|", 0).event.is_some());
    assert_eq!(link.next_deadline(), Some(50), "a byte");
    link.set_paused(true, 40);
    assert_eq!(link.next_deadline(), None);
    link.on_time(1000);
    assert!(link.wants_input() && !link.is_finished());
    link.set_paused(false, 1000);
    assert_eq!(link.next_deadline(), Some(1050), "its times begin again");
    link.on_time(1050);
    assert!(!link.wants_input());
}
