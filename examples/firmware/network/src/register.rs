//! One register of the board.

use core::ptr;

/// A register of 32 bits.
#[derive(Clone, Copy)]
pub struct Register(*mut u32);

impl Register {
    /// The register at an address.
    ///
    /// # Safety
    ///
    /// There is one, and reading and writing it harms no memory.
    pub const unsafe fn at(address: usize) -> Register {
        Register(ptr::without_provenance_mut(address))
    }

    pub fn read(self) -> u32 {
        // SAFETY: see `at`.
        unsafe { self.0.read_volatile() }
    }

    pub fn write(self, value: u32) {
        // SAFETY: see `at`.
        unsafe { self.0.write_volatile(value) }
    }
}
