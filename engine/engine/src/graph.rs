//! The graph that a program has put together, as pipeline, store and workers know it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mllp_pipeline::{Graph, Handler, Head, Inbound, LaneId, Orphan, Outbound, Stage};
use mllp_store::{LaneName, Store, StoreError};

use crate::builder::Builder;
use crate::names::Names;
use crate::worker::Kind;
use crate::workers::Functions;

/// What the store has of the lanes of a graph, and of those that hold something and that the graph does
/// not have.
pub(crate) struct Stored {
    pub(crate) heads: Vec<Head>,
    pub(crate) names: Names,
    pub(crate) orphans: Vec<Orphan>,
}

impl Stored {
    /// Takes all these lanes.
    pub(crate) fn own(store: &mut dyn Store, builder: &Builder) -> Result<Stored, StoreError> {
        let inbounds = builder.inbounds.iter().map(|it| (Stage::Ingress, &it.name));
        let handlers = builder.handlers.iter().map(|(name, _)| (Stage::Routed, name));
        let outbounds = builder.outbounds.iter().map(|it| (Stage::Outbound, &it.name));
        let wanted: Vec<_> = inbounds
            .chain(handlers)
            .chain(outbounds)
            .map(|(stage, name)| LaneName { stage, name: name.clone() })
            .collect();
        let mut heads = store.own(&wanted)?;
        let known = store.lanes()?;
        let mut names = Names::default();
        known.iter().for_each(|(lane, LaneName { stage, name })| names.add(*lane, *stage, name));
        let others: Vec<_> = known.into_iter().filter(|(_, name)| !wanted.contains(name)).collect();
        let ids: Vec<_> = others.iter().map(|(lane, _)| *lane).collect();
        let left = store.heads(&ids)?.into_iter().filter(holds);
        let left: Vec<_> = left.map(|head| head.lane).collect();
        let orphans = others.into_iter().filter(|(lane, _)| left.contains(lane));
        let (orphans, named): (Vec<_>, Vec<_>) =
            orphans.map(|(lane, name)| (Orphan { lane, stage: name.stage }, name)).unzip();
        heads.extend(store.own(&named)?);
        Ok(Stored { heads, names, orphans })
    }
}

impl Stored {
    /// The same lanes as they are now, without those that hold nothing more.
    pub(crate) fn again(self, store: &mut dyn Store) -> Result<Stored, StoreError> {
        let Stored { heads, names, mut orphans } = self;
        let mut heads = store.heads(&heads.iter().map(|it| it.lane).collect::<Vec<_>>())?;
        let emptied = |orphans: &[Orphan], head: &Head| {
            orphans.iter().any(|it| it.lane == head.lane) && !holds(head)
        };
        heads.retain(|it| !emptied(&orphans, it));
        orphans.retain(|orphan| heads.iter().any(|it| it.lane == orphan.lane));
        Ok(Stored { heads, names, orphans })
    }

    /// The lanes that the graph does not have.
    pub(crate) fn orphaned(&self) -> Vec<(Stage, String)> {
        self.orphans.iter().map(|it| (it.stage, self.names.of(it.lane))).collect()
    }
}

/// Whether anything waits in a lane: its cursor may have passed what is parked.
fn holds(head: &Head) -> bool {
    head.cursor < head.tail || !head.parked.is_empty()
}

impl Builder {
    /// The lanes of the inbounds and of the outbounds.
    pub(crate) fn lanes(&self, names: &Names) -> (Vec<LaneId>, Vec<LaneId>) {
        let lane = |stage, name: &str| names.lane(stage, name).unwrap_or(LaneId(0));
        let inbounds = self.inbounds.iter().map(|it| lane(Stage::Ingress, &it.name));
        let outbounds = self.outbounds.iter().map(|it| lane(Stage::Outbound, &it.name));
        (inbounds.collect(), outbounds.collect())
    }
}

/// The graph as the pipeline knows it.
pub(crate) fn graph(builder: &Builder, orphans: Vec<Orphan>, names: &Names) -> Graph {
    let lane = |stage, name: &str| names.lane(stage, name).unwrap_or(LaneId(0));
    let inbounds = builder.inbounds.iter().map(|it| Inbound {
        deduplicate: it.deduplicate,
        acknowledge: it.acknowledge,
        on_full: it.on_full,
        capacity: it.capacity,
        takes_sends: !it.receives(),
        closed: it.closed,
        ..Inbound::new(lane(Stage::Ingress, &it.name))
    });
    let handlers = builder.handlers.iter().map(|(name, _)| Handler {
        capacity: builder.capacities.get(name).copied().unwrap_or_default(),
        ..Handler::new(lane(Stage::Routed, name))
    });
    let outbounds = builder.outbounds.iter().map(|it| Outbound {
        ordering: it.ordering,
        window: it.window() as u32,
        retry: it.retry,
        give_up: it.give_up,
        capacity: it.capacity,
        ..Outbound::new(lane(Stage::Outbound, &it.name))
    });
    Graph {
        inbounds: inbounds.collect(),
        handlers: handlers.collect(),
        outbounds: outbounds.collect(),
        orphans,
        limits: builder.limits,
    }
}

/// Routers and handlers by their lanes, and those that run in workers.
pub(crate) fn functions(builder: Builder, names: &Arc<Names>) -> (Functions, InWorkers) {
    let mut in_workers = InWorkers::new();
    let routers: BTreeMap<_, _> =
        builder.routers.into_iter().map(|(name, it)| (name, it.map(Arc::new))).collect();
    let (mut by_lane, mut passes) = (BTreeMap::new(), BTreeSet::new());
    for inbound in &builder.inbounds {
        let Some(lane) = names.lane(Stage::Ingress, &inbound.name) else { continue };
        if !inbound.receives() {
            passes.insert(lane);
        }
        match routers.get(&inbound.router) {
            Some(Some(router)) => drop(by_lane.insert(lane, Arc::clone(router))),
            Some(None) => drop(in_workers.insert(lane, (Kind::Router, inbound.router.clone()))),
            None => {}
        }
    }
    let mut handlers = BTreeMap::new();
    for (name, handler) in builder.handlers {
        let Some(lane) = names.lane(Stage::Routed, &name) else { continue };
        match handler {
            Some(handler) => drop(handlers.insert(lane, handler)),
            None => drop(in_workers.insert(lane, (Kind::Handler, name))),
        }
    }
    let keys = builder
        .outbounds
        .into_iter()
        .filter_map(|outbound| Some((names.lane(Stage::Outbound, &outbound.name)?, outbound.keys)));
    let (keys, names) = (keys.collect(), Arc::clone(names));
    (Functions { routers: by_lane, handlers, keys, passes, names }, in_workers)
}

/// What runs in workers, by the lanes.
pub(crate) type InWorkers = BTreeMap<LaneId, (Kind, String)>;
