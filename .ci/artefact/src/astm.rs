//! astm-core.

use core::hint::black_box;

use astm_core::{
    Delimiters, Error, Event, FrameEnding, FrameNumber, Link, LinkConfig, LinkEvent, Message,
    Millis, Path, Receiver, ReceiverConfig, ReceiverEvent, Record, RecordWriter, Scan, Scanner,
    Sender, SenderConfig, SenderEvent, Storage, Ticket, checksum, encode_frame, escape, unescape,
};

/// Storage of which nothing is known.
pub struct Memory<'a>(&'a mut [u8]);

impl AsRef<[u8]> for Memory<'_> {
    fn as_ref(&self) -> &[u8] {
        black_box(&*self.0)
    }
}

impl AsMut<[u8]> for Memory<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        black_box(&mut *self.0)
    }
}

impl Storage for Memory<'_> {
    fn max_len(&self) -> usize {
        black_box(self.0.len())
    }

    fn grow(&mut self, len: usize) {
        black_box(len);
    }

    fn shrink(&mut self) {
        black_box(&mut *self.0);
    }
}

#[unsafe(no_mangle)]
pub fn artefact_astm_frame(number: u8, text: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    black_box((checksum(text), FrameNumber::new(number).next().get()));
    black_box(encode_frame(FrameNumber::new(number), text, FrameEnding::Etb, out).is_ok());
    encode_frame(FrameNumber::new(number), text, FrameEnding::Etx, out)
}

#[unsafe(no_mangle)]
pub fn artefact_astm_scanner<'a>(scanner: &mut Scanner, input: &'a [u8]) -> Option<Event<'a>> {
    black_box((scanner.wants_quiet(), scanner.wants_broken_off(), scanner.in_frame()));
    black_box((scanner.quiet(), scanner.broken_off(), scanner.finish(), scanner.offset()));
    let step = scanner.step(input);
    black_box(Scanner::new(step.consumed));
    step.event
}

#[unsafe(no_mangle)]
pub fn artefact_astm_receiver(
    receiver: &mut Receiver<Memory<'_>>,
    bytes: &[u8],
    ticket: Ticket,
    now: Millis,
) {
    let fed = receiver.feed(bytes, now);
    note(fed.event);
    match fed.consumed {
        0 => receiver.accept(ticket, now),
        1 => receiver.refuse(ticket, now),
        _ => receiver.accept_and_interrupt(ticket, now),
    };
    black_box((receiver.message(), receiver.text(), receiver.outgoing()));
    receiver.sent(fed.consumed);
    receiver.set_ready(receiver.in_session());
    black_box((receiver.next_deadline(), receiver.wants_input(), receiver.in_frame()));
    receiver.on_time(now);
    receiver.line_lost(now);
}

#[unsafe(no_mangle)]
pub fn artefact_astm_receiver_new<'a>(
    memory: Memory<'a>,
    config: ReceiverConfig,
    now: Millis,
) -> Receiver<Memory<'a>> {
    Receiver::new(memory, config, now)
}

#[unsafe(no_mangle)]
pub fn artefact_astm_sender(sender: &mut Sender, bytes: &[u8], out: &mut [u8], now: Millis) {
    sender.start(bytes.len());
    black_box(sender.outgoing(bytes, out).is_ok());
    sender.sent(now);
    note_sender(sender.receive(bytes, now).event);
    note_sender(sender.on_time(now));
    black_box((sender.next_deadline(), sender.is_active(), sender.is_waiting(), sender.role()));
    sender.resume();
    note_sender(sender.line_lost());
    sender.give_up();
}

#[unsafe(no_mangle)]
pub fn artefact_astm_sender_new(config: SenderConfig) -> Sender {
    Sender::new(config)
}

#[unsafe(no_mangle)]
pub fn artefact_astm_link(
    link: &mut Link<Memory<'_>>,
    bytes: &[u8],
    out: &mut [u8],
    ticket: Ticket,
    now: Millis,
) {
    black_box(link.offer(bytes.len()).is_ok());
    let fed = link.feed(bytes, now);
    match fed.event {
        Some(LinkEvent::Received(event)) => note(Some(event)),
        other => _ = black_box(other),
    }
    match fed.consumed {
        0 => link.accept(ticket, now),
        1 => link.refuse(ticket, now),
        _ => link.accept_and_interrupt(ticket, now),
    };
    black_box((link.message(), link.text(), link.wants_input(), link.next_deadline()));
    black_box(link.outgoing(bytes, out).is_ok());
    link.sent(now);
    link.on_time(now);
    link.set_ready(link.receiver().in_session());
    link.line_lost(now);
    link.withdraw();
}

#[unsafe(no_mangle)]
pub fn artefact_astm_link_new<'a>(
    memory: Memory<'a>,
    config: LinkConfig,
    now: Millis,
) -> Link<Memory<'a>> {
    Link::new(memory, config, now)
}

#[unsafe(no_mangle)]
pub fn artefact_astm_message(bytes: &[u8], path: &[u8], scan: Scan, field: u32) {
    let message = Message::parse_lenient(bytes, scan);
    black_box((Message::parse(bytes).is_ok(), message.delimiters(), message.deviations().count()));
    if let Ok(path) = Path::parse_bytes(path) {
        black_box((message.get(path), path.kind(), path.occurrence(), path.component()));
    }
    for record in message.records() {
        note_record(&record, field);
    }
    for found in message.results() {
        black_box((found.header, found.patient, found.order, found.result));
        black_box(found.comments().count());
    }
}

fn note_record(record: &Record<'_>, field: u32) {
    black_box((record.kind(), record.as_bytes(), record.index(), record.get(field)));
    black_box((record.fields().count(), record.repeats(field).count()));
    black_box(record.components(field, field).count());
}

#[unsafe(no_mangle)]
pub fn artefact_astm_values(text: &[u8], delimiters: &Delimiters, scan: Scan, out: &mut [u8]) {
    _ = black_box((escape(text, delimiters, scan, out), unescape(text, delimiters, scan, out)));
    let mut writer = RecordWriter::new(out, *delimiters).with_scan(scan);
    let header = writer.header().field(5, text).components(6, &[text, text]).end();
    let record = writer.record(b'O').raw(4, text).repeats(5, &[text, text]).end();
    _ = black_box((header, record, writer.terminator(b'N'), writer.finish()));
}

fn note(event: Option<ReceiverEvent>) {
    match event {
        Some(ReceiverEvent::Refused { fault, .. }) => _ = black_box(fault.name()),
        Some(ReceiverEvent::SessionEnd { reason, .. }) => {
            black_box((reason.name(), reason.of_message()));
        }
        Some(ReceiverEvent::Frame(_, info)) => {
            black_box(info.deviations.iter().map(|one| one.name().len()).sum::<usize>());
        }
        other => _ = black_box(other),
    }
}

fn note_sender(event: Option<SenderEvent>) {
    match event {
        Some(SenderEvent::Verdict(verdict)) => _ = black_box(verdict.name()),
        other => _ = black_box(other),
    }
}
