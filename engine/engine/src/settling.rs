//! What becomes of lanes that leave with a reload, in one commit before the new graph does anything.

use mllp_pipeline::{By, CommitOutcome, LaneId, Pipeline, Record, Refusal, Stage, Start, What};
use mllp_store::{Numbers, Store, StoreError};

use crate::builder::Builder;
use crate::clock::Clock;
use crate::error::Error;
use crate::graph::{Stored, graph};

/// More than this in lanes that leave refuses the reload: all of it is one transaction, whose records lie
/// in memory.
const MOST: u64 = 100_000;
/// Rows that are read at once.
const SLICE: u32 = 1_000;

/// An inbound, handler or outbound that a reload takes out of the graph though its lane holds
/// something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// What it is.
    pub stage: Stage,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub lot: Lot,
}

/// What becomes of a lane that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lot {
    /// It keeps everything until an operator [moves](crate::Engine::move_lane) or
    /// [cancels](crate::Engine::cancel_lane) it.
    Orphaned,
    /// The lane of this name, which is of the same stage, gets all it holds, in order.
    Moved(String),
    /// What it holds ends in ERROR.
    Cancelled,
}

/// What the lanes have held that left with a reload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Messages or deliveries that another lane has got.
    pub moved: u64,
    /// Those that have ended in ERROR.
    pub cancelled: u64,
}

/// Lanes that leave, and who wants that.
#[derive(Default)]
pub(crate) struct Settling {
    pub(crate) leaving: Vec<Leaving>,
    pub(crate) by: By,
}

impl Settling {
    pub(crate) fn of(&self, stage: Stage, name: &str) -> Option<&Leaving> {
        self.leaving.iter().find(|it| (it.stage, &*it.name) == (stage, name))
    }

    /// What of it cannot be had with this graph, whatever the store holds.
    pub(crate) fn faults(&self, builder: &Builder) -> Vec<String> {
        let mut faults = Vec::new();
        for (at, Leaving { stage, name, lot }) in self.leaving.iter().enumerate() {
            let before = self.leaving.get(..at).unwrap_or_default();
            if before.iter().any(|it| (it.stage, &it.name) == (*stage, name)) {
                faults.push(format!("what becomes of {name} is said twice"));
            }
            if builder.has(*stage, name) {
                faults.push(format!("{name} is still configured: its lane stays"));
            }
            match lot {
                Lot::Moved(to) if !builder.has(*stage, to) => faults.push(format!(
                    "{name} cannot be moved: there is no {} lane {to}",
                    stage.name()
                )),
                _ => {}
            }
        }
        faults
    }

    /// Writes the life down, and commits what becomes of the lanes; returns how the store stands
    /// after it. If that fails nothing has happened to them, and the life has ended.
    /// [`StoreError::SyncFailed`]: what has happened to them is not known.
    pub(crate) fn begin_life(
        &self,
        store: &mut dyn Store,
        builder: &Builder,
        numbers: &mut Numbers,
        stored: Stored,
        clock: &Clock,
    ) -> Result<(Stored, Settled), Error> {
        store.begin_life(&builder.life(numbers.stamp, &stored.names))?;
        let settled = self.settle(store, builder, numbers, stored, clock);
        if settled.is_err() {
            // Or else the next life would take this one for one that has crashed.
            let _ = store.end_life(clock.now().wall);
        }
        settled
    }

    fn settle(
        &self,
        store: &mut dyn Store,
        builder: &Builder,
        numbers: &mut Numbers,
        stored: Stored,
        clock: &Clock,
    ) -> Result<(Stored, Settled), Error> {
        let leaving = self.rows(store, &stored)?;
        if leaving.is_empty() {
            return Ok((stored, Settled::default()));
        }
        let graph = graph(builder, stored.orphans.clone(), &stored.names);
        let heads = stored.heads.clone();
        let start = Start { heads, next_message: numbers.message, next_stamp: numbers.stamp };
        let settled = Pipeline::settle(graph, start, leaving, &self.by, clock.now());
        let (transaction, next) =
            settled.ok_or_else(|| Error::Refused("a lane that leaves is not whole".to_owned()))?;
        let why = match store.commit(&transaction)? {
            CommitOutcome::Committed(_) => {
                numbers.stamp = next;
                let stored = stored.again(store).map_err(|_| unknown())?;
                return Ok((stored, counted(&transaction.records)));
            }
            CommitOutcome::Refused(Refusal::Full) => "the disk of the store is full",
            CommitOutcome::Refused(Refusal::Unavailable) => "the store cannot write",
            CommitOutcome::Fenced(_) => "another engine owns a lane that leaves",
            CommitOutcome::Unknown => return Err(unknown()),
        };
        Err(Error::Refused(why.to_owned()))
    }

