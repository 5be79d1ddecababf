//! What was acknowledged, and what has arrived, as lines of JSON.
//!
//! ```text
//! {"control_id":"T1N7","inbound":"IN_B","at":1767225600000,"answer":"AA"}
//! {"outbound":"OUT_ONE","seq":12,"control_id":"T1N7","answer":"AA","bytes":"own"}
//! ```
//!
//! A line of acknowledgments without `answer` is an AA.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a sender knows of a message that it has sent once: it was answered, or its connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// MSH-10 of the message.
    pub control_id: String,
    /// The inbound it was sent to.
    pub inbound: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
    /// `Aa`, `Ae`, `Undelivered`, or `Nothing`.
    pub answer: Answer,
}

impl Ack {
    /// Whether the message was taken over.
    pub fn is_positive(&self) -> bool {
        self.answer == Answer::Aa
    }
}

/// A partner has received a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The outbound it came from.
    pub outbound: String,
    /// Counts the arrivals from this outbound, from 1 on.
    pub seq: u64,
    /// MSH-10 of the message.
    pub control_id: String,
    /// What the partner answered.
    pub answer: Answer,
    /// Whether the bytes are those that had to come.
    pub bytes: Bytes,
}

/// Which bytes of a message have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// Those that a handler sends to this outbound.
    Own,
    /// Those that were received, or that a handler sends to another: an operator may send them here.
    Elsewhere,
    /// Others.
    Other,
}

impl Bytes {
    const ALL: [Bytes; 3] = [Bytes::Own, Bytes::Elsewhere, Bytes::Other];

    /// The name in a ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Bytes::Own => "own",
            Bytes::Elsewhere => "elsewhere",
            Bytes::Other => "other",
        }
    }

    fn parse(name: &str) -> Option<Bytes> {
        Bytes::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// What is answered to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The message is taken.
    Aa,
    /// Not now.
    Ae,
    /// AE: the message is stored, and was not delivered so far.
    Undelivered,
    /// Never.
    Ar,
    /// AA, when the engine has given up waiting, or perhaps just before.
    Late,
    /// AA, in two pieces.
    Pieces,
    /// AA with a control ID that was never sent.
    Foreign,
    /// AA with the control ID of a message that was taken before.
    Another,
    /// Bytes that are not an answer.
    Garbage,
    /// The first half of an AA, and the end of the connection.
    Half,
    /// Nothing.
    Nothing,
    /// The end of the connection.
    Cut,
}

impl Answer {
    const ALL: [Answer; 12] = [
        Answer::Aa,
        Answer::Ae,
        Answer::Undelivered,
        Answer::Ar,
        Answer::Late,
        Answer::Pieces,
        Answer::Foreign,
        Answer::Another,
        Answer::Garbage,
        Answer::Half,
        Answer::Nothing,
        Answer::Cut,
    ];

    /// The name in a ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Answer::Aa => "AA",
            Answer::Ae => "AE",
            Answer::Undelivered => "undelivered",
            Answer::Ar => "AR",
            Answer::Late => "late",
            Answer::Pieces => "pieces",
            Answer::Foreign => "foreign",
            Answer::Another => "another",
            Answer::Garbage => "garbage",
            Answer::Half => "half",
            Answer::Nothing => "nothing",
            Answer::Cut => "cut",
        }
    }

    fn parse(name: &str) -> Option<Answer> {
        Answer::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether the engine has to take it for the partner's word that it has the message.
    pub const fn completes(self) -> bool {
        matches!(self, Answer::Aa | Answer::Pieces)
    }

    /// Whether the engine may take it for that.
    pub const fn may_complete(self) -> bool {
        self.completes() || matches!(self, Answer::Late)
    }
}

/// Hears what happens at both ends of the engine, from many threads.
pub trait Witness: Send + Sync {
    /// A sender has read an answer, or its connection has ended without one.
    fn answered(&self, ack: Ack);
    /// A partner has received a message, and has not answered yet.
    fn arrived(&self, arrival: Arrival);
}

