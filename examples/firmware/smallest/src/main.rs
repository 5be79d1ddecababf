//! The least that answers messages: decode, header, acknowledgment, for a Cortex-M0+.
//!
//! It is here to be measured, and runs on no board: its line is two registers at addresses that were
//! made up. Whole messages of up to a kilobyte are kept, and answered under either policy.

#![no_std]
#![no_main]

use core::panic::PanicInfo;
use core::ptr;

use ack_gen::{Ack, AckCode, Policy};
use hl7_peek::MessageHeader;
use mllp_core::{Config, Decoder, Error, Profile, Received, encode_with};

const DATA: *mut u32 = ptr::without_provenance_mut(0x4000_0000);
const SWITCHES: *mut u32 = ptr::without_provenance_mut(0x4000_0004);

fn read(register: *mut u32) -> u32 {
    // SAFETY: a register, see above.
    unsafe { register.read_volatile() }
}

fn send(byte: u8) {
    // SAFETY: a register, see above.
    unsafe { DATA.write_volatile(u32::from(byte)) }
}

const MAX: usize = 1024;

// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    let config = Config { profile: Profile::Resync, max_payload_len: MAX, ..Config::DEFAULT };
    let mut decoder = Decoder::new(config);
    let (mut buffer, mut len, mut answer) = ([0u8; MAX + 3], 0usize, [0u8; 512]);
    loop {
        if let Some(room) = buffer.get_mut(len) {
            *room = read(DATA) as u8;
            len += 1;
        }
        let (consumed, written) =
            step(&mut decoder, buffer.get(..len).unwrap_or_default(), &mut answer);
        answer.iter().take(written).for_each(|byte| send(*byte));
        // What is not consumed moves to the front.
        len = len.saturating_sub(consumed);
        for at in 0..len {
            let byte = buffer.get(at + consumed).copied().unwrap_or_default();
            if let Some(place) = buffer.get_mut(at) {
                *place = byte;
            }
        }
    }
}

/// Decodes, and answers a message. Returns how many bytes are done with, and the length of the answer.
#[inline(never)]
fn step(decoder: &mut Decoder, unread: &[u8], answer: &mut [u8]) -> (usize, usize) {
    let decoded = decoder.decode(unread);
    let Some(Received::Frame(frame)) = decoded.event else { return (decoded.consumed, 0) };
    let switches = read(SWITCHES);
    let policy = if switches & 1 == 0 { Policy::Always } else { Policy::Conformant };
    let code = if switches & 2 == 0 { AckCode::AA } else { AckCode::AE };
    let header = MessageHeader::parse_lenient(frame.payload);
    let ack = Ack { policy, ..Ack::always(code, header.as_ref(), b"1", b"20260101000000") };
    let encode = |room: &mut [u8]| ack.encode(room).map_err(|_| Error::BufferTooSmall);
    (decoded.consumed, encode_with(answer, encode).unwrap_or(0))
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
