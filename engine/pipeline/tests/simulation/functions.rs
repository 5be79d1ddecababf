//! The routers and handlers of a run. They are pure: the bytes decide.

use std::ops::Range;

use crate::rng::hash;

/// What a router does with a message: the handlers it names, by index; `None`: it raises.
pub fn route(inbound: usize, bytes: &[u8], handlers: usize) -> Option<Vec<usize>> {
    let hash = hash(bytes, 100 + inbound as u64);
    match hash % 12 {
        0 => None,
        1 => Some(Vec::new()),
        _ => Some((0..handlers).filter(|at| hash >> (8 + at) & 3 != 0).collect()),
    }
}

/// Where a handler sends to, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Outbound(usize),
    /// It goes on with what is sent.
    Handler(usize),
    /// Its router goes on with what is sent.
    Inbound(usize),
}

/// Where handlers may send to: how many handlers, outbounds, and the inbounds that nothing else sends to.
pub struct Targets {
    pub handlers: usize,
    pub outbounds: usize,
    pub inbounds: Range<usize>,
}

/// Whether handlers send the message to themselves for ever.
fn goes_in_circles(bytes: &[u8]) -> bool {
    let received = bytes.split(|byte| *byte == b'>' || *byte == b'/').next().unwrap_or_default();
    hash(received, 600).is_multiple_of(24)
}

/// What a handler sends; `None`: it raises. The bytes tell who made them: `/2.0` is the first send of
/// the third handler, and `>2.0:1` one to the second handler. A body of `None` is what the handler was given: of
/// the message itself only the first handler sends that, at most once. `>2.0:i1` is one to the second inbound,
/// which gets what the handler was given now and then.
pub fn transform(
    handler: usize,
    bytes: &[u8],
    targets: &Targets,
) -> Option<Vec<(To, Option<Vec<u8>>)>> {
    let hash = hash(bytes, 200 + handler as u64);
    if hash.is_multiple_of(10) {
        return None;
    }
    let circles = goes_in_circles(bytes);
    // One handler alone was given these bytes.
    let last_hop = bytes.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    let is_chained = bytes.contains(&b'>') && !last_hop.starts_with(b"i");
    let count = [usize::from(circles), 1, 1, 1, 2, 3][(hash >> 8) as usize % 6];
    let sends = (0..count).map(|n: usize| {
        let place = (hash >> (16 + 4 * n)) as usize;
        let goes_on = circles && n == 0 || hash >> (44 + 4 * n) & 7 == 0;
        if goes_on {
            // Of a message that goes round only the first handler does: its routers would multiply it.
            let is_routed = hash >> (3 * n) & 3 != 0 && (handler == 0 || !circles);
            if !targets.inbounds.is_empty() && is_routed {
                let next = targets.inbounds.start + place % targets.inbounds.len();
                let body = [bytes, format!(">{handler}.{n}:i{next}").as_bytes()].concat();
                let is_changed = n > 0 || handler > 0 || hash >> 20 & 1 == 0;
                return (To::Inbound(next), is_changed.then_some(body));
            }
            let next = if circles { handler } else { place % targets.handlers };
            let body = [bytes, format!(">{handler}.{n}:{next}").as_bytes()].concat();
            return (To::Handler(next), Some(body));
        }
        let own = n > 0 || handler > 0 && !is_chained || hash >> 40 & 1 == 0;
        let body = own.then(|| [bytes, format!("/{handler}.{n}").as_bytes()].concat());
        (To::Outbound(place % targets.outbounds), body)
    });
    Some(sends.collect())
}

/// The bytes after the header, where a message has one: it comes with another header each time.
pub fn after_header(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\r');
    end.map_or(bytes, |at| &bytes[at + 1..])
}

/// MSH-10 of a body. So few that messages meet their namesakes; some bodies have none.
pub fn control_id(bytes: &[u8]) -> Vec<u8> {
    match hash(after_header(bytes), 500) % 8 {
        0 => Vec::new(),
        n => format!("id {n}").into_bytes(),
    }
}

/// What a body is about. So few keys that messages meet; some have several, some none.
pub fn keys(bytes: &[u8]) -> Vec<u64> {
    match hash(bytes, 600) % 16 {
        0 => Vec::new(),
        1 => vec![3, 1],
        2 => vec![2, 3],
        n => vec![n % 4],
    }
}

/// Whether two bodies may not be with a partner together, in a lane that is ordered by key.
pub fn share_a_key(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (keys(one), keys(other));
    one.is_empty() || other.is_empty() || one.iter().any(|key| other.contains(key))
}

/// Whether a partner refuses these bytes for good.
pub fn refused_for_good(outbound: usize, bytes: &[u8]) -> bool {
    hash(bytes, 300 + outbound as u64).is_multiple_of(16)
}

/// Whether the message is refused at intake.
pub fn undecodable(bytes: &[u8]) -> bool {
    hash(bytes, 400).is_multiple_of(16)
}
