"""What handlers return."""

from typing import Protocol, Self


class Encodable(Protocol):
    """A message as `Send` needs it: `fastmllp_engine.Message` and `RawMessage`."""

    def copy(self) -> Self:
        """The same message; a change of one of them is not seen in the other."""

    def encode(self) -> bytes:
        """The bytes that are sent."""


class Send:
    """Sends a message to an outbound, or on to another handler.

    It takes a snapshot: a handler may send a message, change it, and send it again.
    """

    __slots__ = ("_snapshot", "to")

    def __init__(self, to: str, message: Encodable | bytes | str) -> None:
        """Take the snapshot.

        Args:
            to: The name of an outbound or handler.
            message: What is sent. A text is sent in UTF-8.

        Raises:
            TypeError: one of them is of another type. The text names the type, not the value.
        """
        if not isinstance(to, str):
            raise TypeError(f"Send: to must be a name, is {type(to).__name__}")
        self.to = to
        self._snapshot: Encodable | bytes
        if isinstance(message, str):
            self._snapshot = message.encode()
        elif isinstance(message, (bytes, bytearray, memoryview)):
            self._snapshot = bytes(message)
        elif hasattr(message, "encode") and hasattr(message, "copy"):
            self._snapshot = message.copy()
        else:
            kind = type(message).__name__
            raise TypeError(f"Send: message must be a message, bytes or a text, is {kind}")

    @property
    def payload(self) -> bytes:
        """The bytes that are sent."""
        snapshot = self._snapshot
        return snapshot if isinstance(snapshot, bytes) else snapshot.encode()

    def __repr__(self) -> str:
        return f"Send(to={self.to!r})"
