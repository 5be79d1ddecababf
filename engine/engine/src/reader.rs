//! The thread that reads what is not in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::{io, thread};

use mllp_io::{Content, PieceTo};
use mllp_pipeline::{Body, BodyId, Fact, LaneId, MessageId, Sameness, Seq, Ticket, Work};
use mllp_store::{Reader, StoreError};

use crate::comparison::Comparison;
use crate::outlet::{Name, Outlet};
use crate::stored;
use crate::traffic::{News, ToCore, Unread};

/// Bytes of bodies that come along with rows.
const AT_ONCE: u64 = 4 << 20;

/// What the reader is asked.
pub(crate) enum Question {
    Load {
        lane: LaneId,
        after: Seq,
        limit: u32,
    },
    Compare {
        ticket: Ticket,
        body: Body,
        with: MessageId,
        what: Sameness,
    },
    Deliver(Handover),
    /// A chunk of a body that is being sent.
    Piece {
        body: BodyId,
        n: u32,
        to: PieceTo,
    },
}

/// A delivery whose bytes have to be read, or that comes after one.
pub(crate) struct Handover {
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) number: u32,
    pub(crate) lane: LaneId,
    pub(crate) seq: Seq,
    pub(crate) work: Work,
    /// With the generation of this sender's deliveries when this one was ordered.
    pub(crate) name: Name,
    /// And now: those of an earlier generation are forgotten.
    pub(crate) current: Arc<AtomicU64>,
    /// For the pieces of a large body.
    pub(crate) questions: Sender<Question>,
}

/// Starts the reader. It ends when the sender is dropped.
pub(crate) fn start(
    reader: Box<dyn Reader>,
    core: ToCore,
) -> io::Result<(Sender<Question>, JoinHandle<()>)> {
    let (sender, questions) = channel();
    let thread = thread::Builder::new().name("engine-reader".into());
    let (comparisons, broken) = (VecDeque::new(), HashMap::new());
    let mut desk = Desk { reader, core, comparisons, broken };
    Ok((sender, thread.spawn(move || desk.work(&questions))?))
}

struct Desk {
    reader: Box<dyn Reader>,
    core: ToCore,
    /// Large bodies that are compared, a chunk at a time between other questions.
    comparisons: VecDeque<Comparison>,
    /// Senders with a delivery that could not be read, and its generation: no later one of that
    /// generation may pass it.
    broken: HashMap<u32, u64>,
}

impl Desk {
    fn work(&mut self, questions: &Receiver<Question>) {
        loop {
            let question = match self.comparisons.is_empty() {
                true => questions.recv().map_err(|_| TryRecvError::Disconnected),
                false => questions.try_recv(),
            };
            let answer = match question {
                Ok(question) => self.answer(question),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return,
            };
            let compared = self.compare().map(News::Fact);
            if !answer.into_iter().chain(compared).all(|news| self.core.tell(news)) {
                return;
            }
        }
    }

    fn answer(&mut self, question: Question) -> Option<News> {
        match question {
            Question::Load { lane, after, limit } => {
                // Without rows it is asked again.
                let mut entries = self.reader.entries(lane, after, limit).unwrap_or_default();
                // A body that is not there is read when its turn comes, and what is wrong is seen.
                let _ = self.reader.fetch(&mut entries, AT_ONCE);
                Some(News::Fact(Fact::Loaded { lane, entries }))
            }
            Question::Compare { ticket, body, with, what } => {
                match Comparison::begin(&mut *self.reader, ticket, body, with, &what) {
                    Ok(Some(comparison)) => {
                        self.comparisons.push_back(comparison);
                        None
                    }
                    Ok(None) | Err(_) => Some(News::Fact(Fact::Compared { ticket, first: None })),
                }
            }
            Question::Deliver(handover) => Some(self.hand_over(handover)),
            Question::Piece { body, n, to } => {
                // Dropped, it says that there is none.
                if let Ok(Some(chunk)) = self.reader.chunk(body, n) {
                    to.give(chunk.0);
                }
                None
            }
        }
    }

