//! What every kind of responder shares: its answers, its times, and how a connection ends.

use ack_gen::Ack;
use mllp_core::{FrameKind, START_BLOCK, Scanner, Storage};

use crate::answers::{Refusal, Ticket};
use crate::detect::{Detector, Protocol};
use crate::error::Unanswered;
use crate::event::CloseReason;
use crate::outbox::Outbox;
use crate::settings::{OverLimit, ResponderConfig};
use crate::timer::{Expired, Millis, Timer, Waiting};

/// One connection, apart from the bytes that come in.
#[derive(Debug)]
pub(crate) struct Conversation<T, const WINDOW: usize> {
    pub(crate) outbox: Outbox<T, WINDOW>,
    timer: Timer,
    over_limit: OverLimit,
    /// Number of the message whose beginning is at hand.
    at_hand: Option<u32>,
    /// The rest of a refused message is being skipped.
    skipping: bool,
    /// The host does not read, for a reason of its own.
    paused: bool,
    /// Until the protocol is decided.
    detector: Option<Detector>,
    /// Another protocol than MLLP, not reported yet, and whether noise precedes it.
    foreign: Option<(Protocol, bool)>,
    /// Bytes in no frame have been reported.
    discarded: bool,
    /// Answers that were given up. Not reported yet.
    lost: Option<u32>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing more is read; what has been received is still delivered.
    Ending(CloseReason),
    /// Nothing more is delivered; the reason has not been reported yet.
    Ended(CloseReason),
    /// The reason has been reported; answers may still be owed.
    Closing,
}

/// What to report about the connection itself.
pub(crate) enum Notice {
    Protocol(Protocol),
    AnswersLost { answers: u32 },
    Closing(CloseReason),
}

impl<T: Storage, const WINDOW: usize> Conversation<T, WINDOW> {
    pub(crate) fn new(answers: T, config: ResponderConfig, now: Millis) -> Self {
        let framing = config.decoder.framing;
        Conversation {
            outbox: Outbox::new(
                answers,
                config.max_answer_len,
                framing,
                config.policy,
                config.commit_blocks,
            ),
            timer: Timer::new(config.times, now),
            over_limit: config.over_limit,
            at_hand: None,
            skipping: false,
            paused: false,
            // With other framing bytes, MLLP is as foreign as the rest.
            detector: (framing.start_block() == START_BLOCK).then_some(Detector::new()),
            foreign: None,
            discarded: false,
            lost: None,
            state: State::Open,
        }
    }

    /// Whether bytes are taken from the peer.
    pub(crate) fn wants_input(&self) -> bool {
        self.state == State::Open && self.has_room()
    }

    /// Whether the next frame can be delivered. The rest of a refused message needs no room: its
    /// refusal waits for that rest to pass.
    pub(crate) fn delivers(&self) -> bool {
        matches!(self.state, State::Open | State::Ending(_)) && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.skipping || self.outbox.has_room()
    }

    /// Whether the host does not read, for a reason of its own.
    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Bytes came.
    pub(crate) fn read(&mut self, now: Millis) {
        self.timer.read(now);
    }

    /// Whether the first bytes of the connection are still to be looked at.
    pub(crate) fn recognises(&self) -> bool {
        self.detector.is_some()
    }

    /// Whether the protocol will not be known after these bytes.
    pub(crate) fn is_undecided_by(&self, bytes: &[u8]) -> bool {
        let known = |mut detector: Detector| detector.feed(bytes).protocol().is_some();
        self.detector.is_some_and(|detector| !known(detector))
    }

    /// Looks at the first bytes of the connection, until they tell the protocol.
    pub(crate) fn recognise(&mut self, bytes: &[u8]) {
        let Some(detector) = &mut self.detector else { return };
        if let Some(protocol) = detector.feed(bytes).protocol() {
            self.foreign = (!protocol.is_mllp()).then_some((protocol, detector.offset() > 0));
            self.detector = None;
        }
    }

    /// What to report before anything else.
    pub(crate) fn notice(&mut self) -> Option<Notice> {
        if let Some(answers) = self.lost.take() {
            return Some(Notice::AnswersLost { answers });
        }
        match self.state {
            State::Ended(reason) => {
                self.state = State::Closing;
                Some(Notice::Closing(reason))
            }
            State::Closing => None,
            State::Open | State::Ending(_) => {
                let (protocol, noise) = self.foreign?;
                // Noise before a start block goes first, whether or not both come at once.
                if protocol == Protocol::Hllp && noise && !self.discarded {
                    return None;
                }
                self.foreign = None;
                Some(Notice::Protocol(protocol))
            }
        }
    }

