"""Deliveries that are dead or held."""

from typing import Annotated

from fastapi import APIRouter, Query

from fastmllp_engine.api.asked import REFUSALS, Asked, By
from fastmllp_engine.api.requests import HeldJob, Replay, Selection
from fastmllp_engine.records import (
    GivenUpPage,
    GivenUpSummary,
    JobRecord,
    copied,
    page_of,
    summary_of,
)

routes = APIRouter(tags=["given up"], responses=REFUSALS)

Limit = Annotated[int, Query(ge=1, le=1_000)]
After = Annotated[str | None, Query(description="`next` of the page before.")]


@routes.get("/dead-letters")
def dead(
    asked: Asked, outbound: str | None = None, after: After = None, limit: Limit = 100
) -> GivenUpPage:
    """Dead deliveries in the order in which their messages were received."""
    return page_of(asked.engine.dead, outbound, after, limit)


@routes.get("/dead-letters/summary")
def dead_summary(asked: Asked, outbound: str | None = None) -> GivenUpSummary:
    """How many are dead, by outbound and reason."""
    return summary_of(asked.engine.dead, outbound)


@routes.post("/dead-letters/replay")
def replay(asked: Asked, by: By, wanted: Replay) -> JobRecord:
    """Append dead deliveries again, in the order in which their messages were received."""
    report = asked.engine.replay(
        "dead",
        key=wanted.key,
        by=by,
        because=wanted.because,
        outbound=wanted.outbound,
        messages=wanted.messages,
        failure=wanted.failure,
        to_outbound=wanted.to_outbound,
    )
    return copied(JobRecord, report)


@routes.post("/dead-letters/replay/preview")
def preview(asked: Asked, wanted: Selection) -> JobRecord:
    """What `replay` would report. Nothing is sent."""
    report = asked.engine.preview(
        "dead",
        outbound=wanted.outbound,
        messages=wanted.messages,
        failure=wanted.failure,
        to_outbound=wanted.to_outbound,
    )
    return copied(JobRecord, report)


@routes.get("/held")
def held(
    asked: Asked, outbound: str | None = None, after: After = None, limit: Limit = 100
) -> GivenUpPage:
    """Held deliveries in the order in which their messages were received."""
    return page_of(asked.engine.held, outbound, after, limit)


@routes.get("/held/summary")
def held_summary(asked: Asked, outbound: str | None = None) -> GivenUpSummary:
    """How many are held, by outbound and reason."""
    return summary_of(asked.engine.held, outbound)


@routes.post("/held/release")
def release(asked: Asked, by: By, wanted: HeldJob) -> JobRecord:
    """Append held deliveries again, in the order in which their messages were received."""
    report = asked.engine.release(
        key=wanted.key,
        by=by,
        because=wanted.because,
        outbound=wanted.outbound,
        messages=wanted.messages,
    )
    return copied(JobRecord, report)


@routes.post("/held/cancel")
def cancel(asked: Asked, by: By, wanted: HeldJob) -> JobRecord:
    """End held deliveries: their messages end in ERROR."""
    report = asked.engine.cancel(
        key=wanted.key,
        by=by,
        because=wanted.because,
        outbound=wanted.outbound,
        messages=wanted.messages,
    )
    return copied(JobRecord, report)
