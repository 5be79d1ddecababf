//! ack-gen.

use core::hint::black_box;

use ack_gen::{
    AcceptLists, Ack, AckCode, Condition, ErrorCode, ErrorDetail, Inbound, Outcome, Receipt,
    Request, SequenceAction, SequenceReceiver, Severity, Timestamp, check,
};
use hl7_peek::MessageHeader;

#[unsafe(no_mangle)]
pub fn artefact_ack(ack: &Ack<'_>, out: &mut [u8]) {
    let _ = black_box(ack.encoded_len());
    if let Err(error) = ack.encode(out) {
        black_box(error.name());
    }
    let Some(header) = ack.header else { return };
    for ack in [
        Ack::always(ack.code, ack.header, ack.control_id, ack.timestamp),
        Ack::conformant(ack.code, header, ack.control_id, ack.timestamp),
    ] {
        let _ = black_box(ack.encode(out));
    }
}

#[unsafe(no_mangle)]
pub fn artefact_timestamp(seconds: i64, offset_minutes: i16) {
    black_box(Timestamp::utc(seconds).as_bytes());
    black_box(Timestamp::with_offset(seconds, offset_minutes).as_bytes());
}

#[unsafe(no_mangle)]
pub fn artefact_codes(bytes: &[u8], number: u16) {
    if let Some(code) = AckCode::from_bytes(bytes) {
        black_box((code.as_str(), code.is_accept(), AckCode::new(code.phase(), code.outcome())));
    }
    if let Some(code) = ErrorCode::from_number(number) {
        black_box((code.number(), code.text(), code.outcome(), ErrorDetail::new(code)));
    }
    black_box(Severity::from_bytes(bytes).map(Severity::as_str));
    black_box(Condition::from_field(bytes));
    black_box(Inbound::from_msa(Some(bytes)));
}

#[unsafe(no_mangle)]
pub fn artefact_check(header: &MessageHeader<'_>, lists: &AcceptLists<'_>, receipt: Receipt) {
    let errors = check(header, receipt, lists);
    black_box((errors.as_slice(), errors.outcome()));
}

#[unsafe(no_mangle)]
pub fn artefact_decide(
    header: &MessageHeader<'_>,
    inbound: Inbound,
    accept: Outcome,
    application: Outcome,
) {
    let request = Request::new(header, inbound);
    black_box((request.mode(), request.decide(accept, application)));
    black_box((request.refuse(accept), request.always_one_reply(accept, application)));
}

#[unsafe(no_mangle)]
pub fn artefact_sequence(receiver: &mut SequenceReceiver, number: &[u8], sent: i64) {
    black_box(receiver.receive(number));
    black_box(SequenceAction::after_refusal(sent, number));
}
