"""What a connector written in Python is: a class that receives, or one that sends."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

from fastmllp_engine.graph import Spec


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
    """A message is durable, and its source may be moved, deleted or acknowledged."""

    message: int
    """Its number."""
    duplicate: bool = False
    """Whether it came before: it is recorded, and not routed."""


class NotStored(Exception):
    """A message was not taken, or nobody knows whether it was: the source stays as it is.

    `Intake.submit` raises it. Submit the message again later.
    """


class Intake(Protocol):
    """Where a receiver hands in what it has received."""

    def submit(self, payload: bytes) -> Receipt:
        """Store a message. Returns once that is durable.

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
    def sequence(self) -> int:
        """Its number in the lane of its outbound. It stays the same for every attempt."""

    @property
    def received(self) -> int:
        """When the message was received, in milliseconds since 1970 in UTC."""

    @property
    def possibly_sent(self) -> bool:
        """Whether an earlier attempt was broken off, so that the partner may have it."""

    def __len__(self) -> int:
        """The length of the payload in bytes."""

    def open(self) -> BinaryIO:
        """The payload, to be read in pieces, from its beginning."""

    @property
    def payload(self) -> bytes:
        """The payload as a whole."""


class Receiver(Protocol):
    """Receives: the inbound half of a connector."""

    def run(self, intake: Intake) -> None:
        """Receive, submit, and only then acknowledge, until `Intake.wait` says False.

        What it raises ends it. The engine logs the type and the line, and starts it again.
        """


class Sender(Protocol):
    """Sends: the outbound half of a connector."""

    def send(self, delivery: Delivery) -> str | None:
        """Send a message. Returns once the partner has it for good.

        Returns:
            A note for the journey, without anything of the message, such as ``201 Created``.

        Raises:
            DeliveryFailed: one of its classes says what becomes of the delivery. Anything else
                that is raised counts as `Transport`, and tells the operator its type and line.
        """


class DeliveryFailed(Exception):
    """A delivery has failed. The text reaches the operator, so nothing of the message is in it."""

    failure: ClassVar[str]
    """The engine's name for it."""


class RefusedForGood(DeliveryFailed):
    """The partner will never take this message: the delivery is dead."""

    failure = "refused"


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
    """

    transport: ClassVar[str]
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
