//! The bytes of a message that are read when a function asks for them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mllp_pipeline::BodyId;
use mllp_store::{Held, Reader};

use crate::functions::Bytes;

/// A body in chunks of which only the first is in memory.
pub(crate) struct Lazy<'a> {
    beginning: Arc<[u8]>,
    len: u64,
    body: BodyId,
    reader: Mutex<&'a mut dyn Reader>,
    whole: OnceLock<Vec<u8>>,
    failed: AtomicBool,
}

impl<'a> Lazy<'a> {
    pub(crate) fn new(
        reader: &'a mut dyn Reader,
        body: BodyId,
        len: u64,
        beginning: Arc<[u8]>,
    ) -> Self {
        let (whole, failed) = (OnceLock::new(), AtomicBool::new(false));
        Lazy { beginning, len, body, reader: Mutex::new(reader), whole, failed }
    }

    fn read(&self) -> Vec<u8> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::new();
        let read = reader.body(Held::Chunks(self.body), &mut |part| bytes.extend_from_slice(part));
        if read.is_ok_and(|found| found) && bytes.len() as u64 == self.len {
            return bytes;
        }
        self.failed.store(true, Ordering::Release);
        Vec::new()
    }
}

impl Bytes for Lazy<'_> {
    fn beginning(&self) -> &[u8] {
        &self.beginning
    }

    fn size(&self) -> u64 {
        self.len
    }

    fn whole(&self) -> &[u8] {
        self.whole.get_or_init(|| self.read())
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use mllp_pipeline::{Piece, Record, Transaction};
    use mllp_store::{MemoryStore, Store};

    use super::*;
    use crate::functions::Message;

    const HEADER: &[u8] =
        b"MSH|^~\\&|LAB|L|HIS|H|2026||MDM^T02|M1|P|2.5\rPID|1||4711\rOBX|1|ED|abc";
    const REST: &[u8] = b"def|9\rOBX|2|ED|last\r";

    fn store(chunks: &[&[u8]]) -> MemoryStore {
        let mut store = MemoryStore::new();
        for (n, bytes) in (0..).zip(chunks) {
            let records = vec![Record::Chunk { body: BodyId(1), n, bytes: Piece::from(*bytes) }];
            store.commit(&Transaction { records, lanes: Vec::new() }).unwrap();
        }
        store
    }

    /// What a path gives, and whether all of the message was read for it.
    fn get(path: &str) -> (Option<String>, bool) {
        let mut reader = store(&[HEADER, REST]).reader().unwrap();
        let len = (HEADER.len() + REST.len()) as u64;
        let lazy = Lazy::new(&mut *reader, BodyId(1), len, HEADER.into());
        let found = Message::new(&lazy).get(path).map(|it| String::from_utf8(it.to_vec()).unwrap());
        assert!(!lazy.has_failed());
        (found, lazy.whole.get().is_some())
    }

    #[test]
    fn the_header_and_what_is_near_cost_no_more_than_the_beginning() {
        assert_eq!(get("MSH-10"), (Some("M1".into()), false));
        assert_eq!(get("MSH-9.2"), (Some("T02".into()), false));
        assert_eq!(get("PID-3"), (Some("4711".into()), false));
        assert_eq!(get("MSH-20"), (None, false), "the header has ended without it");
    }

    #[test]
    fn what_lies_beyond_or_may_go_on_is_read() {
        assert_eq!(get("OBX-3"), (Some("abcdef".into()), true), "cut in the middle");
        assert_eq!(get("OBX-4"), (Some("9".into()), true));
        assert_eq!(get("OBX[2]-3"), (Some("last".into()), true));
        assert_eq!(get("ZZZ-1"), (None, true));
    }

    #[test]
    fn bytes_that_cannot_be_read_are_noticed() {
        let mut reader = store(&[HEADER]).reader().unwrap();
        let lazy = Lazy::new(&mut *reader, BodyId(1), 9999, HEADER.into());
        let message = Message::new(&lazy);
        assert_eq!(message.get("PID-3"), Some(&b"4711"[..]));
        assert!(!lazy.has_failed());
        assert_eq!(message.payload(), b"");
        assert!(lazy.has_failed());
    }
}
