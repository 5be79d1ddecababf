//! A program's graph, with the lanes that its store knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use mllp_pipeline::{Graph, Handler, Head, Inbound, LaneId, Orphan, Outbound, Stage};
use mllp_store::{LaneName, Store, StoreError};

use crate::builder::Builder;
use crate::names::Names;
use crate::workers::Functions;

/// Takes the lanes of the graph, and those that hold something and that the graph does not have.
pub(crate) fn own(
    store: &mut dyn Store,
    builder: &Builder,
) -> Result<(Vec<Head>, Names, Vec<Orphan>), StoreError> {
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
    let left = store.heads(&ids)?.into_iter().filter(|head| head.cursor < head.tail);
    let left: Vec<_> = left.map(|head| head.lane).collect();
    let orphans = others.into_iter().filter(|(lane, _)| left.contains(lane));
    let (orphans, named): (Vec<_>, Vec<_>) =
        orphans.map(|(lane, name)| (Orphan { lane, stage: name.stage }, name)).unzip();
    heads.extend(store.own(&named)?);
    Ok((heads, names, orphans))
}

/// The graph as the pipeline sees it.
pub(crate) fn graph(builder: &Builder, lane: impl Fn(Stage, &str) -> LaneId) -> Graph {
    let inbounds = builder.inbounds.iter().map(|it| Inbound {
        deduplicate: it.deduplicate,
        acknowledge: it.acknowledge,
        on_full: it.on_full,
        capacity: it.capacity,
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
        orphans: Vec::new(),
        limits: builder.limits,
    }
}

/// What the workers run.
pub(crate) fn functions(builder: Builder, names: &Arc<Names>) -> Functions {
    let routers: BTreeMap<_, _> =
        builder.routers.into_iter().map(|(name, it)| (name, Arc::new(it))).collect();
    let of = |name: &String, router| {
        Some((names.lane(Stage::Ingress, name)?, Arc::clone(routers.get(router)?)))
    };
    let by_lane = builder.inbounds.iter().filter_map(|it| of(&it.name, &it.router));
    let keys = builder
        .outbounds
        .into_iter()
        .filter_map(|outbound| Some((names.lane(Stage::Outbound, &outbound.name)?, outbound.keys)));
    let handler = |(name, it): (String, _)| Some((names.lane(Stage::Routed, &name)?, it));
    Functions {
        routers: by_lane.collect(),
        handlers: builder.handlers.into_iter().filter_map(handler).collect(),
        keys: keys.collect(),
        names: Arc::clone(names),
    }
}
