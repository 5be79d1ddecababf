//! Whether a message that was received is the same as a stored one.

use mllp_pipeline::{
    Body, Disposition, Entry, Event, Fact, First, LaneId, List, MessageId, Piece, Position,
    Sameness, Seq, Ticket, What,
};
use mllp_store::{Held, Reader, StoreError};

/// Deliveries of one message that are looked at.
const MOST_ROWS: u32 = 1_000;

/// Two bodies that are compared, all of them or what follows their headers. Large ones take many steps,
/// a chunk of each at a time, so that neither is ever in memory whole and other questions do not wait.
pub(crate) struct Comparison {
    ticket: Ticket,
    with: MessageId,
    is_retry: bool,
    sides: [Side; 2],
}

/// One of the bodies, and how far it has come.
struct Side {
    body: Body,
    n: u32,
    /// Bytes that are not compared yet.
    bytes: Piece,
    from: usize,
    /// How many there are in all that are not compared yet.
    left: u64,
    /// They begin with a header that does not count.
    in_header: bool,
}

impl Comparison {
    /// Begins to compare; `None`: they cannot be the same.
    pub(crate) fn begin(
        reader: &mut dyn Reader,
        ticket: Ticket,
        body: Body,
        with: MessageId,
        what: &Sameness,
    ) -> Result<Option<Comparison>, StoreError> {
        let Some(stored) = reader.find(Held::Message(with))? else { return Ok(None) };
        let (may_be, in_header) = match what {
            Sameness::Bytes => (stored.len() == body.len(), false),
            Sameness::ControlIdAndBody(control_id) => {
                let first = reader.message(with)?;
                (first.is_some_and(|it| it.message.control_id == *control_id), true)
            }
        };
        let sides = [body, stored].map(|body| Side::new(body, in_header));
        Ok(may_be.then_some(Comparison { ticket, with, is_retry: in_header, sides }))
    }

    /// Compares the next bytes; true or false: that is the result.
    pub(crate) fn step(&mut self, reader: &mut dyn Reader) -> Result<Option<bool>, StoreError> {
        let [ours, theirs] = &mut self.sides;
        if !(ours.read_on(reader)? && theirs.read_on(reader)?) {
            return Ok(Some(false));
        }
        let len = ours.rest().len().min(theirs.rest().len());
        if ours.rest()[..len] != theirs.rest()[..len] {
            return Ok(Some(false));
        }
        ours.pass(len);
        theirs.pass(len);
        let (ours, theirs) = (ours.left, theirs.left);
        Ok((ours == 0 || theirs == 0).then_some(ours == theirs))
    }

    /// What the core is told. What cannot be compared is not a duplicate: routed twice is better than
    /// lost.
    pub(crate) fn fact(&self, reader: &mut dyn Reader, same: Result<bool, StoreError>) -> Fact {
        let same = same.unwrap_or(false);
        let stored = if same { reader.message(self.with).ok().flatten() } else { None };
        let first = stored.map(|it| {
            let has_failed = self.is_retry && it.disposition == Disposition::Error;
            let is_open = self.is_retry && !it.disposition.is_final();
            First {
                message: self.with,
                disposition: it.disposition,
                acknowledgment: it.message.acknowledgment,
                held: if is_open { rows(reader, List::Held, self.with) } else { Vec::new() },
                dead: if has_failed { dead(reader, self.with) } else { Vec::new() },
                was_sent: !has_failed || was_sent(reader, self.with),
            }
        });
        Fact::Compared { ticket: self.ticket, first }
    }
}

/// Deliveries of a message that have left their lanes. One that cannot be read is taken for none: then the
/// sender is answered AE, if later, and nothing is sent again.
fn rows(reader: &mut dyn Reader, list: List, message: MessageId) -> Vec<(LaneId, Seq)> {
    let after = Position { message, ..Position::START };
    let listed = reader.listed(list, None, after, MOST_ROWS).unwrap_or_default();
    let own = listed.into_iter().take_while(|it| it.position.message == message);
    own.map(|it| (it.position.lane, it.position.seq)).collect()
}

/// Dead deliveries of a message, with what they had sent.
fn dead(reader: &mut dyn Reader, message: MessageId) -> Vec<(LaneId, Entry)> {
    let rows = rows(reader, List::Dead, message).into_iter();
    let entry = |(lane, seq): (LaneId, Seq)| {
        let found = reader.entries(lane, Seq(seq.0 - 1), 1).ok()?.into_iter().next();
        found.filter(|it| it.seq == seq).map(|it| (lane, it))
    };
    rows.filter_map(entry).collect()
}

/// Whether a delivery of a message was ever begun, or given up by an operator: all of them have ended, each
/// with one of these. What cannot be read may be so.
fn was_sent(reader: &mut dyn Reader, message: MessageId) -> bool {
    let is_end = |event: &Event| {
        matches!(event.what, What::Delivered { .. } | What::Dead { .. } | What::Cancelled { .. })
    };
    reader.journey(message).map_or(true, |events| events.iter().any(is_end))
}

