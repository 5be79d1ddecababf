//! One frame: `STX FN text ETB|ETX C1 C2 CR LF`.

use crate::Error;
use crate::control::{CR, ETB, ETX, LF, STX};
use crate::text;

/// The longest text of a frame in E1381-91 and E1381-95, which serial devices keep to.
pub const MAX_TEXT_E1381: usize = 240;
/// The longest text of a frame in LIS1-A and LIS01-A2.
pub const MAX_TEXT_LIS01: usize = 63_993;
/// How much longer a frame is than its text.
pub const FRAME_OVERHEAD: usize = 7;

/// The number of a frame: 0 to 7. The first frame of a session has number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameNumber(u8);

impl FrameNumber {
    /// The number of the first frame of a session.
    pub const FIRST: FrameNumber = FrameNumber(1);

    /// The last three bits of `number`.
    pub const fn new(number: u8) -> FrameNumber {
        FrameNumber(number & 7)
    }

    /// The number of the frame that follows; 0 follows 7.
    pub const fn next(self) -> FrameNumber {
        FrameNumber::new(self.0.wrapping_add(1))
    }

    /// 0 to 7.
    pub const fn get(self) -> u8 {
        self.0
    }

    pub(crate) const fn digit(self) -> u8 {
        b'0' | self.0
    }

    pub(crate) const fn of_digit(byte: u8) -> Option<FrameNumber> {
        match byte {
            b'0'..=b'7' => Some(FrameNumber::new(byte)),
            _ => None,
        }
    }
}

/// How a frame ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameEnding {
    /// `17`: more of the same record, or of the same message, follows.
    Etb,
    /// `03`: the record, or the message, ends here.
    Etx,
}

impl FrameEnding {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            FrameEnding::Etb => "ETB",
            FrameEnding::Etx => "ETX",
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            FrameEnding::Etb => ETB,
            FrameEnding::Etx => ETX,
        }
    }
}

/// The two digits for `body`, which is everything from the frame number to ETB or ETX.
///
/// ```
/// assert_eq!(astm_core::checksum(b"1\x03"), *b"34");
/// ```
pub const fn checksum(body: &[u8]) -> [u8; 2] {
    let (mut sum, mut rest) = (0u8, body);
    while let [byte, after @ ..] = rest {
        sum = sum.wrapping_add(*byte);
        rest = after;
    }
    digits(sum)
}

pub(crate) const fn digits(sum: u8) -> [u8; 2] {
    [digit(sum >> 4), digit(sum & 15)]
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' - 10 + value }
}

/// Writes a frame to `out` and returns its length, which is that of the text and
/// [`FRAME_OVERHEAD`].
///
/// ```
/// use astm_core::{FrameEnding, FrameNumber, encode_frame};
///
/// let mut out = [0; 16];
/// let len = encode_frame(FrameNumber::FIRST, b"L|1|N\r", FrameEnding::Etx, &mut out)?;
/// assert_eq!(&out[..len], b"\x021L|1|N\r\x0304\r\n");
/// # Ok::<(), astm_core::Error>(())
/// ```
///
/// # Errors
///
/// [`IllegalByte`](Error::IllegalByte) if the text holds a byte that E1381 forbids in it, or NUL, which
/// the sum does not see. [`BufferTooSmall`](Error::BufferTooSmall).
pub fn encode_frame(
    number: FrameNumber,
    text: &[u8],
    end: FrameEnding,
    out: &mut [u8],
) -> Result<usize, Error> {
    if text.iter().any(|&byte| byte == 0 || byte == LF || text::is_restricted(byte)) {
        return Err(Error::IllegalByte);
    }
    let len = text.len().saturating_add(FRAME_OVERHEAD);
    let room = out.get_mut(..len).ok_or(Error::BufferTooSmall)?;
    let Some(([stx, first], rest)) = room.split_first_chunk_mut() else {
        return Err(Error::BufferTooSmall);
    };
    let Some((middle, [ending, high, low, cr, lf])) = rest.split_last_chunk_mut() else {
        return Err(Error::BufferTooSmall);
    };
    middle.copy_from_slice(text);
    (*stx, *first, *ending, *cr, *lf) = (STX, number.digit(), end.byte(), CR, LF);
    let sum = text.iter().fold(*first, |sum, &byte| sum.wrapping_add(byte));
    [*high, *low] = digits(sum.wrapping_add(*ending));
    Ok(len)
}