    /// Goes on with the comparison whose turn it is.
    fn compare(&mut self) -> Option<Fact> {
        let mut comparison = self.comparisons.pop_front()?;
        match comparison.step(&mut *self.reader).transpose() {
            Some(same) => Some(comparison.fact(&mut *self.reader, same)),
            None => {
                self.comparisons.push_back(comparison);
                None
            }
        }
    }

    fn hand_over(&mut self, handover: Handover) -> News {
        let Handover { number, lane, seq, name, .. } = handover;
        let generation = name.generation;
        if generation < handover.current.load(Ordering::Acquire) {
            return News::HandedOver { number, unread: None };
        }
        let broken = self.broken.get(&number) == Some(&generation);
        let content = if broken { Ok(None) } else { self.content(&handover) };
        match content {
            Ok(Some(content)) => {
                handover.outlet.deliver(name, content);
                News::HandedOver { number, unread: None }
            }
            Ok(None) | Err(_) => {
                self.broken.insert(number, generation);
                News::HandedOver { number, unread: Some(Unread { lane, seq, generation }) }
            }
        }
    }

    fn content(&mut self, handover: &Handover) -> Result<Option<Content>, StoreError> {
        let Some(body) = stored::find(&mut *self.reader, &handover.work)? else { return Ok(None) };
        stored::content(&mut *self.reader, body, &handover.questions)
    }
}

#[cfg(test)]
mod tests {
    use mllp_io::{Report, Reports, SenderOptions, Senders};
    use mllp_pipeline::Source;
    use mllp_store::{MemoryStore, Store};

    use super::*;

    struct Nobody;

    impl Reports for Nobody {
        fn reported(&self, _sender: u32, _reports: &mut Vec<Report>) {}

        fn ready(&self, _sender: u32, _ready: bool) {}
    }

    /// What is said of deliveries that are handed over: those that could not be read.
    #[test]
    fn no_delivery_passes_one_that_could_not_be_read() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let inside = runtime.enter();
        let reports: Arc<dyn Reports> = Arc::new(Nobody);
        let options = SenderOptions::new(0, "127.0.0.1", 1);
        let outlet = Arc::new(Outlet::Senders(Senders::start(&options, 1, &reports)));
        drop(inside);
        let (questions, _) = channel();
        let current = Arc::new(AtomicU64::new(0));
        let (core, _news) = ToCore::new();
        let reader = MemoryStore::new().reader().unwrap();
        let (comparisons, broken) = (VecDeque::new(), HashMap::new());
        let mut desk = Desk { reader, core, comparisons, broken };
        let there = Body::Inline((*b"MSH|").into());
        let gone = Body::Chunked { id: BodyId(1), len: 100_000 };
        let mut unread = |number, generation, body: &Body| {
            let handover = Handover {
                outlet: Arc::clone(&outlet),
                number,
                lane: LaneId(1),
                seq: Seq(1),
                work: Work { message: MessageId(1), body: Source::Memory(body.clone()), hops: 0 },
                name: Name { generation, number: 1, message: MessageId(1), attempt: 1 },
                current: Arc::clone(&current),
                questions: questions.clone(),
            };
            let News::HandedOver { unread, .. } = desk.hand_over(handover) else { unreachable!() };
            unread.map(|it| it.generation)
        };
        assert_eq!(unread(0, 0, &there), None);
        assert_eq!(unread(0, 0, &gone), Some(0));
        assert_eq!(unread(0, 0, &there), Some(0), "ordered before it was known");
        assert_eq!(unread(1, 0, &there), None, "another sender");
        assert_eq!(unread(0, 1, &there), None, "ordered again");
        assert_eq!(unread(0, 1, &gone), Some(1));
        current.store(2, Ordering::Release);
        assert_eq!(unread(0, 1, &gone), None, "forgotten: nothing is said of it any more");
    }
}
