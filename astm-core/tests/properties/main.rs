//! Generated input: streams, records, values.

use astm_core::{
    Delimiters, Event, Link, LinkConfig, Message, Path, Receiver, ReceiverConfig, RecordWriter,
    Scan, Scanner, escape, unescape,
};
use proptest::prelude::*;

/// Bytes among which control bytes are frequent.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => prop::sample::select(vec![2, 3, 4, 5, 6, 0x15, 0x17, 10, 13]),
        2 => prop::sample::select(b"H|L1234567890ABCDEF\\^&".to_vec()),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..80)
}

fn delimiters() -> impl Strategy<Value = Delimiters> {
    let usable: Vec<u8> = (0x21..0x7F).filter(u8::is_ascii_punctuation).collect();
    prop::sample::subsequence(usable, 4).prop_shuffle().prop_map(|found| Delimiters {
        field: found[0],
        repeat: found[1],
        component: found[2],
        escape: found[3],
    })
}

/// The events of a stream with their spans joined, and how many bytes they stand for.
fn scanned(chunks: &[&[u8]]) -> (Vec<String>, u64) {
    let mut scanner = Scanner::new(8);
    let (mut events, mut text, mut len) = (Vec::new(), Vec::new(), 0);
    let mut note = |event: Event<'_>| {
        match event {
            Event::Text(span) => return text.extend_from_slice(span),
            Event::Control(..) => len += 1,
            Event::End(frame) => len += frame.len,
            Event::Fault { len: lost, .. } => len += lost,
            Event::Discard(discard) => len += discard.len,
            Event::Start { .. } => text.clear(),
        }
        events.push(format!("{event:?} {text:?}"));
    };
    for chunk in chunks {
        let mut rest = *chunk;
        loop {
            let step = scanner.step(rest);
            rest = &rest[step.consumed..];
            match step.event {
                Some(event) => note(event),
                None => break,
            }
        }
        assert!(rest.is_empty());
    }
    while let Some(event) = scanner.finish() {
        note(event);
    }
    (events, len)
}

