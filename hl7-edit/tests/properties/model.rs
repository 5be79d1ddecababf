//! Messages as nested lists, and every change done to the lists.

use hl7_edit::Error;
use proptest::collection::vec;
use proptest::prelude::*;

/// The encoding characters of the model, behind `|`.
const ESCAPED: [(u8, &[u8]); 9] = [
    (b'|', b"F"),
    (b'^', b"S"),
    (b'~', b"R"),
    (b'\\', b"E"),
    (b'&', b"T"),
    (b'\r', b"X0D"),
    (b'\n', b"X0A"),
    (0x0B, b"X0B"),
    (0x1C, b"X1C"),
];

pub type Field = Vec<Vec<Vec<Vec<u8>>>>;

#[derive(Clone, Debug)]
pub struct Segment {
    pub id: &'static str,
    /// Field 1 first; of MSH, field 3.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub line_end: &'static [u8],
    pub is_terminated: bool,
    pub segments: Vec<Segment>,
}

/// Where a change is made; numbers as in a path, 0 for those that it does not give.
#[derive(Clone, Debug)]
pub struct At {
    pub id: &'static str,
    pub numbers: [usize; 5],
}

impl At {
    pub fn path(&self) -> hl7_peek::Path {
        let [occurrence, field, repetition, component, subcomponent] = self.numbers;
        let mut text = format!("{}[{occurrence}]", self.id);
        for (number, piece) in [
            (field, format!("-{field}")),
            (repetition, format!("[{repetition}]")),
            (component, format!(".{component}")),
            (subcomponent, format!(".{subcomponent}")),
        ] {
            if number > 0 {
                text += &piece;
            }
        }
        text.parse().unwrap()
    }
}

#[derive(Clone, Debug)]
pub enum Change {
    Set(At, Vec<u8>),
    Delete(At),
    AddRepetition(At, Vec<u8>),
    InsertRepetition(At, Vec<u8>),
    AddSegment(&'static str),
    InsertSegment { at: At, is_before: bool, id: &'static str },
}

/// Text as it stands in a message, byte by byte.
pub fn escape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        match ESCAPED.iter().find(|(escaped, _)| escaped == byte) {
            Some((_, name)) => out.extend([b"\\", *name, b"\\"].concat()),
            None => out.push(*byte),
        }
    }
    out
}

fn field_of(text: &[u8]) -> Field {
    vec![vec![vec![escape(text)]]]
}

/// The node of this number in a list, which is made long enough.
fn grown<T: Clone>(list: &mut Vec<T>, number: usize, empty: T) -> &mut T {
    if list.len() < number {
        list.resize(number, empty);
    }
    &mut list[number - 1]
}

/// Empties a node that has a position, or drops the last one.
fn vacate<T>(list: &mut Vec<T>, number: usize, empty: T) -> bool {
    let is_there = number <= list.len();
    if is_there && number == list.len() && number > 1 {
        list.pop();
    } else if is_there {
        list[number - 1] = empty;
    }
    is_there
}

impl Model {
    pub fn encode(&self) -> Vec<u8> {
        let join = |parts: Vec<Vec<u8>>, by: u8| parts.join(&[by][..]);
        let component = |it: &Vec<Vec<u8>>| join(it.clone(), b'&');
        let repetition = |it: &Vec<Vec<Vec<u8>>>| join(it.iter().map(component).collect(), b'^');
        let field = |it: &Field| join(it.iter().map(repetition).collect(), b'~');
        let segment = |it: &Segment| {
            let id = if it.id == "MSH" { "MSH|^~\\&" } else { it.id };
            let parts = [id.as_bytes().to_vec()].into_iter().chain(it.fields.iter().map(field));
            join(parts.collect(), b'|')
        };
        let lines: Vec<Vec<u8>> = self.segments.iter().map(segment).collect();
        let end = if self.is_terminated { self.line_end } else { b"" };
        [lines.join(self.line_end), end.to_vec()].concat()
    }