    /// The rows of those that do not stay orphaned.
    fn rows(
        &self,
        store: &mut dyn Store,
        stored: &Stored,
    ) -> Result<Vec<mllp_pipeline::Leaving>, Error> {
        let (mut reader, mut all, mut left) = (store.reader()?, Vec::new(), MOST);
        for Leaving { stage, name, lot } in &self.leaving {
            let Some(lane) = stored.names.lane(*stage, name) else { continue };
            let is_orphan = stored.orphans.iter().any(|it| it.lane == lane);
            let Some(head) = stored.heads.iter().find(|it| it.lane == lane && is_orphan) else {
                continue;
            };
            let to = match lot {
                Lot::Orphaned => continue,
                Lot::Moved(to) => Some(stored.names.lane(*stage, to).unwrap_or(LaneId(0))),
                Lot::Cancelled => None,
            };
            let depth = head.tail.0 - head.cursor.0 + head.parked.len() as u64;
            left = left.checked_sub(depth).ok_or_else(|| too_many(name, depth))?;
            let (mut entries, mut after) = (Vec::new(), head.cursor);
            while after < head.tail {
                let part = reader.entries(lane, after, SLICE)?;
                let Some(last) = part.last() else { break };
                after = last.seq;
                entries.extend(part);
            }
            all.push(mllp_pipeline::Leaving { lane, entries, to });
        }
        Ok(all)
    }
}

/// Nothing may go on with what this process knows: the next start reads what became of the lanes.
fn unknown() -> Error {
    let why = "it is unknown whether what leaves with the reload was settled";
    Error::Store(StoreError::SyncFailed(why.to_owned()))
}

fn too_many(name: &str, depth: u64) -> Error {
    Error::Refused(format!(
        "the lane of {name} holds {depth}: a reload moves or cancels at most {MOST} in all. Start the \
         engine with the new configuration, then move or cancel the lane"
    ))
}