/// Writes both ledgers.
pub struct Files {
    acks: Mutex<BufWriter<File>>,
    sinks: Mutex<BufWriter<File>>,
    acknowledged: AtomicU64,
    refused: AtomicU64,
}

impl Files {
    /// Starts both afresh.
    ///
    /// # Errors
    ///
    /// A file cannot be made.
    pub fn create(acks: &Path, sinks: &Path) -> io::Result<Files> {
        let create = |path| File::create(path).map(|file| Mutex::new(BufWriter::new(file)));
        let [acknowledged, refused] = [const { AtomicU64::new(0) }; 2];
        Ok(Files { acks: create(acks)?, sinks: create(sinks)?, acknowledged, refused })
    }

    /// How many messages were acknowledged so far, and how often one was refused.
    pub fn answers(&self) -> (u64, u64) {
        (self.acknowledged.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    /// Brings everything into the files.
    ///
    /// # Errors
    ///
    /// They cannot be written.
    pub fn flush(&self) -> io::Result<()> {
        for file in [&self.acks, &self.sinks] {
            file.lock().unwrap_or_else(PoisonError::into_inner).flush()?;
        }
        Ok(())
    }

    fn write(file: &Mutex<BufWriter<File>>, line: &str) {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A ledger that has lost a line would prove nothing.
        writeln!(file, "{line}").expect("the ledger can be written");
    }
}

impl Witness for Files {
    fn answered(&self, Ack { control_id, inbound, at, answer }: Ack) {
        let line = format!(
            r#"{{"control_id":"{control_id}","inbound":"{inbound}","at":{at},"answer":"{}"}}"#,
            answer.name()
        );
        Files::write(&self.acks, &line);
        match answer {
            Answer::Aa => self.acknowledged.fetch_add(1, Ordering::Relaxed),
            Answer::Ae => self.refused.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    fn arrived(&self, Arrival { outbound, seq, control_id, answer, bytes }: Arrival) {
        let line = format!(
            r#"{{"outbound":"{outbound}","seq":{seq},"control_id":"{control_id}","answer":"{}","bytes":"{}"}}"#,
            answer.name(),
            bytes.name()
        );
        Files::write(&self.sinks, &line);
    }
}

/// Reads a ledger of acknowledgments.
///
/// # Errors
///
/// It cannot be read, or a line is none of ours.
pub fn read_acks(path: &Path) -> io::Result<Vec<Ack>> {
    read(path, |line| {
        Some(Ack {
            control_id: text(line, "control_id")?,
            inbound: text(line, "inbound")?,
            at: value(line, "at")?.parse().ok()?,
            answer: value(line, "answer").map_or(Some(Answer::Aa), Answer::parse)?,
        })
    })
}

/// Reads a ledger of arrivals.
///
/// # Errors
///
/// It cannot be read, or a line is none of ours.
pub fn read_sinks(path: &Path) -> io::Result<Vec<Arrival>> {
    read(path, |line| {
        Some(Arrival {
            outbound: text(line, "outbound")?,
            seq: value(line, "seq")?.parse().ok()?,
            control_id: text(line, "control_id")?,
            answer: Answer::parse(value(line, "answer")?)?,
            bytes: Bytes::parse(value(line, "bytes")?)?,
        })
    })
}

fn read<T>(path: &Path, parse: impl Fn(&str) -> Option<T>) -> io::Result<Vec<T>> {
    let lines = BufReader::new(File::open(path)?).lines();
    let parsed = lines.zip(1..).map(|(line, number)| {
        let wrong = || io::Error::other(format!("{}: line {number}", path.display()));
        parse(&line?).ok_or_else(wrong)
    });
    parsed.collect()
}

/// The value of a key in a flat object whose texts hold no escapes.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = line.split_once(&format!("\"{key}\":"))?;
    let after = after.trim_start();
    match after.strip_prefix('"') {
        Some(text) => text.split_once('"').map(|(text, _)| text),
        None => after.split([',', '}']).next().map(str::trim),
    }
}

fn text(line: &str, key: &str) -> Option<String> {
    value(line, key).filter(|text| !text.contains('\\')).map(str::to_owned)
}
