//! mllp-link.

use core::hint::black_box;

use ack_gen::Ack;
use mllp_core::Storage;
use mllp_link::{
    AnswerError, CloseReason, Detector, Handle, Initiator, InitiatorConfig, InitiatorEvent, Millis,
    Protocol, ProxyHeader, Refusal, Refuse, ReplyKind, Responder, ResponderConfig, ResponderEvent,
    Rules, StreamEvent, StreamResponder, Ticket, Verdict, detect,
};

use crate::decode::Opaque;

type Link<'a> = Responder<Opaque<'a>, Opaque<'a>, 4>;
type Array = Responder<[u8; 64], [u8; 64], 2>;
type Stream<'a> = StreamResponder<Opaque<'a>, 64, 4>;
type Sender<'a> = Initiator<Opaque<'a>, 4, 16>;

#[unsafe(no_mangle)]
pub fn artefact_detector(detector: &mut Detector, bytes: &[u8]) {
    let verdict = detector.feed(bytes);
    black_box((verdict.name(), verdict.protocol().map(note_protocol), verdict.is_mllp()));
    black_box((detector.verdict(), detector.offset(), detect(bytes), Detector::new()));
}

#[unsafe(no_mangle)]
pub fn artefact_responder_new<'a>(
    incoming: Opaque<'a>,
    answers: Opaque<'a>,
    config: ResponderConfig,
    now: Millis,
) -> Link<'a> {
    Responder::new(incoming, answers, config, now)
}

#[unsafe(no_mangle)]
pub fn artefact_responder_receive(link: &mut Link<'_>, bytes: &[u8], len: usize, now: Millis) {
    receive(link, bytes, len, now);
}

#[unsafe(no_mangle)]
pub fn artefact_responder_array(link: &mut Array, bytes: &[u8], len: usize, now: Millis) {
    receive(link, bytes, len, now);
}

fn receive<S: Storage, T: Storage, const W: usize>(
    link: &mut Responder<S, T, W>,
    bytes: &[u8],
    len: usize,
    now: Millis,
) {
    black_box(link.wants_input());
    black_box(link.receive(bytes, now));
    if let Some(byte) = link.spare_mut(len).first_mut() {
        *byte = 0;
    }
    link.commit_read(len, now);
    if let Some(event) = link.next_event(now) {
        note(&event);
        black_box(event);
    }
    black_box((link.payload(), link.outgoing(), link.waiting(), link.settled()));
    black_box(link.scanner().offset());
}

#[unsafe(no_mangle)]
pub fn artefact_responder_feed(
    link: &mut Link<'_>,
    bytes: &[u8],
    ack: &Ack<'_>,
    out: &mut [u8],
    now: Millis,
) {
    let fed = link.feed(bytes, now);
    let payload = fed.payload.unwrap_or_else(|| link.payload());
    black_box((fed.consumed, payload));
    if let Some(ResponderEvent::Message(ticket, _)) = fed.event {
        match link.answer_now(ticket, bytes, ack, out, now) {
            Ok(len) => _ = black_box(len),
            Err(unanswered) => note_error(unanswered.error),
        }
    }
}

#[unsafe(no_mangle)]
pub fn artefact_responder_time(link: &mut Link<'_>, len: usize, now: Millis) {
    link.sent(len, now);
    link.on_time(now);
    black_box((link.next_deadline(), link.is_finished()));
    link.peer_closed(now);
    link.close(now);
}

#[unsafe(no_mangle)]
pub fn artefact_responder_answer(
    link: &mut Link<'_>,
    ticket: Ticket,
    ack: &Ack<'_>,
    payload: &[u8],
    now: Millis,
) {
    black_box(ticket.number());
    let Err(unanswered) = link.answer(ticket, ack, now) else { return };
    note_error(unanswered.error);
    let Err(unanswered) = link.answer_later(unanswered.ticket, payload, ack, now) else { return };
    let Err(unanswered) = link.answer_with(unanswered.ticket, payload, now) else { return };
    link.commit(&unanswered.ticket, now);
    if payload.is_empty() {
        link.refuse_commit(unanswered.ticket, now);
    } else {
        link.leave_unanswered(unanswered.ticket, now);
    }
}

#[unsafe(no_mangle)]
pub fn artefact_responder_refuse(
    link: &mut Link<'_>,
    refusal: Refusal,
    refuse: Refuse,
    ack: &Ack<'_>,
    now: Millis,
) {
    black_box(refusal.number());
    if let Err(unrefused) = link.refuse(refusal, refuse, ack, now) {
        link.leave_unrefused(unrefused.refusal, now);
    }
}

#[unsafe(no_mangle)]
pub fn artefact_stream_new<'a>(
    answers: Opaque<'a>,
    config: ResponderConfig,
    now: Millis,
) -> Stream<'a> {
    StreamResponder::new(answers, config, now)
}

