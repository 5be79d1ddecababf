//! Messages as nested lists, and how to make them.

use proptest::collection::vec;
use proptest::prelude::*;

/// A message as nested lists: segments, fields, repetitions, components, subcomponents.
#[derive(Clone, Debug)]
pub struct Model {
    /// MSH-1 and the four characters of MSH-2.
    pub delimiters: [u8; 5],
    pub line_end: &'static [u8],
    /// Without the header: the fields of MSH from MSH-3 on come first.
    pub header: Vec<Field>,
    pub segments: Vec<(String, Vec<Field>)>,
}

pub type Field = Vec<Vec<Vec<Vec<u8>>>>;

impl Model {
    pub fn encode(&self) -> Vec<u8> {
        let [field, ..] = self.delimiters;
        let mut out = b"MSH".to_vec();
        out.extend_from_slice(&self.delimiters);
        for value in &self.header {
            out.push(field);
            out.extend(self.encode_field(value));
        }
        out.extend_from_slice(self.line_end);
        for (id, fields) in &self.segments {
            out.extend_from_slice(id.as_bytes());
            for value in fields {
                out.push(field);
                out.extend(self.encode_field(value));
            }
            out.extend_from_slice(self.line_end);
        }
        out
    }

    pub fn encode_field(&self, field: &Field) -> Vec<u8> {
        let [_, component, repetition, _, subcomponent] = self.delimiters;
        let join = |parts: Vec<Vec<u8>>, by: u8| parts.join(&[by][..]);
        let components = |it: &Vec<Vec<Vec<u8>>>| {
            join(it.iter().map(|it| join(it.clone(), subcomponent)).collect(), component)
        };
        join(field.iter().map(components).collect(), repetition)
    }
}

/// Value bytes: text that holds none of the delimiters and line ends used here.
pub fn leaf() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[A-Za-z0-9 ]{0,12}".prop_map(String::into_bytes),
        1 => Just(b"\"\"".to_vec()),
        1 => Just(Vec::new()),
        1 => vec(0x80u8..=0xFF, 1..5),
    ]
}

pub fn field() -> impl Strategy<Value = Field> {
    vec(vec(vec(leaf(), 1..3), 1..4), 1..3)
}

pub fn model() -> impl Strategy<Value = Model> {
    let delimiters = Just(*b"|^~\\&#$%*+!@:;<=>?/")
        .prop_shuffle()
        .prop_map(|shuffled| <[u8; 5]>::try_from(&shuffled[..5]).unwrap());
    let line_end = prop_oneof![Just(&b"\r"[..]), Just(&b"\n"[..]), Just(&b"\r\n"[..])];
    let id = prop_oneof![Just("PID"), Just("OBX"), Just("ZZ1"), Just("PIDX")];
    let segment = (id.prop_map(str::to_owned), vec(field(), 0..6));
    (delimiters, line_end, vec(field(), 0..24), vec(segment, 0..6)).prop_map(
        |(delimiters, line_end, header, segments)| Model { delimiters, line_end, header, segments },
    )
}
