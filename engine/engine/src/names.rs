//! Names of the graph and their lanes.

use std::collections::BTreeMap;

use mllp_pipeline::{LaneId, Stage};

/// Which lane is whose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    lanes: BTreeMap<LaneId, (Stage, String)>,
}

impl Names {
    pub(crate) fn add(&mut self, lane: LaneId, stage: Stage, name: &str) {
        self.lanes.insert(lane, (stage, name.to_owned()));
    }

    /// The name of a lane; its number where the graph does not know it any more.
    pub(crate) fn of(&self, lane: LaneId) -> String {
        self.lanes.get(&lane).map_or_else(|| format!("lane {lane}"), |(_, name)| name.clone())
    }

    /// The name of a lane that is known.
    pub(crate) fn known(&self, lane: LaneId) -> Option<&str> {
        self.lanes.get(&lane).map(|(_, name)| name.as_str())
    }

    pub(crate) fn stage(&self, lane: LaneId) -> Option<Stage> {
        self.lanes.get(&lane).map(|it| it.0)
    }

    /// The lanes of a stage, with their names.
    pub(crate) fn of_stage(&self, stage: Stage) -> Vec<(LaneId, String)> {
        let own = self.lanes.iter().filter(|(_, (its, _))| *its == stage);
        own.map(|(lane, (_, name))| (*lane, name.clone())).collect()
    }

    pub(crate) fn lane(&self, stage: Stage, name: &str) -> Option<LaneId> {
        let mut lanes = self.lanes.iter();
        lanes.find(|(_, (its, known))| *its == stage && known == name).map(|(lane, _)| *lane)
    }
}
