//! Which deliveries or messages an operator means, and what is to be done with them; as text, so that
//! the store can keep it with the job.

use std::ops::RangeInclusive;

use mllp_pipeline::{Failure, LaneId, List, MessageId, Position, Seq};
use mllp_store::{Deliveries, Reader, StoreError};

/// Which deliveries or messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of what kind.
    pub which: Which,
    /// The outbound; `None`: all. Not looked at for messages.
    pub outbound: Option<String>,
    /// Of messages with these numbers.
    pub messages: RangeInclusive<u64>,
    /// Only of these, if there are any.
    pub only: Vec<u64>,
    /// Only those that were given up for this, such as `refused_for_good`.
    pub failure: Option<Failure>,
}

impl Selection {
    /// All of a kind, of one outbound or of all.
    pub fn all(which: Which, outbound: Option<&str>) -> Selection {
        let outbound = outbound.map(str::to_owned);
        Selection { which, outbound, messages: 0..=u64::MAX, only: Vec::new(), failure: None }
    }

    /// These messages; without a number, none.
    pub fn messages(ids: &[u64]) -> Selection {
        let (first, last) = (ids.iter().min().copied(), ids.iter().max().copied());
        let messages = first.unwrap_or(1)..=last.unwrap_or(0);
        Selection { messages, only: ids.to_vec(), ..Selection::all(Which::Messages, None) }
    }
}

/// What a selection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Dead deliveries.
    Dead,
    /// Held deliveries.
    Held,
    /// Deliveries that have left their lane, whatever has become of them. One outbound has to be
    /// named, and its lane is looked through.
    Past,
    /// Messages as they were received.
    Messages,
}

/// What is done with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Release,
    Cancel,
    /// To its own outbound.
    Again,
    To(LaneId),
    /// To the router of the inbound that received it.
    Reroute,
}

/// A selection and a deed, with lanes in place of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) deed: Deed,
    pub(crate) which: Which,
    /// The lanes, each up to a row: what comes later is not meant.
    pub(crate) lanes: Vec<(LaneId, Seq)>,
    pub(crate) messages: RangeInclusive<u64>,
    pub(crate) only: Vec<u64>,
    pub(crate) failure: Option<Failure>,
}

impl Task {
    /// As text, a word for each part.
    pub(crate) fn to_text(&self) -> String {
        let deed = match self.deed {
            Deed::Release => "release".to_owned(),
            Deed::Cancel => "cancel".to_owned(),
            Deed::Again => "again".to_owned(),
            Deed::To(lane) => format!("to:{lane}"),
            Deed::Reroute => "reroute".to_owned(),
        };
        let which = match self.which {
            Which::Dead => "dead",
            Which::Held => "held",
            Which::Past => "past",
            Which::Messages => "messages",
        };
        let lanes: Vec<_> = self.lanes.iter().map(|(lane, seq)| format!("{lane}:{seq}")).collect();
        let only: Vec<_> = self.only.iter().map(u64::to_string).collect();
        let (lanes, only) = (lanes.join(","), only.join(","));
        let (from, to) = (self.messages.start(), self.messages.end());
        let failure = self.failure.map_or("", Failure::name);
        format!("{deed} {which} {lanes} {from} {to} {only} {failure}")
    }

    /// What [`to_text`](Task::to_text) has written.
    pub(crate) fn from_text(text: &str) -> Option<Task> {
        let mut words = text.split(' ');
        let deed = match words.next()? {
            "release" => Deed::Release,
            "cancel" => Deed::Cancel,
            "again" => Deed::Again,
            "reroute" => Deed::Reroute,
            other => Deed::To(LaneId(other.strip_prefix("to:")?.parse().ok()?)),
        };
        let which = match words.next()? {
            "dead" => Which::Dead,
            "held" => Which::Held,
            "past" => Which::Past,
            "messages" => Which::Messages,
            _ => return None,
        };
        let lane = |word: &str| {
            let (lane, seq) = word.split_once(':')?;
            Some((LaneId(lane.parse().ok()?), Seq(seq.parse().ok()?)))
        };
        let lanes = words.next()?.split(',').filter(|it| !it.is_empty()).map(lane);
        let lanes = lanes.collect::<Option<_>>()?;
        let messages = words.next()?.parse().ok()?..=words.next()?.parse().ok()?;
        let only = words.next()?.split(',').filter(|it| !it.is_empty());
        let only = only.map(|it| it.parse().ok()).collect::<Option<_>>()?;
        let word = words.next()?;
        let failure = Failure::ALL.into_iter().find(|it| it.name() == word);
        Some(Task { deed, which, lanes, messages, only, failure })
    }

