//! What is written down of each life of an engine.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{SystemTime, UNIX_EPOCH};

use mllp_pipeline::{Acknowledge, BodyId, Stage, Stamp};
use mllp_store::{Life, LivedInbound, Reader, Store};

use crate::builder::Builder;
use crate::engine::Engine;
use crate::error::Error;
use crate::names::Names;
use crate::reader::{self, Question};
use crate::retaining::Retaining;
use crate::specs::InboundSpec;
use crate::writer::{self, Job};

impl Builder {
    /// What the program calls this configuration, such as the hash of its files. The store keeps it
    /// with each start, so a journey says which configuration has routed its message.
    #[must_use]
    pub fn configuration(mut self, name: &str) -> Self {
        self.configuration = name.to_owned();
        self
    }

    /// The life that begins, once everything is bound: what could not start was none.
    pub(crate) fn life(&self, stamp: Stamp, names: &Names) -> Life {
        let router = |it: &InboundSpec| {
            let lane = names.lane(Stage::Ingress, &it.name)?;
            let answers_after_delivery = matches!(it.acknowledge, Acknowledge::Delivered { .. });
            Some(LivedInbound { lane, router: it.router.clone(), answers_after_delivery })
        };
        Life {
            stamp,
            began_at: milliseconds((self.wall)()),
            configuration: self.configuration.clone(),
            inbounds: self.inbounds.iter().filter_map(router).collect(),
            after_crash: false,
        }
    }
}

impl Engine {
    /// Starts what writes.
    pub(crate) fn begin_to_write(
        &mut self,
        store: Box<dyn Store + Send>,
        next: BodyId,
        jobs: Receiver<Job>,
        retaining: Retaining,
    ) -> Result<(), Error> {
        let (core, counts) = (self.core.clone(), Arc::clone(&self.metrics));
        let started = writer::start(store, next, jobs, core, retaining, counts);
        self.writing = Some(started.map_err(Error::System)?);
        Ok(())
    }

    /// Starts what reads for the core.
    pub(crate) fn begin_to_read(
        &mut self,
        reader: Box<dyn Reader>,
    ) -> Result<Sender<Question>, Error> {
        let started = reader::start(reader, self.core.clone());
        let (questions, thread) = started.map_err(Error::System)?;
        self.threads.push(thread);
        Ok(questions)
    }

    /// The next life is told that this one has ended by a stop.
    pub(crate) fn end_life(&self) {
        if let Some(writer) = &self.writer {
            let _ = writer.send(Job::EndLife(milliseconds(SystemTime::now())));
        }
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
