//! What must be right before a message may be answered positively (2.8.2.1, 2.8.3.1).

use core::mem::MaybeUninit;

use ack_gen::{AcceptLists, HeaderErrors, Receipt, check};
use hl7_peek::Kind;

use crate::ack_code::{MLLP_OUTCOME_ACCEPT, mllp_outcome_t};
use crate::code::Numbered;
use crate::error_detail::mllp_error_detail_t;
use crate::header::mllp_message_header_t;
use crate::message::mllp_message_kind_t;
use crate::slice::{mllp_slice_t, place, value, values};
use crate::state::state;
use crate::status::{Failure, MLLP_OK, mllp_status_t, status};

/// What a receiver accepts. A list that is NULL accepts everything, so all of it zeroed does; a list of
/// no entries accepts nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_accept_lists_t {
    /// MSH-9: `ADT` for every event of a type, `ADT^A01` for one.
    pub message_types: *const mllp_slice_t,
    /// How many.
    pub message_type_count: usize,
    /// MSH-12.1.
    pub versions: *const mllp_slice_t,
    /// How many.
    pub version_count: usize,
    /// MSH-11.1.
    pub processing_ids: *const mllp_slice_t,
    /// How many.
    pub processing_id_count: usize,
}

/// What is known of a message beside its header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_receipt_t {
    /// Whether the payload holds one message or a batch: see `mllp_message_kind`.
    pub kind: mllp_message_kind_t,
    /// 1: bytes of the frame were lost.
    pub damaged: u32,
}

/// How many errors a header can have.
pub const MLLP_MAX_HEADER_ERRORS: usize = 6;

const _: () = assert!(MLLP_MAX_HEADER_ERRORS == HeaderErrors::MAX);

/// The errors of a header, in the order in which the standard checks: MSH-9, MSH-12, MSH-11.
///
/// `errors` and `count` fit into an `mllp_ack_t`. They point to text of the library.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_header_errors_t {
    /// The errors, the first `count` of them.
    pub errors: [mllp_error_detail_t; MLLP_MAX_HEADER_ERRORS],
    /// How many; 0 when the message may be processed.
    pub count: usize,
    /// What they make of the message: rejected if any of them is a rejection.
    pub outcome: mllp_outcome_t,
}

impl mllp_header_errors_t {
    pub(crate) const NONE: mllp_header_errors_t = mllp_header_errors_t {
        errors: [mllp_error_detail_t::NONE; MLLP_MAX_HEADER_ERRORS],
        count: 0,
        outcome: MLLP_OUTCOME_ACCEPT,
    };

    /// Gives out what was found, where it is to stand: it is too large for the stack of a small machine
    /// to have it twice.
    fn give(out: &mut MaybeUninit<mllp_header_errors_t>, found: &HeaderErrors) {
        out.write(mllp_header_errors_t::NONE).fill(found);
    }

    pub(crate) fn fill(&mut self, found: &HeaderErrors) {
        for (error, found) in self.errors.iter_mut().zip(found.as_slice()) {
            *error = mllp_error_detail_t::of(found);
        }
        self.count = found.as_slice().len();
        self.outcome = found.outcome().number();
    }
}

/// Looks at everything that must be right before a message may be answered positively.
///
/// A damaged frame and a batch have no positive answer: the first because bytes are missing, the
/// second because one MSA cannot speak for several messages (2.9.3). A message without MSH-10 has none
/// either: nothing would tell the sender which message was accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_header_check(
    header: *const mllp_message_header_t,
    receipt: mllp_receipt_t,
    lists: *const mllp_accept_lists_t,
    out: *mut mllp_header_errors_t,
) -> mllp_status_t {
    status(|| {
        let receipt =
            Receipt { kind: Kind::from_number(receipt.kind)?, damaged: receipt.damaged != 0 };
        // SAFETY: rules 2 and 7.
        let (header, lists, out) = unsafe { (state(header)?, value(lists)?, place(out)?) };
        // SAFETY: rule 6.
        let lists = unsafe {
            AcceptLists {
                message_types: entries(lists.message_types, lists.message_type_count)?,
                versions: entries(lists.versions, lists.version_count)?,
                processing_ids: entries(lists.processing_ids, lists.processing_id_count)?,
            }
        };
        mllp_header_errors_t::give(out, &check(header, receipt, &lists));
        Ok(MLLP_OK)
    })
}

/// An entry of a list, whose bytes may be read: only [`entries`] makes it.
#[repr(transparent)]
struct Entry(mllp_slice_t);

impl AsRef<[u8]> for Entry {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the promise that was given to `entries`.
        unsafe { self.0.borrow() }.unwrap_or_default()
    }
}

/// # Safety
///
/// Rule 6, for the list and for each of its entries, as long as it is used.
unsafe fn entries<'a>(
    list: *const mllp_slice_t,
    count: usize,
) -> Result<Option<&'a [Entry]>, Failure> {
    if list.is_null() && count == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's promise is the same; an entry is a slice and nothing else.
    let entries: &[Entry] = unsafe { values(list.cast(), count) }?;
    for entry in entries {
        // SAFETY: the caller's promise is the same.
        unsafe { entry.0.borrow() }?;
    }
    Ok(Some(entries))
}
