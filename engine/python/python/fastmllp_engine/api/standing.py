"""How a running engine stands, as records."""

import os
from importlib.metadata import version

from fastmllp_engine.graph.folder import name_of
from fastmllp_engine.records import (
    ConnectionRecord,
    EngineRecord,
    HealthRecord,
    LaneRecord,
    StatusRecord,
    StoreRecord,
    copied,
)
from fastmllp_engine.runtime import Running


def status_of(running: Running) -> StatusRecord:
    """How everything stands."""
    native = running.engine.status()
    engine = EngineRecord(
        version=version("fastmllp-engine"),
        pid=os.getpid(),
        started_at=running.started_at,
        folder=name_of(running.folder),
        environment=running.registry.environment,
        configuration=running.registry.hash,
    )
    return StatusRecord(
        engine=engine,
        store=copied(StoreRecord, native.store),
        lanes=[copied(LaneRecord, lane) for lane in native.lanes],
        waiting=native.waiting,
        is_idle=native.is_idle,
        retention_doubt=running.engine.retention_doubt(),
    )


def connections_of(running: Running) -> list[ConnectionRecord]:
    """The connections of the graph, each with its lane."""
    lanes = {(lane.stage, lane.name): lane for lane in status_of(running).lanes}
    listening = dict(running.listening())
    inbounds = [
        ConnectionRecord(
            name=one.name,
            direction="inbound",
            transport=one.spec.transport,
            address=listening.get(one.name, ""),
            router=one.router,
            lane=lanes.get(("ingress", one.name)),
        )
        for one in running.registry.inbounds.values()
    ]
    outbounds = [
        ConnectionRecord(
            name=one.name,
            direction="outbound",
            transport=one.spec.transport,
            address=one.spec.summary(),
            router=None,
            lane=lanes.get(("outbound", one.name)),
        )
        for one in running.registry.outbounds.values()
    ]
    return [*inbounds, *outbounds]


def health_of(running: Running) -> HealthRecord:
    """What is in the way of messages."""
    status = status_of(running)
    problems: list[str] = []
    if status.store.state != "writing":
        problems.append(f"the store is {status.store.state}: {status.store.trouble}")
    for lane in status.lanes:
        if lane.is_orphaned:
            problems.append(f"{lane.name} is no longer configured and holds {lane.depth}")
        elif lane.hours and not lane.hours.is_open:
            continue
        elif lane.depth and lane.stage == "outbound" and not lane.ready:
            problems.append(f"{lane.name} is not connected, {lane.depth} wait")
        elif lane.is_full:
            problems.append(f"{lane.name} is full")
    if status.retention_doubt:
        problems.append("the clock is in doubt: nothing that has expired is deleted")
    return HealthRecord("degraded" if problems else "ok", problems)
