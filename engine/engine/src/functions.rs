//! The program's own routers and handlers.

use std::fmt;
use std::sync::Arc;

use hl7_peek::{Path, Scan};

/// A message, as a router or a handler sees it.
///
/// Of a message above 64 KiB only the beginning is in memory, until the function asks for more: for
/// [`payload`](Message::payload), or for a path that lies beyond. A function that asks for the header
/// alone costs no more for a large message than for a small one.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a dyn Bytes,
}

/// The bytes of a message, which may have to be read.
pub(crate) trait Bytes: Sync {
    /// The first bytes.
    fn beginning(&self) -> &[u8];
    /// How many there are in all.
    fn size(&self) -> u64;
    /// All of them.
    fn whole(&self) -> &[u8];
    /// Whether some were asked for that could not be read.
    fn has_failed(&self) -> bool {
        false
    }
}

impl Bytes for Arc<[u8]> {
    fn beginning(&self) -> &[u8] {
        self
    }

    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn whole(&self) -> &[u8] {
        self
    }
}

impl<'a> Message<'a> {
    pub(crate) const fn new(bytes: &'a dyn Bytes) -> Self {
        Message { bytes }
    }

    /// What was received, byte for byte, or what another handler sent. Empty if the store cannot be
    /// read for now: what the function makes of that is thrown away, and it is called again.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.whole()
    }

    /// Length of the payload in bytes.
    pub fn len(&self) -> u64 {
        self.bytes.size()
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        self.bytes.has_failed()
    }

    /// Whether the payload has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes at a path such as `PID-3.1`, still escaped; `None` if there is nothing, no header,
    /// or no such path. One pass over the message for each call.
    pub fn get(&self, path: &str) -> Option<&'a [u8]> {
        let parsed = Path::parse(path).ok()?;
        let beginning = self.bytes.beginning();
        if beginning.len() as u64 == self.len() {
            return at(beginning, parsed);
        }
        // What ends before the beginning does is whole, and so is a header that does.
        let found = at(beginning, parsed).filter(|it| ends_inside(it, beginning));
        let in_header = path.starts_with("MSH") && has_whole_header(beginning);
        if found.is_some() || in_header { found } else { at(self.payload(), parsed) }
    }
}

fn at(payload: &[u8], path: Path) -> Option<&[u8]> {
    let message = hl7_peek::Message::parse_lenient(payload, Scan::SingleByte)?;
    message.get(path).filter(|it| !it.is_empty())
}

/// Whether a value of these bytes is followed by any of them.
fn ends_inside(value: &[u8], bytes: &[u8]) -> bool {
    value.as_ptr_range().end < bytes.as_ptr_range().end
}

fn has_whole_header(beginning: &[u8]) -> bool {
    beginning.starts_with(b"MSH") && beginning.contains(&b'\r')
}

/// What a handler sends, and where to: an outbound, a handler that goes on with it, or an inbound that is a
/// [pass-through](crate::Builder::pass_through), whose router does. It is sent on eight times at most; then its
/// message ends in ERROR.
#[derive(Clone, PartialEq, Eq)]
pub struct Send {
    pub(crate) to: String,
    pub(crate) payload: Option<Arc<[u8]>>,
}

// What is sent is health data: it stays out of logs and panics.
impl fmt::Debug for Send {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Send { to, payload } = self;
        match payload {
            Some(payload) => write!(f, "Send(to {to}, {} bytes)", payload.len()),
            None => write!(f, "Send(to {to}, unchanged)"),
        }
    }
}

impl Send {
    /// The bytes that the handler was given.
    pub fn unchanged(to: impl Into<String>) -> Send {
        Send { to: to.into(), payload: None }
    }

    /// Other bytes.
    pub fn bytes(to: impl Into<String>, payload: impl Into<Arc<[u8]>>) -> Send {
        Send { to: to.into(), payload: Some(payload.into()) }
    }
}

/// What a function panics with when it has failed on a message and can say why. Any other panic says
/// `panic`. The message ends in ERROR either way.
pub struct Failed {
    note: String,
}

impl Failed {
    /// Ends the function. Nothing is printed, as it would be for another panic.
    ///
    /// `note` goes into the journey, such as `ValueError at adt.py:14 in to_lab`: nothing that the message
    /// holds.
    pub fn raise(note: impl Into<String>) -> ! {
        std::panic::resume_unwind(Box::new(Failed { note: note.into() }))
    }

    /// The note of a panic.
    pub(crate) fn note_of(panic: &(dyn std::any::Any + std::marker::Send)) -> &str {
        panic.downcast_ref::<Failed>().map_or("panic", |it| &it.note)
    }
}

// A function may have put anything into the note.
impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed").finish_non_exhaustive()
    }
}

/// Chooses handlers by their names.
pub(crate) type Router = Arc<dyn Fn(&Message<'_>) -> Vec<String> + std::marker::Send + Sync>;

/// Filters and transforms.
pub(crate) type Handler = Arc<dyn Fn(&Message<'_>) -> Vec<Send> + std::marker::Send + Sync>;
