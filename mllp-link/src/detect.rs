//! Which protocol a peer speaks, told from the first bytes of a connection.

use core::fmt;

/// What the first bytes of a connection belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A start block that no HLLP header follows.
    Mllp,
    /// A start block, `D` or `N`, two digits and a carriage return: the header of an HLLP block.
    Hllp,
    /// ENQ: a sender of ASTM E1381 / LIS01 asks for the line.
    Astm,
    /// STX: an ASTM frame without the ENQ before it, or a vendor's protocol.
    AstmWithoutEnq,
    /// The header record of ASTM E1394 / LIS02 without frames.
    AstmUnframed,
    /// `MSH` and a field separator: a message without frames. Nothing marks its end.
    Hl7Unframed,
    /// `FHS` or `BHS` and a field separator: a batch without frames.
    Hl7BatchUnframed,
    /// A TLS ClientHello on a plain port.
    Tls,
    /// The request line of HTTP: a probe, or a wrong port.
    Http,
    /// A line of the PROXY protocol, version 1: a proxy names its client. See
    /// [`ProxyHeader`](crate::ProxyHeader).
    ProxyV1,
    /// The signature of the PROXY protocol, version 2. What follows is binary, and may hold a start
    /// block.
    ProxyV2,
    /// UTF-16 with a byte order mark.
    Utf16WithBom,
    /// `MS` in UTF-16. Of the big endian form the first NUL counts as noise.
    Utf16WithoutBom,
    /// `<`: POCT1-A, or other XML without frames.
    Xml,
    /// None of these.
    Unknown,
}

impl Protocol {
    /// The stable name, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Mllp => "mllp",
            Protocol::Hllp => "hllp",
            Protocol::Astm => "astm",
            Protocol::AstmWithoutEnq => "astm_no_enq",
            Protocol::AstmUnframed => "astm_unframed",
            Protocol::Hl7Unframed => "hl7_unframed",
            Protocol::Hl7BatchUnframed => "hl7_batch_unframed",
            Protocol::Tls => "tls",
            Protocol::Http => "http",
            Protocol::ProxyV1 => "proxy_v1",
            Protocol::ProxyV2 => "proxy_v2",
            Protocol::Utf16WithBom => "utf16_bom",
            Protocol::Utf16WithoutBom => "utf16_no_bom",
            Protocol::Xml => "xml",
            Protocol::Unknown => "unknown",
        }
    }

    /// Whether it is MLLP.
    pub const fn is_mllp(self) -> bool {
        matches!(self, Protocol::Mllp)
    }

    /// Whether nothing on the connection can be a message: the peer waits for an answer in kind, and
    /// what it sends, ciphertext for instance, may hold framing bytes. A host closes such a
    /// connection at once and takes no message that is still to come from it.
    pub const fn is_foreign(self) -> bool {
        matches!(self, Protocol::Tls | Protocol::Http | Protocol::ProxyV1 | Protocol::ProxyV2)
    }
}

/// What is known so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtocolVerdict {
    /// Nothing yet: more bytes are needed.
    More,
    /// A start block, and HLLP is not excluded yet. Whoever does not speak HLLP need not wait.
    StartBlock,
    /// Decided; no later byte changes it.
    Decided(Protocol),
}

impl ProtocolVerdict {
    /// The stable name, the same in every language: `more`, `mllp?` or the protocol's.
    pub const fn name(self) -> &'static str {
        match self {
            ProtocolVerdict::More => "more",
            ProtocolVerdict::StartBlock => "mllp?",
            ProtocolVerdict::Decided(protocol) => protocol.name(),
        }
    }

    /// The protocol, once it is decided.
    pub const fn protocol(self) -> Option<Protocol> {
        match self {
            ProtocolVerdict::Decided(protocol) => Some(protocol),
            ProtocolVerdict::More | ProtocolVerdict::StartBlock => None,
        }
    }

    /// Whether it is MLLP as far as can be told without waiting for an HLLP header.
    pub const fn is_mllp(self) -> bool {
        matches!(self, ProtocolVerdict::StartBlock | ProtocolVerdict::Decided(Protocol::Mllp))
    }
}

/// The answer of [`detect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Detection {
    /// What is known.
    pub verdict: ProtocolVerdict,
    /// How many bytes of noise precede the first significant byte.
    pub offset: u64,
}

