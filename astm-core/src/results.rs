//! Results with what they belong to.

use crate::Record;
use crate::record::{RecordKind, Records};

/// A result record, and the records above and below it. What is missing is `None`: a result without an
/// order is given, not left out.
#[derive(Clone, Copy, Debug)]
pub struct ResultContext<'a> {
    /// The header of its message.
    pub header: Option<Record<'a>>,
    /// The patient it belongs to.
    pub patient: Option<Record<'a>>,
    /// The order it belongs to.
    pub order: Option<Record<'a>>,
    /// The result.
    pub result: Record<'a>,
    after: Records<'a>,
}

impl<'a> ResultContext<'a> {
    /// The comments about it.
    pub fn comments(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.after
            .take_while(|record| {
                matches!(record.kind(), RecordKind::Comment | RecordKind::Manufacturer)
            })
            .filter(|record| record.kind() == RecordKind::Comment)
    }
}

/// The results of a message, in order.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    records: Records<'a>,
    header: Option<Record<'a>>,
    patient: Option<Record<'a>>,
    order: Option<Record<'a>>,
}

impl<'a> Results<'a> {
    pub(crate) fn new(records: Records<'a>) -> Results<'a> {
        Results { records, header: None, patient: None, order: None }
    }
}

impl<'a> Iterator for Results<'a> {
    type Item = ResultContext<'a>;

    fn next(&mut self) -> Option<ResultContext<'a>> {
        loop {
            let record = self.records.next()?;
            match record.kind() {
                RecordKind::Header => {
                    (self.header, self.patient, self.order) = (Some(record), None, None);
                }
                RecordKind::Patient => (self.patient, self.order) = (Some(record), None),
                RecordKind::Order => self.order = Some(record),
                RecordKind::Terminator => (self.patient, self.order) = (None, None),
                RecordKind::Result => {
                    return Some(ResultContext {
                        header: self.header,
                        patient: self.patient,
                        order: self.order,
                        result: record,
                        after: self.records,
                    });
                }
                _ => {}
            }
        }
    }
}
