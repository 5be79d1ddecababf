//! Walking a message: segments, fields, repetitions, components, subcomponents.
//!
//! Every level is the same thing: a part that borrows from the payload, and an iterator over the
//! parts of the next level.

use core::mem::MaybeUninit;

use hl7_peek::{
    Component, Components, Field, Fields, Repetition, Repetitions, Segment, Segments, Subcomponents,
};

use crate::message::mllp_message_t;
use crate::slice::{bytes, mllp_slice_t, place};
use crate::state::{State, give, state, state_mut};
use crate::status::{Failure, mllp_status_t, status};

/// The segments of a message; empty ones are skipped.
#[repr(C)]
pub struct mllp_segments_t {
    _state: [MaybeUninit<u64>; 8],
}

impl State for mllp_segments_t {
    type Inner = Segments<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpSGS1");
}

/// One segment, without its terminator.
#[repr(C)]
pub struct mllp_segment_t {
    _state: [MaybeUninit<u64>; 7],
}

impl State for mllp_segment_t {
    type Inner = Segment<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpSEG1");
}

/// The fields of a segment.
#[repr(C)]
pub struct mllp_fields_t {
    _state: [MaybeUninit<u64>; 9],
}

impl State for mllp_fields_t {
    type Inner = Fields<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpFDS1");
}

/// A field with all its repetitions.
#[repr(C)]
pub struct mllp_field_t {
    _state: [MaybeUninit<u64>; 5],
}

impl State for mllp_field_t {
    type Inner = Field<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpFLD1");
}

/// The repetitions of a field.
#[repr(C)]
pub struct mllp_repetitions_t {
    _state: [MaybeUninit<u64>; 6],
}

impl State for mllp_repetitions_t {
    type Inner = Repetitions<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpRPS1");
}

/// One repetition of a field with all its components.
#[repr(C)]
pub struct mllp_repetition_t {
    _state: [MaybeUninit<u64>; 5],
}

impl State for mllp_repetition_t {
    type Inner = Repetition<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpREP1");
}

/// The components of a repetition.
#[repr(C)]
pub struct mllp_components_t {
    _state: [MaybeUninit<u64>; 6],
}

impl State for mllp_components_t {
    type Inner = Components<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpCPS1");
}

/// One component with all its subcomponents.
#[repr(C)]
pub struct mllp_component_t {
    _state: [MaybeUninit<u64>; 5],
}

impl State for mllp_component_t {
    type Inner = Component<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpCMP1");
}

/// The subcomponents of a component.
#[repr(C)]
pub struct mllp_subcomponents_t {
    _state: [MaybeUninit<u64>; 4],
}

impl State for mllp_subcomponents_t {
    type Inner = Subcomponents<'static>;
    const MARK: u64 = u64::from_le_bytes(*b"mllpSUB1");
}

/// All segments in order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_segments(
    message: *const mllp_message_t,
    out: *mut mllp_segments_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { part(message, out, |message| Some(message.segments())) }
}

/// One segment of this message, from the bytes that `mllp_segment_raw` gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_segment_of(
    message: *const mllp_message_t,
    raw: *const u8,
    raw_len: usize,
    out: *mut mllp_segment_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (message, raw, out) = unsafe { (state(message)?, bytes(raw, raw_len)?, place(out)?) };
        Ok(give(out, Some(message.segment_of(raw))))
    })
}

/// The next segment; `MLLP_NOT_FOUND` after the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_segments_next(
    segments: *mut mllp_segments_t,
    out: *mut mllp_segment_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { next(segments, out) }
}

/// The bytes before the first field separator, or all if there is none. Three letters in a legal
/// message, anything at all in others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_segment_id(segment: *const mllp_segment_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(segment) }.map(Segment::id))
}

/// All bytes of the segment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_segment_raw(segment: *const mllp_segment_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(segment) }.map(Segment::raw))
}

/// The field of this number, as HL7 counts: from 1, and in MSH, FHS and BHS the field separator itself
/// is field 1. `MLLP_NOT_FOUND` if the segment ends before it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_segment_field(
    segment: *const mllp_segment_t,
    number: usize,
    out: *mut mllp_field_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { part(segment, out, |segment| segment.field(number)) }
}

/// All fields in order, starting with number 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_segment_fields(
    segment: *const mllp_segment_t,
    out: *mut mllp_fields_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { part(segment, out, |segment| Some(segment.fields())) }
}

/// The next field; `MLLP_NOT_FOUND` after the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_fields_next(
    fields: *mut mllp_fields_t,
    out: *mut mllp_field_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { next(fields, out) }
}

/// All bytes of the field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_field_raw(field: *const mllp_field_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(field) }.map(Field::raw))
}

/// Its repetitions, at least one. MSH-1 and MSH-2 are never cut.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_field_repetitions(
    field: *const mllp_field_t,
    out: *mut mllp_repetitions_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { part(field, out, |field| Some(field.repetitions())) }
}

/// The next repetition; `MLLP_NOT_FOUND` after the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_repetitions_next(
    repetitions: *mut mllp_repetitions_t,
    out: *mut mllp_repetition_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { next(repetitions, out) }
}

/// All bytes of the repetition.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_repetition_raw(repetition: *const mllp_repetition_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(repetition) }.map(Repetition::raw))
}

/// Its components, at least one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_repetition_components(
    repetition: *const mllp_repetition_t,
    out: *mut mllp_components_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { part(repetition, out, |repetition| Some(repetition.components())) }
}

/// The next component; `MLLP_NOT_FOUND` after the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_components_next(
    components: *mut mllp_components_t,
    out: *mut mllp_component_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { next(components, out) }
}

/// All bytes of the component.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_component_raw(component: *const mllp_component_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(component) }.map(Component::raw))
}

/// Its subcomponents, at least one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_component_subcomponents(
    component: *const mllp_component_t,
    out: *mut mllp_subcomponents_t,
) -> mllp_status_t {
    // SAFETY: rules 2 and 7.
    unsafe { part(component, out, |component| Some(component.subcomponents())) }
}

/// The bytes of the next subcomponent; `MLLP_NOT_FOUND` after the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_subcomponents_next(
    subcomponents: *mut mllp_subcomponents_t,
    out: *mut mllp_slice_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (subcomponents, out) = unsafe { (state_mut(subcomponents)?, place(out)?) };
        Ok(mllp_slice_t::give(out, subcomponents.next()))
    })
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn part<S: State, P: State>(
    whole: *const S,
    out: *mut P,
    look: impl FnOnce(&S::Inner) -> Option<P::Inner>,
) -> mllp_status_t {
    status(|| -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        let (whole, out) = unsafe { (state(whole)?, place(out)?) };
        Ok(give(out, look(whole)))
    })
}

/// # Safety
///
/// Rules 2 and 7.
#[inline(always)]
unsafe fn next<S: State, P: State>(parts: *mut S, out: *mut P) -> mllp_status_t
where
    S::Inner: Iterator<Item = P::Inner>,
{
    status(|| -> Result<mllp_status_t, Failure> {
        // SAFETY: the caller's promise is the same.
        let (parts, out) = unsafe { (state_mut(parts)?, place(out)?) };
        Ok(give(out, parts.next()))
    })
}
