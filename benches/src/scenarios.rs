//! The list of everything that is measured.

use std::hint::black_box;

use memchr::{memchr, memchr2};
use mllp_core::Profile::{self, Permissive, Resync, Strict};

use crate::messages::{self, CONTROL_ID, Message};
#[cfg(feature = "rivals")]
use crate::rivals;
use crate::{REPLY_ID, Reply, Run, TIME, astm, edit, ours, reference};

/// Something to measure.
pub struct Scenario {
    /// `what/message/reads/who`, or fewer parts where there is no choice.
    pub name: String,
    /// What every run must return.
    pub expected: u64,
    /// Whether a reply is written.
    pub answers: bool,
    /// Does everything that is done once.
    pub make: Box<dyn Fn() -> Box<dyn Run>>,
}

impl Scenario {
    /// Whether a run gave what it must.
    pub fn is_right(&self, found: u64, run: &dyn Run) -> bool {
        let reply = match run.reply() {
            None => !self.answers,
            Some(reply) => {
                let reply = String::from_utf8_lossy(reply);
                reply.starts_with("\x0bMSH|^~\\&|LABSYS|CENTRAL LAB|ADTSYS|MAIN HOSPITAL|")
                    && reply.contains(&format!("\rMSA|AA|{CONTROL_ID}"))
                    && reply.ends_with("\r\x1c\r")
            }
        };
        found == self.expected && reply
    }
}

/// Every scenario, in the order of the tables.
pub fn scenarios() -> Vec<Scenario> {
    let mut list = List(Vec::new());
    for message in [messages::small, messages::adt, messages::oru] {
        list.answer(message);
    }
    const PROFILES: [Profile; 3] = [Permissive, Resync, Strict];
    let (small, adt, oru) = (("250B", 250), ("ADT", 1_200), ("ORU", 6_000));
    list.decode(small, messages::small, ("whole", usize::MAX), &PROFILES, true);
    list.decode(adt, messages::adt, ("whole", usize::MAX), &PROFILES, true);
    list.decode(oru, messages::oru, ("whole", usize::MAX), &PROFILES, true);
    list.decode(adt, messages::adt, ("1B", 1), &[Permissive], true);
    let (large, document) = (("100KB", 100_000), || messages::document("100KB", 100_000));
    list.decode(large, document, ("whole", usize::MAX), &PROFILES, true);
    list.decode(large, document, ("64KiB", 65_536), &PROFILES, true);
    list.decode(large, document, ("4KiB", 4_096), &[Permissive], true);
    list.decode(large, document, ("1B", 1), &[Permissive], false);
    let (huge, document) = (("10MB", 10_000_000), || messages::document("10MB", 10_000_000));
    list.decode(huge, document, ("64KiB", 65_536), &[Permissive], false);
    list.decode(huge, document, ("4KiB", 4_096), &[Permissive], false);
    list.get();
    list.edit();
    list.astm();
    list.0
}

struct List(Vec<Scenario>);

impl List {
    fn add<R: Run + 'static>(
        &mut self,
        name: String,
        expected: u64,
        make: impl Fn() -> R + 'static,
    ) {
        let answers = name.starts_with("answer/");
        let make = Box::new(move || Box::new(make()) as Box<dyn Run>);
        self.0.push(Scenario { name, expected, answers, make });
    }

    /// Decode, header, framed acknowledgment.
    fn answer(&mut self, message: fn() -> Message) {
        let Message { name, payload } = message();
        let len = payload.len() as u64;
        let wire = move || message().frame();
        self.add(format!("answer/{name}/ours"), len, move || ours::Answer::new(wire()));
        self.add(format!("answer/{name}/reference"), len, move || Reference::new(wire()));
        #[cfg(feature = "rivals")]
        {
            use rivals::{codec_hl7_parser, codec_rust_hl7, mllp};
            let name = |who: &str| format!("answer/{name}/{who}");
            self.add(name("mllp"), len, move || mllp(wire()));
            self.add(name("hl7-mllp-codec+rust-hl7"), len, move || codec_rust_hl7(wire()));
            self.add(name("hl7-mllp-codec+hl7-parser"), len, move || codec_hl7_parser(wire()));
        }
    }

    /// Decoding alone. Peers look at everything again after each read, so they are left out where
    /// that takes minutes.
    fn decode(
        &mut self,
        (message_name, len): (&str, u64),
        message: fn() -> Message,
        (reads, read_len): (&str, usize),
        profiles: &[Profile],
        #[cfg_attr(not(feature = "rivals"), expect(unused_variables))] peers: bool,
    ) {
        let read_len = read_len.min(len as usize + 3);
        let name = |who: &str| format!("decode/{message_name}/{reads}/{who}");
        let wire = move || message().frame();
        for &profile in profiles {
            let who = |who: &str| name(&format!("{who}-{profile:?}").to_lowercase());
            self.add(who("scanner"), len, move || ours::scan(wire(), read_len, profile));
            self.add(who("decoder"), len, move || ours::decode(wire(), read_len, profile));
            self.add(who("buffer"), len, move || ours::feed(wire(), read_len, profile));
        }
        if read_len > 1 {
            self.add(name("memchr2"), len, move || search(wire(), read_len));
            if read_len < wire().len() {
                self.add(name("memcpy"), len, move || copy(wire(), read_len));
            }
        }
        #[cfg(feature = "rivals")]
        if peers {
            self.add(name("mllp"), len, move || rivals::decode_mllp(wire(), read_len));
            self.add(name("hl7-mllp-codec"), len, move || rivals::decode_codec(wire(), read_len));
        }
    }

    /// A value in the last segment of the result message.
    fn get(&mut self) {
        let last = "LAB2".len() as u64;
        let payload = || messages::oru().payload;
        self.add("get/ORU/ours".into(), last, move || ours::get(payload(), "OBX[40]-15"));
        self.add("get/ORU/memchr".into(), last, move || walk(payload()));
    }

    /// The message as it arrived, changed in one place or everywhere.
    fn edit(&mut self) {
        for (at, edit) in edit::edits().into_iter().enumerate() {
            let name = format!("edit/ADT/{}", edit.name);
            self.add(name, edit.expected_len(), move || edit::edits().swap_remove(at).runner());
        }
    }
}

