//! One function for each state. What it consumes, it takes from the rest of the input.

use super::{Event, Scanner, State, Tail};
use crate::control::{CR, Control, ENQ, EOT, ETB, ETX, LF, STX};
use crate::event::{Deviation, Deviations, Fault};
use crate::frame::{FrameEnding, FrameNumber};
use crate::text::{is_restricted, plain};

impl Scanner {
    pub(super) fn outside<'i>(&mut self, byte: u8, rest: &mut &'i [u8]) -> Option<Event<'i>> {
        self.held = None;
        let control = Control::of(byte);
        let deaf = self.deaf;
        let ends = |byte: &u8| *byte == STX && !deaf || Control::of(*byte).is_some();
        if !ends(&byte) {
            let len = rest.iter().position(ends).unwrap_or(rest.len());
            self.run = self.run.wrapping_add(len as u64);
            self.take(rest, len);
            return None;
        }
        if let Some(discard) = self.end_run() {
            return Some(discard);
        }
        let offset = self.offset;
        self.take(rest, 1);
        if let Some(control) = control {
            return Some(Event::Control(control, offset));
        }
        self.state = State::Number;
        (self.start, self.number, self.sum, self.before) = (offset, None, 0, 0);
        (self.text_len, self.digit_count, self.tail) = (0, 0, Tail::Nothing);
        (self.fault, self.deviations) = (None, Deviations::NONE);
        Some(Event::Start { offset })
    }

    pub(super) fn first<'i>(&mut self, byte: u8, rest: &mut &'i [u8]) -> Option<Event<'i>> {
        self.state = State::Text;
        self.number = FrameNumber::of_digit(byte);
        if self.number.is_some() {
            self.held = None;
            self.sum = byte;
            self.take(rest, 1);
        }
        None
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn text<'i>(&mut self, rest: &mut &'i [u8]) -> Option<Event<'i>> {
        let mut at = 0;
        loop {
            let ahead = rest.get(at..).unwrap_or_default();
            let (len, sum) = plain(ahead);
            self.sum = self.sum.wrapping_add(sum);
            if let Some(last) = len.checked_sub(1) {
                self.held = None;
                self.before = ahead.get(last).copied().unwrap_or_default();
            }
            at = at.saturating_add(len);
            match rest.get(at) {
                None | Some(&(STX | ETX | ETB)) => break,
                Some(&byte) => self.special(byte),
            }
            at = at.saturating_add(1);
        }
        if at > 0 {
            let room = self.max_text.saturating_sub(self.text_len);
            let text = self.take(rest, at);
            self.text_len = self.text_len.saturating_add(text.len() as u64);
            if self.text_len > self.max_text {
                self.fault = self.fault.or(Some(Fault::TooLong));
            }
            // As much as the limit allows, however the reads were cut.
            let text = usize::try_from(room).ok().and_then(|room| text.get(..room)).unwrap_or(text);
            if text.is_empty() {
                return None;
            }
            return Some(Event::Text(text));
        }
        match rest.first() {
            Some(&STX) => {
                self.held = None;
                Some(self.lost(Fault::StxInFrame))
            }
            Some(&byte) => {
                self.held = None;
                self.ending = if byte == ETX { FrameEnding::Etx } else { FrameEnding::Etb };
                self.sum = self.sum.wrapping_add(byte);
                self.state = State::Sum;
                self.take(rest, 1);
                None
            }
            None => None,
        }
    }

    /// A control byte in the text.
    fn special(&mut self, byte: u8) {
        self.held = Control::of_sender(byte);
        match byte {
            ENQ | EOT => self.fault = Some(Fault::DamagedFrame),
            0 => self.deviations.insert(Deviation::NulInText),
            LF if self.before == CR => self.deviations.insert(Deviation::LfAfterCr),
            LF => self.deviations.insert(Deviation::RestrictedChar),
            byte if is_restricted(byte) => self.deviations.insert(Deviation::RestrictedChar),
            _ => {}
        }
        self.before = byte;
        self.sum = self.sum.wrapping_add(byte);
    }

    /// The digits of the sum. Without one or both of them the tail begins at once.
    pub(super) fn after_text<'i>(&mut self, byte: u8, rest: &mut &'i [u8]) -> Option<Event<'i>> {
        match byte {
            STX if self.digit_count == 0 => return Some(self.end(false, true)),
            STX => return Some(self.lost(Fault::StxInFrame)),
            CR | LF => self.state = State::Tail,
            ENQ | EOT => {
                self.fault = Some(Fault::DamagedFrame);
                self.state = State::Tail;
            }
            byte => {
                if let Some(digit) = self.digits.get_mut(usize::from(self.digit_count)) {
                    *digit = byte;
                }
                self.digit_count = self.digit_count.saturating_add(1);
                if self.digit_count >= 2 {
                    self.state = State::Tail;
                }
                self.take(rest, 1);
            }
        }
        None
    }

    pub(super) fn tail<'i>(&mut self, byte: u8, rest: &mut &'i [u8]) -> Option<Event<'i>> {
        self.held = Control::of_sender(byte);
        match byte {
            STX => return Some(self.end(false, true)),
            LF => {
                self.take(rest, 1);
                return Some(self.end(true, false));
            }
            CR if self.tail == Tail::Nothing => self.tail = Tail::Cr,
            _ if matches!(self.tail, Tail::Cr | Tail::CrNoise) => self.tail = Tail::CrNoise,
            _ => self.tail = Tail::Noise,
        }
        self.take(rest, 1);
        None
    }
}
