//! The other language of analyzers: a frame judged and answered, a whole session, and what a hand-written
//! loop needs at least.

use std::hint::black_box;

use astm_core::{
    FRAME_OVERHEAD, FrameEnding, FrameNumber, Message, Receiver, ReceiverConfig, ReceiverEvent,
    encode_frame, path,
};

const HEADER: &[u8] = b"H|\\^&|||ANALYZER^1.0|||||||P|LIS2-A2|20260101120000\r";
const PATIENT: &[u8] = b"P|1||1001|||DOE^JANE||19700101|F\r";
const ORDER: &[u8] = b"O|1|S123||^^^GLU|R|20260101110000\r";
const RESULT: &[u8] = b"R|1|^^^GLU|5.4|mmol/L|3.9^5.8|N||F||op|20260101115900|20260101120000\r";
const TERMINATOR: &[u8] = b"L|1|N\r";

/// ENQ, each record in a frame of its own, EOT.
pub fn session() -> Vec<u8> {
    let mut wire = vec![5];
    let records = [HEADER, PATIENT, ORDER, RESULT, TERMINATOR];
    for (number, record) in (1..).zip(records) {
        wire.extend(frame(number, record));
    }
    wire.push(4);
    wire
}

fn frame(number: u8, text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; text.len() + FRAME_OVERHEAD];
    encode_frame(FrameNumber::new(number), text, FrameEnding::Etx, &mut frame).unwrap();
    frame
}

/// A text of so many bytes, such as results have.
pub fn text(len: usize) -> Vec<u8> {
    let mut text: Vec<u8> = RESULT[..RESULT.len() - 1].iter().copied().cycle().take(len).collect();
    if let Some(last) = text.last_mut() {
        *last = b'\r';
    }
    text
}

fn receive(receiver: &mut Receiver<[u8; 8192]>, mut read: &[u8]) -> u64 {
    let mut found = 0;
    loop {
        let fed = receiver.feed(read, 0);
        read = &read[fed.consumed..];
        match fed.event {
            Some(ReceiverEvent::Frame(ticket, info)) => {
                found += info.text_len as u64;
                receiver.accept(ticket, 0);
            }
            Some(ReceiverEvent::Message(ticket, _)) => {
                let message = Message::parse(receiver.message());
                let value = message.ok().and_then(|message| message.get(path!("R-4")));
                found += value.map_or(0, <[u8]>::len) as u64;
                receiver.accept(ticket, 0);
            }
            Some(_) => {}
            None if fed.consumed == 0 => return found,
            None => {}
        }
        receiver.sent(receiver.outgoing().len());
    }
}

/// One good, new frame after the other in an open session: decoded, verified, answered.
pub fn frames(text: Vec<u8>) -> impl FnMut() -> u64 {
    let mut receiver = Receiver::new([0; 8192], ReceiverConfig::DEFAULT, 0);
    let mut first = vec![5];
    first.extend(frame(1, HEADER));
    receive(&mut receiver, &first);
    let numbered: Vec<Vec<u8>> = (0..8).map(|number| frame(number, &text)).collect();
    let mut number = 1;
    move || {
        number = (number + 1) % 8;
        if receiver.message().len() > 4096 {
            receive(&mut receiver, &[4]);
            receive(&mut receiver, &first);
            number = 2;
        }
        receive(&mut receiver, black_box(&numbered[number]))
    }
}

/// A session of five records from ENQ to EOT, in reads of so many bytes, and the value of its result.
pub fn sessions(read_len: usize) -> impl FnMut() -> u64 {
    let mut receiver = Receiver::new([0; 8192], ReceiverConfig::DEFAULT, 0);
    let wire = session();
    move || black_box(&wire).chunks(read_len).map(|read| receive(&mut receiver, read)).sum()
}

/// What `sessions` returns: the texts of all frames but the last, and `5.4`.
pub fn session_found() -> u64 {
    (HEADER.len() + PATIENT.len() + ORDER.len() + RESULT.len() + "5.4".len()) as u64
}

/// By hand: the end of the text, its sum and control bytes in one loop of eight bytes at a time, the number,
/// the digits.
pub fn limit(text: Vec<u8>) -> impl FnMut() -> u64 {
    let wire = frame(2, &text);
    move || {
        let frame = black_box(&wire[..]);
        let (mut at, mut lanes, mut sum) = (1, 0u64, 0u8);
        const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let end = loop {
            let word =
                frame.get(at..at + 8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
            let control = |word: u64| {
                ((word & LOW).wrapping_add(0x6060_6060_6060_6060) | word) & !LOW != !LOW
            };
            match word {
                Some(word) if !control(word) => {
                    lanes = (lanes & LOW).wrapping_add(word & LOW) ^ (lanes ^ word) & !LOW;
                    at += 8;
                }
                _ => {
                    let Some(&byte) = frame.get(at) else { return 0 };
                    sum = sum.wrapping_add(byte);
                    if byte == 3 || byte == 0x17 {
                        break at;
                    }
                    at += 1;
                }
            }
        };
        let sum = lanes.to_le_bytes().iter().fold(sum, |sum, &lane| sum.wrapping_add(lane));
        let digit = |value: u8| if value < 10 { b'0' + value } else { b'7' + value };
        let right = [digit(sum >> 4), digit(sum & 15)];
        let good = frame[1] == b'2' && frame.get(end + 1..end + 3) == Some(&right[..]);
        if good { (end - 2) as u64 } else { 0 }
    }
}
