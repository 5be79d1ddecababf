//! Which frame is accepted, and why one is not.

use super::{Answer, Answered, Key, Owed, Receiver};
use crate::buffer::Storage;
use crate::control::{CR, Control, LF};
use crate::delimiters::is_usable;
use crate::event::{Completed, Deviation, Deviations, Fault, FrameInfo, ReceiverEvent, Ticket};
use crate::frame::{FrameEnding, FrameNumber};
use crate::scanner::{Frame, Sum};
use crate::settings::{Checksum, Content, FrameNumbers, Millis, Profile};
use crate::text::fingerprint;

/// What a frame is besides good.
enum Verdict {
    New,
    Repeat,
    Fault(Fault),
}

impl<S: Storage> Receiver<S> {
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer, now: Millis) -> Answered {
        if let Some(owed) = self.owed.filter(|owed| owed.ticket == ticket.0) {
            self.owed = None;
            self.settle(&owed, answer, now);
            return Answered::Sent;
        }
        match &mut self.slow {
            Some(slow) if slow.ticket == ticket.0 => {
                slow.answer = Some(answer);
                Answered::Kept
            }
            _ => Answered::Late,
        }
    }

    /// A frame has ended.
    pub(super) fn judge(&mut self, frame: &Frame, now: Millis) {
        let key = Key { number: frame.number, fingerprint: fingerprint(self.buffer.open_text()) };
        let mut deviations = frame.deviations;
        let fault = self.fault_of_form(frame, &mut deviations);
        if fault.is_none() && frame.sum != Sum::Absent {
            self.seen_sum = true;
        }
        let fault = fault.or_else(|| self.fault_of_number(frame.number, &mut deviations));
        let again = self.session.as_mut().and_then(|session| session.nul.take()) == Some(key);
        if fault.is_none() && deviations.contains(Deviation::NulInText) && !again {
            if let Some(session) = &mut self.session {
                session.nul = Some(key);
            }
            return self.refuse_frame(Fault::NulInText, frame, now);
        }
        if let Some(fault) = fault {
            return self.refuse_frame(fault, frame, now);
        }
        if let Some(slow) = self.slow {
            if slow.key == key {
                return self.slow_repeat(slow, now);
            }
            return self.refuse_frame(Fault::Sequence, frame, now);
        }
        match self.place(frame, key, &mut deviations) {
            Verdict::Fault(fault) => self.refuse_frame(fault, frame, now),
            Verdict::Repeat => {
                if let Some(session) = &mut self.session {
                    session.refusals = 0;
                }
                self.events.push(ReceiverEvent::Repeat { number: frame.number });
                self.reply(Control::Ack, now);
            }
            Verdict::New => self.good(frame, key, deviations, now),
        }
    }

    /// A frame is refused, without a reply where the next one has begun.
    fn refuse_frame(&mut self, fault: Fault, frame: &Frame, now: Millis) {
        if frame.cut_by_stx {
            self.events.push(ReceiverEvent::Refused { fault, number: frame.number });
        } else {
            self.refused(fault, frame.number, now);
        }
    }

    /// What is wrong with its sum or its bytes.
    fn fault_of_form(&self, frame: &Frame, deviations: &mut Deviations) -> Option<Fault> {
        let strict = self.config.profile == Profile::Strict;
        if frame.fault.is_some() {
            return frame.fault;
        }
        match frame.sum {
            Sum::Right => {}
            Sum::LowerCase if !strict && self.config.checksum != Checksum::ExactCase => {}
            Sum::LowerCase | Sum::Wrong => return Some(Fault::BadChecksum),
            Sum::Absent => {
                // Between ETX and the sum an STX is noise.
                let usual = !self.seen_sum && !frame.cut_by_stx;
                if strict || !usual && self.config.checksum != Checksum::Absent {
                    return Some(Fault::NoChecksum);
                }
                deviations.insert(Deviation::NoChecksum);
            }
        }
        let restricted = deviations.contains(Deviation::RestrictedChar)
            || deviations.contains(Deviation::LfAfterCr);
        (strict && restricted).then_some(Fault::RestrictedChar)
    }

    /// Without a number its text begins with a letter and the field delimiter.
    fn fault_of_number(
        &self,
        number: Option<FrameNumber>,
        deviations: &mut Deviations,
    ) -> Option<Fault> {
        if number.is_some() {
            return None;
        }
        let delimiter = match self.buffer.message() {
            [b'H', delimiter, ..] if !self.done => Some(*delimiter),
            _ => None,
        };
        let is_delimiter =
            |byte: u8| delimiter.map_or_else(|| is_usable(byte), |known| known == byte);
        let begins = match self.buffer.open_text() {
            [kind, byte, ..] => kind.is_ascii_uppercase() && is_delimiter(*byte),
            _ => false,
        };
        if self.config.profile == Profile::Strict || !begins {
            return Some(Fault::BadFrameNumber);
        }
        deviations.insert(Deviation::NoFrameNumber);
        None
    }

    /// Where in the session it belongs, and whether there is room for it.
    fn place(&self, frame: &Frame, key: Key, deviations: &mut Deviations) -> Verdict {
        let strict = self.config.profile == Profile::Strict;
        let last = self.session.and_then(|session| session.last);
        let last_key = self.session.and_then(|session| session.last_key);
        if self.config.frame_numbers == FrameNumbers::Checked {
            match (frame.number, last) {
                (None, _) if last_key == Some(key) => return Verdict::Repeat,
                (Some(number), Some(last)) if number == last => {
                    if strict || last_key == Some(key) {
                        return Verdict::Repeat;
                    }
                    deviations.insert(Deviation::SameNumberNewText);
                }
                (Some(number), Some(last)) if number != last.next() => {
                    return Verdict::Fault(Fault::Sequence);
                }
                (Some(number), None) if number != FrameNumber::FIRST => {
                    if strict {
                        return Verdict::Fault(Fault::Sequence);
                    }
                    deviations.insert(Deviation::FirstFrameNumber);
                }
                _ => {}
            }
        }
        let headed = match self.buffer.open_text() {
            [] | [b'H'] => true,
            [b'H', delimiter, ..] => is_usable(*delimiter),
            _ => false,
        };
        if self.config.content != Content::Opaque && self.buffer.len() == 0 && !headed {
            return Verdict::Fault(Fault::NoHeader);
        }
        // A CR may have to be added.
        let len = self.buffer.joined().len().saturating_add(1);
        if !self.buffer.holds(1) || len > self.config.max_message {
            return Verdict::Fault(Fault::MessageTooLong);
        }
        Verdict::New
    }

    /// A good, new frame: the host is asked.
    fn good(&mut self, frame: &Frame, key: Key, deviations: Deviations, now: Millis) {
        let text_len = self.buffer.open_text().len();
        let len_before = self.buffer.len();
        let trimmed = trim_lf(self.buffer.joined());
        if frame.ending == FrameEnding::Etx && text_len > 0 && trimmed.last() != Some(&CR) {
            self.buffer.push(&[CR]);
        }
        self.buffer.keep();
        self.text = len_before..len_before.saturating_add(text_len);
        let records = self.config.content != Content::Opaque;
        let whole = records && text_len > 0 && ends_with_terminator(self.buffer.message());
        let fingerprint = if whole { Some(fingerprint(self.buffer.message())) } else { None };
        let info = FrameInfo { number: frame.number, ending: frame.ending, text_len, deviations };
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        self.owed = Some(Owed {
            ticket: self.tickets,
            key,
            info,
            len_before,
            whole: fingerprint,
            since: now,
            answer: None,
        });
        let mut frames = 1;
        if let Some(session) = &mut self.session {
            session.frames_in_message = session.frames_in_message.saturating_add(1);
            frames = session.frames_in_message;
        }
        self.done = whole;
        self.events.push(match fingerprint {
            Some(fingerprint) => {
                let repeated = self.is_known(fingerprint);
                let len = self.buffer.len();
                ReceiverEvent::Message(ticket, Completed { len, frames, last: info, repeated })
            }
            None => ReceiverEvent::Frame(ticket, info),
        });
    }

    /// The frame of a slow host has come again: it is not asked twice.
    fn slow_repeat(&mut self, slow: Owed, now: Millis) {
        self.slow = None;
        let Some(answer) = slow.answer else {
            self.owed = Some(Owed { since: now, ..slow });
            return;
        };
        if answer != Answer::Refuse {
            self.events.push(ReceiverEvent::Repeat { number: slow.key.number });
        }
        self.settle(&slow, answer, now);
    }
}

/// Whether the last record of a message is a terminator, and whole.
fn ends_with_terminator(message: &[u8]) -> bool {
    let Some((CR, records)) = trim_lf(message).split_last().map(|(last, rest)| (*last, rest))
    else {
        return false;
    };
    let start = last_cr(records).map_or(0, |at| at.saturating_add(1));
    let mut record = records.get(start..).unwrap_or_default();
    while let [LF, rest @ ..] = record {
        record = rest;
    }
    match record {
        [b'L'] => true,
        [b'L', delimiter, ..] => is_usable(*delimiter),
        _ => false,
    }
}

/// Whole blocks first, without a branch for each byte.
fn last_cr(text: &[u8]) -> Option<usize> {
    let (_, blocks) = text.as_rchunks::<16>();
    let clean = |block: &&[u8; 16]| !block.iter().fold(false, |found, &byte| found | (byte == CR));
    let after = blocks.iter().rev().take_while(clean).count().saturating_mul(16);
    let before = text.get(..text.len().saturating_sub(after)).unwrap_or_default();
    before.iter().rposition(|&byte| byte == CR)
}

fn trim_lf(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., LF] = text {
        text = rest;
    }
    text
}
