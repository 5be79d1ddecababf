"""What a connector written in Python is: a class that receives, or one that sends."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol, TypeAlias

from fastmllp_engine.graph import Spec

Failure: TypeAlias = Literal[
    "refused_for_good", "refused_for_now", "transport", "no_reply", "credential"
]


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection that a connector works for."""

    name: str
    """As in the configuration."""
    folder: Path
    """A folder in the engine's data that is this connection's own. It stays across restarts."""
    life: str
    """Differs from one start of the engine to the next, and is the same until it stops."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The engine holds a message: its source may be moved, deleted or acknowledged."""

    message: int
    """Its number."""
    outcome: Literal["stored", "duplicate", "refused", "not_delivered"] = "stored"
    """``duplicate``: it came before, and is not routed. ``refused``: recorded in ERROR, because it
    is too long or no HL7. ``not_delivered``: stored, and with ``ack_after="delivered"`` not
    delivered in time."""


class NotStored(Exception):
    """A message was not stored, or nobody knows whether it was: submit it again later.

    `Intake.submit` raises it. Until a receipt is there the source stays as it is.
    """


class Intake(Protocol):
    """Where a receiver hands in what it has received."""

    def submit(self, payload: bytes | Iterable[bytes]) -> Receipt:
        """Store a message, whole or in parts. Returns once it is durable.

        While the connection is paused this waits. What the iterable of the parts raises goes on to
        the caller, and nothing is stored.

        Raises:
            NotStored: it is not known to be durable.
        """

    def wait(self, seconds: float) -> bool:
        """Wait. False, and at once, when the connection has to end: then `Receiver.run` returns."""

    def say(self, note: str) -> None:
        """Tell the operator: a line of the engine's log. Nothing of a message may be in it."""


class Delivery(Protocol):
    """A message that is to be sent."""

    @property
    def message(self) -> int:
        """The number of the message that was received."""

    @property
    def control_id(self) -> bytes:
        """MSH-10; empty if there is none."""

    @property
    def attempt(self) -> int:
        """Counted from 1. Above 1, the partner may have it already."""

    @property
    def payload(self) -> bytes:
        """All of it."""

    def __len__(self) -> int:
        """The length of the payload in bytes."""

    def read(self, size: int = 262_144, /) -> bytes:
        """The next part of the payload, at most so many bytes; empty at the end."""


class Receiver(ABC):
    """The inbound half of a connector."""

    @abstractmethod
    def run(self, intake: Intake) -> None:
        """Receive, submit, and only then acknowledge, until `Intake.wait` says False.

        What it raises ends the process. The engine logs the type and the line, and starts another.
        """


class Sender(ABC):
    """The outbound half of a connector."""

    def connect(self) -> None:  # noqa: B027 - a connector without a connection has nothing to do
        """Reach the partner, before the first delivery and after each `Transport`.

        While it raises anything the connection is shown as not connected. It is called again after
        a while, and no delivery uses up an attempt.
        """

    @abstractmethod
    def send(self, delivery: Delivery) -> str | None:
        """Send a message. Returns once the partner has it for good.

        Returns:
            A note for the journey, without anything of the message, such as ``201 Created``.

        Raises:
            DeliveryFailed: one of its classes says what becomes of the delivery. Anything else
                counts as `Transport`; the operator sees its type and its line.
        """


class DeliveryFailed(Exception):
    """A delivery has failed. The text reaches the operator, so nothing of the message is in it."""

    failure: ClassVar[Failure]
    """The engine's name for it."""


class RefusedForGood(DeliveryFailed):
    """The partner will never take this message: the delivery is dead."""

    failure = "refused_for_good"


class RefusedForNow(DeliveryFailed):
    """The partner cannot take it at present: it is tried again."""

    failure = "refused_for_now"


class Transport(DeliveryFailed):
    """The partner cannot be reached, or the connection was lost: it is tried again."""

    failure = "transport"


class NoReply(DeliveryFailed):
    """The partner may have it, but has not said so: it is tried again."""

    failure = "no_reply"


class Credential(DeliveryFailed):
    """The partner does not let us in: the lane stops, with the message first."""

    failure = "credential"


class Connector(Spec):
    """A transport that is written in Python: its settings, and what carries them out.

    A class that derives from it overrides `receiver`, `sender` or both. Import what they need
    inside them: a configuration is loaded far more often than a connection runs.

    A field ``timeout_seconds`` says how long one delivery may take, or the next part of a message
    that is submitted; without one that is a minute. A process that takes longer is killed.
    """

    most_connections: ClassVar[int] = 1
    repeats: ClassVar[bool] = False
    """Whether messages that are the same are new ones all the same: none is a duplicate."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.receives = cls.receiver is not Connector.receiver
        cls.sends = cls.sender is not Connector.sender

    def receiver(self, connection: Connection) -> Receiver:
        """What receives for an inbound with these settings. Called in a process of its own."""
        raise NotImplementedError(f"{type(self).__name__} cannot receive")

    def sender(self, connection: Connection) -> Sender:
        """What sends for an outbound with these settings. Called in a process of its own."""
        raise NotImplementedError(f"{type(self).__name__} cannot send")