/// What a connection that begins with these bytes is.
///
/// Noise before the first significant byte is passed over: NUL, tab, line feed, carriage return,
/// space, the EOT, ACK and NAK of an ASTM session that another connection has left behind, and one
/// UTF-8 byte order mark at the very beginning. The signature of PROXY protocol version 2 begins
/// with bytes that are noise elsewhere; once it is whole, they count as significant.
///
/// ```
/// use mllp_link::{Protocol, ProtocolVerdict, detect};
///
/// let detection = detect(b"\r\n\x0bMSH|^~\\&|");
/// assert_eq!((detection.verdict, detection.offset), (ProtocolVerdict::Decided(Protocol::Mllp), 2));
/// assert_eq!(detect(b"MS").verdict, ProtocolVerdict::More);
/// assert_eq!(detect(b"\x16\x03\x01\x02").verdict.name(), "tls");
/// ```
pub fn detect(first_bytes: &[u8]) -> Detection {
    let mut detector = Detector::new();
    let verdict = detector.feed(first_bytes);
    Detection { verdict, offset: detector.offset() }
}

/// [`detect`] for bytes that arrive in chunks.
///
/// It keeps the few significant bytes that a verdict needs and nothing else: the caller keeps what
/// it reads, because all of it, noise included, belongs to the protocol that is found. A listener
/// says nothing before the verdict, waits for it only so long, and gives up when
/// [`offset`](Detector::offset) passes a limit of its own: noise alone never decides anything.
///
/// ```
/// use mllp_link::{Detector, Protocol, ProtocolVerdict};
///
/// let mut detector = Detector::new();
/// assert_eq!(detector.feed(b"\r\n"), ProtocolVerdict::More);
/// assert_eq!(detector.feed(b"\x0b"), ProtocolVerdict::StartBlock);
/// assert_eq!(detector.feed(b"MSH|"), ProtocolVerdict::Decided(Protocol::Mllp));
/// assert_eq!(detector.offset(), 2);
/// ```
#[derive(Clone, Copy)]
pub struct Detector {
    verdict: ProtocolVerdict,
    noise: u64,
    /// The last bytes of noise, with which a signature may begin.
    before: [u8; PROXY_V2_NOISE.len()],
    first: [u8; SIGNIFICANT],
    len: u8,
}

/// The longest that has to be seen: `PRI * HTTP`.
const SIGNIFICANT: usize = 10;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The signature of PROXY protocol version 2, in two parts: the first is noise.
const PROXY_V2_NOISE: [u8; 7] = *b"\r\n\r\n\0\r\n";
const PROXY_V2_REST: &[u8] = b"QUIT\n";

impl Detector {
    /// Nothing seen yet.
    pub const fn new() -> Detector {
        Detector {
            verdict: ProtocolVerdict::More,
            noise: 0,
            before: [0; PROXY_V2_NOISE.len()],
            first: [0; SIGNIFICANT],
            len: 0,
        }
    }

    /// Takes the next bytes of the connection. The verdict does not depend on how they are cut; once
    /// decided, it stays, and the bytes are not looked at.
    pub fn feed(&mut self, bytes: &[u8]) -> ProtocolVerdict {
        for &byte in bytes {
            if self.verdict.protocol().is_some() {
                break;
            }
            self.take(byte);
        }
        self.verdict
    }

    /// What is known so far.
    pub const fn verdict(&self) -> ProtocolVerdict {
        self.verdict
    }

    /// How many bytes of noise precede the first significant byte, or have come so far.
    pub const fn offset(&self) -> u64 {
        self.noise
    }

    fn take(&mut self, byte: u8) {
        if self.len == 0 && is_noise(byte) {
            self.noise = self.noise.saturating_add(1);
            self.before.rotate_left(1);
            if let Some(last) = self.before.last_mut() {
                *last = byte;
            }
            return;
        }
        let Some(slot) = self.first.get_mut(usize::from(self.len)) else { return };
        *slot = byte;
        self.len = self.len.saturating_add(1);
        let significant = self.first.get(..usize::from(self.len)).unwrap_or_default();
        self.verdict = match significant {
            PROXY_V2_REST if self.before == PROXY_V2_NOISE => {
                self.noise = self.noise.saturating_sub(PROXY_V2_NOISE.len() as u64);
                ProtocolVerdict::Decided(Protocol::ProxyV2)
            }
            part if self.before == PROXY_V2_NOISE && PROXY_V2_REST.starts_with(part) => {
                ProtocolVerdict::More
            }
            // A byte order mark is one at the very beginning only.
            [0xEF] | [0xFE] | [0xFF] if self.noise == 0 => ProtocolVerdict::More,
            [0xEF, 0xBB] => ProtocolVerdict::More,
            BYTE_ORDER_MARK => {
                self.noise = 3;
                self.len = 0;
                ProtocolVerdict::More
            }
            [0xFE, 0xFF] | [0xFF, 0xFE] => ProtocolVerdict::Decided(Protocol::Utf16WithBom),
            _ => judge(significant),
        };
    }
}

