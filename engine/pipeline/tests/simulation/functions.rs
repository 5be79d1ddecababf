//! The routers and handlers of a run. They are pure: the bytes decide.

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

/// What a handler sends, by index of the outbound; `None`: it raises. A body of `None` is the message
/// itself, which only the first handler sends, at most once: so that the rows of a lane tell who made
/// them.
pub fn transform(
    handler: usize,
    bytes: &[u8],
    outbounds: usize,
) -> Option<Vec<(usize, Option<Vec<u8>>)>> {
    let hash = hash(bytes, 200 + handler as u64);
    if hash.is_multiple_of(10) {
        return None;
    }
    let count = [0, 1, 1, 1, 2, 3][(hash >> 8) as usize % 6];
    let sends = (0..count).map(|n: usize| {
        let outbound = (hash >> (16 + 4 * n)) as usize % outbounds;
        let own = handler > 0 || n > 0 || hash >> 40 & 1 == 0;
        (outbound, own.then(|| [bytes, format!("/{handler}.{n}").as_bytes()].concat()))
    });
    Some(sends.collect())
}

/// MSH-10 of a body. So few that messages meet their namesakes; some bodies have none.
pub fn control_id(bytes: &[u8]) -> Vec<u8> {
    match hash(bytes, 500) % 8 {
        0 => Vec::new(),
        n => format!("id {n}").into_bytes(),
    }
}

/// Whether a partner refuses these bytes for good.
pub fn refused_for_good(outbound: usize, bytes: &[u8]) -> bool {
    hash(bytes, 300 + outbound as u64).is_multiple_of(16)
}

/// Whether the message is refused at intake.
pub fn undecodable(bytes: &[u8]) -> bool {
    hash(bytes, 400).is_multiple_of(16)
}
