//! What a message holds, without showing it.

use alloc::sync::Arc;
use core::fmt;

use crate::ids::BodyId;

/// The bytes of a message or of a delivery. Cheap to clone; `Debug` shows the length alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// In memory, and stored in one piece.
    Inline(Arc<[u8]>),
    /// Stored in chunks before the message that holds it exists.
    Chunked {
        /// Where the chunks are.
        id: BodyId,
        /// Bytes in all of them.
        len: u64,
    },
}

impl Body {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Body::Inline(bytes) => bytes.len() as u64,
            Body::Chunked { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The bytes of a message after MSH, its first segment, which ends at the first CR or LF.
pub(crate) fn after_header(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    end.map_or(&[], |at| &bytes[at + 1..])
}

// A body is health data: it stays out of logs and panics.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
}

/// A hash of MSH-10, by which deliveries with the same control ID wait for each other. Two IDs that share
/// a hash only wait without need. It stands in the store, so it never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdHash(pub u64);

impl IdHash {
    /// There is no control ID, and nothing to wait for.
    pub const NONE: IdHash = IdHash(0);

    /// Of MSH-10 as it stands in the message: FNV-1a.
    pub fn of(control_id: &[u8]) -> IdHash {
        if control_id.is_empty() {
            return IdHash::NONE;
        }
        let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        IdHash(control_id.iter().fold(0xcbf2_9ce4_8422_2325, add).max(1))
    }
}

/// Hashes of values in a message, such as of its patient's number: of what a delivery is about, in a lane that
/// is ordered by key, or of the fields that messages are searched by. Two keys that share a hash only wait
/// without need. Cheap to clone. They stand in the store, so they never change.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Keys(Option<Arc<[u64]>>);

impl Keys {
    /// No key at all: such a delivery waits for all before it, and all after it wait for it.
    pub const NONE: Keys = Keys(None);

    /// These hashes, each once.
    pub fn new(hashes: &[u64]) -> Keys {
        let mut hashes = hashes.to_vec();
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.is_empty() { Keys::NONE } else { Keys(Some(hashes.into())) }
    }

    /// The hashes, in rising order.
    pub fn as_slice(&self) -> &[u64] {
        self.0.as_deref().unwrap_or(&[])
    }
}

// A hash of a patient's number can be tried out: it stays out of logs like the number itself.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.as_slice().len())
    }
}

/// A hash of a value in a field, such as `PID-3.1`: what messages are searched by. It stands in the
/// store, so it never changes. FNV-1a of the path, a zero and the value.
pub fn field_hash(path: &str, value: &[u8]) -> u64 {
    let bytes = path.bytes().chain([0]).chain(value.iter().copied());
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.fold(0xcbf2_9ce4_8422_2325, add)
}

/// A short piece of a message, such as MSH-10, or an acknowledgment. `Debug` shows the length alone.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Piece(pub Arc<[u8]>);

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece({} bytes)", self.0.len())
    }
}

impl From<&[u8]> for Piece {
    fn from(bytes: &[u8]) -> Self {
        Piece(bytes.into())
    }
}
