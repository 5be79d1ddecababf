//! Which protocol a peer speaks.

use core::ffi::c_char;
use core::mem::MaybeUninit;

use mllp_link::{Detection, Detector, Protocol, ProtocolVerdict, detect};

use crate::code::{Numbered, name, numbered};
use crate::slice::{bytes, place};
use crate::state::{State, init, state_mut};
use crate::status::{MLLP_OK, MLLP_PARTIAL, mllp_status_t, status};

/// What the first bytes of a connection belong to, as far as is known: `MLLP_PROTOCOL_*`.
pub type mllp_protocol_t = u32;

/// Nothing is known yet: more bytes are needed.
pub const MLLP_PROTOCOL_MORE: mllp_protocol_t = 0;
/// A start block, and HLLP is not excluded yet. Who does not speak HLLP takes it for MLLP.
pub const MLLP_PROTOCOL_START_BLOCK: mllp_protocol_t = 1;
/// A start block that no HLLP header follows.
pub const MLLP_PROTOCOL_MLLP: mllp_protocol_t = 2;
/// A start block, `D` or `N`, two digits and a carriage return: the header of an HLLP block.
pub const MLLP_PROTOCOL_HLLP: mllp_protocol_t = 3;
/// ENQ: a sender of ASTM E1381 / LIS01 asks for the line.
pub const MLLP_PROTOCOL_ASTM: mllp_protocol_t = 4;
/// STX: an ASTM frame without the ENQ before it, or a vendor's protocol.
pub const MLLP_PROTOCOL_ASTM_NO_ENQ: mllp_protocol_t = 5;
/// The header record of ASTM E1394 / LIS02 without frames.
pub const MLLP_PROTOCOL_ASTM_UNFRAMED: mllp_protocol_t = 6;
/// `MSH` and a field separator: a message without frames. Nothing marks its end.
pub const MLLP_PROTOCOL_HL7_UNFRAMED: mllp_protocol_t = 7;
/// `FHS` or `BHS` and a field separator: a batch without frames.
pub const MLLP_PROTOCOL_HL7_BATCH_UNFRAMED: mllp_protocol_t = 8;
/// A TLS ClientHello on a plain port.
pub const MLLP_PROTOCOL_TLS: mllp_protocol_t = 9;
/// The request line of HTTP: a probe, or a wrong port.
pub const MLLP_PROTOCOL_HTTP: mllp_protocol_t = 10;
/// UTF-16 with a byte order mark.
pub const MLLP_PROTOCOL_UTF16_BOM: mllp_protocol_t = 11;
/// `MS` in UTF-16. Of the big endian form the first NUL counts as noise.
pub const MLLP_PROTOCOL_UTF16_NO_BOM: mllp_protocol_t = 12;
/// `<`: POCT1-A, or other XML without frames.
pub const MLLP_PROTOCOL_XML: mllp_protocol_t = 13;
/// None of these.
pub const MLLP_PROTOCOL_UNKNOWN: mllp_protocol_t = 14;
/// A line of the PROXY protocol, version 1. `mllp_proxy_header_parse` reads it.
pub const MLLP_PROTOCOL_PROXY_V1: mllp_protocol_t = 15;
/// The signature of the PROXY protocol, version 2. What follows is binary, and may hold a start block.
pub const MLLP_PROTOCOL_PROXY_V2: mllp_protocol_t = 16;

numbered!(ProtocolVerdict {
    ProtocolVerdict::More = MLLP_PROTOCOL_MORE, c"more";
    ProtocolVerdict::StartBlock = MLLP_PROTOCOL_START_BLOCK, c"mllp?";
    ProtocolVerdict::Decided: Protocol::Mllp = MLLP_PROTOCOL_MLLP, c"mllp";
    ProtocolVerdict::Decided: Protocol::Hllp = MLLP_PROTOCOL_HLLP, c"hllp";
    ProtocolVerdict::Decided: Protocol::Astm = MLLP_PROTOCOL_ASTM, c"astm";
    ProtocolVerdict::Decided: Protocol::AstmWithoutEnq = MLLP_PROTOCOL_ASTM_NO_ENQ, c"astm_no_enq";
    ProtocolVerdict::Decided: Protocol::AstmUnframed =
        MLLP_PROTOCOL_ASTM_UNFRAMED, c"astm_unframed";
    ProtocolVerdict::Decided: Protocol::Hl7Unframed = MLLP_PROTOCOL_HL7_UNFRAMED, c"hl7_unframed";
    ProtocolVerdict::Decided: Protocol::Hl7BatchUnframed =
        MLLP_PROTOCOL_HL7_BATCH_UNFRAMED, c"hl7_batch_unframed";
    ProtocolVerdict::Decided: Protocol::Tls = MLLP_PROTOCOL_TLS, c"tls";
    ProtocolVerdict::Decided: Protocol::Http = MLLP_PROTOCOL_HTTP, c"http";
    ProtocolVerdict::Decided: Protocol::Utf16WithBom = MLLP_PROTOCOL_UTF16_BOM, c"utf16_bom";
    ProtocolVerdict::Decided: Protocol::Utf16WithoutBom =
        MLLP_PROTOCOL_UTF16_NO_BOM, c"utf16_no_bom";
    ProtocolVerdict::Decided: Protocol::Xml = MLLP_PROTOCOL_XML, c"xml";
    ProtocolVerdict::Decided: Protocol::Unknown = MLLP_PROTOCOL_UNKNOWN, c"unknown";
    ProtocolVerdict::Decided: Protocol::ProxyV1 = MLLP_PROTOCOL_PROXY_V1, c"proxy_v1";
    ProtocolVerdict::Decided: Protocol::ProxyV2 = MLLP_PROTOCOL_PROXY_V2, c"proxy_v2";
});

