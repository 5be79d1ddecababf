//! What a verification finds.

use std::collections::BTreeMap;
use std::fmt;

use mllp_pipeline::{BodyId, Disposition, LaneId, MessageId, Seq};

/// Something in a store that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub concerns: Concern,
    /// What is wrong with it.
    pub what: String,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The file of the store.
    File,
    /// A message.
    Message(MessageId),
    /// A lane.
    Lane(LaneId),
    /// A row of a lane.
    Row(LaneId, Seq),
    /// A body in chunks.
    Body(BodyId),
    /// A body that a row of a lane has, in one piece.
    RowBody(i64),
    /// A run of the index.
    Run(i64),
}

/// What was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Messages that were received and are there.
    pub received: u64,
    /// How many of them are in each disposition, by its name. The sum is `received`.
    pub dispositions: BTreeMap<&'static str, u64>,
    /// Rows of lanes that wait, and deliveries that are held.
    pub open_work: u64,
    /// Findings that were told.
    pub findings: u64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.concerns {
            Concern::File => f.write_str("file")?,
            Concern::Message(id) => write!(f, "message {id}")?,
            Concern::Lane(lane) => write!(f, "lane {lane}")?,
            Concern::Row(lane, seq) => write!(f, "lane {lane}, row {seq}")?,
            Concern::Body(body) => write!(f, "body {body}")?,
            Concern::RowBody(body) => write!(f, "body {body} of a row")?,
            Concern::Run(run) => write!(f, "run {run}")?,
        }
        write!(f, ": {}", self.what)
    }
}

/// Counts findings and passes them to the caller.
pub(crate) struct Report<'a> {
    pub(crate) verified: Verified,
    tell: &'a mut dyn FnMut(Finding),
}

impl<'a> Report<'a> {
    pub(crate) fn new(tell: &'a mut dyn FnMut(Finding)) -> Self {
        Report { verified: Verified::default(), tell }
    }

    pub(crate) fn found(&mut self, concerns: Concern, what: impl Into<String>) {
        self.verified.findings += 1;
        (self.tell)(Finding { concerns, what: what.into() });
    }

    pub(crate) fn received(&mut self, disposition: Disposition) {
        self.verified.received += 1;
        *self.verified.dispositions.entry(disposition.name()).or_default() += 1;
    }
}
