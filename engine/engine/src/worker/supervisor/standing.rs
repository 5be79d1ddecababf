//! How the workers stand, for those who ask.

use mllp_pipeline::CallId;

use super::{Millis, State, Supervisor, WorkerId};

/// How one worker stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) worker: WorkerId,
    /// `starting`, `idle`, `running` or `ending`.
    pub(crate) state: &'static str,
    pub(crate) since: Millis,
    /// The call that it runs, and the place of the message in it.
    pub(crate) runs: Option<(CallId, usize)>,
}

/// A message that runs alone next, or does so now.
pub(crate) type Suspect = (CallId, usize);

impl<T> Supervisor<T> {
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let one = |it: &super::Worker| {
            let (state, runs) = match &it.state {
                State::Starting => ("starting", None),
                State::Idle => ("idle", None),
                State::Running(piece, watch) => {
                    let at = watch.mark.index.unwrap_or(0).min(piece.items.len() - 1);
                    ("running", Some((piece.call, piece.items[at])))
                }
                State::Probing(piece) => ("running", Some((piece.call, piece.items[0]))),
                State::Ending => ("ending", None),
            };
            let since = match &it.state {
                // The message, not the batch.
                State::Running(_, watch) => it.since.max(watch.looked.saturating_sub(watch.spent)),
                _ => it.since,
            };
            Standing { worker: it.id, state, since, runs }
        };
        self.workers.values().map(one).collect()
    }

    /// Messages on which a worker has died and that run alone next, or do so now.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = Suspect> {
        let tested = self.workers.values().filter_map(|it| it.piece()).filter(|it| it.is_suspect);
        self.suspects.iter().chain(tested).map(|it| (it.call, it.items[0]))
    }

    /// Whether the line does not move because no worker is of use, and what the last fault was.
    pub(crate) fn fault(&self) -> Option<(&str, Millis)> {
        self.fault.as_ref().map(|(why, at)| (why.as_str(), *at))
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.restarts
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }
}
