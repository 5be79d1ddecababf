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

// A body is health data: it stays out of logs and panics.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
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
