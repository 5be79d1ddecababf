"""Raw TCP: messages between bytes of their own."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from fastmllp_engine.graph import Spec
from fastmllp_engine.graph.kinds import Between, Byte, Count, Port, Seconds, Text
from fastmllp_engine.graph.refused import OF_TRANSPORT


class Tcp(Spec):
    """Raw TCP. A message stands between a start and an end byte; nothing is acknowledged.

    An inbound listens at ``port``. It closes a connection whose message cannot be stored: that is
    all its sender can see. Two messages of which the first has no end are kept and refused
    together.

    An outbound dials ``host`` and ``port``. A message with a start or end byte in it is refused for
    good before anything of it is sent. Without ``expect_reply`` a delivery ends when the operating
    system has all of it: what is on the way when a connection breaks is lost, and nobody knows.

    Times are in seconds.
    """

    port: Port
    """0 takes a free one, for tests."""
    host: Text | None = None
    """Of an outbound: the partner. Of an inbound: the address to listen at."""
    encoding: Text = "utf-8"
    """The character set of messages that do not name one."""
    framing: Literal["stx_etx", "vt_fs", "mllp"] = "stx_etx"
    """``stx_etx`` is 02 and 03, ``vt_fs`` 0B and 1C, ``mllp`` 0B, and 1C with 0D after it."""
    start: Byte | None = None
    """Another start byte than that of the framing."""
    end: Byte | None = None
    """Another end byte."""
    trailer: Byte | None = None
    """A byte after the end byte."""
    max_frame_bytes: Count = 16 * 1024 * 1024
    """The longest message."""
    connect_timeout: Seconds = 10.0
    send_timeout_seconds: Seconds = 10.0
    """For the partner to take a message."""
    keep_alive_seconds: Annotated[int, Between(1, 32_767)] | None = 60
    """Silence after which TCP probes whether the peer is there; None: never."""
    max_connections: Count = 10_000
    """Inbound: connections at a time; further ones are closed at once."""
    idle_timeout_seconds: Seconds | None = None
    """Inbound: silence that ends a connection; None: none does."""
    expect_reply: bool = False
    """Outbound: a delivery ends with the next frame of the partner, whatever it holds."""
    timeout_seconds: Seconds = 30.0
    """Outbound: from the last byte of a message to its reply. A later one is nobody's."""
    persistent: Literal[True] = True
    """Outbound: the connection stays open; there is no other way."""

    transport: ClassVar[str] = "tcp"
    receives: ClassVar[bool] = True
    sends: ClassVar[bool] = True
    listens: ClassVar[bool] = True
    acknowledges: ClassVar[bool] = False
    refused: ClassVar[Mapping[str, str]] = OF_TRANSPORT

    @property
    def blocks(self) -> tuple[int, int, int | None]:
        """The start byte, the end byte, and the one after that if there is one."""
        start, end, trailer = _FRAMINGS[self.framing]
        return (
            start if self.start is None else self.start,
            end if self.end is None else self.end,
            trailer if self.trailer is None else self.trailer,
        )

    def faults(self) -> Iterator[tuple[str, str]]:
        blocks = [byte for byte in self.blocks if byte is not None]
        if len(set(blocks)) < len(blocks):
            yield "framing", "start, end and trailer must differ"

    def wanted_of_outbound(self) -> Iterator[str]:
        if self.host is None:
            yield "Tcp of an outbound needs a host"
        if self.port == 0:
            yield "port must be from 1 to 65535"

    def summary(self) -> str:
        return f"{self.host or ''}:{self.port}"


_FRAMINGS = {"stx_etx": (0x02, 0x03, None), "vt_fs": (0x0B, 0x1C, None), "mllp": (0x0B, 0x1C, 0x0D)}
