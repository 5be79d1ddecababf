//! Deliveries that were given up: dead, or held for an operator; with what their partner said.

use std::sync::PoisonError;

use mllp_pipeline::{By, Event, Failure, LaneId, List, MessageId, Note, Position, Stage, What};
use mllp_store::{Listed, Reader};

use crate::engine::{Engine, ended};
use crate::error::Error;

/// The longest page.
const PAGE: u32 = 1_000;

/// A delivery that is dead or held. `Debug` shows no text of the partner and no control ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// Where it stands in the list: the next page comes after it.
    pub place: Position,
    /// The message.
    pub message: MessageId,
    /// MSH-10 of the message.
    pub control_id: Note,
    /// The outbound.
    pub outbound: String,
    /// When it was given up, by the wall clock, milliseconds since 1970 in UTC.
    pub at: u64,
    /// Why; `None`: an operator holds it.
    pub failure: Option<Failure>,
    /// Attempts that it has had.
    pub attempts: u32,
    /// What the partner said to the last one, such as `AR unknown patient`; empty if nothing.
    pub said: Note,
    /// The operator who holds it, and why; empty if a rule gave it up.
    pub by: By,
}

impl Engine {
    /// Dead deliveries of one outbound or of all, in the order of acceptance: those after a place,
    /// [`Position::START`] at first, at most `limit` and at most 1,000.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]: there is no such outbound. [`Error::Store`]: the store cannot be read.
    pub fn dead(
        &self,
        outbound: Option<&str>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<GivenUp>, Error> {
        self.given_up(List::Dead, outbound, after, limit)
    }

    /// Held deliveries, as for [`dead`](Engine::dead).
    ///
    /// # Errors
    ///
    /// As for [`dead`](Engine::dead).
    pub fn held(
        &self,
        outbound: Option<&str>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<GivenUp>, Error> {
        self.given_up(List::Held, outbound, after, limit)
    }

    fn given_up(
        &self,
        list: List,
        outbound: Option<&str>,
        after: Position,
        limit: u32,
    ) -> Result<Vec<GivenUp>, Error> {
        let lane = outbound.map(|name| self.lane(Stage::Outbound, name)).transpose()?;
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = reader.as_deref_mut().ok_or_else(ended)?;
        let listed = reader.listed(list, lane, after, limit.min(PAGE))?;
        listed.into_iter().map(|it| self.tell_of(reader, it)).collect()
    }

    fn tell_of(&self, reader: &mut dyn Reader, listed: Listed) -> Result<GivenUp, Error> {
        let Listed { position: place, why: failure, at } = listed;
        let stored = reader.message(place.message)?;
        let control_id = stored.map_or_else(String::new, |it| {
            String::from_utf8_lossy(&it.message.control_id.0).into_owned()
        });
        let journey = reader.journey(place.message)?;
        let Last { attempts, said, by } = Last::of(&journey, place.lane, at);
        Ok(GivenUp {
            place,
            message: place.message,
            control_id: Note(control_id),
            outbound: self.names.of(place.lane),
            at,
            failure,
            attempts,
            said,
            by,
        })
    }
}

/// How the delivery has ended that was given up at a time.
#[derive(Default)]
struct Last {
    attempts: u32,
    said: Note,
    by: By,
}

impl Last {
    fn of(journey: &[Event], lane: LaneId, given_up: u64) -> Last {
        let mut last = Last::default();
        for event in journey {
            match &event.what {
                What::Attempt { outbound, attempt, note, .. } if *outbound == lane => {
                    (last.attempts, last.said) = (*attempt, note.clone());
                }
                // From here on it is another delivery to the same outbound.
                What::Released { outbound: to, .. } | What::Replayed { to, .. } if *to == lane => {
                    last = Last::default();
                }
                What::Dead { lane: its, .. } if *its == lane && event.at == given_up => break,
                What::Held { outbound, by, .. } if *outbound == lane && event.at == given_up => {
                    last.by = by.clone();
                    break;
                }
                _ => {}
            }
        }
        last
    }
}
