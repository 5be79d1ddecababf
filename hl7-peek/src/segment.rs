//! Walking a message: segments, fields, repetitions, components, subcomponents.
//!
//! Every level is the same thing: bytes that borrow from the payload, and a lazy iterator over the
//! next level.

use core::fmt;

use crate::opening::is_header_id;
use crate::split::Split;
use crate::terminator::Lines;
use crate::{Delimiters, Scan};

/// How to cut below the level of segments.
#[derive(Clone, Copy)]
pub(crate) struct Syntax {
    pub(crate) delimiters: Delimiters,
    pub(crate) scan: Scan,
}

/// The segments of a message; see [`Message::segments`](crate::Message::segments).
#[derive(Clone)]
pub struct Segments<'a> {
    lines: Lines<'a>,
    field_separator: &'a [u8],
    syntax: Syntax,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(lines: Lines<'a>, field_separator: &'a [u8], syntax: Syntax) -> Segments<'a> {
        Segments { lines, field_separator, syntax }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let line = self.lines.next()?;
        Some(Segment::new(line, self.field_separator, self.syntax))
    }
}

/// One segment, without its terminator.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    raw: &'a [u8],
    field_separator: &'a [u8],
    syntax: Syntax,
}

impl<'a> Segment<'a> {
    pub(crate) fn new(raw: &'a [u8], field_separator: &'a [u8], syntax: Syntax) -> Segment<'a> {
        Segment { raw, field_separator, syntax }
    }

    /// The bytes before the first field separator, or all if there is none. Three letters in a
    /// legal message, anything at all in others.
    pub fn id(&self) -> &'a [u8] {
        self.split().next().unwrap_or_default()
    }

    /// All bytes of the segment.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The field of this number, as HL7 counts: from 1, and in MSH, FHS and BHS the field
    /// separator itself is field 1.
    pub fn field(&self, number: usize) -> Option<Field<'a>> {
        self.fields().nth(number.checked_sub(1)?)
    }

    /// All fields in order, starting with number 1.
    pub fn fields(&self) -> Fields<'a> {
        let mut parts = self.split();
        let id = parts.next().unwrap_or_default();
        if is_header_id(id) {
            // Four bytes: the ID and field 1. A bare ID still has an empty field 2.
            let after = self.raw.get(4..).unwrap_or_default();
            let parts = Split::new(after, Some(self.syntax.delimiters.field), self.syntax.scan);
            let next = Next::FieldSeparator(self.field_separator);
            return Fields { next, parts, syntax: self.syntax };
        }
        Fields { next: Next::Ordinary, parts, syntax: self.syntax }
    }

    fn split(&self) -> Split<'a> {
        Split::new(self.raw, Some(self.syntax.delimiters.field), self.syntax.scan)
    }
}

/// The fields of a segment; see [`Segment::fields`].
#[derive(Clone)]
pub struct Fields<'a> {
    next: Next<'a>,
    parts: Split<'a>,
    syntax: Syntax,
}

/// What kind of field comes next: fields 1 and 2 of a header define the delimiters and are not cut
/// by them (HL7 v2.9.1 chapter 2, 2.4.4).
#[derive(Clone, Copy)]
enum Next<'a> {
    FieldSeparator(&'a [u8]),
    EncodingCharacters,
    Ordinary,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let atomic = Syntax { delimiters: self.syntax.delimiters.atomic(), ..self.syntax };
        let (raw, syntax) = match self.next {
            Next::FieldSeparator(raw) => {
                self.next = Next::EncodingCharacters;
                (raw, atomic)
            }
            Next::EncodingCharacters => {
                self.next = Next::Ordinary;
                (self.parts.next()?, atomic)
            }
            Next::Ordinary => (self.parts.next()?, self.syntax),
        };
        Some(Field { raw, syntax })
    }
}

/// A field with all its repetitions.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    syntax: Syntax,
}

impl<'a> Field<'a> {
    /// All bytes of the field.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its repetitions, at least one. MSH-1 and MSH-2 are never cut.
    pub fn repetitions(&self) -> Repetitions<'a> {
        let Syntax { delimiters, scan } = self.syntax;
        let parts = Split::new(self.raw, delimiters.repetition, scan);
        Repetitions { parts, syntax: self.syntax }
    }
}

/// The repetitions of a field; see [`Field::repetitions`].
#[derive(Clone)]
pub struct Repetitions<'a> {
    parts: Split<'a>,
    syntax: Syntax,
}

impl<'a> Iterator for Repetitions<'a> {
    type Item = Repetition<'a>;

    fn next(&mut self) -> Option<Repetition<'a>> {
        Some(Repetition { raw: self.parts.next()?, syntax: self.syntax })
    }
}

/// One repetition of a field with all its components.
#[derive(Clone, Copy)]
pub struct Repetition<'a> {
    raw: &'a [u8],
    syntax: Syntax,
}

impl<'a> Repetition<'a> {
    /// All bytes of the repetition.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its components, at least one.
    pub fn components(&self) -> Components<'a> {
        let Syntax { delimiters, scan } = self.syntax;
        let parts = Split::new(self.raw, delimiters.component, scan);
        Components { parts, syntax: self.syntax }
    }
}

/// The components of a repetition; see [`Repetition::components`].
#[derive(Clone)]
pub struct Components<'a> {
    parts: Split<'a>,
    syntax: Syntax,
}

impl<'a> Iterator for Components<'a> {
    type Item = Component<'a>;

    fn next(&mut self) -> Option<Component<'a>> {
        Some(Component { raw: self.parts.next()?, syntax: self.syntax })
    }
}

/// One component with all its subcomponents.
#[derive(Clone, Copy)]
pub struct Component<'a> {
    raw: &'a [u8],
    syntax: Syntax,
}

impl<'a> Component<'a> {
    /// All bytes of the component.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its subcomponents, at least one.
    pub fn subcomponents(&self) -> Subcomponents<'a> {
        let Syntax { delimiters, scan } = self.syntax;
        Subcomponents { parts: Split::new(self.raw, delimiters.subcomponent, scan) }
    }
}

/// The subcomponents of a component, as plain bytes; see [`Component::subcomponents`].
#[derive(Clone)]
pub struct Subcomponents<'a> {
    parts: Split<'a>,
}

impl<'a> Iterator for Subcomponents<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.parts.next()
    }
}

// Payload bytes are health data: `Debug` shows how many there are, never which.
macro_rules! debug_len {
    ($($name:ident: $len:expr;)*) => {$(
        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let len: fn(&Self) -> usize = $len;
                write!(f, concat!(stringify!($name), "({} bytes)"), len(self))
            }
        }
    )*};
}

debug_len! {
    Segments: |it| it.lines.remaining_len();
    Segment: |it| it.raw.len();
    Fields: |it| it.parts.remaining_len();
    Field: |it| it.raw.len();
    Repetitions: |it| it.parts.remaining_len();
    Repetition: |it| it.raw.len();
    Components: |it| it.parts.remaining_len();
    Component: |it| it.raw.len();
    Subcomponents: |it| it.parts.remaining_len();
}