proptest! {
    #[test]
    fn no_byte_disappears_and_chunks_do_not_matter(stream in stream(), cuts in any::<u64>()) {
        let (whole, len) = scanned(&[&stream]);
        prop_assert_eq!(len, stream.len() as u64);
        let mut chunks = Vec::new();
        let mut rest = &stream[..];
        for bit in 0..64 {
            let (chunk, after) = rest.split_at(usize::min(1 + (cuts >> bit & 3) as usize, rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        chunks.push(rest);
        prop_assert_eq!(scanned(&chunks).0, whole);
    }

    /// Whatever comes and whenever: nothing panics, and time always gets on.
    #[test]
    fn a_link_survives_everything(
        reads in prop::collection::vec((stream(), 0u64..40_000), 0..8),
        offer in any::<bool>(),
        answers in any::<u32>(),
    ) {
        let message = b"H|\\^&|||A\rL|1|N\r";
        let mut link = Link::new([0; 64], LinkConfig::DEFAULT, 0);
        if offer {
            link.offer(message.len()).unwrap();
        }
        let (mut now, mut tickets, mut asked) = (0, Vec::new(), 0);
        for (bytes, time) in reads {
            let mut rest = &bytes[..];
            loop {
                let fed = link.feed(rest, now);
                rest = &rest[fed.consumed..];
                use astm_core::ReceiverEvent::{Frame, Message};
                match fed.event {
                    Some(astm_core::LinkEvent::Received(Frame(ticket, _) | Message(ticket, _))) => {
                        tickets.push(ticket);
                    }
                    Some(_) => continue,
                    None => {
                        if let Some(ticket) = tickets.pop() {
                            asked += 1;
                            match answers >> (asked % 32) & 3 {
                                0 => link.refuse(ticket, now),
                                1 => link.accept_and_interrupt(ticket, now),
                                _ => link.accept(ticket, now),
                            };
                        }
                    }
                }
                let mut out = [0; 300];
                let len = link.outgoing(message, &mut out).unwrap();
                link.sent(now);
                if len == 0 && fed.consumed == 0 && tickets.is_empty() {
                    break;
                }
            }
            let end = now + time;
            let mut steps = 0;
            while let Some(at) = link.next_deadline().filter(|at| *at <= end) {
                now = now.max(at);
                link.on_time(now);
                while link.feed(b"", now).event.is_some() {}
                link.outgoing(message, &mut [0; 300]).unwrap();
                link.sent(now);
                steps += 1;
                prop_assert!(steps < 1_000, "time stands still at {now}");
            }
            now = end;
        }
    }

    #[test]
    fn what_was_escaped_comes_back(text in any::<Vec<u8>>(), delimiters in delimiters(), two in any::<bool>()) {
        let scan = if two { Scan::ShiftJis } else { Scan::SingleByte };
        let mut out = vec![0; 5 * text.len()];
        let len = escape(&text, &delimiters, scan, &mut out).unwrap();
        let mut back = vec![0; len];
        let back_len = unescape(&out[..len], &delimiters, scan, &mut back).unwrap();
        prop_assert_eq!(&back[..back_len], &text[..]);
        let mut shorter = vec![0; text.len()];
        prop_assert!(unescape(&text, &delimiters, scan, &mut shorter).is_ok());
    }

    #[test]
    fn what_was_written_is_read(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..6),
        delimiters in delimiters(),
    ) {
        let mut out = [0; 1024];
        let mut writer = RecordWriter::new(&mut out, delimiters);
        writer.header().field(5, b"LIS").end().unwrap();
        let mut record = writer.record(b'R');
        for (number, value) in (2..).zip(&values) {
            record = record.field(number, value);
        }
        record.end().unwrap();
        writer.terminator(b'N').unwrap();
        let len = writer.finish().unwrap();
        let message = Message::parse(&out[..len]).unwrap();
        prop_assert_eq!(message.delimiters(), &delimiters);
        prop_assert_eq!(message.deviations().count(), 0);
        for (number, value) in (2..).zip(&values) {
            let path = Path::parse(&format!("R-{number}")).unwrap();
            let found = message.get(path).unwrap();
            let mut back = vec![0; found.len()];
            let len = unescape(found, &delimiters, Scan::SingleByte, &mut back).unwrap();
            prop_assert_eq!(&back[..len], &value[..]);
        }
    }

    /// A walk by plain splits.
    #[test]
    fn a_path_finds_what_a_split_finds(
        text in "H\\|\\\\\\^&[A-Z|\\\\^&\r]{0,60}",
        kind in prop::sample::select(b"HPORL".to_vec()),
        numbers in prop::array::uniform3(1usize..4),
    ) {
        let message = Message::parse_lenient(text.as_bytes(), Scan::SingleByte);
        prop_assume!(*message.delimiters() == Delimiters::DEFAULT);
        let [field, repeat, component] = numbers;
        let path = format!("{}-{field}[{repeat}].{component}", char::from(kind));
        let record = text.split('\r').find(|record| {
            record.split('|').next() == Some(char::from(kind).to_string().as_str())
        });
        let value = record.and_then(|record| record.split('|').nth(field - 1));
        let whole = kind == b'H' && field <= 2;
        let part = |text: &'static str| move |value: &str, number: usize| -> Option<String> {
            if whole {
                return (number == 1).then(|| value.to_owned());
            }
            value.split(text).nth(number - 1).map(str::to_owned)
        };
        let expected = value
            .and_then(|value| part("\\")(value, repeat))
            .and_then(|value| part("^")(&value, component));
        let found = message.get(Path::parse(&path).unwrap());
        prop_assert_eq!(found, expected.as_deref().map(str::as_bytes));
    }

    /// What is printed for a developer holds no text of a record.
    #[test]
    fn debug_shows_no_text(marked in "[a-z]{12}") {
        let mut receiver = Receiver::new([0; 256], ReceiverConfig::DEFAULT, 0);
        let record = format!("H|\\^&|||{marked}\r");
        let mut frame = vec![0; 64];
        let (number, end) = (astm_core::FrameNumber::FIRST, astm_core::FrameEnding::Etx);
        let len = astm_core::encode_frame(number, record.as_bytes(), end, &mut frame).unwrap();
        let stream = [b"\x05", &frame[..len]].concat();
        let mut rest = &stream[..];
        let mut printed = String::new();
        while let fed @ astm_core::Fed { event: Some(_), .. } = receiver.feed(rest, 0) {
            rest = &rest[fed.consumed..];
            printed += &format!("{fed:?} {receiver:?}");
        }
        let message = Message::parse(record.as_bytes()).unwrap();
        printed += &format!("{message:?} {:?} {:?}", message.records(), message.results());
        printed += &format!("{:?}", message.records().next());
        printed += &format!("{:?}", Event::Text(marked.as_bytes()));
        prop_assert!(!printed.contains(&marked));
        let number = marked.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
        prop_assert!(!printed.contains(&number));
    }
}
