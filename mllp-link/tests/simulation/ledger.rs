//! What both ends have done, as the invariants need it. Nobody on the network reads it.

use ack_gen::{AckCode, Inbound, Request};
use hl7_peek::MessageHeader;

use crate::hl7::{reply, reply_id};

pub struct Message {
    pub payload: Vec<u8>,
    /// MSH-10.
    pub id: Vec<u8>,
    /// What its sender asked for.
    pub request: Request,
    /// Sent after the faults, to see that the link works.
    pub fresh: bool,
    /// How often its payload and end block were written in one piece.
    pub whole: usize,
    /// Some byte of it has left its sender.
    pub left: bool,
}

pub struct Reply {
    /// The message for which it was made.
    pub message: Option<usize>,
    pub code: Option<AckCode>,
    /// As it was written, once it was written whole.
    pub payload: Option<Vec<u8>>,
}

#[derive(Default)]
pub struct Ledger {
    /// By the number in PID-3.
    pub messages: Vec<Message>,
    /// By the number in MSH-10.
    pub replies: Vec<Reply>,
}

impl Ledger {
    pub fn message(&mut self, payload: Vec<u8>, fresh: bool) -> usize {
        let header = MessageHeader::parse_lenient(&payload).expect("MSH");
        let id = header.message_control_id().to_vec();
        let request = Request::new(&header, Inbound::Message);
        self.messages.push(Message { payload, id, request, fresh, whole: 0, left: false });
        self.messages.len() - 1
    }

    /// A reply for a message, before it is written.
    pub fn reply(&mut self, message: usize, code: AckCode) -> usize {
        self.replies.push(Reply { message: Some(message), code: Some(code), payload: None });
        self.replies.len() - 1
    }

    /// A reply by hand, for this message or for none.
    pub fn reply_by_hand(&mut self, message: Option<usize>, id: &[u8], code: &str) -> Vec<u8> {
        let payload = reply(self.replies.len(), code, id);
        let code = AckCode::from_bytes(code.as_bytes());
        self.replies.push(Reply { message, code, payload: Some(payload.clone()) });
        payload
    }

    /// MSA-2 of a reply by ack_gen: a message without a name gets that of its reply.
    pub fn expected_id(&self, reply: usize, conformant: bool) -> Vec<u8> {
        let message = self.replies[reply].message.expect("an answer has a message");
        match &self.messages[message].id {
            id if id.is_empty() && !conformant => reply_id(reply),
            id => id.clone(),
        }
    }
}
