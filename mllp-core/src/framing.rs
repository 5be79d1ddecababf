//! The bytes that delimit a frame.

use crate::Error;

/// `<SB>`, the start block character: one vertical tab (MLLP release 1, C.4.2).
pub const START_BLOCK: u8 = 0x0B;
/// `<EB>`, the end block character: one file separator (MLLP release 1, C.4.2).
pub const END_BLOCK: u8 = 0x1C;
/// `<CR>`, the trailer after the end block and the segment terminator of HL7 v2.
pub const CARRIAGE_RETURN: u8 = 0x0D;
/// Line feed: never part of a block, often sent after one.
pub(crate) const LINE_FEED: u8 = 0x0A;

/// Which bytes start a frame, end it, and trail its end.
///
/// [`Framing::MLLP`] is `0B payload 1C 0D`. Other interfaces keep the shape and change the bytes
/// (STX/ETX, or no trailer at all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    start: [u8; 1],
    // The end block and the trailer in one array, so that an encoder can lend both as one slice.
    end: [u8; 2],
    has_trailer: bool,
}

impl Framing {
    /// `0B payload 1C 0D`.
    pub const MLLP: Framing =
        Framing { start: [START_BLOCK], end: [END_BLOCK, CARRIAGE_RETURN], has_trailer: true };

    /// Framing with other bytes; `trailer` is `None` where nothing follows the end block.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFraming`] when two of the bytes are equal: such a stream has no single
    /// reading.
    pub const fn new(start_block: u8, end_block: u8, trailer: Option<u8>) -> Result<Self, Error> {
        if start_block == end_block {
            return Err(Error::InvalidFraming);
        }
        match trailer {
            Some(byte) if byte == start_block || byte == end_block => Err(Error::InvalidFraming),
            Some(byte) => {
                Ok(Framing { start: [start_block], end: [end_block, byte], has_trailer: true })
            }
            None => Ok(Framing { start: [start_block], end: [end_block, 0], has_trailer: false }),
        }
    }

    /// The byte that starts a frame.
    pub const fn start_block(&self) -> u8 {
        self.start[0]
    }

    /// The byte that ends a frame.
    pub const fn end_block(&self) -> u8 {
        self.end[0]
    }

    /// The byte that follows the end block, if the framing has one.
    pub const fn trailer(&self) -> Option<u8> {
        if self.has_trailer { Some(self.end[1]) } else { None }
    }

    pub(crate) const fn head(&self) -> &[u8] {
        &self.start
    }

    pub(crate) const fn tail(&self) -> &[u8] {
        let [end_block, _] = &self.end;
        if self.has_trailer { &self.end } else { core::slice::from_ref(end_block) }
    }
}

impl Default for Framing {
    fn default() -> Self {
        Framing::MLLP
    }
}