    /// Whether what has been received is all that there will be.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, State::Ending(_))
    }

    /// Whether to deliver a frame without the trailer that it awaits.
    pub(crate) fn is_idle(&self) -> bool {
        self.timer.is_idle()
    }

    /// Everything that was received has been delivered.
    pub(crate) fn delivered(&mut self) -> Option<Notice> {
        let State::Ending(reason) = self.state else { return None };
        self.state = State::Closing;
        Some(Notice::Closing(reason))
    }

    /// Whether a frame is a commit block about an answer, and a positive one.
    pub(crate) fn commit_block(&self, kind: FrameKind) -> Option<bool> {
        match kind {
            FrameKind::CommitAck if self.outbox.commits() => Some(true),
            FrameKind::CommitNak if self.outbox.commits() => Some(false),
            _ => None,
        }
    }

    /// A place for the frame that is complete.
    pub(crate) fn open(&mut self) -> Option<Ticket> {
        let number = self.outbox.open()?;
        self.at_hand = Some(number);
        Some(Ticket { number })
    }

    /// A place for the frame over the limit, or the end of the connection.
    pub(crate) fn too_large(&mut self) -> Option<Refusal> {
        if self.over_limit == OverLimit::Refuse
            && let Some(number) = self.outbox.open()
        {
            self.at_hand = Some(number);
            self.skipping = true;
            return Some(Refusal { number });
        }
        self.state = State::Ended(CloseReason::TooLarge);
        None
    }

    /// Bytes in no frame are being reported: a frame that was skipped has ended.
    pub(crate) fn discard(&mut self) {
        self.discarded = true;
        if core::mem::take(&mut self.skipping) {
            self.outbox.answers.release();
        }
    }

    /// Whether the answer to this message waits for the end of its frame.
    pub(crate) fn is_skipping(&self) -> bool {
        self.skipping
    }

    pub(crate) fn is_at_hand(&self, number: u32) -> bool {
        self.at_hand == Some(number)
    }

    pub(crate) fn drop_payload(&mut self) {
        self.at_hand = None;
    }

    /// Answers one message, into the host's buffer where it is its turn. `ack.header` is its header.
    pub(crate) fn answer_read(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
        out: &mut [u8],
        now: Millis,
    ) -> Result<usize, Unanswered> {
        let len = self.outbox.acknowledge_into(ticket, payload, ack, out)?;
        if len > 0 {
            self.timer.sent(now);
        }
        Ok(len)
    }

    /// The socket has taken `len` bytes.
    pub(crate) fn sent(&mut self, len: usize, now: Millis) {
        self.outbox.answers.sent(len);
        self.timer.sent(now);
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.timer.next().map(|(at, _)| at)
    }

    pub(crate) fn on_time(&mut self, now: Millis) {
        match self.timer.expired(now) {
            // Nobody takes the answers: there is nothing left to wait for.
            Some(Expired::Send) => {
                self.lost = Some(self.outbox.answers.clear());
                if self.state != State::Closing {
                    self.state = State::Ended(CloseReason::Expired(Expired::Send));
                }
            }
            Some(expired) => self.end(CloseReason::Expired(expired)),
            None => {}
        }
    }

    /// Nothing more is read.
    pub(crate) fn end(&mut self, reason: CloseReason) {
        if self.state == State::Open {
            self.state = State::Ending(reason);
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state == State::Closing && self.lost.is_none() && self.outbox.answers.is_empty()
    }

    /// Notes what is waited for from now on.
    pub(crate) fn watch(&mut self, scanner: &Scanner, now: Millis) {
        let pending = scanner.pending();
        let waiting = Waiting {
            reads: self.wants_input() && !self.paused,
            frame: (pending > 0).then(|| scanner.offset().wrapping_sub(pending)),
            trailer: scanner.awaits_trailer(),
            owes: !self.outbox.answers.is_empty(),
            sends: self.outbox.answers.sends(),
        };
        self.timer.observe(waiting, now);
    }
}