impl Side {
    fn new(body: Body, in_header: bool) -> Side {
        let left = body.len();
        Side { body, n: 0, bytes: Piece::default(), from: 0, left, in_header }
    }

    fn rest(&self) -> &[u8] {
        &self.bytes.0[self.from..]
    }

    fn pass(&mut self, len: usize) {
        self.from += len;
        self.left = self.left.saturating_sub(len as u64);
    }

    /// Reads on if everything that was read is compared and there should be more; false: it is
    /// missing.
    fn read_on(&mut self, reader: &mut dyn Reader) -> Result<bool, StoreError> {
        while self.rest().is_empty() && self.left > 0 {
            let next = match &self.body {
                Body::Inline(bytes) => (self.n == 0).then(|| Piece(bytes.clone())),
                Body::Chunked { id, .. } => reader.chunk(*id, self.n)?,
            };
            self.n += 1;
            (self.bytes, self.from) = (next.unwrap_or_default(), 0);
            if self.rest().is_empty() {
                return Ok(false);
            }
            if self.in_header {
                let end = self.rest().iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                self.in_header = end.is_none();
                self.pass(end.map_or(self.rest().len(), |at| at + 1));
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use mllp_pipeline::{BodyId, LaneId, NewMessage, Record, Transaction};
    use mllp_store::{MemoryStore, Store};

    use super::*;

    fn commit(store: &mut MemoryStore, record: Record) {
        let records = vec![record];
        store.commit(&Transaction { records, lanes: Vec::new() }).unwrap();
    }

    /// Whether a body in these chunks is the same as a stored one in those, which says how long it is.
    fn same(ours: &[&[u8]], theirs: &[&[u8]], len: u64) -> bool {
        compared(ours, theirs, len, &Sameness::Bytes)
    }

    /// The same of two messages, of which the stored one has the control ID M1.
    fn compared(ours: &[&[u8]], theirs: &[&[u8]], len: u64, what: &Sameness) -> bool {
        let mut store = MemoryStore::new();
        for (body, chunks) in [(BodyId(1), ours), (BodyId(2), theirs)] {
            for (n, bytes) in (0..).zip(chunks) {
                commit(&mut store, Record::Chunk { body, n, bytes: Piece::from(*bytes) });
            }
        }
        let body = Body::Chunked { id: BodyId(2), len };
        let control_id = Piece::from(&b"M1"[..]);
        let message = NewMessage { body, control_id, ..NewMessage::new(MessageId(1), LaneId(1)) };
        commit(&mut store, Record::Message(message));
        let mut reader = store.reader().unwrap();
        let body =
            Body::Chunked { id: BodyId(1), len: ours.iter().map(|it| it.len() as u64).sum() };
        let begun = Comparison::begin(&mut *reader, Ticket(1), body, MessageId(1), what).unwrap();
        let Some(mut comparison) = begun else { return false };
        let same = loop {
            if let Some(same) = comparison.step(&mut *reader).unwrap() {
                break same;
            }
        };
        let Fact::Compared { first, .. } = comparison.fact(&mut *reader, Ok(same)) else {
            unreachable!()
        };
        assert_eq!(first.is_some(), same);
        same
    }

    #[test]
    fn bodies_are_compared_to_their_last_byte_however_they_are_cut() {
        assert!(same(&[b"abc", b"def"], &[b"abc", b"def"], 6));
        assert!(same(&[b"abc", b"def"], &[b"a", b"bcde", b"f"], 6));
        assert!(!same(&[b"abc", b"def"], &[b"abc", b"deX"], 6));
        assert!(!same(&[b"abc", b"def"], &[b"abc", b"defg"], 7));
        assert!(!same(&[b"abc", b"def"], &[b"abc"], 6), "a chunk is missing");
    }

    #[test]
    fn what_follows_the_header_is_compared_for_a_retry() {
        let same = |ours: &[&[u8]], theirs: &[&[u8]], control_id: &[u8]| {
            let len = theirs.iter().map(|it| it.len() as u64).sum();
            compared(ours, theirs, len, &Sameness::ControlIdAndBody(Piece::from(control_id)))
        };
        assert!(same(&[b"MSH|1\rPID"], &[b"MSH|12\rPID"], b"M1"));
        assert!(same(&[b"MSH", b"|1", b"\rPI", b"D"], &[b"MSH|1234\r", b"PID"], b"M1"));
        assert!(same(&[b"MSH|1\r"], &[b"MS", b"H|12"], b"M1"), "nothing follows");
        assert!(!same(&[b"MSH|1\nPID"], &[b"MSH|1\nPIX"], b"M1"), "segments that end with LF");
        assert!(!same(&[b"MSH|1\rPID"], &[b"MSH|1\rPID"], b"M2"), "another control ID");
        assert!(!same(&[b"MSH|1\rPID"], &[b"MSH|1\rPIX"], b"M1"));
        assert!(!same(&[b"MSH|1\rPID"], &[b"MSH|1\rPID\rOBX"], b"M1"));
        assert!(!same(&[b"MSH|1\rPID"], &[b"MSH|1\r"], b"M1"));
    }
}
