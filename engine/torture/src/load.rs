//! The messages that are sent. A control ID decides everything about a message: its bytes, its
//! inbound, and where it has to go.

use std::time::Duration;

/// The inbounds. The number of a connection decides which one it sends to.
pub const INBOUNDS: [&str; 3] = ["IN_A", "IN_B", AFTER_DELIVERY];

/// Its senders are answered after the last verdict, or after this time.
pub(crate) const AFTER_DELIVERY: &str = "IN_VERDICT";
pub(crate) const VERDICT_WITHIN: Duration = Duration::from_millis(1_500);

/// The handlers.
pub(crate) const HANDLERS: [&str; 7] =
    ["copy", "change", "further", "onward", "spread", "large", "fail"];

/// A handler sends there, and its router chooses `onward`.
pub(crate) const HOP: &str = "IN_HOP";

/// The outbounds, each with its window.
pub const OUTBOUNDS: [(&str, u32); 9] = [
    ("OUT_ONE", 1),
    ("OUT_TWO", 1),
    ("OUT_FOUR", 4),
    ("OUT_WIDE", 8),
    ("OUT_KEY", 4),
    ("OUT_ANY", 4),
    ("OUT_MANY", 6),
    (LARGE, 2),
    (AGAIN, 2),
];

/// No handler sends there: only what an operator sends again.
pub(crate) const AGAIN: &str = "OUT_AGAIN";

/// Large messages go there among small ones, and nowhere else but where an operator sends them.
const LARGE: &str = "OUT_LARGE";

/// How long a partner may take. The latest answers come later, except where large messages go: on a
/// machine that is busy with other things, to read one takes longer than most partners have, every time.
pub(crate) fn timeout(outbound: &str) -> Duration {
    if [LARGE, AGAIN].contains(&outbound) { Duration::from_secs(3) } else { TIMEOUT }
}

/// How long most partners may take.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(300);

/// How deliveries follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordering {
    Fifo,
    /// By [`Sent::key`].
    Key,
    Unordered,
}

/// How an outbound orders its deliveries.
pub(crate) fn ordering(outbound: &str) -> Ordering {
    match outbound {
        "OUT_KEY" | "OUT_MANY" => Ordering::Key,
        "OUT_ANY" => Ordering::Unordered,
        _ => Ordering::Fifo,
    }
}

/// How many connections an outbound has.
pub(crate) fn connections(outbound: &str) -> usize {
    match outbound {
        "OUT_MANY" => 3,
        "OUT_ANY" => 2,
        _ => 1,
    }
}

/// Attempts before a delivery to this outbound is dead; the others try for ever.
pub(crate) const GIVES_UP: (&str, u32) = ("OUT_FOUR", 4);

/// What this outbound gives up waits for an operator; elsewhere it is dead.
pub(crate) const HOLDS: &str = "OUT_ONE";

/// What the handler `change` adds to a message.
const ADDED: &[u8] = b"ZTR|1|changed\r";
/// What the handlers `further` and `onward` add to what `change` has sent.
const ADDED_FURTHER: &[u8] = b"ZTR|2|further\r";

/// A message, by the connection that sends it and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sent {
    /// The connection.
    pub connection: u32,
    /// Counted from 1.
    pub number: u32,
}

/// What a handler makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) handler: &'static str,
    pub(crate) outbound: &'static str,
}

impl Sent {
    /// MSH-10.
    pub fn control_id(self) -> String {
        format!("T{}N{}", self.connection, self.number)
    }

    /// The message with this control ID; `None`: it is not one of ours.
    pub fn parse(control_id: &str) -> Option<Sent> {
        let (connection, number) = control_id.strip_prefix('T')?.split_once('N')?;
        Some(Sent { connection: connection.parse().ok()?, number: number.parse().ok()? })
    }

