//! What a run is asked for.

use std::path::PathBuf;

use crate::sabotage::Sabotage;

/// What to do, the same for every plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// For how long there is load.
    pub seconds: u64,
    /// Chooses everything that is left to chance here; what the machine does is not in it.
    pub seed: u64,
    /// A planted fault.
    pub sabotage: Option<Sabotage>,
    /// This program: it is run again as the engine.
    pub program: PathBuf,
    /// An empty folder for the data and the ledgers.
    pub folder: PathBuf,
}
