//! mllp-core.

use core::hint::black_box;

use mllp_core::{
    Config, Counters, Decoded, Decoder, Error, Event, Fault, Framing, Profile, ReceiveBuffer,
    Received, Scanner, Storage, encode, encode_slices, encode_with, encoded_len,
};

fn config(profile: u8, framing: Framing, max_payload_len: usize) -> Config {
    let profile = match profile {
        0 => Profile::Permissive,
        1 => Profile::Resync,
        _ => Profile::Strict,
    };
    Config { profile, framing, max_payload_len }
}

// SAFETY: no other symbol has this name, here and below.
#[unsafe(no_mangle)]
pub fn artefact_scanner(profile: u8, framing: Framing, max: usize, input: &[u8]) -> Scanner {
    let mut scanner = Scanner::new(config(profile, framing, max));
    let mut rest = input;
    loop {
        let step = scanner.step(rest);
        rest = rest.get(step.consumed..).unwrap_or_default();
        let Some(event) = step.event else { break };
        note_event(event);
    }
    for event in [scanner.idle(), scanner.abandon(), scanner.finish()].into_iter().flatten() {
        note_event(event);
    }
    black_box((scanner.config(), scanner.offset(), scanner.pending()));
    note_counters(scanner.counters());
    if input.is_empty() {
        scanner.reset();
    }
    scanner
}

/// A scanner in any state, even one that no stream leads to.
#[unsafe(no_mangle)]
pub fn artefact_scanner_step<'a>(scanner: &mut Scanner, input: &'a [u8]) -> Option<Event<'a>> {
    black_box(scanner.idle());
    black_box(scanner.abandon());
    black_box(scanner.finish());
    scanner.step(input).event
}

#[unsafe(no_mangle)]
pub fn artefact_decoder(decoder: &mut Decoder, unread: &[u8]) {
    note(decoder.decode(unread));
    note(decoder.idle(unread));
    note(decoder.finish(unread));
    black_box((decoder.buffer_len(), decoder.scanner().offset()));
    note_counters(decoder.counters());
    decoder.reset();
}

#[unsafe(no_mangle)]
pub fn artefact_decoder_new(profile: u8, framing: Framing, max: usize) -> Decoder {
    Decoder::new(config(profile, framing, max))
}

#[unsafe(no_mangle)]
pub fn artefact_receive_slice(
    storage: &mut [u8],
    framing: Framing,
    max: usize,
    profile: u8,
) -> ReceiveBuffer<&mut [u8]> {
    ReceiveBuffer::new(storage, config(profile, framing, max))
}

#[unsafe(no_mangle)]
pub fn artefact_receive_slice_feed(buffer: &mut ReceiveBuffer<&mut [u8]>, chunk: &[u8]) {
    receive(buffer, chunk);
}

#[unsafe(no_mangle)]
pub fn artefact_receive_array(buffer: &mut ReceiveBuffer<[u8; 64]>, chunk: &[u8]) {
    receive(buffer, chunk);
}

#[unsafe(no_mangle)]
pub fn artefact_receive_opaque(buffer: &mut ReceiveBuffer<Opaque<'_>>, chunk: &[u8]) {
    receive(buffer, chunk);
}

fn receive<S: Storage>(buffer: &mut ReceiveBuffer<S>, chunk: &[u8]) {
    note(buffer.feed(chunk));
    let room = buffer.spare_mut(chunk.len());
    if let Some((front, chunk)) = room.get_mut(..chunk.len()).zip(chunk.get(..)) {
        front.copy_from_slice(chunk);
    }
    buffer.commit(chunk.len());
    for _ in 0..2 {
        black_box(buffer.next_event());
        black_box(buffer.idle());
        black_box(buffer.finish());
    }
    black_box((buffer.unread(), buffer.is_empty(), buffer.scanner().pending()));
    note_counters(buffer.counters());
    black_box(buffer.storage_mut().as_mut());
    if chunk.is_empty() {
        buffer.reset();
    }
}

/// Storage of which nothing is known, least of all that it keeps its length.
pub struct Opaque<'a>(&'a mut [u8]);

impl AsRef<[u8]> for Opaque<'_> {
    fn as_ref(&self) -> &[u8] {
        black_box(&*self.0)
    }
}

impl AsMut<[u8]> for Opaque<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        black_box(&mut *self.0)
    }
}

impl Storage for Opaque<'_> {
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
pub fn artefact_encode(payload: &[u8], out: &mut [u8], len: usize) {
    black_box(encoded_len(len));
    let _ = black_box(encode(payload, out));
    let _ = black_box(encode_slices(payload));
    let _ = black_box(encode_with(out, |room| {
        black_box(room);
        Ok::<usize, Error>(len)
    }));
}

#[unsafe(no_mangle)]
pub fn artefact_framing(bytes: [u8; 3], payload: &[u8], out: &mut [u8], len: usize) {
    let [start_block, end_block, trailer] = bytes;
    for trailer in [None, Some(trailer)] {
        match Framing::new(start_block, end_block, trailer) {
            Ok(framing) => {
                black_box((framing.start_block(), framing.end_block(), framing.trailer()));
                black_box(framing.encoded_len(len));
                let _ = black_box(framing.encode(payload, out));
                let _ = black_box(framing.encode_slices(payload));
            }
            Err(error) => {
                black_box(error.name());
            }
        }
    }
}

fn note(decoded: Decoded<'_>) {
    match decoded.event {
        Some(Received::Frame(frame)) => {
            black_box((frame.payload, frame.kind.name()));
            frame.deviations.iter().for_each(|deviation| {
                black_box(deviation.name());
            });
        }
        Some(Received::Fault { fault, prefix, .. }) => note_fault(fault, prefix),
        event => {
            black_box(event);
        }
    }
    black_box(decoded.consumed);
}

fn note_event(event: Event<'_>) {
    match event {
        Event::FrameEnd(end) => {
            black_box((end.kind.name(), end.deviations.first_offset()));
        }
        Event::Fault { fault, .. } => note_fault(fault, &[]),
        Event::Discard(discard) => {
            black_box(discard.why.name());
        }
        event => {
            black_box(event);
        }
    }
}

fn note_fault(fault: Fault, prefix: &[u8]) {
    black_box((fault.name(), prefix));
}

fn note_counters(counters: &Counters) {
    black_box(counters.entries());
}
