//! Outbounds that keep the order of their keys, or none, and what their deliveries are about.

use mllp_pipeline::{IdHash, Keys, Ordering};

use crate::builder::Builder;
use crate::search::{IndexedField, values};
use crate::specs::{Delivers, OutboundSpec};

impl Builder {
    /// Keeps the order of deliveries of the last outbound only among those that share a key: a value of
    /// this field, such as `PID-3.1`, in the body that is sent. Every segment and repetition counts. A
    /// delivery without a key waits for all before it, and holds all after it.
    ///
    /// The [window](Builder::window) says how many may be open; one that waits for its next attempt is
    /// open too.
    #[must_use]
    pub fn key(self, path: &str) -> Self {
        self.keyed_by(path, "key")
    }

    /// Another field whose values are keys of the last outbound, such as `MRG-1.1`: a merge then waits
    /// for both patients, and holds both.
    #[must_use]
    pub fn also(self, path: &str) -> Self {
        self.keyed_by(path, "also")
    }

    /// Keeps no order of the deliveries of the last outbound.
    #[must_use]
    pub fn unordered(self) -> Self {
        self.last_outbound("unordered", |outbound| outbound.ordering = Ordering::Unordered)
    }

    /// How many connections the last outbound has to its partner, 1 without this. More need a key, or
    /// no order. The window is theirs together, and at least their number.
    #[must_use]
    pub fn connections(self, connections: usize) -> Self {
        self.last_outbound("connections", |outbound| outbound.connections = connections)
    }

    fn keyed_by(mut self, path: &str, what: &str) -> Self {
        let Some(field) = IndexedField::parse(path) else {
            self.misplaced.push(format!("{what}: \"{path}\" is not a field"));
            return self;
        };
        self.last_outbound(what, |outbound| {
            outbound.ordering = Ordering::Key;
            outbound.keys.push(field);
        })
    }

    pub(crate) fn last_outbound(self, what: &str, change: impl FnOnce(&mut OutboundSpec)) -> Self {
        self.last_outbound_that(what, |outbound| {
            change(outbound);
            Ok(())
        })
    }

    /// Changes the last outbound, or says why that cannot be.
    pub(crate) fn last_outbound_that(
        mut self,
        what: &str,
        change: impl FnOnce(&mut OutboundSpec) -> Result<(), &'static str>,
    ) -> Self {
        let why = match self.outbounds.last_mut() {
            Some(outbound) => change(outbound).err().map(|why| format!("{} {why}", outbound.name)),
            None => Some("there is no outbound before it".to_owned()),
        };
        self.misplaced.extend(why.map(|why| format!("{what}: {why}")));
        self
    }
}

impl OutboundSpec {
    /// What is wrong with its order.
    pub(crate) fn order_faults(&self) -> Option<String> {
        let name = &self.name;
        match self.ordering {
            _ if !(1..=64).contains(&self.connections) => {
                Some(format!("outbound {name}: connections must be from 1 to 64"))
            }
            _ if self.connections > 1 && matches!(self.delivers, Delivers::Connector { .. }) => {
                Some(format!("outbound {name}: its connector is one process"))
            }
            Ordering::Fifo if self.connections > 1 => {
                Some(format!("outbound {name}: more than one connection needs a key, or no order"))
            }
            Ordering::Unordered if !self.keys.is_empty() => {
                Some(format!("outbound {name}: it has a key, and is unordered"))
            }
            _ => None,
        }
    }
}

/// What a body is about: the values of these fields, wherever they stand in it.
pub(crate) fn keys(fields: &[IndexedField], body: &[u8]) -> Keys {
    let mut hashes = Vec::new();
    values(fields, body, |_, value| hashes.push(IdHash::of(value).0));
    Keys::new(&hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Keys {
        let fields = ["PID-3.1", "MRG-1.1"].map(|path| IndexedField::parse(path).unwrap());
        keys(&fields, body.replace('\n', "\r").as_bytes())
    }

    fn hashes(values: &[&str]) -> Keys {
        let all: Vec<u64> = values.iter().map(|it| IdHash::of(it.as_bytes()).0).collect();
        Keys::new(&all)
    }

    #[test]
    fn every_patient_of_a_message_is_a_key() {
        let a08 = "MSH|^~\\&|A|B|C|D|1||ADT^A08|1|P|2.5\nPID|1||1001^^^H^MR~77^^^S^SS||X^Y\n";
        assert_eq!(of(a08), hashes(&["1001", "77"]));
        let a40 = "MSH|^~\\&|||||||ADT^A40|2|P|2.5\nPID|1||1001^^^H\nMRG|1002^^^H\n\
                   PID|2||1003^^^H\nMRG|1004^^^H~1005^^^H\n";
        assert_eq!(of(a40), hashes(&["1001", "1002", "1003", "1004", "1005"]));
        let a24 = "MSH|^~\\&|||||||ADT^A24|3|P|2.5\nPID|1||1001\nPV1|1|I\nPID|2||1002\n";
        assert_eq!(of(a24), hashes(&["1001", "1002"]));
        let merged_is_the_same_patient = "MSH|^~\\&|||||||ADT^A01|4|P|2.5\nPID|1||1002\n";
        assert_eq!(of(merged_is_the_same_patient), hashes(&["1002"]), "whatever field it is in");
    }

    #[test]
    fn a_message_without_a_patient_has_no_key() {
        assert_eq!(of("MSH|^~\\&|||||||MFN^M02|5|P|2.5\nMFI|PRA\n"), Keys::NONE);
        assert_eq!(of("MSH|^~\\&|||||||ADT^A01|6|P|2.5\nPID|1||^^^H\n"), Keys::NONE);
        assert_eq!(of("not a message"), Keys::NONE);
        assert_eq!(keys(&[], b"MSH|^~\\&|||||||ADT^A01|6|P|2.5\rPID|1||1001\r"), Keys::NONE);
    }
}