    /// The inbound it is sent to.
    pub fn inbound(self) -> &'static str {
        INBOUNDS[self.connection as usize % INBOUNDS.len()]
    }

    /// Whether its sender is answered after the last verdict.
    pub(crate) fn waits_for_verdict(self) -> bool {
        self.inbound() == AFTER_DELIVERY
    }

    /// PID-3.1: what a message is about. Some are about nothing, and nothing passes them.
    pub(crate) fn key(self) -> Option<String> {
        (self.number % 64 != 13).then(|| format!("K{}", self.number % 9))
    }

    /// Whether its connection sends the next one only when this one is answered.
    pub(crate) const fn is_sent_alone(self) -> bool {
        self.connection % 4 == 3
    }

    /// Whether it has 100 MB. Its connection comes to it after a minute or two.
    fn is_huge(self) -> bool {
        self.connection == 3 && self.number % 20_000 == 2_000
    }

    /// Whether it has some hundred thousand bytes or more.
    fn is_large(self) -> bool {
        self.is_huge() || self.filling() >= 600_000
    }

    /// Its bytes: a few hundred, now and then some thousand, on some connections more than a row
    /// of the store holds, rarely some million. Each says where it stands.
    pub fn bytes(self) -> Vec<u8> {
        let header = "MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|";
        let filling = self.filling();
        let (control_id, key) = (self.control_id(), self.key().unwrap_or_default());
        let start = format!("{header}{control_id}|P|2.5\rPID|1||{key}\rNTE|1||");
        let mut bytes = start.into_bytes();
        bytes.reserve_exact(filling + ADDED.len() + ADDED_FURTHER.len() + 1);
        bytes.extend((0..filling).map(|at| b'a' + ((at / 7 + at / 262_143) % 26) as u8));
        bytes.push(b'\r');
        bytes
    }

    /// How long its last field is.
    fn filling(self) -> usize {
        match self.number {
            _ if self.is_huge() => 100_000_000,
            n if n % 400 == 150 && self.connection % 2 == 1 => {
                (1 + (n / 400 + self.connection) as usize % 8) * 1_000_000
            }
            n if n % 200 == 77 && self.connection == 1 => 600_000,
            n if n % 50 == 27 && self.connection % 4 == 1 => 70_000,
            n if n % 100 == 33 => 5_000,
            n => 20 + n as usize % 90,
        }
    }

    /// The bytes that this handler sends.
    pub(crate) fn bytes_from(self, handler: &str) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.extend_from_slice(&added(handler).concat());
        bytes
    }

    /// The handlers that the router chooses.
    pub(crate) fn handlers(self) -> &'static [&'static str] {
        match self.number % 16 {
            _ if self.is_huge() => &["large"],
            _ if self.is_large() => &["change"],
            0 => &[],
            1 => &["copy", "fail"],
            2 => &["change"],
            3..6 => &["copy"],
            6 => &["copy", "change", "large"],
            12.. => &["copy", "change", "spread"],
            _ => &["copy", "change"],
        }
    }

    /// The handler or the inbound that a handler sends to, after its outbounds.
    pub(crate) fn sends_further(self, handler: &str) -> Option<&'static str> {
        match (handler, self.number % 16) {
            _ if self.is_large() => None,
            ("change", 7) => Some("further"),
            ("change", 11) => Some(HOP),
            _ => None,
        }
    }

    /// The handler that a handler sends to, at once or by another router.
    fn next_handler(self, handler: &str) -> Option<&'static str> {
        let to = self.sends_further(handler)?;
        Some(if to == HOP { "onward" } else { to })
    }

    /// The outbounds that a handler sends to, in order.
    pub(crate) fn outbounds(self, handler: &str) -> &'static [&'static str] {
        match (handler, self.number % 16) {
            ("copy", n) if n % 4 == 0 => &["OUT_ONE", "OUT_FOUR"],
            ("copy", 3 | 5) => &["OUT_ONE", "OUT_MANY"],
            ("copy", _) => &["OUT_ONE"],
            ("change", _) if self.is_large() => &[LARGE],
            // Filtered.
            ("change", 2) => &[],
            ("change", n) if n % 2 == 0 => &["OUT_TWO", "OUT_WIDE"],
            ("change", _) => &["OUT_WIDE"],
            ("further" | "onward", _) => &["OUT_TWO"],
            ("large", _) => &[LARGE],
            ("spread", n) if n % 2 == 0 => &["OUT_KEY", "OUT_ANY"],
            ("spread", _) => &["OUT_KEY", "OUT_MANY"],
            _ => &[],
        }
    }

    /// Whether the handler `change` takes longer over it than it may without resting.
    pub(crate) fn is_slow(self) -> bool {
        self.number % 256 == 137
    }

    /// Where it has to arrive.
    pub(crate) fn ways(self) -> Vec<Way> {
        let further = self.handlers().iter().filter_map(|handler| self.next_handler(handler));
        let handlers = self.handlers().iter().copied().chain(further);
        let of =
            |handler| self.outbounds(handler).iter().map(move |outbound| Way { handler, outbound });
        handlers.flat_map(of).collect()
    }

    /// Whether one of its handlers fails on it.
    pub(crate) fn fails(self) -> bool {
        self.handlers().contains(&"fail")
    }
}

/// What a handler adds to what has come in.
pub(crate) fn added(handler: &str) -> &'static [&'static [u8]] {
    match handler {
        "change" => &[ADDED],
        "further" | "onward" => &[ADDED, ADDED_FURTHER],
        _ => &[],
    }
}

/// The window of an outbound.
pub(crate) fn window(outbound: &str) -> u32 {
    OUTBOUNDS.iter().find(|(name, _)| *name == outbound).map_or(1, |(_, window)| *window)
}
