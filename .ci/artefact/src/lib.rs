//! Every function of the cores, called with arguments that nothing is known about.
//!
//! Nothing calls these functions; `check-artefact` looks at what they reach. They keep the Rust
//! calling convention, which takes slices of any length without `unsafe`, and hand all results to
//! `black_box`, so that nothing is left out. `Debug` and `Display` are not called: they are for
//! hosts that have a place to write to, and lead into `core::fmt`.

#![no_std]

mod acknowledge;
mod astm;
mod decode;
mod link;
mod peek;

use core::panic::PanicInfo;

// Not defined anywhere: whatever can panic refers to it, and that is seen after linking.
unsafe extern "C" {
    safe fn a_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    a_panic_is_reachable()
}
