//! Lanes of the store that the graph does not have any more, and edited copies of messages.

use std::sync::Arc;

use hl7_peek::Scan;
use mllp_pipeline::{
    Act, Body, By, CommandOutcome, Edit, IdHash, Keys, LaneId, MessageId, Piece, Stage,
};
use mllp_store::INLINE_LIMIT;

use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::{SLICE, To};
use crate::newer;
use crate::operator::done;
use crate::status::LaneState;

impl Engine {
    /// Appends what is left in a lane that is no longer configured to one that is, in order. What may
    /// have been sent already is said so in its journey. Returns how many messages or deliveries
    /// were moved. Done again after a crash it goes on.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: the first is configured or unknown, the second is not configured, or the
    /// store cannot write now. [`Error::Store`]: the engine has ended.
    pub fn move_lane(&self, stage: Stage, old: &str, new: &str, by: &By) -> Result<u64, Error> {
        let to = self.lane(stage, new)?;
        self.drain(self.lane(stage, old)?, Some(to), by)
    }

    /// Ends what is left in a lane that is no longer configured: each message ends in ERROR. Returns
    /// how many there were.
    ///
    /// # Errors
    ///
    /// As for [`move_lane`](Engine::move_lane).
    pub fn cancel_lane(&self, stage: Stage, old: &str, by: &By) -> Result<u64, Error> {
        self.drain(self.lane(stage, old)?, None, by)
    }

    fn drain(&self, lane: LaneId, to: Option<LaneId>, by: &By) -> Result<u64, Error> {
        let mut operator = self.operate();
        let mut count = 0;
        loop {
            let extent = operator.reader()?.extent(lane)?;
            let Some((cursor, tail)) = extent else { return Ok(count) };
            // What is parked goes with the first rows, or alone where the cursor has passed them all.
            if cursor >= tail && !self.holds(lane)? {
                return Ok(count);
            }
            let limit = (tail.0 - cursor.0).min(SLICE as u64) as u32;
            let entries = operator.reader()?.entries(lane, cursor, limit)?;
            let moved = entries.len() as u64;
            match operator.tell(Act::Drain { lane, entries, to }, by, None)? {
                CommandOutcome::Done(_) => count += moved,
                // The store tells how far it has come.
                CommandOutcome::Unknown => {}
                other => return done(other).map(|()| count),
            }
        }
    }

    fn holds(&self, lane: LaneId) -> Result<bool, Error> {
        let (stage, name) = (self.names.stage(lane), self.names.of(lane));
        let is_it = |it: &&LaneState| (Some(it.stage), &it.name) == (stage.map(Stage::name), &name);
        Ok(self.status()?.lanes.iter().find(is_it).is_some_and(|it| it.is_orphaned && it.depth > 0))
    }

    /// Stores an edited copy of a message, which is linked to it, and sends it to an outbound or to
    /// the router of the inbound. The original stays as it is. Returns the number of the copy.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: there is no such message or way, the copy is longer than 64 KiB, or the
    /// store cannot write now. [`Error::Store`]: the engine has ended.
    pub fn send_edited(
        &self,
        original: MessageId,
        payload: impl Into<Arc<[u8]>>,
        to: &To,
        by: &By,
    ) -> Result<MessageId, Error> {
        let payload = payload.into();
        let refused = |why: &str| Err(Error::Refused(why.to_owned()));
        if payload.len() > INLINE_LIMIT {
            return refused("an edited copy may have 65536 bytes");
        }
        let mut operator = self.operate();
        let Some(stored) = operator.reader()?.message(original)? else {
            return refused("there is no such message");
        };
        let header = hl7_peek::Message::parse_lenient(&payload, Scan::SingleByte);
        let field = |path: &str| {
            let path = hl7_peek::Path::parse(path).ok()?;
            header.as_ref()?.get(path)
        };
        let (inbound, session) = (stored.message.inbound, stored.message.session);
        let edit = Edit {
            original,
            session,
            inbound,
            to: match to {
                To::Router => inbound,
                To::Outbound(name) => self.lane(Stage::Outbound, name)?,
                To::Same => return refused("an edited copy goes to an outbound or to the router"),
            },
            control_id: Piece::from(field("MSH-10").unwrap_or_default()),
            message_type: Piece::from(field("MSH-9").unwrap_or_default()),
            id_hash: IdHash::of(field("MSH-10").unwrap_or_default()),
            keys: Keys::NONE,
            newer: 0,
            body: Body::Inline(Arc::clone(&payload)),
        };
        let mut act = Act::Edit(edit);
        newer::tell(operator.reader()?, &mut act)?;
        match operator.tell(act, by, None)? {
            CommandOutcome::Done(Some(copy)) => Ok(copy),
            other => done(other).and(refused("there is no such way")),
        }
    }
}
