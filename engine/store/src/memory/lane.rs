//! The row of a lane, and its log.

use std::collections::{BTreeMap, BTreeSet};

use mllp_pipeline::{
    Append, Entry, Epoch, Head, LaneId, LaneUpdate, RowBody, Seq, Side, Source, Started, Switch,
};

#[derive(Default)]
pub(super) struct Lane {
    pub(super) rows: Vec<Append>,
    pub(super) cursor: u64,
    pub(super) sent_to: u64,
    pub(super) done: BTreeSet<Seq>,
    pub(super) started: BTreeMap<Seq, Started>,
    pub(super) parked: BTreeSet<Seq>,
    pub(super) epoch: u64,
    pub(super) attempt: u32,
    pub(super) due: u64,
    pub(super) waited: u64,
    pub(super) appended: u64,
    pub(super) consumed: u64,
}

impl Lane {
    pub(super) fn push(&mut self, row: Append) {
        self.appended += row.len;
        self.rows.push(row);
    }

    pub(super) fn head(&self, lane: LaneId, switches: &BTreeMap<(LaneId, Side), Switch>) -> Head {
        let own = switches.range((lane, Side::Input)..=(lane, Side::Output));
        Head {
            switches: own.map(|(_, switch)| switch.clone()).collect(),
            lane,
            epoch: Epoch(self.epoch),
            tail: Seq(self.rows.len() as u64),
            cursor: Seq(self.cursor),
            sent_to: Seq(self.sent_to),
            done: self.done.range(Seq(self.cursor + 1)..).copied().collect(),
            attempt: self.attempt,
            due: self.due,
            waited: self.waited,
            appended: self.appended,
            consumed: self.consumed,
            started: self.started.values().copied().collect(),
            parked: self.parked.iter().filter_map(|seq| self.entry(lane, *seq)).collect(),
        }
    }

    pub(super) fn entry(&self, lane: LaneId, seq: Seq) -> Option<Entry> {
        let row = self.rows.get(usize::try_from(seq.0.checked_sub(1)?).ok()?)?;
        Some(Entry {
            seq,
            message: row.message,
            body: match row.body {
                RowBody::Message => Source::Message,
                RowBody::Own(_) => Source::Row(lane, seq),
                RowBody::Row(lane, seq) => Source::Row(lane, seq),
            },
            sole: row.sole,
            id_hash: row.id_hash,
            keys: row.keys.clone(),
            hops: row.hops,
            len: row.len,
        })
    }

    pub(super) fn update(&mut self, update: &LaneUpdate) {
        let cursor = update.cursor.0;
        let tail = self.rows.len() as u64;
        let let_go = update.window.map_or(0, |it| tail.min(cursor + u64::from(it)));
        self.sent_to = self.sent_to.max(cursor).max(let_go);
        (self.cursor, self.attempt) = (cursor, update.attempt);
        (self.due, self.waited) = (update.due, update.waited);
        self.started.retain(|seq, _| seq.0 > cursor || self.parked.contains(seq));
        self.consumed = self.consumed.max(update.consumed);
    }
}
