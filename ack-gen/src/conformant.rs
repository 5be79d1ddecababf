//! The answer by the policy `conformant`: the tables of chapter 2 (2.8.2, 2.8.3), with one answer for
//! each message.

use hl7_peek::MessageHeader;

use crate::{AcceptLists, AckCode, HeaderErrors, Inbound, Outcome, Receipt, Request, check};

/// What goes back for a message, on the connection that it came on.
///
/// * In original mode (MSH-15 and MSH-16 empty) it is the application acknowledgment: AA, AE or AR.
/// * In enhanced mode it is the accept acknowledgment where MSH-15 asks for one: CA, CE or CR. Where
///   only MSH-16 asks, it is the application acknowledgment. Where both ask and the message was taken,
///   CA goes back, and the application acknowledgment that is then due belongs to an exchange that the
///   receiver begins, over a connection of its own (2.8.3.2). A refusal is told once.
/// * Nothing goes back where neither asks, and where the message is an acknowledgment itself.
/// * What must not be accepted is rejected, whatever the host says: a batch, a message without a
///   message control ID, and a damaged frame.
#[derive(Clone, Copy, Debug)]
pub struct ConformantAnswer {
    /// What goes back; `None` for nothing.
    pub code: Option<AckCode>,
    /// Why the message must not be accepted, where the host said that it was.
    pub errors: HeaderErrors,
    /// The application acknowledgment that the sender waits for on another connection.
    pub due: Option<AckCode>,
}

impl ConformantAnswer {
    /// Decides. `code` is what the host says of the message, at either level.
    ///
    /// ```
    /// use ack_gen::{AckCode, ConformantAnswer, Inbound, Receipt};
    /// use hl7_peek::MessageHeader;
    ///
    /// let message = b"MSH|^~\\&|LAB|L|HIS|H|2026||ORU^R01|M1|P|2.5|||AL|AL\r";
    /// let header = MessageHeader::parse_lenient(message).expect("a header");
    /// let said = AckCode::AA;
    /// let answer = ConformantAnswer::new(&header, Inbound::Message, Receipt::default(), said);
    /// assert_eq!((answer.code, answer.due), (Some(AckCode::CA), Some(AckCode::AA)));
    /// ```
    pub fn new(
        header: &MessageHeader<'_>,
        inbound: Inbound,
        receipt: Receipt,
        code: AckCode,
    ) -> ConformantAnswer {
        let errors = if code.is_accept() {
            check::<&[u8]>(header, receipt, &AcceptLists::default())
        } else {
            HeaderErrors::NONE
        };
        let is_acceptable = errors.as_slice().is_empty();
        let outcome = if is_acceptable { code.outcome() } else { Outcome::Reject };
        let decision = Request::new(header, inbound).decide(outcome, outcome);
        // What was refused is refused once; of what was only stored nothing more is known yet.
        let is_due = decision.accept.is_some() && code == AckCode::AA && is_acceptable;
        ConformantAnswer {
            code: decision.accept.or(decision.application),
            errors,
            due: decision.application.filter(|_| is_due),
        }
    }
}