impl Default for Detector {
    fn default() -> Detector {
        Detector::new()
    }
}

// The bytes may be the beginning of a message, which is health data.
impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Detector {{ verdict: {}, offset: {} }}", self.verdict.name(), self.noise)
    }
}

const fn is_noise(byte: u8) -> bool {
    matches!(byte, 0x00 | b'\t' | b'\n' | b'\r' | b' ' | 0x04 | 0x06 | 0x15)
}

/// The sender chooses the delimiters, in MSH-1 and MSH-2 (2.5.4) as in the E1394 header record: any
/// printable character that cannot be data.
const fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_punctuation()
}

/// The verdict for the first significant bytes, of which there is at least one.
fn judge(first: &[u8]) -> ProtocolVerdict {
    ProtocolVerdict::Decided(match first {
        [0x0B, header @ ..] => return judge_start_block(header),
        [0x05, ..] => Protocol::Astm,
        [0x02, ..] => Protocol::AstmWithoutEnq,
        // The record header of TLS: handshake, major version 3.
        [0x16, 0x03, 0x00..=0x04, ..] => Protocol::Tls,
        [0x16] | [0x16, _] => return ProtocolVerdict::More,
        [b'M', b'S', b'H', separator, ..] if is_delimiter(*separator) => Protocol::Hl7Unframed,
        [b'F' | b'B', b'H', b'S', separator, ..] if is_delimiter(*separator) => {
            Protocol::Hl7BatchUnframed
        }
        [b'M' | b'F' | b'B'] | [b'M', b'S'] | [b'F' | b'B', b'H'] => return ProtocolVerdict::More,
        [b'M', b'S', b'H'] | [b'F' | b'B', b'H', b'S'] => return ProtocolVerdict::More,
        [b'M', 0] | [b'M', 0, _] => return ProtocolVerdict::More,
        [b'M', 0, b'S', 0, ..] => Protocol::Utf16WithoutBom,
        [b'<', ..] => Protocol::Xml,
        _ => return judge_text(first),
    })
}

/// What follows a start block: MLLP, unless it is the header of an HLLP block.
const fn judge_start_block(header: &[u8]) -> ProtocolVerdict {
    match header {
        [] | [b'D' | b'N'] => ProtocolVerdict::StartBlock,
        [b'D' | b'N', b'0'..=b'9'] => ProtocolVerdict::StartBlock,
        [b'D' | b'N', b'0'..=b'9', b'0'..=b'9'] => ProtocolVerdict::StartBlock,
        [b'D' | b'N', b'0'..=b'9', b'0'..=b'9', b'\r', ..] => {
            ProtocolVerdict::Decided(Protocol::Hllp)
        }
        _ => ProtocolVerdict::Decided(Protocol::Mllp),
    }
}

/// The words of HTTP and of PROXY protocol version 1, and the header record of ASTM, which begins
/// like one of them.
fn judge_text(first: &[u8]) -> ProtocolVerdict {
    const WORDS: [&[u8]; 7] =
        [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"PRI * HTTP"];
    const PROXY_V1: &[u8] = b"PROXY ";
    if WORDS.iter().any(|word| first.starts_with(word)) {
        return ProtocolVerdict::Decided(Protocol::Http);
    }
    if first.starts_with(PROXY_V1) {
        return ProtocolVerdict::Decided(Protocol::ProxyV1);
    }
    if WORDS.iter().chain([&PROXY_V1]).any(|word| word.starts_with(first)) {
        return ProtocolVerdict::More;
    }
    let [b'H', rest @ ..] = first else { return ProtocolVerdict::Decided(Protocol::Unknown) };
    let [field, repeat, component, escape, next, ..] = rest else { return ProtocolVerdict::More };
    // Four different delimiters, and a field or the record ends behind them.
    let distinct = field != repeat
        && field != component
        && field != escape
        && repeat != component
        && repeat != escape
        && component != escape;
    let all = [field, repeat, component, escape].into_iter().all(|byte| is_delimiter(*byte));
    ProtocolVerdict::Decided(
        if distinct && all && (next == field || matches!(next, b'\r' | b'\n')) {
            Protocol::AstmUnframed
        } else {
            Protocol::Unknown
        },
    )
}
