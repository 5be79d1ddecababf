//! hl7-peek.

use core::hint::black_box;

use hl7_peek::{
    CharacterSet, Delimiters, Message, MessageHeader, Path, Scan, escape, escaped_len, unescape,
};

#[unsafe(no_mangle)]
pub fn artefact_message(payload: &[u8], scan: u8, path: Path, number: usize) {
    black_box(Message::parse(payload).is_ok());
    let scan = match scan {
        0 => Scan::SingleByte,
        1 => Scan::ShiftJis,
        2 => Scan::Gb18030,
        _ => Scan::Iso2022Jp,
    };
    let message = match Message::parse_with(payload, scan) {
        Ok(message) => message,
        Err(error) => {
            black_box(error.name());
            return;
        }
    };
    black_box((message.payload(), message.encoding_characters(), message.delimiters()));
    black_box((message.terminator(), message.kind()));
    note_header(&message.header(), number);
    black_box((message.get(path), message.leaf(path), message.value(path)));
    for segment in message.segments() {
        black_box((segment.id(), segment.raw(), segment.field(number).map(|field| field.raw())));
        for field in segment.fields() {
            for repetition in field.repetitions() {
                for component in repetition.components() {
                    component.subcomponents().for_each(|subcomponent| {
                        black_box(subcomponent);
                    });
                    black_box(component.raw());
                }
                black_box(repetition.raw());
            }
            black_box(field.raw());
        }
    }
}

#[unsafe(no_mangle)]
pub fn artefact_header(payload: &[u8], through: usize, number: usize) {
    if let Some(header) = MessageHeader::parse_lenient(payload) {
        note_header(&header, number);
    }
    let _ = black_box(MessageHeader::parse_prefix(payload, through));
}

fn note_header(header: &MessageHeader<'_>, number: usize) {
    black_box((header.field(number), header.fields(number, 21), header.fields(3, number)));
    black_box((header.raw(), header.scan(), header.delimiters()));
    black_box((header.message_code(), header.trigger_event(), header.message_structure()));
    black_box((header.version(), header.processing(), header.character_set_first()));
    black_box(CharacterSet::of(header));
}

#[unsafe(no_mangle)]
pub fn artefact_path(text: &[u8], utf8: &str) {
    let _ = black_box(Path::parse_bytes(text));
    let _ = black_box(utf8.parse::<Path>());
    if let Ok(path) = Path::parse(utf8) {
        black_box((path.segment(), path.occurrence(), path.field()));
        black_box((path.repetition(), path.component(), path.subcomponent()));
    }
}

#[unsafe(no_mangle)]
pub fn artefact_escape(text: &[u8], delimiters: &Delimiters, out: &mut [u8]) {
    black_box(escaped_len(text, delimiters));
    let _ = black_box(escape(text, delimiters, out));
    let _ = black_box(unescape(text, delimiters, out));
}

#[unsafe(no_mangle)]
pub fn artefact_character_set(name: &[u8]) {
    let Some(set) = CharacterSet::from_name(name) else { return };
    black_box((set.name(), set.codec(), set.delimiter_safe(), set.scan(), set.allowed_in_mllp()));
}
