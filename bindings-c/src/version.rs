//! The version of the library.

use core::ffi::c_char;

/// Changes of this number may break callers.
pub const MLLP_VERSION_MAJOR: u32 = 0;
/// Before 1.0, changes of this number may break callers.
pub const MLLP_VERSION_MINOR: u32 = 1;
/// Corrections.
pub const MLLP_VERSION_PATCH: u32 = 0;
/// `MLLP_VERSION_MAJOR * 1000000 + MLLP_VERSION_MINOR * 1000 + MLLP_VERSION_PATCH`, to compare.
pub const MLLP_VERSION_NUMBER: u32 = 1000;

const _: () = assert!(
    MLLP_VERSION_NUMBER
        == MLLP_VERSION_MAJOR * 1_000_000 + MLLP_VERSION_MINOR * 1000 + MLLP_VERSION_PATCH
);

/// The version of the library that is linked, as text: `0.1.0`. The macros are of the header.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