/// The stable name of a protocol, such as `hl7_unframed`; `unknown` for a number that is none too.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_protocol_name(protocol: mllp_protocol_t) -> *const c_char {
    name::<ProtocolVerdict>(protocol)
}

/// 1 when nothing on a connection with this protocol can be a message, else 0: the peer waits for an answer
/// in kind, and what it sends, ciphertext for instance, may hold framing bytes. Close such a
/// connection at once, and take no message that is still to come from it.
#[unsafe(no_mangle)]
pub extern "C" fn mllp_protocol_is_foreign(protocol: mllp_protocol_t) -> u32 {
    let verdict = ProtocolVerdict::from_number(protocol).ok();
    verdict.and_then(ProtocolVerdict::protocol).is_some_and(Protocol::is_foreign).into()
}

/// What is known of the beginning of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mllp_detection_t {
    /// What it is.
    pub protocol: mllp_protocol_t,
    /// How many bytes of noise precede the first significant byte, or have come so far.
    pub offset: u64,
}

impl mllp_detection_t {
    /// What is known, and whether it is decided.
    fn of(detection: Detection) -> (mllp_detection_t, mllp_status_t) {
        let Detection { verdict, offset } = detection;
        let status = if verdict.protocol().is_some() { MLLP_OK } else { MLLP_PARTIAL };
        (mllp_detection_t { protocol: verdict.number(), offset }, status)
    }
}

/// Tells the protocol by the first bytes of a connection, which arrive in chunks.
///
/// It keeps none of them: the caller does, because all of them, noise included, belong to the
/// protocol that is found. A listener says nothing before that, waits for it only so long, and gives
/// up when `offset` passes a limit of its own: noise alone never decides anything.
#[repr(C)]
pub struct mllp_detector_t {
    _state: [MaybeUninit<u64>; 5],
}

impl State for mllp_detector_t {
    type Inner = Detector;
    const MARK: u64 = u64::from_le_bytes(*b"mllpDET1");
}

/// Prepares a detector for the beginning of a connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_detector_init(detector: *mut mllp_detector_t) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2 and 7.
        unsafe { init(detector, Detector::new()) }?;
        Ok(MLLP_OK)
    })
}

/// Takes the next bytes of the connection, and says what is known of all of them.
///
/// `MLLP_OK`: it is decided, and stays so. `MLLP_PARTIAL`: more bytes are needed. It writes `out`
/// too: `MLLP_PROTOCOL_MORE` or `MLLP_PROTOCOL_START_BLOCK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_detector_feed(
    detector: *mut mllp_detector_t,
    next_bytes: *const u8,
    next_bytes_len: usize,
    out: *mut mllp_detection_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 2, 6 and 7.
        let (detector, next, out) =
            unsafe { (state_mut(detector)?, bytes(next_bytes, next_bytes_len)?, place(out)?) };
        let verdict = detector.feed(next);
        let (detection, status) =
            mllp_detection_t::of(Detection { verdict, offset: detector.offset() });
        out.write(detection);
        Ok(status)
    })
}

/// What a connection that begins with these bytes is. Status and output as `mllp_detector_feed`.
///
/// Noise before the first significant byte is passed over: NUL, tab, line feed, carriage return,
/// space, EOT, ACK and NAK, and one UTF-8 byte order mark at the very beginning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mllp_detect(
    first_bytes: *const u8,
    first_bytes_len: usize,
    out: *mut mllp_detection_t,
) -> mllp_status_t {
    status(|| {
        // SAFETY: rules 6 and 7.
        let (first, out) = unsafe { (bytes(first_bytes, first_bytes_len)?, place(out)?) };
        let (detection, status) = mllp_detection_t::of(detect(first));
        out.write(detection);
        Ok(status)
    })
}
