//! Decode, peek, acknowledge, frame: nothing on the way allocates.

use ack_gen::{
    AcceptLists, Ack, AckCode, ErrorCode, ErrorDetail, Inbound, Outcome, Receipt, Request,
    Timestamp, check,
};
use hl7_peek::{CharacterSet, Message, MessageHeader, Path, escape, unescape};
use mllp_core::{Config, Decoder, Error, Event, Profile, ReceiveBuffer, Received, Scanner};

const MESSAGE: &[u8] = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ORU^R01|M1|P|2.5|||AL|NE||8859/1\r\
    PID|1||1001^^^MR~2002||DOE^JANE\rOBX|1|NM|GLU||5.4|mmol/L\rNTE|1||a\\F\\b\r";

fn answer(payload: &[u8], out: &mut [u8]) -> usize {
    let now = Timestamp::utc(1_767_323_045);
    let lenient = MessageHeader::parse_lenient(payload);
    let always = Ack::always(AckCode::AA, lenient.as_ref(), b"4711", now.as_bytes());
    let frame = |ack: &Ack<'_>, out: &mut [u8]| {
        mllp_core::encode_with(out, |room| ack.encode(room).map_err(|_| Error::BufferTooSmall))
            .unwrap()
    };
    let len = frame(&always, out);

    let message = Message::parse(payload).unwrap();
    let header = message.header();
    let errors = [ErrorDetail::new(ErrorCode::RequiredFieldMissing)];
    let conformant = Ack {
        text: b"a|b",
        errors: &errors,
        ..Ack::conformant(AckCode::AE, &header, b"4711", now.as_bytes())
    };
    let receipt = Receipt { kind: message.kind(), damaged: false };
    let found = check(&header, receipt, &AcceptLists::default());
    let decision = Request::new(&header, Inbound::Message).decide(found.outcome(), Outcome::Error);
    assert_eq!(decision.accept, Some(AckCode::CA));
    frame(&conformant, &mut out[len..]) + len
}

fn peek(payload: &[u8], out: &mut [u8]) {
    let message = Message::parse(payload).unwrap();
    let get = |path| message.get(Path::parse(path).unwrap()).unwrap();
    assert_eq!(get("PID-3[2].1"), b"2002");
    let fields = message.segments().map(|segment| segment.fields().count()).sum::<usize>();
    assert!(fields > 20);
    let text = get("NTE-3");
    let len = unescape(text, &message.delimiters(), out).unwrap();
    assert_eq!(&out[..len], b"a|b");
    assert_eq!(escape(b"a|b", &message.delimiters(), out), Ok(text.len()));
    assert_eq!(CharacterSet::of(&message.header()), Some(CharacterSet::Iso8859_1));
}

/// Every frame that a buffer with memory of its own gives is answered; how many those were.
fn by_buffer(stream: &[u8], size: usize, config: Config, out: &mut [u8]) -> usize {
    let mut buffer = ReceiveBuffer::new([0; 1280], config);
    let mut answered = 0;
    for mut chunk in stream.chunks(size) {
        loop {
            let fed = buffer.feed(chunk);
            chunk = &chunk[fed.consumed..];
            match fed.event {
                Some(Received::Frame(frame)) => {
                    assert!(answer(frame.payload, out) > 0);
                    peek(frame.payload, out);
                    answered += 1;
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    while buffer.finish().is_some() {}
    answered
}

fn by_scanner(stream: &[u8], size: usize, config: Config) {
    let mut scanner = Scanner::new(config);
    for mut chunk in stream.chunks(size) {
        loop {
            let step = scanner.step(chunk);
            chunk = &chunk[step.consumed..];
            match step.event {
                Some(Event::FrameEnd(end)) => assert!(end.payload_len > 0),
                Some(_) => {}
                None => break,
            }
        }
    }
    while scanner.finish().is_some() {}
}

fn by_decoder(mut unread: &[u8], config: Config) -> usize {
    let mut decoder = Decoder::new(config);
    let mut frames = 0;
    loop {
        let decoded = decoder.decode(unread);
        unread = &unread[decoded.consumed..];
        match decoded.event {
            Some(Received::Frame(_)) => frames += 1,
            Some(_) => {}
            None => return frames,
        }
    }
}

#[test]
fn nothing_allocates() {
    let mut stream = [0; 4096];
    let mut fill = 0;
    for _ in 0..4 {
        fill += mllp_core::encode(MESSAGE, &mut stream[fill..]).unwrap();
        stream[fill] = b'\n';
        fill += 1;
    }
    let stream = &stream[..fill];
    let mut answered = 0;
    let allocations = allocation_counter::measure(|| {
        let mut out = [0; 2048];
        for profile in [Profile::Permissive, Profile::Resync, Profile::Strict] {
            let config = Config { profile, max_payload_len: 1024, ..Config::DEFAULT };
            for size in [1, 7, 256, stream.len()] {
                answered += by_buffer(stream, size, config, &mut out);
                by_scanner(stream, size, config);
            }
            answered += by_decoder(stream, config);
        }
    });
    assert_eq!(answered, 3 * (4 * 4 + 4));
    assert_eq!(allocations.count_total, 0);

    // The counter counts.
    let allocations = allocation_counter::measure(|| drop(std::hint::black_box(vec![0u8; 8])));
    assert_eq!(allocations.count_total, 1);
}