impl List {
    /// Frames and sessions of ASTM.
    fn astm(&mut self) {
        for len in [74, 240] {
            let found = len as u64;
            let name = |who: &str| format!("astm/{len}B/{who}");
            self.add(name("receiver"), found, move || astm::frames(astm::text(len)));
            self.add(name("limit"), found, move || astm::limit(astm::text(len)));
        }
        let found = astm::session_found();
        let whole = astm::session().len();
        self.add("astm/session/whole".into(), found, move || astm::sessions(whole));
        self.add("astm/session/byte-by-byte".into(), found, move || astm::sessions(1));
    }
}

/// The hand-written path; see [`reference`].
struct Reference {
    wire: Vec<u8>,
    reply: Reply,
}

impl Reference {
    fn new(wire: Vec<u8>) -> Reference {
        Reference { wire, reply: Reply::EMPTY }
    }
}

impl Run for Reference {
    fn run(&mut self) -> u64 {
        let Some(payload) = reference::decode(black_box(&self.wire)) else { return 0 };
        let Some(header) = reference::header(payload) else { return 0 };
        let (time, id) = (TIME.as_bytes(), REPLY_ID.as_bytes());
        self.reply.len = reference::reply(&header, time, id, &mut self.reply.bytes);
        payload.len() as u64
    }

    fn reply(&self) -> Option<&[u8]> {
        Some(self.reply.written())
    }
}

/// memchr2 for start block and end block, and nothing else.
fn search(wire: Vec<u8>, read_len: usize) -> impl FnMut() -> u64 {
    move || {
        // From behind the start block to the end block, read by read.
        let mut searched = 0;
        for read in black_box(&wire[1..]).chunks(read_len) {
            match memchr2(0x0B, 0x1C, read) {
                Some(end) => return searched + end as u64,
                None => searched += read.len() as u64,
            }
        }
        0
    }
}

/// Putting the reads together, and nothing else.
fn copy(wire: Vec<u8>, read_len: usize) -> impl FnMut() -> u64 {
    let mut together = vec![0; wire.len()];
    move || {
        let mut room = &mut together[..];
        for read in black_box(&wire[..]).chunks(read_len) {
            let (piece, rest) = room.split_at_mut(read.len());
            piece.copy_from_slice(read);
            room = rest;
        }
        black_box(&together).len() as u64 - 3
    }
}

/// memchr from one segment terminator to the next, to the last OBX, and from field to field in it.
fn walk(payload: Vec<u8>) -> impl FnMut() -> u64 {
    move || {
        let mut rest = black_box(&payload[..]);
        let mut count = 0;
        while let Some(end) = memchr(b'\r', rest) {
            let (line, after) = rest.split_at(end);
            if line.starts_with(b"OBX|") {
                count += 1;
                if count == 40 {
                    return field(line, 15).len() as u64;
                }
            }
            rest = &after[1..];
        }
        0
    }
}

fn field(line: &[u8], number: usize) -> &[u8] {
    let mut rest = line;
    for _ in 0..number {
        rest = memchr(b'|', rest).map_or(&[], |end| &rest[end + 1..]);
    }
    &rest[..memchr(b'|', rest).unwrap_or(rest.len())]
}
