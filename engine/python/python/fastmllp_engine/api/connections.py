"""How the engine stands, and what an operator does to its connections and lanes."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from fastmllp_engine.api.asked import REFUSALS, Asked, By, Watched, not_found
from fastmllp_engine.api.requests import LaneMove, LaneOperation, Operation, Reload
from fastmllp_engine.api.standing import connections_of, health_of, status_of
from fastmllp_engine.records import ConnectionRecord, HealthRecord, StatusRecord
from fastmllp_engine.runtime import Running
from fastmllp_engine.runtime.running import Reloaded, Stage

routes = APIRouter(responses=REFUSALS)


class Metrics(Response):
    """OpenMetrics text."""

    media_type = "application/openmetrics-text; version=1.0.0"


class Moved(BaseModel):
    """How many messages or deliveries a lane had left."""

    count: int


@routes.get("/health")
def health(asked: Asked) -> HealthRecord:
    """Whether the engine stores and can deliver."""
    return health_of(asked)


@routes.get("/status")
def status(asked: Asked, watched: Watched) -> StatusRecord:
    """How everything stands."""
    return status_of(asked, watched)


@routes.get("/metrics", response_class=Metrics)
def metrics(asked: Asked) -> Response:
    """Counters since the start, and how lanes stand, for Prometheus."""
    return Metrics(asked.engine.metrics())


@routes.get("/connections")
def connections(asked: Asked) -> list[ConnectionRecord]:
    """The connections, each with its lane."""
    return connections_of(asked)


@routes.post("/connections/{name}/start", status_code=204)
def start(asked: Asked, by: By, name: str, operation: Operation) -> None:
    """Let messages pass again."""
    _switch(asked, by, name, operation, "on")


@routes.post("/connections/{name}/stop", status_code=204)
def stop(asked: Asked, by: By, name: str, operation: Operation) -> None:
    """Stop it, also across restarts: an inbound does not listen, an outbound disconnects."""
    _switch(asked, by, name, operation, "stopped")


@routes.post("/connections/{name}/pause", status_code=204)
def pause(asked: Asked, by: By, name: str, operation: Operation) -> None:
    """Pause it, also across restarts: connections stay, and nothing passes."""
    _switch(asked, by, name, operation, "paused")


@routes.post("/connections/{name}/retry", status_code=204)
def retry(asked: Asked, name: str, operation: Operation) -> None:
    """Try the head of its lane now."""
    asked.engine.retry_now(_stage(asked, name, operation.stage), name)


@routes.post("/config/reload")
def reload(asked: Asked, by: By, wanted: Reload) -> Reloaded:
    """Load the configuration again and go on with it: all of it, or nothing has changed."""
    return asked.reload(wanted.moves, wanted.cancels, by, wanted.because)


@routes.post("/lanes/move")
def move(asked: Asked, by: By, operation: LaneMove) -> Moved:
    """Append what a lane has left that is no longer configured to one that is."""
    count = asked.engine.move_lane(
        operation.stage, operation.name, operation.to, by=by, because=operation.because
    )
    return Moved(count=count)


@routes.post("/lanes/cancel")
def cancel(asked: Asked, by: By, operation: LaneOperation) -> Moved:
    """End what a lane has left that is no longer configured: its messages end in ERROR."""
    count = asked.engine.cancel_lane(
        operation.stage, operation.name, by=by, because=operation.because
    )
    return Moved(count=count)


def _switch(
    asked: Running,
    by: str,
    name: str,
    operation: Operation,
    flow: Literal["on", "paused", "stopped"],
) -> None:
    stage = _stage(asked, name, operation.stage)
    inbound = asked.registry.inbounds.get(name) if stage == "ingress" else None
    side: Literal["input", "output"] = inbound.side if inbound else "output"
    engine = asked.engine
    engine.switch(stage, name, side, flow, by=by, because=operation.because)


def _stage(asked: Running, name: str, given: Stage | None) -> Stage:
    stage = given or asked.stage_of(name)
    if stage is None:
        raise not_found(f"inbound, outbound or handler {name}")
    return stage
