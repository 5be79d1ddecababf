//! How sessions begin and end, and what stands between frames.

use super::{HeldEnq, Owed, Receiver};
use crate::buffer::Storage;
use crate::control::Control;
use crate::event::{Completed, Discard, EndReason, Fault, FrameInfo, ReceiverEvent};
use crate::frame::FrameNumber;
use crate::scanner::Event;
use crate::settings::{Content, Millis, Profile, Times};

/// So many refusals in a row end a session.
const MAX_REFUSALS: u8 = 6;
/// So many sessions in a row without a byte between them are a storm.
const STORM: u8 = 10;
/// So many text bytes without STX are another protocol.
const FOREIGN: u8 = 16;

/// What is known of the open session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// The number of the last accepted frame.
    pub(super) last: Option<FrameNumber>,
    /// That frame.
    pub(super) last_key: Option<super::Key>,
    pub(super) last_info: FrameInfo,
    /// The frame with NUL that was refused last.
    pub(super) nul: Option<super::Key>,
    pub(super) refusals: u8,
    pub(super) frames: u32,
    pub(super) messages: u32,
    /// Frames of the message under assembly.
    pub(super) frames_in_message: u32,
    /// The last frame was accepted and ended with ETX.
    pub(super) at_end: bool,
    /// Sessions before it that began and brought no byte.
    restarts: u8,
    printable: u8,
    foreign: bool,
}

impl Session {
    const NEW: Session = Session {
        last: None,
        last_key: None,
        last_info: FrameInfo::NONE,
        nul: None,
        refusals: 0,
        frames: 0,
        messages: 0,
        frames_in_message: 0,
        at_end: false,
        restarts: 0,
        printable: 0,
        foreign: false,
    };
}

impl<S: Storage> Receiver<S> {
    pub(super) fn take(&mut self, event: Event<'_>, now: Millis) {
        match event {
            Event::Control(control, offset) => self.control(control, offset, now),
            Event::Start { .. } => self.frame_starts(now),
            Event::Text(text) => self.buffer.push(text),
            Event::End(frame) => self.judge(&frame, now),
            Event::Fault { fault: Fault::TruncatedFrame, .. } => {
                self.refused(Fault::TruncatedFrame, None, now);
            }
            Event::Fault { fault, .. } => {
                self.events.push(ReceiverEvent::Refused { fault, number: None });
            }
            Event::Discard(discard) => self.events.push(ReceiverEvent::Discard(discard)),
        }
    }

    fn control(&mut self, control: Control, offset: u64, now: Millis) {
        match (control, self.session.is_some()) {
            (Control::Enq, false) => {
                // What follows noise directly may be part of it.
                let quiet = self.config.times.quiet;
                if self.noise_at.is_some_and(|at| now < at.saturating_add(quiet)) {
                    self.enq = Some(HeldEnq { offset, hold: quiet, again: false });
                } else {
                    self.accept_enq(now);
                }
            }
            (Control::Enq, true) if self.config.profile == Profile::Default => {
                let Times { quiet, broken_off, .. } = self.config.times;
                let waited = |at: Millis| at.saturating_add(broken_off) <= now;
                let again = self.asked_before.is_some_and(waited);
                let hold = if again { quiet } else { broken_off };
                self.enq = Some(HeldEnq { offset, hold, again });
            }
            (Control::Eot, true) => self.end(EndReason::Eot, now),
            _ => self.events.push(ReceiverEvent::Discard(Discard { offset, len: 1 })),
        }
    }

    fn accept_enq(&mut self, now: Millis) {
        if !self.ready {
            return self.reply(Control::Nak, now);
        }
        self.start(false, now);
        self.reply(Control::Ack, now);
    }

    /// The line has been silent after an ENQ.
    pub(super) fn enq_counts(&mut self, enq: HeldEnq, now: Millis) {
        match (self.session.is_some(), enq.again) {
            (false, _) => self.accept_enq(now),
            (true, true) => self.restart(now),
            (true, false) => self.refuse_enq(now),
        }
    }

    /// A frame may have become this ENQ, and an ACK would be taken for its own. Who was restarted waits,
    /// and asks again.
    fn refuse_enq(&mut self, now: Millis) {
        self.refused(Fault::EnqInTransfer, None, now);
        self.asked = Some(now);
    }

    fn start(&mut self, without_enq: bool, now: Millis) {
        self.session = Some(Session::NEW);
        self.scanner.expect_frames(true);
        self.last_reply = now;
        self.events.push(ReceiverEvent::SessionStart { without_enq });
    }

    fn frame_starts(&mut self, now: Millis) {
        if self.session.is_none() {
            self.start(true, now);
        }
        if let Some(session) = &mut self.session {
            (session.printable, session.restarts) = (0, 0);
        }
        if self.done && self.slow.is_none() {
            self.buffer.truncate(0);
            self.done = false;
            if let Some(session) = &mut self.session {
                session.frames_in_message = 0;
            }
        }
        self.buffer.begin();
    }

