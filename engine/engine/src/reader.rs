//! The thread that reads what is not in memory.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::{io, thread};

use mllp_io::Senders as Outlet;
use mllp_pipeline::{
    Body, Fact, Failure, First, LaneId, MessageId, Note, Sameness, Seq, Source, Ticket, Work,
};
use mllp_store::{Held, Reader, StoreError};

use crate::traffic::{News, ToCore};

/// Bytes of bodies that come along with rows.
const AT_ONCE: u64 = 4 << 20;

/// What the reader is asked.
pub(crate) enum Question {
    Load { lane: LaneId, after: Seq, limit: u32 },
    Compare { ticket: Ticket, body: Body, with: MessageId, what: Sameness },
    Deliver(Handover),
}

/// A delivery whose bytes have to be read, or that comes after one.
pub(crate) struct Handover {
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) number: u32,
    pub(crate) lane: LaneId,
    pub(crate) seq: Seq,
    pub(crate) work: Work,
}

/// Starts the reader. It ends when the sender is dropped.
pub(crate) fn start(
    reader: Box<dyn Reader>,
    core: ToCore,
) -> io::Result<(Sender<Question>, JoinHandle<()>)> {
    let (sender, questions) = channel();
    let thread = thread::Builder::new().name("engine-reader".into());
    Ok((sender, thread.spawn(move || answer(reader, &questions, &core))?))
}

fn answer(mut reader: Box<dyn Reader>, questions: &Receiver<Question>, core: &ToCore) {
    while let Ok(question) = questions.recv() {
        let fact = match question {
            Question::Load { lane, after, limit } => {
                // Without rows it is asked again.
                let mut entries = reader.entries(lane, after, limit).unwrap_or_default();
                // A body that is not there is read when its turn comes, and what is wrong is seen.
                let _ = reader.fetch(&mut entries, AT_ONCE);
                Some(Fact::Loaded { lane, entries })
            }
            Question::Compare { ticket, body, with, what } => {
                // What cannot be compared is no duplicate: routed twice is better than lost.
                let first = compare(&mut *reader, &body, with, &what).unwrap_or_default();
                Some(Fact::Compared { ticket, first })
            }
            Question::Deliver(handover) => hand_over(&mut *reader, handover, core),
        };
        if let Some(fact) = fact
            && !core.tell(News::Fact(fact))
        {
            return;
        }
    }
}

fn hand_over(reader: &mut dyn Reader, handover: Handover, core: &ToCore) -> Option<Fact> {
    let Handover { outlet, number, lane, seq, work } = handover;
    let payload = bytes(reader, &work);
    let failed = match payload {
        Ok(Some(payload)) => {
            outlet.deliver(seq.0, payload);
            None
        }
        // Ours, not the message's: it is tried again.
        _ => Some(Fact::Failed {
            lane,
            seq,
            failure: Failure::Infrastructure,
            note: Note("the body cannot be read".into()),
        }),
    };
    core.tell(News::HandedOver(number));
    failed
}

/// The bytes of some work.
pub(crate) fn bytes(reader: &mut dyn Reader, work: &Work) -> Result<Option<Arc<[u8]>>, StoreError> {
    let message = Held::Message(work.message);
    match &work.body {
        Source::Memory(Body::Inline(bytes)) => Ok(Some(Arc::clone(bytes))),
        Source::Memory(Body::Chunked { id, .. }) => whole(reader, Held::Chunks(*id)),
        Source::Message => whole(reader, message),
        Source::Row(lane, seq) => match whole(reader, Held::Row(*lane, *seq))? {
            Some(bytes) => Ok(Some(bytes)),
            // The row has no body of its own.
            None => whole(reader, message),
        },
    }
}

fn whole(reader: &mut dyn Reader, of: Held) -> Result<Option<Arc<[u8]>>, StoreError> {
    let mut bytes = Vec::new();
    let found = reader.body(of, &mut |part| bytes.extend_from_slice(part))?;
    Ok(found.then(|| bytes.into()))
}

fn compare(
    reader: &mut dyn Reader,
    body: &Body,
    with: MessageId,
    what: &Sameness,
) -> Result<Option<First>, StoreError> {
    let Some(first) = reader.message(with)? else { return Ok(None) };
    let may_be = match what {
        Sameness::Bytes => first.len == body.len(),
        Sameness::ControlIdAndBody(control_id) => first.message.control_id == *control_id,
    };
    if !may_be {
        return Ok(None);
    }
    let body = match body {
        Body::Inline(bytes) => Some(Arc::clone(bytes)),
        Body::Chunked { id, .. } => whole(reader, Held::Chunks(*id))?,
    };
    let stored = whole(reader, Held::Message(with))?;
    let same = match (body, stored) {
        (Some(body), Some(stored)) => what.holds(&body, &stored),
        _ => false,
    };
    Ok(same.then_some(First {
        message: with,
        disposition: first.disposition,
        acknowledgment: first.message.acknowledgment,
    }))
}
