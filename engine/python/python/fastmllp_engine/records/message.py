"""Messages: what is stored of them, what has happened to them, and where they stand.

Times are milliseconds since 1970 in UTC.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message that was received, without its body."""

    id: int
    inbound: str
    control_id: str
    message_type: str
    received_at: int
    accepted: bool
    """Whether its sender was told that it is stored."""
    length: int
    """Of the body in bytes."""
    session: int
    """The message that has led to this one, often itself."""
    origin: str | None
    """The address of its sender, or the name of a file; null: it is not known."""
    original: int | None
    """The message of which this is an edited copy."""
    disposition: str
    """RECEIVED, ROUTED, UNROUTED, FILTERED, PROCESSED, ERROR or DUPLICATE."""
    since: int
    """When the disposition was written; 0 while it is RECEIVED."""
    body_expired: int | None
    """When retention deleted the body; null: it is there."""


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A page of messages, newest first."""

    messages: list[MessageRecord]
    next: int | None
    """`before` of the next page; null: there is none. A page may be empty though there is one."""


@dataclass(frozen=True, slots=True)
class ExpiredRecord:
    """What is known of a control ID whose messages are gone."""

    expired_at: int | None
    """When retention deleted the newest of them; null: it is not known that there was one."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that has happened to a message. What does not belong to its kind is null."""

    at: int
    kind: str
    text: str
    connection: str | None
    """The inbound, handler or outbound where it happened."""
    router: str | None
    """The router that has chosen its handlers."""
    to: list[str]
    differs: list[list[str] | None]
    """Of a transformation, for each destination, the fields that it has changed; null: the bodies
    have expired, or are too large to compare."""
    engine_started: int | None
    """When the engine was started that may have sent it again."""
    after_crash: bool | None
    attempt: int | None
    failure: str | None
    """The class of a failure, such as `refused_for_now`."""
    said: str | None
    """What the partner said, or the type of a function's error."""
    milliseconds: int | None
    """From the last byte sent to the answer."""
    message: int | None
    """Another message that it is about."""
    accepted: bool | None
    newer: int | None
    """How many newer messages were delivered before an older one came again."""
    by: str | None
    because: str | None


@dataclass(frozen=True, slots=True)
class JourneyRecord:
    """What has happened to a message, in facts and, as `text`, a line for each."""

    message: MessageRecord
    configuration: str | None
    """The hash of the configuration that has routed it; null: it was not routed, or that is not
    known."""
    answer: str | None
    """The code with which its sender was answered when it was stored, such as `AA`; null: it was
    not answered then."""
    ack_control_id: str | None
    """MSH-10 of the acknowledgment."""
    events: list[EventRecord]
    text: str


@dataclass(frozen=True, slots=True)
class DeliveryEndRecord:
    """Where the deliveries of a message to an outbound have ended."""

    outbound: str
    how: str
    """`delivered`, `dead`, `held`, `cancelled` or `moved`; `open`: it has not ended."""
    at: int
    said: str | None
    """What the partner said."""


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """What proves that a message was received, and what became of it."""

    message: int
    row: int | None
    """Its row in the lane of its inbound."""
    inbound: str
    sha256: str | None
    """Of the bytes received, in hexadecimal digits; null: they have expired."""
    acknowledgment: str
    """As it was stored; empty: there was none."""
    deliveries: list[DeliveryEndRecord]
    text: str


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """Where a function has failed on a message, without anything that the message holds."""

    function: str
    """The router or handler."""
    text: str
    """A line for each call in a file of the configuration, the innermost last."""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """Where a message stands at one place. What does not belong to its reason is null."""

    place: str
    """The name of the inbound, handler or outbound."""
    reason: str
    text: str
    at: int | None
    failure: str | None
    said: str | None
    by: str | None
    because: str | None
    message: int | None
    """The message that it waits for."""
    lane: str | None
    """The lane that is full."""
    before: int | None
    """Rows of the lane that are before it."""
    attempts: int | None
    """Attempts that have failed, of the message or of the one at the head of its lane."""
    limit: int | None
    """After how many attempts it is given up; how many deliveries a full window has."""
    due: int | None
    """When the next attempt is, or the next dial."""
    due_in: int | None
    """Milliseconds until the next attempt."""
    milliseconds: int | None
    """From the last byte sent to the answer."""


@dataclass(frozen=True, slots=True)
class WhyRecord:
    """Where a message stands, in facts and, as `text`, in sentences."""

    message: MessageRecord
    answers: list[AnswerRecord]
    text: str
