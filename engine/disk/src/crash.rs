//! What a power cut may leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::disk::{FileId, Step, put};
use crate::rng::Rng;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The files of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Their bytes, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Walks through a log, and knows at each point what is durable and what is not.
pub struct Replay {
    files: BTreeMap<FileId, Replayed>,
    /// Names that survive.
    names: BTreeMap<String, FileId>,
    /// Names that were made or removed since, in order.
    renamed: Vec<(String, Option<FileId>)>,
}

#[derive(Default)]
struct Replayed {
    durable: Vec<u8>,
    /// Since the last sync, in order.
    pending: Vec<Change>,
}

enum Change {
    Write(usize, Arc<[u8]>),
    Truncate(usize),
}

impl Replay {
    /// Begins with a disk on which everything is durable.
    pub fn new(from: &Image) -> Replay {
        let mut replay =
            Replay { files: BTreeMap::new(), names: BTreeMap::new(), renamed: Vec::new() };
        // A disk that was made of the image has numbered its files in the same order.
        for (number, (path, bytes)) in (1..).zip(&from.files) {
            let replayed = Replayed { durable: bytes.clone(), pending: Vec::new() };
            replay.files.insert(FileId(number), replayed);
            replay.names.insert(path.clone(), FileId(number));
        }
        replay
    }

    /// Goes one step on; returns the number of an acknowledgment.
    pub fn apply(&mut self, step: &Step) -> Option<u64> {
        match step {
            Step::Create { file, path } => {
                self.files.insert(*file, Replayed::default());
                self.renamed.push((path.clone(), Some(*file)));
            }
            Step::Delete { path } => self.renamed.push((path.clone(), None)),
            Step::Write { file, at, bytes } => {
                let change = Change::Write(*at, Arc::clone(bytes));
                self.files.entry(*file).or_default().pending.push(change);
            }
            Step::Truncate { file, len } => {
                self.files.entry(*file).or_default().pending.push(Change::Truncate(*len));
            }
            Step::Sync { file } => self.files.entry(*file).or_default().settle(),
            Step::SyncDirectory => {
                for (path, file) in std::mem::take(&mut self.renamed) {
                    rename(&mut self.names, path, file);
                }
            }
            Step::Mark(number) => return Some(*number),
        }
        None
    }

    /// One of the images that a power cut may leave here. Each draws again: everything that was not
    /// synced is lost, or all of it is there, or each sector by itself.
    pub fn image(&self, rng: &mut Rng) -> Image {
        let fate = Fate::draw(rng);
        let mut names = self.names.clone();
        for (path, file) in &self.renamed {
            if fate.survives(rng) {
                rename(&mut names, path.clone(), *file);
            }
        }
        let bytes = |file: &FileId, rng: &mut Rng| {
            self.files.get(file).map_or_else(Vec::new, |it| it.after_crash(fate, rng))
        };
        Image { files: names.iter().map(|(path, file)| (path.clone(), bytes(file, rng))).collect() }
    }
}

fn rename(names: &mut BTreeMap<String, FileId>, path: String, file: Option<FileId>) {
    match file {
        Some(file) => names.insert(path, file),
        None => names.remove(&path),
    };
}

/// How much of what was not synced is there after a crash.
#[derive(Clone, Copy)]
enum Fate {
    Nothing,
    Everything,
    /// Each piece with this chance in 8.
    Some(u64),
}

impl Fate {
    fn draw(rng: &mut Rng) -> Fate {
        match rng.below(8) {
            0 => Fate::Nothing,
            1 => Fate::Everything,
            _ => Fate::Some(1 + rng.below(7)),
        }
    }

    fn survives(self, rng: &mut Rng) -> bool {
        match self {
            Fate::Nothing => false,
            Fate::Everything => true,
            Fate::Some(chance) => rng.below(8) < chance,
        }
    }
}

impl Replayed {
    fn settle(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable, |_| true);
        }
    }

    fn after_crash(&self, fate: Fate, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            // A write that is torn loses sectors by itself; most are whole or gone.
            let torn = rng.one_in(4);
            let whole = fate.survives(rng);
            change.apply(&mut bytes, |_| if torn { fate.survives(rng) } else { whole });
        }
        bytes
    }
}

impl Change {
    /// Applies the sectors that `survives` says yes to.
    fn apply(&self, file: &mut Vec<u8>, mut survives: impl FnMut(usize) -> bool) {
        match self {
            Change::Truncate(len) => {
                if survives(0) {
                    file.resize(*len, 0);
                }
            }
            Change::Write(at, bytes) => {
                let mut from = 0;
                while from < bytes.len() {
                    let place = at + from;
                    let sector = (place / SECTOR + 1) * SECTOR;
                    let len = (sector - place).min(bytes.len() - from);
                    if survives(place) {
                        put(file, place, &bytes[from..from + len]);
                    }
                    from += len;
                }
            }
        }
    }
}
