"""Messages: found, shown, explained, and sent again."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from fastmllp_engine.api.asked import REFUSALS, Asked, By, not_found
from fastmllp_engine.api.requests import MessageReplay, MessageSelection
from fastmllp_engine.records import (
    ExpiredRecord,
    FoundRecord,
    JobRecord,
    JourneyRecord,
    MessageRecord,
    TraceRecord,
    WhyRecord,
    copied,
)

routes = APIRouter(prefix="/messages", tags=["messages"], responses=REFUSALS)


@routes.get("")
def search(
    asked: Asked,
    control_id: str | None = None,
    message_type: str | None = None,
    field: Annotated[
        list[str], Query(description="An indexed field and its value, such as `PID-3.1=1002`.")
    ] = [],  # noqa: B006
    since: Annotated[int | None, Query(ge=0)] = None,
    until: Annotated[int | None, Query(ge=0)] = None,
    connection: str | None = None,
    disposition: str | None = None,
    before: Annotated[int | None, Query(ge=0, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> FoundRecord:
    """Messages, newest first, a page at a time."""
    received = None if since is None and until is None else (since or 0, until or 2**63)
    found = asked.engine.search(
        control_id=control_id,
        message_type=message_type,
        fields=[_field(one) for one in field],
        received=received,
        connection=connection,
        disposition=disposition,
        before=before,
        limit=limit,
    )
    return copied(FoundRecord, found)


@routes.post("/replay")
def replay(asked: Asked, by: By, wanted: MessageReplay) -> JobRecord:
    """Route messages again, or send them to an outbound, in the order of acceptance."""
    report = asked.engine.replay(
        "messages",
        key=wanted.key,
        by=by,
        because=wanted.because,
        messages=wanted.messages,
        to_outbound=wanted.to_outbound,
    )
    return copied(JobRecord, report)


@routes.post("/replay/preview")
def preview(asked: Asked, wanted: MessageSelection) -> JobRecord:
    """What `replay` would report. Nothing is sent."""
    report = asked.engine.preview(
        "messages", messages=wanted.messages, to_outbound=wanted.to_outbound
    )
    return copied(JobRecord, report)


@routes.get("/expired")
def expired(asked: Asked, control_id: Annotated[str, Query(min_length=1)]) -> ExpiredRecord:
    """When messages with a control ID that are not there any more were deleted."""
    return ExpiredRecord(asked.engine.expired_control_id(control_id))


@routes.get("/{message}")
def show(asked: Asked, message: int) -> MessageRecord:
    """A message, without its body."""
    return journey(asked, message).message


@routes.get("/{message}/journey")
def journey(asked: Asked, message: int) -> JourneyRecord:
    """What has happened to a message."""
    native = asked.engine.journey(message)
    if native is None:
        raise _missing(asked, message)
    return copied(JourneyRecord, native)


@routes.get("/{message}/traces")
def traces(asked: Asked, message: int) -> list[TraceRecord]:
    """Where functions have failed on a message since the engine was started."""
    return [TraceRecord(*one) for one in asked.engine.traces(message)]


@routes.get("/{message}/why")
def why(asked: Asked, message: int) -> WhyRecord:
    """Why a message is not yet delivered, or what became of it."""
    native = asked.engine.why(message)
    if native is None:
        raise _missing(asked, message)
    return copied(WhyRecord, native)


@routes.get(
    "/{message}/payload",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def payload(asked: Asked, message: int) -> Response:
    """The bytes as they were received: patients' data."""
    body = asked.engine.payload(message)
    if body is None:
        raise _missing(asked, message, "body of ")
    return Response(body, media_type="application/octet-stream")


def _missing(asked: Asked, message: int, what: str = "") -> HTTPException:
    """The answer for a message, or its body: it has expired, or there never was one."""
    native = asked.engine.journey(message) if what else None
    at = native.message.body_expired if native else asked.engine.expired(message)
    if at is None:
        return not_found(f"{what}message {message}")
    day = datetime.fromtimestamp(at / 1000, UTC).date()
    return HTTPException(404, f"{what}message {message} expired on {day}")


def _field(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f'field must be like "PID-3.1=1002", and "{path}" has no "="')
    return path, value
