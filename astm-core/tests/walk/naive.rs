//! A receiver that keeps nothing: for each answer it reads the whole stream again.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Enq,
    Stx,
    Byte(u8),
    Etx,
    Etb,
    /// CR LF.
    Tail,
    Eot,
    /// `quiet`.
    Quiet,
    /// `broken_off`.
    Silence,
}

use Token::{Byte, Enq, Eot, Etb, Etx, Quiet, Silence, Stx, Tail};

/// `34` is the sum of an empty text in frame 1, and of `FF` in frame 2; `33` of `FF` in frame 1.
pub const SYMBOLS: [Token; 13] = [
    Enq,
    Stx,
    Byte(b'1'),
    Byte(b'2'),
    Byte(0xFF),
    Etx,
    Etb,
    Byte(b'3'),
    Byte(b'4'),
    Tail,
    Eot,
    Quiet,
    Silence,
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Ack,
    Nak,
    Text(u8, Vec<u8>),
}

impl Token {
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Enq => Some(&[5]),
            Stx => Some(&[2]),
            Byte(byte) => Some(std::slice::from_ref(byte)),
            Etx => Some(&[3]),
            Etb => Some(&[0x17]),
            Tail => Some(b"\r\n"),
            Eot => Some(&[4]),
            Quiet | Silence => None,
        }
    }

    pub fn silence(&self) -> u64 {
        if *self == Quiet { 250 } else { 5_000 }
    }
}

#[derive(Default)]
struct Reading {
    said: Vec<Said>,
    session: bool,
    last: Option<(u8, Vec<u8>)>,
    seen_sum: bool,
    refusals: u32,
    /// Noise came, and no silence since.
    noise: bool,
    /// An ENQ was refused and no byte came since: whether there was silence since.
    asked: Option<bool>,
}

/// What a receiver says to a stream.
pub fn read(stream: &[Token]) -> Vec<Said> {
    let (mut reading, mut rest) = (Reading::default(), stream);
    while let [token, after @ ..] = rest {
        rest = match token {
            Quiet | Silence => {
                reading.noise = false;
                reading.asked = reading.asked.map(|waited| waited || *token == Silence);
                after
            }
            Enq => reading.enq(after),
            Eot => {
                (reading.session, reading.asked) = (false, None);
                after
            }
            Stx => match reading.frame(after) {
                Some(rest) => rest,
                None => break,
            },
            _ => {
                (reading.noise, reading.asked) = (true, None);
                after
            }
        };
    }
    reading.said
}

impl Reading {
    fn start(&mut self) {
        (self.session, self.last, self.refusals) = (true, None, 0);
    }

    fn enq<'s>(&mut self, after: &'s [Token]) -> &'s [Token] {
        let waited = self.asked.take() == Some(true);
        let quiets = after.iter().take_while(|token| **token == Quiet).count();
        let silent = after.get(quiets) == Some(&Silence);
        if self.session && !waited {
            if silent {
                self.noise = false;
                self.refuse(false);
                self.asked = Some(false);
                return &after[quiets + 1..];
            }
        } else if !self.session && !self.noise || silent || quiets > 0 {
            self.start();
            self.said.push(Said::Ack);
        }
        after
    }

    fn refuse(&mut self, by_stx: bool) {
        if by_stx {
            return;
        }
        self.said.push(Said::Nak);
        self.refusals += 1;
        self.session &= self.refusals < 6;
    }

    /// Reads a frame from behind its STX. `None`: it is still open.
    fn frame<'s>(&mut self, after: &'s [Token]) -> Option<&'s [Token]> {
        if !self.session {
            self.start();
        }
        self.asked = None;
        let end = after.iter().position(|token| matches!(token, Etx | Etb | Stx | Silence))?;
        let (text, rest) = (&after[..end], &after[end + 1..]);
        match after[end] {
            Stx => return Some(&after[end..]),
            Silence => {
                self.silent(text.iter().rev().find(|token| **token != Quiet));
                return Some(rest);
            }
            _ => {}
        }
        let damaged = text.iter().any(|token| matches!(token, Enq | Eot));
        let bytes = |token: &Token| token.bytes().unwrap_or_default().to_vec();
        let mut content: Vec<u8> = text.iter().flat_map(bytes).collect();
        content.extend(bytes(&after[end]));
        let digits = rest.iter().take(2);
        let digits: Vec<u8> = digits
            .map_while(|token| match token {
                Byte(byte) => Some(*byte),
                Etx => Some(3),
                Etb => Some(0x17),
                _ => None,
            })
            .collect();
        let tail = &rest[digits.len()..];
        let damaged = damaged || digits.len() < 2 && matches!(tail.first(), Some(Enq | Eot));
        if digits.len() == 1 && tail.first() == Some(&Stx) {
            return Some(tail);
        }
        let end = tail.iter().position(|token| matches!(token, Tail | Stx | Quiet | Silence))?;
        let by_stx = tail[end] == Stx;
        self.judge(content, &digits, damaged, by_stx);
        let rest = &tail[end + 1..];
        Some(match tail[end] {
            Stx => &tail[end..],
            Tail => rest,
            _ => self.held(end.checked_sub(1).map(|last| &tail[last]), &tail[end..]),
        })
    }

    /// The line has been quiet in a tail: its last byte may still count.
    fn held<'s>(&mut self, last: Option<&Token>, from: &'s [Token]) -> &'s [Token] {
        self.noise = false;
        let quiets = from.iter().take_while(|token| **token == Quiet).count();
        if matches!(last, Some(Enq | Eot)) && from.get(quiets) == Some(&Silence) {
            self.silent(last);
            return &from[quiets + 1..];
        }
        &from[1..]
    }

    /// The line has been silent in a frame, or after one, behind this token.
    fn silent(&mut self, last: Option<&Token>) {
        self.noise = false;
        match last {
            Some(Eot) => self.session = false,
            Some(Enq) => {
                self.refuse(false);
                self.asked = Some(false);
            }
            _ => self.refuse(false),
        }
    }

    fn judge(&mut self, content: Vec<u8>, digits: &[u8], damaged: bool, by_stx: bool) {
        let right = astm_core::checksum(&content);
        let good = match digits {
            [] => !self.seen_sum && !by_stx,
            found => found == right,
        };
        if damaged || !good {
            return self.refuse(by_stx);
        }
        self.seen_sum |= !digits.is_empty();
        let text = &content[..content.len() - 1];
        let Some((number @ b'0'..=b'7', text)) = text.split_first() else {
            return self.refuse(by_stx);
        };
        let key = (number - b'0', text.to_vec());
        let fits = match &self.last {
            Some(last) if *last == key => {
                self.refusals = 0;
                return self.said.push(Said::Ack);
            }
            Some((last, _)) => *last == key.0 || (last + 1) % 8 == key.0,
            None => true,
        };
        if !fits {
            return self.refuse(by_stx);
        }
        self.refusals = 0;
        self.said.push(Said::Text(key.0, key.1.clone()));
        self.said.push(Said::Ack);
        self.last = Some(key);
    }
}
