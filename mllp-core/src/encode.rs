//! Frames from payloads.

use crate::find::memchr2;

use crate::{Error, Framing};

impl Framing {
    /// Length in bytes of the frame around a payload of `payload_len` bytes.
    pub const fn encoded_len(&self, payload_len: usize) -> usize {
        payload_len.saturating_add(self.head().len() + self.tail().len())
    }

    /// Writes the frame around `payload` to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ReservedByte`] when the payload holds a start or end block: MLLP has no escape, so
    /// the receiver would see another message. [`Error::BufferTooSmall`] when `out` is shorter than
    /// [`encoded_len`](Framing::encoded_len). Nothing is written in either case.
    pub fn encode(&self, payload: &[u8], out: &mut [u8]) -> Result<usize, Error> {
        self.check(payload)?;
        self.encode_with(out, |room| match room.get_mut(..payload.len()) {
            Some(room) => {
                room.copy_from_slice(payload);
                Ok(payload.len())
            }
            None => Err(Error::BufferTooSmall),
        })
    }

    /// Writes a frame whose payload is written in place by `write`, and returns the length of the
    /// frame in bytes.
    ///
    /// `write` gets the room between the framing bytes, writes the payload to its front and returns
    /// the payload's length. This joins two encoders without a copy between them:
    ///
    /// ```
    /// use mllp_core::{Error, Framing};
    ///
    /// let mut out = [0; 16];
    /// let len = Framing::MLLP.encode_with(&mut out, |room| {
    ///     room[..3].copy_from_slice(b"MSH");
    ///     Ok::<usize, Error>(3)
    /// })?;
    /// assert_eq!(&out[..len], b"\x0bMSH\x1c\r");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`encode`](Framing::encode), and what `write` returns. `out` then holds no frame.
    pub fn encode_with<E: From<Error>>(
        &self,
        out: &mut [u8],
        write: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let (head, tail) = (self.head(), self.tail());
        let room = out
            .len()
            .checked_sub(head.len() + tail.len())
            .and_then(|len| out.get_mut(head.len()..)?.get_mut(..len))
            .ok_or(Error::BufferTooSmall)?;
        let payload_len = write(room)?;
        self.check(room.get(..payload_len).ok_or(Error::BufferTooSmall)?)?;
        let end = head.len().saturating_add(payload_len);
        put(out, 0, head)?;
        put(out, end, tail)?;
        Ok(self.encoded_len(payload_len))
    }

    /// The frame around `payload` as three slices, for a gathering write.
    ///
    /// # Errors
    ///
    /// [`Error::ReservedByte`] as for [`encode`](Framing::encode).
    pub fn encode_slices<'a>(&'a self, payload: &'a [u8]) -> Result<[&'a [u8]; 3], Error> {
        self.check(payload)?;
        Ok([self.head(), payload, self.tail()])
    }

    fn check(&self, payload: &[u8]) -> Result<(), Error> {
        match memchr2(self.start_block(), self.end_block(), payload) {
            Some(index) => Err(Error::ReservedByte { index }),
            None => Ok(()),
        }
    }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), Error> {
    match out.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
        Some(room) => {
            room.copy_from_slice(bytes);
            Ok(())
        }
        None => Err(Error::BufferTooSmall),
    }
}

/// [`Framing::encoded_len`] of MLLP: three bytes more than the payload.
pub const fn encoded_len(payload_len: usize) -> usize {
    Framing::MLLP.encoded_len(payload_len)
}

/// [`Framing::encode`] of MLLP.
///
/// ```
/// let mut out = [0; 16];
/// let len = mllp_core::encode(b"MSH", &mut out)?;
/// assert_eq!(&out[..len], b"\x0bMSH\x1c\r");
/// # Ok::<(), mllp_core::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`Framing::encode`].
pub fn encode(payload: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    Framing::MLLP.encode(payload, out)
}

/// [`Framing::encode_with`] of MLLP.
///
/// # Errors
///
/// Those of [`Framing::encode_with`].
pub fn encode_with<E: From<Error>>(
    out: &mut [u8],
    write: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<usize, E> {
    Framing::MLLP.encode_with(out, write)
}

/// [`Framing::encode_slices`] of MLLP.
///
/// # Errors
///
/// [`Error::ReservedByte`] as for [`Framing::encode`].
pub fn encode_slices(payload: &[u8]) -> Result<[&[u8]; 3], Error> {
    const MLLP: &Framing = &Framing::MLLP;
    MLLP.encode_slices(payload)
}
