//! What was acknowledged, and what has arrived, as lines of JSON.
//!
//! ```text
//! {"control_id":"T1N7","inbound":"IN_B","at":1767225600000}
//! {"outbound":"OUT_ONE","seq":12,"control_id":"T1N7","answer":"AA","whole":true}
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A sender has read a positive acknowledgment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// MSH-10 of the message.
    pub control_id: String,
    /// The inbound that gave it.
    pub inbound: String,
    /// When, in milliseconds since 1970 in UTC.
    pub at: u64,
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
    pub whole: bool,
}

/// What a partner answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It takes the message.
    Aa,
    /// Not now.
    Ae,
    /// Never.
    Ar,
    /// AA, when the engine has given up waiting, or perhaps just before.
    Late,
    /// AA with the control ID of another message.
    Foreign,
    /// Nothing.
    Nothing,
    /// It closes the connection.
    Cut,
}

impl Answer {
    const ALL: [Answer; 7] = [
        Answer::Aa,
        Answer::Ae,
        Answer::Ar,
        Answer::Late,
        Answer::Foreign,
        Answer::Nothing,
        Answer::Cut,
    ];

    /// The name in a ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Answer::Aa => "AA",
            Answer::Ae => "AE",
            Answer::Ar => "AR",
            Answer::Late => "late",
            Answer::Foreign => "foreign",
            Answer::Nothing => "nothing",
            Answer::Cut => "cut",
        }
    }

    /// Whether the engine may take it for the partner's word that it has the message.
    pub const fn may_complete(self) -> bool {
        matches!(self, Answer::Aa | Answer::Late)
    }
}

/// Hears what happens at both ends of the engine, from many threads.
pub trait Witness: Send + Sync {
    /// A sender has read a positive acknowledgment.
    fn acknowledged(&self, ack: Ack);
    /// A partner has received a message, and has not answered yet.
    fn arrived(&self, arrival: Arrival);
}

/// Writes both ledgers.
pub struct Files {
    acks: Mutex<BufWriter<File>>,
    sinks: Mutex<BufWriter<File>>,
}

impl Files {
    /// Starts both afresh.
    ///
    /// # Errors
    ///
    /// A file cannot be made.
    pub fn create(acks: &Path, sinks: &Path) -> io::Result<Files> {
        let create = |path| File::create(path).map(|file| Mutex::new(BufWriter::new(file)));
        Ok(Files { acks: create(acks)?, sinks: create(sinks)? })
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
    fn acknowledged(&self, Ack { control_id, inbound, at }: Ack) {
        let line = format!(r#"{{"control_id":"{control_id}","inbound":"{inbound}","at":{at}}}"#);
        Files::write(&self.acks, &line);
    }

    fn arrived(&self, Arrival { outbound, seq, control_id, answer, whole }: Arrival) {
        let line = format!(
            r#"{{"outbound":"{outbound}","seq":{seq},"control_id":"{control_id}","answer":"{}","whole":{whole}}}"#,
            answer.name()
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
        let answer = text(line, "answer")?;
        Some(Arrival {
            outbound: text(line, "outbound")?,
            seq: value(line, "seq")?.parse().ok()?,
            control_id: text(line, "control_id")?,
            answer: Answer::ALL.into_iter().find(|it| it.name() == answer)?,
            whole: value(line, "whole")? == "true",
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
