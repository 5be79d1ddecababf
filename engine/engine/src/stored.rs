//! Bodies that are in the store: where they are, and how they are read piece by piece.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use mllp_io::{Content, PieceTo, Source as Pieces};
use mllp_pipeline::{Body, BodyId, Source, Work};
use mllp_store::{Held, INLINE_LIMIT, Reader, StoreError};

use crate::reader::Question;

/// The body of some work; `None`: it is gone.
pub(crate) fn find(reader: &mut dyn Reader, work: &Work) -> Result<Option<Body>, StoreError> {
    let message = Held::Message(work.message);
    match &work.body {
        Source::Memory(body) => Ok(Some(body.clone())),
        Source::Message => reader.find(message),
        Source::Row(lane, seq) => match reader.find(Held::Row(*lane, *seq))? {
            Some(body) => Ok(Some(body)),
            // The row has no body of its own.
            None => reader.find(message),
        },
    }
}

/// The first bytes of a body in chunks; `None`: they are gone.
pub(crate) fn beginning(
    reader: &mut dyn Reader,
    body: BodyId,
) -> Result<Option<Arc<[u8]>>, StoreError> {
    Ok(reader.chunk(body, 0)?.map(|chunk| chunk.0))
}

/// What a sender gets of a body, which may be large; `None`: it is gone.
pub(crate) fn content(
    reader: &mut dyn Reader,
    body: Body,
    questions: &Sender<Question>,
) -> Result<Option<Content>, StoreError> {
    let (body, len) = match body {
        Body::Inline(bytes) => return Ok(Some(Content::Whole(bytes))),
        Body::Chunked { id, len } => (id, len),
    };
    let Some(first) = beginning(reader, body)? else { return Ok(None) };
    // As much as a small message would have in memory.
    let beginning = first[..first.len().min(INLINE_LIMIT)].into();
    let source = Arc::new(InChunks { body, questions: questions.clone() });
    Ok(Some(Content::Pieces { beginning, len, source }))
}

/// A body in chunks, which the reader reads.
struct InChunks {
    body: BodyId,
    questions: Sender<Question>,
}

impl Pieces for InChunks {
    fn read(&self, n: u32, to: PieceTo) {
        let _ = self.questions.send(Question::Piece { body: self.body, n, to });
    }
}