    /// Does a change; `Ok(false)` for deleting what is not there.
    pub fn apply(&mut self, change: &Change) -> Result<bool, Error> {
        match change {
            Change::Set(at, text) => self.set(at, text),
            Change::Delete(at) => self.delete(at),
            Change::AddRepetition(at, text) => self.add_repetition(at, text),
            Change::InsertRepetition(at, text) => self.insert_repetition(at, text),
            Change::AddSegment(id) => {
                self.segments.push(Segment { id, fields: Vec::new() });
                Ok(true)
            }
            Change::InsertSegment { at, is_before, id } => {
                if *is_before && at.id == "MSH" {
                    return Err(Error::Header);
                }
                let index = self.index(at).ok_or(Error::Absent)?;
                let index = if *is_before { index } else { index + 1 };
                self.segments.insert(index, Segment { id, fields: Vec::new() });
                Ok(true)
            }
        }
    }

    fn index(&self, at: &At) -> Option<usize> {
        let all = self.segments.iter().enumerate().filter(|(_, segment)| segment.id == at.id);
        all.map(|(index, _)| index).nth(at.numbers[0] - 1)
    }

    fn number(at: &At) -> Result<usize, Error> {
        match (at.id, at.numbers) {
            ("MSH", [occurrence, ..]) if occurrence > 1 => Err(Error::Header),
            ("MSH", [_, 1 | 2, ..]) => Err(Error::Header),
            ("MSH", [_, field, ..]) => Ok(field - 2),
            (_, [_, field, ..]) => Ok(field),
        }
    }

    /// A field, created with its segment if it is missing.
    fn field(&mut self, at: &At) -> Result<&mut Field, Error> {
        let number = Model::number(at)?;
        let count = self.segments.iter().filter(|segment| segment.id == at.id).count();
        if at.numbers[0] > count + 1 {
            return Err(Error::Gap);
        }
        let index = self.index(at).unwrap_or(self.segments.len());
        let segment = grown(&mut self.segments, index + 1, Segment { id: at.id, fields: vec![] });
        Ok(grown(&mut segment.fields, number, field_of(b"")))
    }

    fn set(&mut self, at: &At, text: &[u8]) -> Result<bool, Error> {
        let before = self.clone();
        let [_, _, repetition, component, subcomponent] = at.numbers;
        let is_missing = self.node_is_missing(at);
        let field = self.field(at)?;
        if repetition == 0 {
            *field = field_of(text);
        } else if repetition > field.len() + 1 {
            *self = before;
            return Err(Error::Gap);
        } else {
            let repetition = grown(field, repetition, vec![vec![vec![]]]);
            if component == 0 {
                *repetition = vec![vec![escape(text)]];
            } else {
                let component = grown(repetition, component, vec![vec![]]);
                if subcomponent == 0 {
                    *component = vec![escape(text)];
                } else {
                    *grown(component, subcomponent, vec![]) = escape(text);
                }
            }
        }
        if is_missing && text.is_empty() {
            *self = before;
        }
        Ok(true)
    }

    fn node_is_missing(&self, at: &At) -> bool {
        let [_, _, repetition, component, subcomponent] = at.numbers;
        let found = || {
            let segment = &self.segments[self.index(at)?];
            let field = segment.fields.get(Model::number(at).ok()? - 1)?;
            let Some(repetition) = repetition.checked_sub(1) else { return Some(()) };
            let Some(component) = component.checked_sub(1) else {
                return field.get(repetition).map(drop);
            };
            let component = field.get(repetition)?.get(component)?;
            let Some(subcomponent) = subcomponent.checked_sub(1) else { return Some(()) };
            component.get(subcomponent).map(drop)
        };
        found().is_none()
    }

