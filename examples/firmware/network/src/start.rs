//! From reset to `run`, and where faults and panics end.

use core::panic::PanicInfo;

use crate::board::{Log, log};
use crate::memory::Memory;
use crate::stack;

unsafe extern "C" {
    // From the linker script.
    static data_image: u32;
    static mut data_start: u32;
    static mut data_end: u32;
    static mut bss_start: u32;
    static mut bss_end: u32;
}

/// The exceptions of the Cortex-M3 from number 1 on (ARMv7-M, B1.5.3); the stack pointer before them
/// comes from the linker script. No interrupt is turned on.
#[used]
#[unsafe(link_section = ".vectors")]
static VECTORS: [extern "C" fn() -> !; 15] = {
    let mut vectors: [extern "C" fn() -> !; 15] = [fault; 15];
    vectors[0] = reset;
    vectors
};

static mut MEMORY: Memory = Memory::NEW;

/// The first code that runs.
#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    // SAFETY: nothing has used these variables yet, and the linker script gives their limits. The
    // comparison is not for equality, which the compiler knows to be false for two variables.
    unsafe {
        let mut from = &raw const data_image;
        let mut to = &raw mut data_start;
        while to < &raw mut data_end {
            to.write_volatile(from.read_volatile());
            (from, to) = (from.add(1), to.add(1));
        }
        let mut to = &raw mut bss_start;
        while to < &raw mut bss_end {
            to.write_volatile(0);
            to = to.add(1);
        }
    }
    stack::paint();
    Log::start();
    // SAFETY: this function runs once, and no other refers to the memory.
    crate::run(unsafe { &mut *(&raw mut MEMORY) })
}

/// A fault of the processor: the gateway stops, and a watchdog would start it again.
extern "C" fn fault() -> ! {
    log!("fault");
    stop()
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    log!("panic");
    stop()
}

fn stop() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
