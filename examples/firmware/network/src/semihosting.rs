//! Requests to the debugger or emulator that the board hangs on (ARM "Semihosting for AArch32").
//!
//! It stands for two things that a product has and this board has not: a clock with the date, and
//! memory for settings.

use core::arch::asm;

const SYS_TIME: usize = 0x11;
const SYS_GET_CMDLINE: usize = 0x15;

/// Seconds since 1970, UTC.
pub fn seconds() -> u32 {
    // SAFETY: the request takes no parameter.
    unsafe { request(SYS_TIME, 0) as u32 }
}

/// The arguments that the emulator was started with, words with blanks between them.
pub fn arguments(buffer: &mut [u8]) -> &str {
    let block = [buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the block is the address and the length of a buffer, which nothing else refers to.
    let failed = unsafe { request(SYS_GET_CMDLINE, block.as_ptr() as usize) } != 0;
    let text = buffer.split(|byte| *byte == 0).next().unwrap_or_default();
    if failed { "" } else { str::from_utf8(text).unwrap_or_default() }
}

/// # Safety
///
/// The parameter is the one of the request.
unsafe fn request(number: usize, parameter: usize) -> usize {
    let answer;
    // SAFETY: the caller's. The request may write through pointers, which `asm!` assumes.
    unsafe {
        asm!("bkpt 0xab", inout("r0") number => answer, in("r1") parameter, options(nostack));
    }
    answer
}
