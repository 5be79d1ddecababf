//! MSH-7 of an acknowledgment.

use ack_gen::Timestamp;

/// A point in time as HL7 writes it, `YYYYMMDDHHMMSS` with or without `+ZZZZ` (2.A.22, DTM).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_timestamp_t {
    /// The text.
    pub text: [u8; 19],
    /// How many bytes of it: 14 or 19.
    pub len: u8,
}

impl mllp_timestamp_t {
    fn of(timestamp: Timestamp) -> mllp_timestamp_t {
        let mut text = [0; 19];
        let mut len = 0u8;
        for (place, byte) in text.iter_mut().zip(timestamp.as_bytes()) {
            *place = *byte;
            len = len.wrapping_add(1);
        }
        mllp_timestamp_t { text, len }
    }
}

/// Universal time in fourteen digits: `seconds` since 1970-01-01T00:00:00Z, without leap seconds. Times
/// before the year 0 or after 9999 become the first or last that four digits of year can write.
///
/// This is the form of the policy `always`. Chapter 2 takes a time without an offset for the sender's
/// local time (2.A.22): for the policy `conformant` write `mllp_timestamp_with_offset(seconds, 0)`.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_timestamp_utc(seconds: i64) -> mllp_timestamp_t {
    mllp_timestamp_t::of(Timestamp::utc(seconds))
}

/// Local time with its offset from universal time, in minutes east of Greenwich. Offsets beyond 14
/// hours are taken as 14 hours.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_timestamp_with_offset(
    seconds: i64,
    offset_minutes: i16,
) -> mllp_timestamp_t {
    mllp_timestamp_t::of(Timestamp::with_offset(seconds, offset_minutes))
}
