//! Rust's enumerations as numbers.
//!
//! C may pass any number, so none is ever taken for an enumeration unchecked. The constants are
//! written out beside each type, where cbindgen finds them; [`numbered!`](crate::code::numbered)
//! binds them to the variants and to their names.

use core::ffi::CStr;

use crate::status::{Failure, MLLP_ERR_INVALID_ARGUMENT};

/// An enumeration whose variants have numbers in the header.
pub(crate) trait Numbered: Copy + 'static {
    /// Every variant, its number and its name.
    const TABLE: &'static [(Self, u32, &'static CStr)];

    /// The number in the header.
    fn number(self) -> u32;

    /// The variant with this number.
    fn from_number(number: u32) -> Result<Self, Failure> {
        let entry = Self::TABLE.iter().find(|(_, known, _)| *known == number);
        entry.map(|(variant, ..)| *variant).ok_or(Failure(MLLP_ERR_INVALID_ARGUMENT))
    }
}

/// The name of a number, `unknown` for one that is none.
pub(crate) fn name<T: Numbered>(number: u32) -> *const core::ffi::c_char {
    let entry = T::TABLE.iter().find(|(_, known, _)| *known == number);
    entry.map_or(c"unknown", |(.., name)| *name).as_ptr()
}

/// Binds variants to the numbers of the header and to their names. A variant may hold one of another
/// enumeration. An enumeration that may grow says with `_` which number stands for a variant that is
/// not written down here.
macro_rules! numbered {
    ($type:ty {
        $($variant:path $(: $inner:path)? = $number:ident, $name:literal;)+
    } $(, _ = $other:ident)?) => {
        impl crate::code::Numbered for $type {
            const TABLE: &'static [(Self, u32, &'static core::ffi::CStr)] =
                &[$(($variant $(($inner))?, $number, $name)),+];

            fn number(self) -> u32 {
                match self {
                    $($variant $(($inner))? => $number,)+
                    $(_ => $other,)?
                }
            }
        }
    };
}
pub(crate) use numbered;
