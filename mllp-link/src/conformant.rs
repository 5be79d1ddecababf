//! The answer by the policy `conformant`, for a payload as it was received.

use ack_gen::{AckCode, ConformantAnswer, Inbound, Receipt};
use hl7_peek::{Error, Message, Scan};
use mllp_core::START_BLOCK;

use crate::reply::MSA_1;

/// Decides which answer a message gets by the policy `conformant`; `code` is what the host says of it,
/// at either level. A start block inside the frame is what is left of two messages: that one is
/// damaged, and must not be accepted.
///
/// ```
/// use ack_gen::AckCode;
/// use hl7_peek::Scan;
/// use mllp_link::conformant_answer;
///
/// let batch = b"BHS|^~\\&|LAB\rMSH|^~\\&|LAB||||2026||ORU^R01|M1|P|2.5\r";
/// let answer = conformant_answer(batch, Scan::SingleByte, AckCode::AA).expect("a header");
/// assert_eq!(answer.code, Some(AckCode::AR));
/// ```
///
/// # Errors
///
/// There is no header that could be answered.
pub fn conformant_answer(
    payload: &[u8],
    scan: Scan,
    code: AckCode,
) -> Result<ConformantAnswer, Error> {
    let message = match Message::parse_undoubled(payload, scan) {
        Ok(message) => message,
        // Of a message that is refused anyway, what can be read of its header decides.
        Err(error) if !code.is_accept() => Message::parse_lenient(payload, scan).ok_or(error)?,
        Err(error) => return Err(error),
    };
    let inbound = Inbound::from_msa(MSA_1.ok().and_then(|path| message.get(path)));
    let receipt = Receipt { kind: message.kind(), damaged: payload.contains(&START_BLOCK) };
    Ok(ConformantAnswer::new(&message.header(), inbound, receipt, code))
}