fn counted(records: &[Record]) -> Settled {
    let mut settled = Settled::default();
    let events = records.iter().filter_map(|record| match record {
        Record::Event(event) => Some(&event.what),
        _ => None,
    });
    for what in events {
        match what {
            What::Moved { .. } => settled.moved += 1,
            What::Cancelled { .. } => settled.cancelled += 1,
            _ => {}
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use mllp_disk::{Disk, Replay, Rng, Trouble};
    use mllp_pipeline::{Append, MessageId, NewMessage, Seq, Transaction};
    use mllp_store::{LaneName, SqliteStore};
    use tempfile::TempDir;

    use super::*;
    use crate::engine::Engine;

    const OUTBOUNDS: [&str; 3] = ["OLD_A", "OLD_B", "NEW"];

    fn open(data: &TempDir, disk: &Disk) -> SqliteStore {
        let store = SqliteStore::open_with_vfs(data.path(), Some(disk.name())).unwrap();
        disk.sync_directory();
        store
    }

    fn named(stage: Stage, name: &str) -> LaneName {
        LaneName { stage, name: name.to_owned() }
    }

    /// Three messages, two of them in the lane of OLD_A and one in that of OLD_B.
    fn filled(data: &TempDir) -> Disk {
        let disk = Disk::new();
        let mut store = open(data, &disk);
        let names = [named(Stage::Ingress, "IB")].into_iter();
        let outbounds = OUTBOUNDS.iter().map(|it| named(Stage::Outbound, it));
        let heads = store.own(&names.chain(outbounds).collect::<Vec<_>>()).unwrap();
        let message = |id| Record::Message(NewMessage::new(MessageId(id), heads[0].lane));
        let append = |at: usize, id| Record::Append(Append::new(heads[at].lane, MessageId(id)));
        let records =
            vec![message(1), message(2), message(3), append(1, 1), append(1, 2), append(2, 3)];
        let stored = store.commit(&Transaction { records, lanes: Vec::new() }).unwrap();
        assert!(matches!(stored, CommitOutcome::Committed(_)));
        disk
    }

    /// OLD_A is moved to NEW, and OLD_B is cancelled.
    fn settle(data: &TempDir, store: &mut SqliteStore) -> Result<Settled, Error> {
        let builder = Engine::builder(data.path()).outbound("NEW", "127.0.0.1", 1);
        let leaving = |name: &str, lot| Leaving { stage: Stage::Outbound, name: name.into(), lot };
        let lots = [Lot::Moved("NEW".into()), Lot::Cancelled];
        let leaving = OUTBOUNDS.iter().zip(lots).map(|(name, lot)| leaving(name, lot)).collect();
        let settling = Settling { leaving, by: By::default() };
        let (mut numbers, clock) =
            (store.numbers()?, Clock::new(std::sync::Arc::new(std::time::SystemTime::now)));
        let stored = Stored::own(store, &builder)?;
        assert_eq!(stored.orphans.len(), 2);
        let first = numbers.stamp;
        let (stored, settled) =
            settling.begin_life(store, &builder, &mut numbers, stored, &clock)?;
        assert!(stored.orphans.is_empty() && numbers.stamp > first);
        Ok(settled)
    }

    /// The cursor and the tail of each outbound.
    fn rows(store: &mut SqliteStore) -> [(u64, u64); 3] {
        let lanes = store.lanes().unwrap();
        OUTBOUNDS.map(|name| {
            let (lane, _) = lanes.iter().find(|(_, it)| it.name == name).unwrap();
            let head = store.heads(&[*lane]).unwrap().remove(0);
            (head.cursor.0, head.tail.0)
        })
    }

    const BEFORE: [(u64, u64); 3] = [(0, 2), (0, 1), (0, 0)];
    const AFTER: [(u64, u64); 3] = [(2, 2), (1, 1), (0, 2)];

    #[test]
    fn a_power_cut_leaves_all_lanes_as_they_were_or_all_of_them_settled() {
        let data = TempDir::new().unwrap();
        let image = filled(&data).contents();
        let disk = Disk::from_image(&image);
        let mut store = open(&data, &disk);
        assert_eq!(rows(&mut store), BEFORE);
        let settled = settle(&data, &mut store).unwrap();
        assert_eq!(settled, Settled { moved: 2, cancelled: 1 });
        assert_eq!(rows(&mut store), AFTER);
        drop(store);
        let log = disk.take_log();
        let (mut replay, mut rng, mut seen) = (Replay::new(&image), Rng::new(18), [0; 2]);
        for step in &log {
            replay.apply(step);
            let crashed = Disk::from_image(&replay.image(&mut rng));
            let mut store = open(&data, &crashed);
            match rows(&mut store) {
                BEFORE => seen[0] += 1,
                AFTER => seen[1] += 1,
                other => panic!("{other:?}"),
            }
            let lanes = store.lanes().unwrap();
            let (new, _) = lanes.iter().find(|(_, it)| it.name == "NEW").unwrap();
            let moved = store.reader().unwrap().entries(*new, Seq(0), 9).unwrap();
            assert!(moved.iter().map(|it| it.message.0).is_sorted());
        }
        assert!(seen.iter().all(|it| *it > 2), "{seen:?} of {}", log.len());
    }

    #[test]
    fn a_disk_without_room_at_any_write_leaves_them_as_they_were() {
        let data = TempDir::new().unwrap();
        let image = filled(&data).contents();
        let mut refused = 0;
        for at in 0..200 {
            let disk = Disk::from_image(&image);
            let mut store = open(&data, &disk);
            disk.trouble(Some((Trouble::Full, at)), true);
            let result = settle(&data, &mut store);
            let has_failed = disk.failed() > 0;
            disk.trouble(None, false);
            drop(store);
            let rows = rows(&mut open(&data, &disk));
            match result {
                Ok(_) => assert_eq!(rows, AFTER),
                Err(Error::Store(StoreError::SyncFailed(_))) => {
                    assert!(rows == BEFORE || rows == AFTER, "{rows:?}");
                }
                Err(_) => assert_eq!(rows, BEFORE),
            }
            refused += usize::from(result.is_err());
            if !has_failed {
                assert!(refused > 2, "{refused}");
                return;
            }
        }
        panic!("it writes for ever");
    }
}
