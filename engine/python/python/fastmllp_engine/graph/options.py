"""The choices of connections, and how deliveries are tried again."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from fastmllp_engine.graph.checked import Checked
from fastmllp_engine.graph.kinds import Between, Count, Seconds


class AckMode(StrEnum):
    """Which acknowledgment the sender of a message gets."""

    ORIGINAL = "original"
    """AA, AE or AR for every message."""
    ENHANCED = "enhanced"
    """What the message asks for in MSH-15 and MSH-16."""
    NONE = "none"
    """None. A sender whose message cannot be stored sees its connection close."""


class AckAfter(StrEnum):
    """When the sender of a message gets its acknowledgment."""

    INGEST = "ingest"
    """Once the message is stored."""
    DELIVERED = "delivered"
    """Once everything that came of it is delivered."""


class AckPolicy(StrEnum):
    """How an acknowledgment mirrors its message."""

    ALWAYS = "always"
    """Every complete frame is answered, whatever it holds."""
    CONFORMANT = "conformant"
    """The acknowledgment of chapter 2; a message without MSH has none."""


class ContentType(StrEnum):
    """What an inbound receives. Functions get a `Message` for HL7, and a `RawMessage` else."""

    HL7V2 = "hl7v2"
    JSON = "json"
    XML = "xml"
    TEXT = "text"
    X12 = "x12"
    BINARY = "binary"


class OnFull(StrEnum):
    """What happens to messages while the disk or the lane of their inbound is full."""

    REFUSE = "refuse"
    """They are answered AE or CE, and their senders send them again."""
    WAIT = "wait"
    """No more are read; those that have been read wait for room without an answer."""


class Closed(StrEnum):
    """What an inbound does outside of its schedule."""

    UNREACHABLE = "unreachable"
    """It does not listen."""
    ANSWER = "answer"
    """Messages are answered AE or CE, and their senders send them again."""


class OrderingMode(StrEnum):
    """Which order the deliveries of an outbound keep."""

    FIFO = "fifo"
    """First in, first out."""
    KEY = "key"
    """First in, first out among those that share a key; others pass."""
    UNORDERED = "unordered"
    """None."""


class Then(StrEnum):
    """What becomes of a delivery that is given up."""

    DEAD = "dead"
    """It is dead, and its message ends in ERROR."""
    HELD = "held"
    """It is held for an operator, and its message stays open."""
    STOP = "stop"
    """The lane stops, with the delivery first."""


class RetryPolicy(Checked):
    """When a delivery that failed for now is tried again."""

    max_attempts: Count | Literal["forever"] = 100
    """Attempts before the delivery is given up."""
    backoff_seconds: Seconds = 5.0
    """The wait before the second attempt."""
    backoff_multiplier: Annotated[int, Between(1, 1_000)] = 2
    """What each further wait is multiplied by, a whole number."""
    max_backoff_seconds: Seconds = 300.0
    """The longest wait."""

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.backoff_seconds > self.max_backoff_seconds:
            yield "backoff_seconds", "backoff_seconds must not be longer than max_backoff_seconds"
