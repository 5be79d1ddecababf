//! What every store promises. The pipeline never asks which one it has.

use std::ops::Range;
use std::path::Path;

use mllp_pipeline::{
    Body, BodyId, CommitOutcome, Disposition, Entry, Event, Head, LaneId, MessageId, NewMessage,
    Piece, Room, Seq, Stage, Stamp, Transaction,
};

use crate::backup::{BackupError, Between, Copied};
use crate::error::StoreError;
use crate::life::Life;
use crate::lists::Lists;
use crate::query::{Found, Query};
use crate::retention::{Expiry, LastPass};
use crate::verify::{Finding, Verified};

/// Bodies above this many bytes are written in chunks, before the commit that makes their message
/// exist.
pub const INLINE_LIMIT: usize = 64 * 1024;

/// The longest chunk in bytes. Each is committed by itself.
pub const CHUNK: usize = 256 * 1024;

/// A lane by the name that its configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LaneName {
    /// Its stage.
    pub stage: Stage,
    /// The name of the inbound, handler or outbound.
    pub name: String,
}

/// Unused numbers, for the life that begins. Where nodes share a store no other life
/// comes to use them either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The next message.
    pub message: MessageId,
    /// The next body in chunks.
    pub body: BodyId,
    /// The next stamp. Every life of a store has 2^40 of them. They order what one life writes to a
    /// message; what nodes write to it that live at the same time is ordered by their commits.
    pub stamp: Stamp,
}

/// The writing end of a store. There is one in a process, used by one thread: the stores of this crate can
/// be sent there, and what [`back_up`](Store::back_up) lends out stays there.
///
/// Every call blocks. What is committed is durable: it survives a power cut.
pub trait Store {
    /// Numbers for this life.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be used.
    fn numbers(&mut self) -> Result<Numbers, StoreError>;

    /// Writes down that a life begins; durable on return. Its first stamp is from
    /// [`numbers`](Store::numbers).
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is not written down.
    fn begin_life(&mut self, life: &Life) -> Result<(), StoreError>;

    /// Writes down that the life ends by a stop. One that is not written down was a crash.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is not written down.
    fn end_life(&mut self, at: u64) -> Result<(), StoreError>;

    /// Takes these lanes: their previous owner is fenced from now on. Lanes that the store does
    /// not know are made, empty. Returns their rows in the order of the names; durable on return.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing has changed.
    fn own(&mut self, lanes: &[LaneName]) -> Result<Vec<Head>, StoreError>;

    /// The rows of these lanes as they are now, with the epochs of their owners; a lane that the
    /// store does not know is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read. [`StoreError::Unavailable`] may pass: a database is
    /// asked again.
    fn heads(&mut self, lanes: &[LaneId]) -> Result<Vec<Head>, StoreError>;

    /// Every lane that the store knows, by number.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn lanes(&mut self) -> Result<Vec<(LaneId, LaneName)>, StoreError>;

    /// Writes a transaction, and returns once it is durable or certainly is not.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store has come to its end, and the process has to end as well. After a
    /// sync that has failed the next one would lie, so nothing may be tried again. A database that is
    /// not reachable is not an error: the outcome says what is known.
    fn commit(&mut self, transaction: &Transaction) -> Result<CommitOutcome, StoreError>;

    /// How much room there is for commits; `None`: that cannot be said.
    fn room(&mut self) -> Option<Room> {
        None
    }

    /// Does a slice of upkeep between two commits, short enough not to be felt by a sender who
    /// waits. Returns whether there is more to do.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Store::commit).
    fn tend(&mut self) -> Result<bool, StoreError>;

    /// Deletes a slice of the chunks that no message and no row holds, of these bodies: a life that
    /// has ended between the chunks and their message leaves them. A body that may still come to be
    /// held is not given.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Store::commit).
    fn sweep(&mut self, bodies: Range<BodyId>) -> Result<Swept, StoreError>;

    /// Deletes a slice of what has expired, between two commits. What is not final is not touched.
    /// Called with the same expiry until there is no more: that is one pass. Returns whether there is
    /// more to do.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Store::commit).
    fn expire(&mut self, expiry: &Expiry) -> Result<bool, StoreError>;

    /// What was [kept](Store::keep_pass) of the last pass.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn last_pass(&mut self) -> Result<LastPass, StoreError>;

    /// Keeps when a pass has begun, or why none may; durable on return.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is not kept.
    fn keep_pass(&mut self, pass: &LastPass) -> Result<(), StoreError>;

    /// Copies everything that is committed to a new file, in slices, with a look at what else there is to do
    /// between them: commits that are made there are in the copy. The file is not synced.
    ///
    /// # Errors
    ///
    /// [`BackupError`]: the file is not whole, and the store is as it was, unless
    /// [`BackupError::Store`] says that it has come to its end.
    fn back_up(&mut self, to: &Path, between: Between<'_>) -> Result<Copied, BackupError> {
        let _ = (to, between);
        Err(BackupError::OwnMeans)
    }

