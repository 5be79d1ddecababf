"""A checked graph, as the native engine gets it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fastmllp_engine.connectors import MLLP, Connector, Tcp
from fastmllp_engine.graph import (
    ConfigurationError,
    Finding,
    Handler,
    Inbound,
    Outbound,
    Registry,
    Schedule,
)
from fastmllp_engine.runtime.connecting import Program
from fastmllp_engine.runtime.options import days, inbound_options, outbound_options
from fastmllp_engine.runtime.raw_tcp import tcp_inbound_options, tcp_outbound_options

if TYPE_CHECKING:
    from fastmllp_engine._native import Builder, Engine

AUTO_START = "auto_start = false"
"""Why a connection is stopped that no operator has started yet."""

Functions = Callable[["Builder", Registry], None]
"""Gives a builder the routers and handlers of a graph."""


def build(
    registry: Registry, data: str | os.PathLike[str], functions: Functions, life: str
) -> "Builder":
    """A builder with everything that the graph says.

    Args:
        registry: The graph.
        data: The engine's data folder.
        functions: Gives the builder the routers and handlers.
        life: Differs from one start of the engine to the next; a reload does not change it.

    Raises:
        ConfigurationError: a connection has a transport that the engine cannot run.
    """
    from fastmllp_engine._native import Builder

    _refuse_other_transports(registry)
    builder = Builder(data)
    builder.configuration(registry.hash)
    program = Program(registry, Path(data), life)
    for inbound in registry.inbounds.values():
        _add_inbound(builder, inbound, registry, program)
        if inbound.schedule:
            _schedule(builder, inbound.name, inbound.schedule, answers=inbound.closed == "answer")
    functions(builder, registry)
    for outbound in registry.outbounds.values():
        _add_outbound(builder, outbound, registry, program)
        if outbound.schedule:
            _schedule(builder, outbound.name, outbound.schedule)
    lanes: list[Inbound | Handler | Outbound] = [*registry.inbounds.values()]
    lanes += [*registry.handlers.values(), *registry.outbounds.values()]
    for lane in lanes:
        _limit(builder, lane.name, lane.capacity_messages, lane.capacity_bytes)
    retention = registry.settings.retention
    builder.retention(
        bodies=days(retention.bodies_days),
        metadata=days(retention.metadata_days),
        dead=days(retention.dead_days),
    )
    builder.stalled_after(registry.settings.alerts.stalled_after_seconds)
    if registry.settings.store.min_free_bytes is not None:
        builder.min_free(registry.settings.store.min_free_bytes)
    return builder


def stop_what_waits(engine: "Engine", registry: Registry) -> None:
    """Stops connections without ``auto_start`` for which nothing was ever set.

    What an operator has set since is in the store, and counts.
    """
    lanes = {(lane.stage, lane.name): lane for lane in engine.status().lanes}
    for outbound in registry.outbounds.values():
        lane = lanes.get(("outbound", outbound.name))
        if not outbound.auto_start and lane is not None and lane.output is None:
            engine.switch("outbound", outbound.name, "output", "stopped", by="", because=AUTO_START)
    for inbound in registry.inbounds.values():
        lane = lanes.get(("ingress", inbound.name))
        side = inbound.side
        if not inbound.auto_start and lane is not None and getattr(lane, side) is None:
            engine.switch("ingress", inbound.name, side, "stopped", by="", because=AUTO_START)


def _refuse_other_transports(registry: Registry) -> None:
    findings: list[Finding] = []
    connections: list[Inbound | Outbound] = [*registry.inbounds.values()]
    connections += registry.outbounds.values()
    for one in connections:
        if not isinstance(one.spec, MLLP | Tcp | Connector) and not getattr(
            one, "takes_sends", False
        ):
            text = f"{one.subject}: this version does not run the transport {one.spec.transport}"
            findings.append(Finding(one.place, text))
    if findings:
        raise ConfigurationError(findings)


def _add_inbound(
    builder: "Builder", inbound: Inbound, registry: Registry, program: Program
) -> None:
    if inbound.takes_sends:
        builder.pass_through(inbound.name, inbound.router)
        return
    if isinstance(inbound.spec, Connector):
        program.add_inbound(builder, inbound, inbound.spec)
        return
    assert isinstance(inbound.spec, MLLP | Tcp)
    assert inbound.address is not None
    host, port = inbound.address
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(inbound.spec, Tcp):
        options = tcp_inbound_options(inbound, inbound.spec, registry.settings)
    else:
        options = inbound_options(inbound, inbound.spec, registry.settings)
    builder.inbound(inbound.name, address, inbound.router, **options)


def _add_outbound(
    builder: "Builder", outbound: Outbound, registry: Registry, program: Program
) -> None:
    if isinstance(outbound.spec, Connector):
        program.add_outbound(builder, outbound, outbound.spec)
        return
    assert isinstance(outbound.spec, MLLP | Tcp)
    assert outbound.spec.host is not None
    if isinstance(outbound.spec, Tcp):
        options = tcp_outbound_options(outbound, outbound.spec, registry.settings)
    else:
        options = outbound_options(outbound, outbound.spec, registry.settings)
    builder.outbound(outbound.name, outbound.spec.host, outbound.spec.port, **options)


def _schedule(builder: "Builder", name: str, given: Schedule, *, answers: bool = False) -> None:
    builder.schedule(name, given.given, given.timezone, invert=given.invert, answers=answers)


def _limit(builder: "Builder", name: str, messages: int | None, size: int | None) -> None:
    if messages is not None and size is not None:
        builder.capacity(name, depth=messages, bytes=size)
    elif messages is not None:
        builder.capacity(name, depth=messages)
    elif size is not None:
        builder.capacity(name, bytes=size)
