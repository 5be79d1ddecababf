//! Every stream of a few symbols, silence among them, against a receiver that reads everything again.
//!
//! `WALK=7` walks longer streams than the usual ones.

mod naive;

use astm_core::{Content, Receiver, ReceiverConfig, ReceiverEvent, Times};
use naive::{SYMBOLS, Said, Token};

fn config() -> ReceiverConfig {
    // Without headers, and without the end of a session that is as long as several silences.
    let times = Times { next_frame: 0, ..Times::COMPUTER };
    ReceiverConfig { content: Content::Opaque, times, ..ReceiverConfig::DEFAULT }
}

struct Player {
    receiver: Receiver<[u8; 64]>,
    now: u64,
    said: Vec<Said>,
}

impl Player {
    fn new() -> Player {
        Player { receiver: Receiver::new([0; 64], config(), 0), now: 0, said: Vec::new() }
    }

    fn token(&mut self, token: Token) {
        match token.bytes() {
            Some(bytes) => {
                let before = self.said.len();
                self.feed(bytes);
                let replies = |said: &Said| matches!(said, Said::Ack | Said::Nak);
                let count = self.said[before..].iter().filter(|said| replies(said)).count();
                assert!(count <= 1, "two replies to a byte");
            }
            None => {
                let end = self.now + token.silence();
                while let Some(at) = self.receiver.next_deadline().filter(|at| *at <= end) {
                    self.now = self.now.max(at);
                    self.receiver.on_time(self.now);
                    self.feed(b"");
                }
                self.now = end;
            }
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        loop {
            let fed = self.receiver.feed(bytes, self.now);
            bytes = &bytes[fed.consumed..];
            let mut earned = false;
            match fed.event {
                Some(ReceiverEvent::Frame(ticket, info)) => {
                    let number = info.number.unwrap().get();
                    self.said.push(Said::Text(number, self.receiver.text().to_vec()));
                    self.receiver.accept(ticket, self.now);
                    earned = true;
                }
                Some(ReceiverEvent::Repeat { .. } | ReceiverEvent::SessionStart { .. }) => {
                    earned = true;
                }
                None if fed.consumed == 0 => return,
                _ => {}
            }
            for &reply in self.receiver.outgoing() {
                let nak = reply == 0x15;
                self.said.push(if nak { Said::Nak } else { Said::Ack });
                assert!(nak || earned || self.receiver.in_session(), "an ACK for nothing");
                assert!(!nak || !self.receiver.in_frame(), "refused in the middle of a frame");
            }
            let len = self.receiver.outgoing().len();
            self.receiver.sent(len);
        }
    }
}

/// Streams in the order of counting, so that the first difference is a short one.
#[test]
fn every_short_stream() {
    let length = std::env::var("WALK").map_or(4, |length| length.parse().unwrap());
    let mut streams = 0u64;
    for length in 1..=length {
        let mut numbers = vec![0; length];
        loop {
            let stream: Vec<Token> = numbers.iter().map(|number| SYMBOLS[*number]).collect();
            check(&stream);
            streams += 1;
            let Some(place) = numbers.iter().rposition(|number| number + 1 < SYMBOLS.len()) else {
                break;
            };
            numbers[place] += 1;
            numbers[place + 1..].fill(0);
        }
    }
    println!("{streams} streams");
}

/// What walks would find only much later: a session and a frame are open already.
#[test]
fn every_short_stream_after_a_frame() {
    use Token::{Byte, Enq, Etx, Stx, Tail};
    let length = std::env::var("WALK").map_or(4, |length| length.parse::<usize>().unwrap() - 1);
    let before = [Enq, Stx, Byte(b'1'), Etx, Byte(b'3'), Byte(b'4'), Tail];
    for open in [&before[..], &[&before[..], &[Stx, Byte(b'2'), Byte(0xFF), Etx]].concat()] {
        let mut numbers = vec![0; length];
        loop {
            let mut stream = open.to_vec();
            stream.extend(numbers.iter().map(|number| SYMBOLS[*number]));
            check(&stream);
            let Some(place) = numbers.iter().rposition(|number| number + 1 < SYMBOLS.len()) else {
                break;
            };
            numbers[place] += 1;
            numbers[place + 1..].fill(0);
        }
    }
}

fn check(stream: &[Token]) {
    let mut player = Player::new();
    for token in stream {
        player.token(*token);
    }
    let expected = naive::read(stream);
    assert_eq!(player.said, expected, "{stream:?}");
}