    /// A reading end, for another thread. It sees what was committed before each call.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// A reading end of a store. A call never delays a commit, and holds nothing when it has returned.
pub trait Reader: Lists + Send {
    /// Rows of a lane that follow `after`, in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn entries(&mut self, lane: LaneId, after: Seq, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// Brings bodies of these rows into memory, from the first row on, until they have `limit` bytes
    /// together; the others are read when they are needed. A store need not do anything: this is for
    /// speed alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn fetch(&mut self, entries: &mut [Entry], limit: u64) -> Result<(), StoreError> {
        let _ = (entries, limit);
        Ok(())
    }

    /// A message as it was received, without its body; `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn message(&mut self, id: MessageId) -> Result<Option<StoredMessage>, StoreError>;

    /// The body of a message, or of a lane's row that has one of its own: its bytes, or where its
    /// chunks are. `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn find(&mut self, of: Held) -> Result<Option<Body>, StoreError>;

    /// The chunk with this number, counted from 0, of a body. `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn chunk(&mut self, body: BodyId, n: u32) -> Result<Option<Piece>, StoreError>;

    /// Gives out a body in pieces of at most [`CHUNK`] bytes. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read. [`StoreError::Corrupt`]: a chunk is missing; what
    /// was given out is not the whole body.
    fn body(&mut self, of: Held, each: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let (id, len) = match self.find(of)? {
            None => return Ok(false),
            Some(Body::Inline(bytes)) => {
                each(&bytes);
                return Ok(true);
            }
            Some(Body::Chunked { id, len }) => (id, len),
        };
        let (mut given, mut n) = (0, 0);
        // One statement for each chunk: a slow taker holds no snapshot.
        while given < len {
            let chunk = self.chunk(id, n)?.ok_or_else(incomplete)?;
            given += chunk.0.len() as u64;
            each(&chunk.0);
            n += 1;
        }
        if given == len { Ok(true) } else { Err(incomplete()) }
    }

    /// The journey of a message, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn journey(&mut self, id: MessageId) -> Result<Vec<Event>, StoreError>;

    /// The life that has given a stamp; `None`: it is not known.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn life(&mut self, stamp: Stamp) -> Result<Option<Life>, StoreError>;

    /// The rows of a lane that are about a message, consumed ones as well, in order. One that was
    /// appended long after the others may be missing.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn rows_of(&mut self, lane: LaneId, message: MessageId) -> Result<Vec<Seq>, StoreError>;

    /// Identities of messages below `before`, newest first, at most `limit`: what duplicates are
    /// found by after a start.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn identities(&mut self, before: MessageId, limit: u32) -> Result<Vec<Identity>, StoreError>;

    /// Messages below `before` that are meant, newest first, at most `limit`. A call is bounded, and
    /// may find nothing though there is more: [`Found::next`] says where to go on.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn search(&mut self, query: &Query, before: MessageId, limit: u32)
    -> Result<Found, StoreError>;

    /// When retention has deleted a message; `None`: it is there, or there never was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn expired(&mut self, id: MessageId) -> Result<Option<u64>, StoreError>;

    /// When retention has deleted the newest message with this MSH-10 that is gone; `None`: it is not
    /// known that there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn expired_control_id(&mut self, control_id: &[u8]) -> Result<Option<u64>, StoreError>;

    /// Proves that nothing is lost, beside a running engine, and tells what is wrong. `None`: this
    /// store has no files of its own to prove it from.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn verify(&mut self, tell: &mut dyn FnMut(Finding)) -> Result<Option<Verified>, StoreError> {
        let _ = tell;
        Ok(None)
    }

    /// Messages from `from` on with the disposition of each, in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the store cannot be read.
    fn dispositions(
        &mut self,
        from: MessageId,
        limit: u32,
    ) -> Result<Vec<(MessageId, Disposition)>, StoreError>;
}

/// How far a sweep has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Nothing is left.
    Done,
    /// A slice is gone, and there may be more.
    More,
    /// Nothing can be deleted for now, because there is no room or somebody else writes.
    Later,
}

/// The error of a body of which chunks are missing.
fn incomplete() -> StoreError {
    StoreError::Corrupt("chunks of a body are missing".to_owned())
}

/// What a body belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The message as it was received.
    Message(MessageId),
    /// The row of a lane, which has a body of its own.
    Row(LaneId, Seq),
    /// Chunks, whatever holds them.
    Chunks(BodyId),
}

/// A message in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    /// As it was received. Its body says how long it is; the bytes are read with
    /// [`Reader::body`].
    pub message: NewMessage,
    /// Length of the body in bytes.
    pub len: u64,
    /// What has become of it.
    pub disposition: Disposition,
    /// When that was written, by the wall clock; 0 while it is RECEIVED.
    pub since: u64,
    /// When retention has deleted the body, if it has.
    pub body_expired: Option<u64>,
}

/// What a message is recognised by when it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The message.
    pub message: MessageId,
    /// The lane of the inbound that received it.
    pub inbound: LaneId,
    /// When, by the wall clock.
    pub received_at: u64,
    /// The hash.
    pub identity: u128,
}
