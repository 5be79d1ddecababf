//! How deep the stack gets: it is painted, and what has lost its paint was used.

use core::arch::asm;
use core::cell::Cell;
use core::fmt;
use core::ptr;

/// No address and no small number, so that hardly anything that is pushed looks like it.
const PAINT: u32 = 0xA5C3_5A3C;

/// How far below itself `Stack::measure` looks, in bytes.
const REACH: usize = 4096;

unsafe extern "C" {
    // From the linker script: the ends of the memory that the stack may take.
    static stack_limit: u32;
    static stack_top: u32;
}

/// Paints the stack from its limit to where it is.
pub fn paint() {
    paint_from((&raw const stack_limit) as usize);
}

/// The deepest uses so far, in bytes.
pub struct Stack {
    all: Cell<usize>,
    protocol: Cell<usize>,
    measures: bool,
}

impl Stack {
    /// `measures`: whether the protocol is measured apart.
    pub fn new(measures: bool) -> Stack {
        Stack { all: Cell::new(0), protocol: Cell::new(0), measures }
    }

    /// Of everything, since the stack was painted.
    fn all(&self) -> usize {
        let used = (&raw const stack_top) as usize - lowest_use((&raw const stack_limit) as usize);
        self.all.set(self.all.get().max(used));
        self.all.get()
    }

    /// Does a piece of work of the protocol, on a stack that is painted for it.
    #[inline(never)]
    pub fn measure<R>(&self, work: impl FnOnce() -> R) -> R {
        if !self.measures {
            return work();
        }
        self.all(); // before the marks are painted over
        let top = stack_pointer();
        let bottom = top - REACH;
        paint_from(bottom);
        let result = apart(work);
        self.protocol.set(self.protocol.get().max(top - lowest_use(bottom)));
        result
    }
}

/// For the end of a line in the log.
impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.measures {
            return Ok(());
        }
        write!(f, ", stack: {} of {}", self.protocol.get(), self.all())
    }
}

/// Does the work in a frame of its own, below that of the caller.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

#[inline(never)]
fn paint_from(bottom: usize) {
    let mut at = bottom;
    while at < stack_pointer() {
        // SAFETY: between the limit of the stack and its pointer, where nothing lives.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(at).write_volatile(PAINT) };
        at += 4;
    }
}

/// The lowest address from `bottom` on that is not painted.
fn lowest_use(bottom: usize) -> usize {
    let mut at = bottom;
    // SAFETY: between the limit of the stack and its top, which is not painted.
    while unsafe { ptr::with_exposed_provenance::<u32>(at).read_volatile() } == PAINT {
        at += 4;
    }
    at
}