    /// Bytes between frames.
    pub(super) fn look_at_noise(&mut self, bytes: &[u8], now: Millis) {
        if !bytes.is_empty() && !self.scanner.in_frame() {
            self.noise_at = Some(now);
        }
        let Some(session) = &mut self.session else { return };
        if self.scanner.in_frame() || session.frames > 0 || session.foreign {
            return;
        }
        for byte in bytes {
            let printable = matches!(byte, 0x20..=0x7E);
            session.printable = if printable { session.printable.saturating_add(1) } else { 0 };
            if session.printable >= FOREIGN {
                session.foreign = true;
                self.events.push(ReceiverEvent::ForeignBody);
                return;
            }
        }
    }

    /// The line has been silent for `broken_off`.
    pub(super) fn broken_off(&mut self, now: Millis) {
        let inside = self.scanner.in_frame();
        match self.scanner.broken_off() {
            Some(Event::Control(Control::Eot, _)) => {
                self.end(if inside { EndReason::EotInFrame } else { EndReason::Eot }, now);
            }
            Some(Event::Control(..)) if self.config.profile == Profile::Default => {
                self.refuse_enq(now);
            }
            Some(Event::Control(..)) if inside => self.refused(Fault::TruncatedFrame, None, now),
            Some(Event::Control(..)) | None => {}
            Some(event) => self.take(event, now),
        }
    }

    fn restart(&mut self, now: Millis) {
        let silent = self.session.filter(|session| session.frames == 0);
        let restarts = silent.map_or(0, |session| session.restarts.saturating_add(1));
        self.end(EndReason::EnqInTransfer, now);
        self.accept_enq(now);
        if let Some(session) = &mut self.session {
            session.restarts = restarts;
        }
        if restarts == STORM {
            self.events.push(ReceiverEvent::EnqStorm);
        }
    }

    /// Refuses a frame: NAK, and the sixth in a row ends the session.
    pub(super) fn refused(&mut self, fault: Fault, number: Option<FrameNumber>, now: Millis) {
        self.events.push(ReceiverEvent::Refused { fault, number });
        self.reply(Control::Nak, now);
        let Some(session) = &mut self.session else { return };
        session.at_end = false;
        session.refusals = session.refusals.saturating_add(1);
        if session.refusals >= MAX_REFUSALS {
            self.events.push(ReceiverEvent::RefusedForGood { fault });
            self.end(EndReason::RefusedForGood, now);
        }
    }

    pub(super) fn end(&mut self, reason: EndReason, now: Millis) {
        let Some(mut session) = self.session.take() else { return };
        self.slow = None;
        let len = self.buffer.len();
        if len > 0 && !self.done {
            let ended = reason == EndReason::Eot && session.at_end;
            if ended && self.config.content != Content::Records {
                let fingerprint = crate::text::fingerprint(self.buffer.message());
                session.messages = session.messages.saturating_add(1);
                self.events.push(ReceiverEvent::MessageAtEot(Completed {
                    len,
                    frames: session.frames_in_message,
                    last: session.last_info,
                    repeated: self.is_known(fingerprint),
                }));
                self.remember(fingerprint);
            } else {
                self.events.push(ReceiverEvent::Incomplete { reason, len });
            }
        }
        self.done = true;
        let (frames, messages) = (session.frames, session.messages);
        self.events.push(ReceiverEvent::SessionEnd { reason, frames, messages });
        self.scanner.expect_frames(self.config.profile == Profile::Default);
        self.last_reply = now;
    }

    /// The host has answered, now or when its frame had been refused.
    pub(super) fn settle(&mut self, owed: &Owed, answer: super::Answer, now: Millis) {
        if answer == super::Answer::Refuse {
            self.buffer.truncate(owed.len_before);
            self.done = false;
            if let Some(session) = &mut self.session {
                session.frames_in_message = session.frames_in_message.saturating_sub(1);
            }
            return self.refused(Fault::RefusedByHost, owed.key.number, now);
        }
        if let Some(session) = &mut self.session {
            session.last = owed.key.number.or(session.last);
            session.last_key = Some(owed.key);
            session.last_info = owed.info;
            session.refusals = 0;
            session.frames = session.frames.saturating_add(1);
            session.at_end = owed.info.ending == crate::FrameEnding::Etx;
            session.messages = session.messages.saturating_add(owed.whole.is_some().into());
        }
        if let Some(fingerprint) = owed.whole {
            self.remember(fingerprint);
        }
        let eot = answer == super::Answer::Interrupt;
        self.reply(if eot { Control::Eot } else { Control::Ack }, now);
    }
}
