//! Answers as both kinds of responder give them: acknowledgments, commit blocks, refusals.

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::{Kind, Message, MessageHeader, Scan, whole_fields};
use mllp_core::{Framing, Storage};

use crate::answers::{Answers, Refusal, Ticket, USUAL_LEN};
use crate::error::{AnswerError, Unanswered, Unrefused};
use crate::event::Refuse;

/// The commit blocks of MLLP release 2, 1.2.1.
const COMMIT_ACK: &[u8] = &[0x06];
const COMMIT_NAK: &[u8] = &[0x15];

/// Answers, and how they are made.
#[derive(Debug)]
pub(crate) struct Outbox<T, const WINDOW: usize> {
    pub(crate) answers: Answers<T, WINDOW>,
    framing: Framing,
    policy: Policy,
    /// MLLP release 2: a commit block goes before each answer, in a place of its own.
    commit_blocks: bool,
}

impl<T: Storage, const WINDOW: usize> Outbox<T, WINDOW> {
    pub(crate) fn new(
        storage: T,
        max_answer_len: usize,
        framing: Framing,
        policy: Policy,
        commit_blocks: bool,
    ) -> Self {
        let answers = Answers::new(storage, max_answer_len);
        Outbox { answers, framing, policy, commit_blocks }
    }

    /// Whether one more message can be taken.
    pub(crate) fn has_room(&self) -> bool {
        self.answers.has_room(if self.commit_blocks { 2 } else { 1 })
    }

    /// The places of one more message: that of its answer.
    pub(crate) fn open(&mut self) -> Option<u32> {
        if !self.has_room() {
            return None;
        }
        if self.commit_blocks {
            self.answers.open()?;
        }
        self.answers.open()
    }

    pub(crate) fn commits(&self) -> bool {
        self.commit_blocks
    }

    /// Answers one message.
    pub(crate) fn acknowledge(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
    ) -> Result<(), Unanswered> {
        match self.write(ticket.number, false, payload, ack.code, ack) {
            Ok(()) => {
                self.commit(&ticket);
                Ok(())
            }
            Err(error) => Err(Unanswered { ticket, error }),
        }
    }

    /// Answers one message: into `out` where it is its turn, and then it counts as sent. Returns how
    /// many bytes those are; 0: the answer is stored. `ack.header` is the header of the payload.
    pub(crate) fn acknowledge_into(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
        out: &mut [u8],
    ) -> Result<usize, Unanswered> {
        if self.goes_at_once(&ticket) {
            let ack = Ack { policy: Policy::Always, ..*ack };
            let len = out.len().min(self.answers.max_len());
            let room = out.get_mut(..len).unwrap_or_default();
            let encode = |room: &mut [u8]| Ok::<usize, AnswerError>(ack.encode(room)?);
            if let Ok(len) = self.framing.encode_with(room, encode) {
                self.answers.pass();
                return Ok(len);
            }
            // Whatever did not work, storage and its longer ways may.
        }
        self.acknowledge(ticket, payload, ack).map(|()| 0)
    }

    /// Whether the answer may go without being stored, and depends on the header alone.
    pub(crate) fn goes_at_once(&self, ticket: &Ticket) -> bool {
        self.policy == Policy::Always && self.answers.is_turn(ticket.number)
    }

    /// Answers one message with a payload that is ready.
    pub(crate) fn answer_with(&mut self, ticket: Ticket, answer: &[u8]) -> Result<(), Unanswered> {
        match self.write_frame(ticket.number, false, answer) {
            Ok(()) => {
                self.commit(&ticket);
                Ok(())
            }
            Err(error) => Err(Unanswered { ticket, error }),
        }
    }

    /// Refuses one message, of which the beginning is at hand; `held` until its end has passed.
    pub(crate) fn refuse(
        &mut self,
        refusal: Refusal,
        held: bool,
        payload: &[u8],
        refuse: Refuse,
        ack: &Ack<'_>,
    ) -> Result<(), Unrefused> {
        let number = refusal.number;
        let refused = if self.commit_blocks {
            // 1.2.1: a positive block would say that the message is in safe storage, and its answer
            // is for one that is.
            self.write_frame(number.wrapping_sub(1), held, COMMIT_NAK)
        } else {
            let code = AckCode::new(ack.code.phase(), refuse.outcome());
            self.write(number, held, whole_fields(payload), code, ack)
        };
        if self.commit_blocks && refused.is_ok() {
            self.answers.silence(number);
        }
        refused.map_err(|error| Unrefused { refusal, error })
    }

    pub(crate) fn leave_unrefused(&mut self, refusal: Refusal) {
        if self.commit_blocks {
            self.answers.silence(refusal.number.wrapping_sub(1));
        }
        self.answers.silence(refusal.number);
    }

    pub(crate) fn leave_unanswered(&mut self, ticket: Ticket) {
        self.commit(&ticket);
        self.answers.silence(ticket.number);
    }

    /// The message is in safe storage: its commit block can go, long before its answer.
    pub(crate) fn commit(&mut self, ticket: &Ticket) {
        self.write_commit(ticket, COMMIT_ACK);
    }

    /// The message could not be stored: a negative commit block is all it gets.
    pub(crate) fn refuse_commit(&mut self, ticket: Ticket) {
        self.write_commit(&ticket, COMMIT_NAK);
        self.answers.silence(ticket.number);
    }

    fn write_commit(&mut self, ticket: &Ticket, block: &[u8]) {
        let number = ticket.number.wrapping_sub(1);
        if self.commit_blocks && self.answers.is_waiting(number) {
            // Without memory for four bytes, the peer waits in vain and sends again.
            if self.write_frame(number, false, block).is_err() {
                self.answers.silence(number);
            }
        }
    }

    fn write_frame(&mut self, number: u32, held: bool, payload: &[u8]) -> Result<(), AnswerError> {
        let framing = &self.framing;
        let len = framing.encoded_len(payload.len());
        self.answers.store(number, held, len, |room| Ok(framing.encode(payload, room)?))
    }

    fn write(
        &mut self,
        number: u32,
        held: bool,
        payload: &[u8],
        code: AckCode,
        ack: &Ack<'_>,
    ) -> Result<(), AnswerError> {
        let header = read_header(payload, self.policy, code, ack.scan)?;
        let mut ack = Ack { policy: self.policy, code, header: header.as_ref(), ..*ack };
        let (answers, framing) = (&mut self.answers, &self.framing);
        let len = USUAL_LEN.min(answers.max_len());
        let mut write = |ack: &Ack<'_>| {
            let encode = |room: &mut [u8]| Ok::<usize, AnswerError>(ack.encode(room)?);
            answers.store(number, held, len, |room| framing.encode_with(room, encode))
        };
        match write(&ack) {
            // Names of a thousand bytes must not cost the sender its answer: the control ID counts.
            Err(AnswerError::Frame(_)) => {
                ack.brief = true;
                write(&ack)
            }
            written => written,
        }
    }
}

/// The header of the message that is answered. Apart from the writing, so that neither needs the stack
/// of the other.
#[inline(never)]
fn read_header(
    payload: &[u8],
    policy: Policy,
    code: AckCode,
    scan: Scan,
) -> Result<Option<MessageHeader<'_>>, AnswerError> {
    match policy {
        Policy::Always => Ok(MessageHeader::parse_lenient_with(payload, scan)),
        Policy::Conformant => {
            let message = Message::parse_undoubled(payload, scan)?;
            if code.is_accept() && message.kind() == Kind::Batch {
                return Err(AnswerError::Batch);
            }
            Ok(Some(message.header()))
        }
    }
}
