//! All the partners of an engine.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mllp_disk::Rng;

use crate::ledger::Witness;
use crate::load::OUTBOUNDS;
use crate::sink::Sink;

pub(crate) struct Partners {
    sinks: Vec<Sink>,
    well: Arc<AtomicBool>,
}

impl Partners {
    pub(crate) fn start(rng: &mut Rng, witness: &Arc<dyn Witness>) -> io::Result<Partners> {
        let well = Arc::new(AtomicBool::new(false));
        let start = |(outbound, _)| Sink::start(outbound, Rng::new(rng.next()), &well, witness);
        let sinks = OUTBOUNDS.into_iter().map(start).collect::<io::Result<_>>()?;
        Ok(Partners { sinks, well })
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.sinks.iter().map(|sink| sink.address).collect()
    }

    /// From now on they take everything at once.
    pub(crate) fn get_well(&self) {
        self.well.store(true, Ordering::Relaxed);
    }
}
