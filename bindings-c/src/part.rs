//! Walking a message: segments, fields, repetitions, components, subcomponents.
//!
//! Every level is the same thing: bytes that borrow from the payload, and the parts of the next
//! level.

use core::mem::MaybeUninit;

use hl7_peek::{
    Component, Components, Field, Fields, Message, Repetition, Repetitions, Segment, Segments,
    Subcomponents,
};

use crate::message::mllp_message_t;
use crate::slice::{bytes, mllp_slice_t, place};
use crate::state::{State, give, state, state_mut};
use crate::status::{mllp_status_t, status};

/// A part of a message, of any level: all of its segments, a segment, a field with all its
/// repetitions, one repetition, a component, a subcomponent.
///
/// `mllp_part_next` gives its own parts one after the other, which are of the next level. At each
/// level below the segments there is at least one; a subcomponent has none.
#[repr(C)]
pub struct mllp_part_t {
    _state: [MaybeUninit<u64>; 20],
}

impl State for mllp_part_t {
    type Inner = Part;
    const MARK: u64 = u64::from_le_bytes(*b"mllpPRT1");
}

pub(crate) struct Part {
    raw: &'static [u8],
    parts: Parts,
}

/// What has not been given out of a part.
enum Parts {
    Segments(Segments<'static>),
    Fields(Segment<'static>, Fields<'static>),
    Repetitions(Repetitions<'static>),
    Components(Components<'static>),
    Subcomponents(Subcomponents<'static>),
    Nothing,
}

impl Part {
    fn of_message(message: &Message<'static>) -> Part {
        Part { raw: message.payload(), parts: Parts::Segments(message.segments()) }
    }

    fn of_segment(segment: Segment<'static>) -> Part {
        Part { raw: segment.raw(), parts: Parts::Fields(segment, segment.fields()) }
    }

    fn of_field(field: Field<'static>) -> Part {
        Part { raw: field.raw(), parts: Parts::Repetitions(field.repetitions()) }
    }

    fn of_repetition(repetition: Repetition<'static>) -> Part {
        Part { raw: repetition.raw(), parts: Parts::Components(repetition.components()) }
    }

    fn of_component(component: Component<'static>) -> Part {
        Part { raw: component.raw(), parts: Parts::Subcomponents(component.subcomponents()) }
    }

    fn of_subcomponent(raw: &'static [u8]) -> Part {
        Part { raw, parts: Parts::Nothing }
    }

    fn next(&mut self) -> Option<Part> {
        match &mut self.parts {
            Parts::Segments(segments) => segments.next().map(Part::of_segment),
            Parts::Fields(_, fields) => fields.next().map(Part::of_field),
            Parts::Repetitions(repetitions) => repetitions.next().map(Part::of_repetition),
            Parts::Components(components) => components.next().map(Part::of_component),
            Parts::Subcomponents(subcomponents) => subcomponents.next().map(Part::of_subcomponent),
            Parts::Nothing => None,
        }
    }

    fn segment(&self) -> Option<&Segment<'static>> {
        match &self.parts {
            Parts::Fields(segment, _) => Some(segment),
            _ => None,
        }
    }
}

/// All of the message, as a part whose parts are its segments, in order; empty ones are skipped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_segments(
    message: *const mllp_message_t,
    out: *mut mllp_part_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (message, out) = unsafe { (state(message)?, place(out)?) };
        Ok(give(out, Some(Part::of_message(message))))
    })
}

/// A segment of this message again, of which `raw` has all bytes: those that `mllp_part_raw` gave.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_message_segment_of(
    message: *const mllp_message_t,
    raw: *const u8,
    raw_len: usize,
    out: *mut mllp_part_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (message, raw, out) = unsafe { (state(message)?, bytes(raw, raw_len)?, place(out)?) };
        Ok(give(out, Some(Part::of_segment(message.segment_of(raw)))))
    })
}

/// The next of its parts, which is of the next level; `MLLP_NOT_FOUND` after the last one. The fields
/// of a segment come in order, starting with number 1. MSH-1 and MSH-2 are never cut.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_part_next(
    part: *mut mllp_part_t,
    out: *mut mllp_part_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (part, out) = unsafe { (state_mut(part)?, place(out)?) };
        Ok(give(out, part.next()))
    })
}

/// The field of a segment with this number, as HL7 counts: from 1, and in MSH, FHS and BHS the field
/// separator itself is field 1. `MLLP_NOT_FOUND` if the segment ends before it, and of a part that is
/// no segment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_part_field(
    segment: *const mllp_part_t,
    number: usize,
    out: *mut mllp_part_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        let (part, out) = unsafe { (state(segment)?, place(out)?) };
        let field = part.segment().and_then(|segment| segment.field(number));
        Ok(give(out, field.map(Part::of_field)))
    })
}

/// Of a segment, the bytes before the first field separator, or all if there is none: three letters in
/// a legal message, anything at all in others. None of a part that is no segment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_part_id(segment: *const mllp_part_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    let segment = unsafe { state(segment) }.ok().and_then(Part::segment);
    segment.map_or(mllp_slice_t::NONE, |segment| mllp_slice_t::lend(segment.id()))
}

/// All bytes of the part, as they stand: of a segment without its terminator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_part_raw(part: *const mllp_part_t) -> mllp_slice_t {
    // SAFETY: rule 2.
    mllp_slice_t::found(unsafe { state(part) }.map(|part| part.raw))
}