#[unsafe(no_mangle)]
pub fn artefact_stream_step(link: &mut Stream<'_>, input: &[u8], len: usize, now: Millis) {
    black_box(link.wants_input());
    let step = link.step(input, now);
    if let Some(StreamEvent::Closing(reason)) = &step.event {
        note_reason(*reason);
    }
    black_box(step);
    black_box((link.header(), link.header_bytes(), link.outgoing()));
    link.sent(len, now);
    link.on_time(now);
    black_box((link.next_deadline(), link.is_finished(), link.waiting(), link.settled()));
    black_box(link.scanner().offset());
    link.peer_closed(now);
    link.close(now);
}

#[unsafe(no_mangle)]
pub fn artefact_stream_answer(
    link: &mut Stream<'_>,
    ticket: Ticket,
    ack: &Ack<'_>,
    header: &[u8],
    now: Millis,
) {
    let Err(unanswered) = link.answer(ticket, ack, now) else { return };
    let Err(unanswered) = link.answer_later(unanswered.ticket, header, ack, now) else { return };
    let Err(unanswered) = link.answer_with(unanswered.ticket, header, now) else { return };
    link.commit(&unanswered.ticket, now);
    if header.is_empty() {
        link.refuse_commit(unanswered.ticket, now);
    } else {
        link.leave_unanswered(unanswered.ticket, now);
    }
}

#[unsafe(no_mangle)]
pub fn artefact_stream_refuse(
    link: &mut Stream<'_>,
    refusal: Refusal,
    refuse: Refuse,
    ack: &Ack<'_>,
    now: Millis,
) {
    if let Err(unrefused) = link.refuse(refusal, refuse, ack, now) {
        link.leave_unrefused(unrefused.refusal, now);
    }
}

#[unsafe(no_mangle)]
pub fn artefact_initiator_new(incoming: Opaque<'_>, config: InitiatorConfig) -> Sender<'_> {
    Initiator::new(incoming, config)
}

#[unsafe(no_mangle)]
pub fn artefact_initiator_send(link: &mut Sender<'_>, payload: &[u8], handle: Handle, now: Millis) {
    match link.submit(payload, now) {
        Ok(handle) => {
            black_box(Handle::from_number(handle.number().wrapping_add(1)));
        }
        Err(error) => {
            black_box(error.name());
        }
    }
    black_box(link.wants_connection(now));
    link.connected();
    link.connect_failed(now);
    black_box(link.next_to_send(now));
    black_box(link.next_to_send_along(now));
    link.sent(handle, now);
    link.not_sent(handle);
    black_box(link.withdraw(handle));
    link.disconnected(now);
    black_box((link.is_suspended(), link.open_messages()));
    link.resume();
}

#[unsafe(no_mangle)]
pub fn artefact_initiator_receive(link: &mut Sender<'_>, bytes: &[u8], len: usize, now: Millis) {
    black_box(link.receive(bytes, now));
    if let Some(byte) = link.spare_mut(len).first_mut() {
        *byte = 0;
    }
    link.commit_read(len, now);
    let event = link.next_event(now);
    match event {
        Some(InitiatorEvent::Verdict { verdict, fate, .. }) => {
            note_verdict(verdict);
            black_box(fate.name());
        }
        Some(InitiatorEvent::Stray(stray)) => {
            black_box(stray.name());
        }
        _ => {}
    }
    black_box((event, link.reply()));
    black_box(link.next_deadline());
    link.on_time(now);
}

#[unsafe(no_mangle)]
pub fn artefact_proxy_header(first_bytes: &[u8]) {
    match black_box(ProxyHeader::parse(first_bytes)) {
        Ok(header) => {
            black_box(header);
        }
        Err(error) => {
            black_box(error.name());
        }
    }
}

#[unsafe(no_mangle)]
pub fn artefact_rules(text: &str, reply: ReplyKind) {
    if let Ok(rules) = black_box(Rules::<4>::parse(text)) {
        note_verdict(rules.judge(reply));
    }
    black_box(Rules::<4>::default());
    black_box(InitiatorConfig::default());
}

fn note(event: &ResponderEvent) {
    match event {
        ResponderEvent::Protocol(protocol) => {
            note_protocol(*protocol);
        }
        ResponderEvent::Closing(reason) => note_reason(*reason),
        _ => {}
    }
}

fn note_protocol(protocol: Protocol) {
    black_box((protocol.name(), protocol.is_mllp()));
}

fn note_reason(reason: CloseReason) {
    black_box(reason.name());
}

fn note_error(error: AnswerError) {
    black_box(error.name());
}

fn note_verdict(verdict: Verdict) {
    black_box((verdict.reply.name(), verdict.action.name(), verdict.condition.name()));
}
