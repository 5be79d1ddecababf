"""What requests say. Who asks is never among it: the socket knows."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Reason = Annotated[str, Field(max_length=200, description="Why. It stays in the journey.")]
Key = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Of the request: the same key again does nothing again, and reports the same.",
    ),
]


class Request(BaseModel):
    """A field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Operation(Request):
    """Something that an operator does to a connection."""

    because: Reason = ""
    stage: Literal["ingress", "routed", "outbound"] | None = None
    """Where a name is that of more than one; null: inbound, then outbound, then handler."""


class BackupWanted(Request):
    """Where a backup is to be."""

    to: Annotated[str, Field(min_length=1)]
    """A folder that is not there yet: a whole path on the engine's machine."""


class LaneOperation(Request):
    """Something that an operator does to a lane that is no longer configured."""

    stage: Literal["ingress", "routed", "outbound"]
    name: str
    because: Reason = ""


class LaneMove(LaneOperation):
    """Appends what is left to another lane of the same stage."""

    to: str


class Reload(Request):
    """What becomes of lanes that vanish and hold something. Without that a reload is refused."""

    moves: dict[str, str] = {}
    """The lane that gets what a lane holds, by the name of the latter."""
    cancels: list[str] = []
    """Lanes whose messages end in ERROR."""
    because: Reason = ""


class Selection(Request):
    """Which deliveries are meant: of one outbound or all, and of these messages if any."""

    outbound: str | None = None
    messages: list[int] = []
    failure: str | None = None
    """Only those with this class of failure, such as `refused_for_good`."""
    to_outbound: str | None = None
    """Sent there instead of where they were sent."""


class MessageSelection(Request):
    """Which messages are meant."""

    messages: Annotated[list[int], Field(min_length=1, max_length=100_000)]
    to_outbound: str | None = None
    """Sent there as they were received; null: routed again."""


class Job(Request):
    """A job with its key."""

    key: Key
    because: Reason = ""


class Replay(Selection, Job):
    """Deliveries to send again."""


class MessageReplay(MessageSelection, Job):
    """Messages to send again."""


class HeldJob(Job):
    """Held deliveries to release or to cancel."""

    outbound: str | None = None
    messages: list[int] = []
