//! Answers as both kinds of responder give them: acknowledgments, commit blocks, refusals.

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::{Message, MessageHeader};
use mllp_core::{Error, Framing, Storage};

use crate::answers::{Answers, Refusal, Ticket};
use crate::event::{Refuse, Unanswered};

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

    /// Answers one message. What does not fit, or has no answer, gives the ticket back.
    pub(crate) fn acknowledge(
        &mut self,
        ticket: Ticket,
        payload: &[u8],
        ack: &Ack<'_>,
    ) -> Result<(), Unanswered> {
        match self.write(ticket.number, false, payload, ack) {
            Some(()) => Ok(()),
            None => Err(Unanswered(ticket)),
        }
    }

    /// Answers one message with a payload that is ready.
    pub(crate) fn answer_with(&mut self, ticket: Ticket, answer: &[u8]) -> Result<(), Unanswered> {
        let framing = &self.framing;
        let write = |room: &mut [u8]| framing.encode(answer, room).ok();
        match self.answers.store(ticket.number, false, write) {
            Some(()) => {
                self.commit_number(ticket.number, false, COMMIT_ACK);
                Ok(())
            }
            None => Err(Unanswered(ticket)),
        }
    }

    /// Refuses one message; `held` until its end has passed.
    pub(crate) fn refuse(
        &mut self,
        refusal: Refusal,
        held: bool,
        payload: &[u8],
        refuse: Refuse,
        ack: &Ack<'_>,
    ) -> Result<(), Refusal> {
        let ack = Ack { code: AckCode::new(ack.code.phase(), refuse.outcome()), ..*ack };
        match self.write(refusal.number, held, payload, &ack) {
            Some(()) => Ok(()),
            None => Err(refusal),
        }
    }

    pub(crate) fn leave_unanswered(&mut self, ticket: Ticket) {
        self.commit_number(ticket.number, false, COMMIT_ACK);
        self.answers.silence(ticket.number);
    }

    /// The message is in safe storage: its commit block can go, long before its answer.
    pub(crate) fn commit(&mut self, ticket: &Ticket) {
        self.commit_number(ticket.number, false, COMMIT_ACK);
    }

    /// The message could not be stored: a negative commit block is all it gets.
    pub(crate) fn refuse_commit(&mut self, ticket: Ticket) {
        self.commit_number(ticket.number, false, COMMIT_NAK);
        self.answers.silence(ticket.number);
    }

    fn commit_number(&mut self, answer: u32, held: bool, block: &[u8]) {
        let number = answer.wrapping_sub(1);
        if self.commit_blocks && self.answers.is_waiting(number) {
            let framing = &self.framing;
            let _ = self.answers.store(number, held, |room| framing.encode(block, room).ok());
        }
    }

    fn write(&mut self, number: u32, held: bool, payload: &[u8], ack: &Ack<'_>) -> Option<()> {
        let policy = self.policy;
        let header = match policy {
            Policy::Always => MessageHeader::parse_lenient(payload),
            Policy::Conformant => Some(Message::parse(payload).ok()?.header()),
        };
        let (answers, framing) = (&mut self.answers, &self.framing);
        let mut write = |header: Option<MessageHeader<'_>>| {
            let ack = Ack { header, policy, ..*ack };
            let encode = |room: &mut [u8]| ack.encode(room).map_err(|_| Error::BufferTooSmall);
            answers.store(number, held, |room| framing.encode_with(room, encode).ok())
        };
        // Names of a thousand bytes must not cost the sender its answer: the control ID counts.
        write(header).or_else(|| write(header.map(without_names)))?;
        self.commit_number(number, held, COMMIT_ACK);
        Some(())
    }
}

fn without_names(header: MessageHeader<'_>) -> MessageHeader<'_> {
    MessageHeader {
        sending_application: b"",
        sending_facility: b"",
        receiving_application: b"",
        receiving_facility: b"",
        message_type: b"",
        processing_id: b"",
        character_set: b"",
        ..header
    }
}