    /// The next of them in the order of acceptance, at most `limit`; none: that was all.
    pub(crate) fn next(
        &self,
        reader: &mut dyn Reader,
        mut after: Position,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let mut found = Vec::new();
        while found.len() < limit {
            let page = self.page(reader, after)?;
            let Some(last) = page.last() else { break };
            after = last.0;
            let fits = page.iter().filter(|(position, why)| self.means(position, *why));
            found.extend(fits.map(|(position, _)| *position));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The newest message there is, of those that are meant.
    pub(crate) fn newest(&self, reader: &mut dyn Reader) -> Result<u64, StoreError> {
        let mut after = Position::START;
        loop {
            let page = self.page(reader, after)?;
            let Some((last, _)) = page.last() else { return Ok(after.message.0) };
            after = *last;
        }
    }

    /// What may be meant, with why it was given up.
    fn page(
        &self,
        reader: &mut dyn Reader,
        after: Position,
    ) -> Result<Vec<(Position, Option<Failure>)>, StoreError> {
        const PAGE: u32 = 1_000;
        let messages = MessageId(*self.messages.start())..=MessageId(*self.messages.end());
        let listed = |reader: &mut dyn Reader, list| {
            let lane = (self.lanes.len() == 1).then(|| self.lanes[0].0);
            let listed = reader.listed(list, lane, after, PAGE)?;
            Ok(listed.into_iter().map(|it| (it.position, it.why)).collect())
        };
        match self.which {
            Which::Dead => listed(reader, List::Dead),
            Which::Held => listed(reader, List::Held),
            Which::Past => {
                let Some(&(lane, up_to)) = self.lanes.first() else { return Ok(Vec::new()) };
                let of = Deliveries { lane, messages, up_to, after };
                let rows = reader.deliveries(&of, 100 * PAGE)?;
                Ok(rows.into_iter().map(|it| (it, None)).collect())
            }
            Which::Messages => {
                let from = MessageId(after.message.0 + 1).max(*messages.start());
                let ids = reader.dispositions(from, PAGE)?;
                let ids = ids.into_iter().take_while(|(id, _)| id <= messages.end());
                let place = |message| Position { message, ..Position::START };
                Ok(ids.map(|(id, _)| (place(id), None)).collect())
            }
        }
    }

    fn means(&self, position: &Position, why: Option<Failure>) -> bool {
        let up_to = self.lanes.iter().find(|(lane, _)| *lane == position.lane);
        let in_lane = self.which == Which::Messages || up_to.is_some_and(|it| position.seq <= it.1);
        let only = self.only.is_empty() || self.only.contains(&position.message.0);
        let failure = self.failure.is_none() || self.failure == why;
        in_lane && only && failure && self.messages.contains(&position.message.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_is_not_every_message() {
        assert!(Selection::messages(&[]).messages.is_empty());
        assert_eq!(Selection::messages(&[9, 3]).messages, 3..=9);
    }

    #[test]
    fn a_task_is_the_same_after_it_was_stored() {
        let task = |deed, which, lanes: &[(u32, u64)], only: &[u64], failure| Task {
            deed,
            which,
            lanes: lanes.iter().map(|(lane, seq)| (LaneId(*lane), Seq(*seq))).collect(),
            messages: 3..=u64::MAX,
            only: only.to_vec(),
            failure,
        };
        let deeds = [Deed::Release, Deed::Cancel, Deed::Again, Deed::To(LaneId(7)), Deed::Reroute];
        for deed in deeds {
            for which in [Which::Dead, Which::Held, Which::Past, Which::Messages] {
                for failure in Failure::ALL.into_iter().map(Some).chain([None]) {
                    for only in [&[][..], &[1], &[1, u64::MAX]] {
                        for lanes in [&[][..], &[(1, 2)], &[(1, 2), (3, u64::MAX)]] {
                            let task = task(deed, which, lanes, only, failure);
                            assert_eq!(Task::from_text(&task.to_text()), Some(task));
                        }
                    }
                }
            }
        }
        assert_eq!(Task::from_text("burn dead  0 0  "), None);
    }
}
