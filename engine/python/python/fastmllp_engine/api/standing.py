"""How a running engine stands, as records."""

import os
from importlib.metadata import version

from fastmllp_engine.alerts import Kind, Watch, conditions
from fastmllp_engine.graph.folder import name_of
from fastmllp_engine.records import (
    AlertRecord,
    CertificateRecord,
    ConnectionRecord,
    EngineRecord,
    HealthRecord,
    LaneRecord,
    StatusRecord,
    StoreRecord,
    copied,
)
from fastmllp_engine.runtime import Running


def status_of(running: Running, watch: Watch | None = None) -> StatusRecord:
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
        alerts=[copied(AlertRecord, it) for it in watch.active] if watch else [],
        alert_troubles=watch.troubles if watch else [],
        certificates=[copied(CertificateRecord, it) for it in running.engine.certificates()],
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
    """What is in the way of messages, at this moment: what alerts are made of."""
    doubt = running.engine.retention_doubt()
    status = running.engine.status()
    idle = {lane.name for lane in status.lanes if lane.stage == "outbound" and not lane.depth}
    problems = [
        f"{it.connection}: {it.text}" if it.connection else it.text
        for it in conditions(status, doubt, running.registry, {})
        # A partner may close its connection while there is nothing to send.
        if not (it.kind == Kind.UNCONNECTED and it.connection in idle)
    ]
    return HealthRecord("degraded" if problems else "ok", problems)
