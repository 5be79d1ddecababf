//! What a run has come to.

use std::fmt;

/// Findings that are printed; the others are counted.
const SHOWN: usize = 20;

/// What a run has counted, and what it has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What was counted, in order: a name and a number.
    pub counts: Vec<(&'static str, u64)>,
    /// What is wrong, one line each, with a control ID and a place.
    pub findings: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(crate) fn count(&mut self, name: &'static str, number: u64) {
        match self.counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += number,
            None => self.counts.push((name, number)),
        }
    }

    /// What was counted so far, in one line.
    pub(crate) fn so_far(&self) -> String {
        let counts = self.counts.iter().map(|(name, number)| format!("{number} {name}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        format!("{counts}, {} findings", self.findings.len())
    }

    pub(crate) fn found(&mut self, finding: String) {
        self.findings.push(finding);
    }

    /// Finds a number that is too small for the run to prove anything.
    pub(crate) fn at_least(&mut self, name: &'static str, least: u64) {
        let counted = self.counts.iter().find(|(known, _)| *known == name).map_or(0, |it| it.1);
        if counted < least {
            self.found(format!("too little was done: {counted} {name}, at least {least}"));
        }
    }

    pub(crate) fn add(&mut self, other: Verdict) {
        for (name, number) in other.counts {
            self.count(name, number);
        }
        self.findings.extend(other.findings);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, number) in &self.counts {
            writeln!(f, "{number:>10}  {name}")?;
        }
        for finding in self.findings.iter().take(SHOWN) {
            writeln!(f, "FINDING  {finding}")?;
        }
        match self.findings.len() {
            0 => f.write_str("clean"),
            findings => write!(f, "{findings} findings"),
        }
    }
}