    fn delete(&mut self, at: &At) -> Result<bool, Error> {
        let [_, field, repetition, component, subcomponent] = at.numbers;
        if field == 0 {
            if at.id == "MSH" {
                return Err(Error::Header);
            }
            return Ok(self.index(at).map(|index| self.segments.remove(index)).is_some());
        }
        let number = Model::number(at)?;
        if self.node_is_missing(at) {
            return Ok(false);
        }
        if repetition == 0 {
            let index = self.index(at).unwrap();
            let fields = &mut self.segments[index].fields;
            if number == fields.len() {
                fields.pop();
                return Ok(true);
            }
            return Ok(vacate(fields, number, field_of(b"")));
        }
        let field = self.field(at)?;
        if component == 0 {
            field.remove(repetition - 1);
            if field.is_empty() {
                *field = field_of(b"");
            }
            return Ok(true);
        }
        let repetition = &mut field[repetition - 1];
        if subcomponent == 0 {
            return Ok(vacate(repetition, component, vec![vec![]]));
        }
        Ok(vacate(&mut repetition[component - 1], subcomponent, vec![]))
    }

    fn add_repetition(&mut self, at: &At, text: &[u8]) -> Result<bool, Error> {
        let before = self.clone();
        let field = self.field(at)?;
        if *field != field_of(b"") {
            field.push(vec![vec![escape(text)]]);
        } else if text.is_empty() {
            *self = before;
        } else {
            *field = field_of(text);
        }
        Ok(true)
    }

    fn insert_repetition(&mut self, at: &At, text: &[u8]) -> Result<bool, Error> {
        let is_missing = self.node_is_missing(at);
        let index = at.numbers[2] - 1;
        if !is_missing {
            let field = self.field(at)?;
            if *field != field_of(b"") {
                field.insert(index, vec![vec![escape(text)]]);
                return Ok(true);
            }
        }
        self.set(at, text)
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[A-Za-z0-9 ]{1,6}".prop_map(String::into_bytes),
        2 => Just(Vec::new()),
        1 => Just(b"\"\"".to_vec()),
        1 => vec(0x80u8..=0xFF, 1..4),
    ]
}

/// Anything that a caller may want to write.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => value(), 1 => vec(any::<u8>(), 0..8), 2 => r"[|^~\\&\r\n\x0B\x1Ca]{0,6}".prop_map(String::into_bytes)]
}

fn id() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("PID"), Just("OBX"), Just("ZZ1"), Just("ZLONG")]
}

fn at(depth: impl Strategy<Value = usize>) -> impl Strategy<Value = At> {
    let id = prop_oneof![4 => id().boxed(), 1 => Just("MSH").boxed()];
    (id, [1..4usize, 1..7, 1..4, 1..4, 1..4], depth).prop_map(|(id, mut numbers, depth)| {
        numbers[depth..].fill(0);
        At { id, numbers }
    })
}

pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (at(2..=5usize), text()).prop_map(|(at, text)| Change::Set(at, text)),
        3 => at(1..=5usize).prop_map(Change::Delete),
        1 => (at(Just(2)), text()).prop_map(|(at, text)| Change::AddRepetition(at, text)),
        1 => (at(Just(3)), text()).prop_map(|(at, text)| Change::InsertRepetition(at, text)),
        1 => id().prop_map(Change::AddSegment),
        1 => (at(Just(1)), any::<bool>(), id())
            .prop_map(|(at, is_before, id)| Change::InsertSegment { at, is_before, id }),
    ]
}

pub fn model() -> impl Strategy<Value = Model> {
    let line_end = prop_oneof![Just(&b"\r"[..]), Just(&b"\n"[..]), Just(&b"\r\n"[..])];
    let field = || vec(vec(vec(value(), 1..3), 1..4), 1..3);
    let segment = (id(), vec(field(), 0..5)).prop_map(|(id, fields)| Segment { id, fields });
    (line_end, any::<bool>(), vec(field(), 0..5), vec(segment, 0..5)).prop_map(
        |(line_end, is_terminated, header, mut segments)| {
            segments.insert(0, Segment { id: "MSH", fields: header });
            // Without any terminator CR is taken.
            let is_single = segments.len() == 1 && !is_terminated;
            let line_end = if is_single { &b"\r"[..] } else { line_end };
            Model { line_end, is_terminated, segments }
        },
    )
}
