"""What a protocol writes to when its connection is inside TLS."""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Any

from fastmllp.tls.session import TlsSession

# One record of TLS holds no more (RFC 8446, 5.1).
_RECORD_SIZE = 16_384


class SecureTransport(asyncio.Transport):
    """Encrypts what is written. The transport below moves the bytes, and so tells how many wait.

    Unlike the TLS of the loop it can end one direction: `write_eof` sends the alert close_notify
    and shuts the socket down for writing.

    Attributes:
        is_ended: Nothing more can be written: `write_eof`, `close` or `abort` was called.
    """

    def __init__(self, lower: asyncio.Transport, session: TlsSession) -> None:
        super().__init__()
        self.is_ended = False
        self._lower = lower
        self._session = session
        self._protocol: asyncio.BaseProtocol | None = None
        # What was written before the handshake was done.
        self._early: list[bytes] = []
        # Lengths of what the transport below holds: of the program, and on the wire.
        self._held: deque[tuple[int, int]] = deque()
        self._held_inside = self._held_outside = 0

    @property
    def is_open(self) -> bool:
        """Whether the handshake is done."""
        return self._session.is_open

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_ended or not data:
            return
        if not self._session.is_open:
            self._early.append(bytes(data))
            return
        data = bytes(data)
        with contextlib.suppress(ssl.SSLError):  # It has failed, and that is on record.
            for begin in range(0, len(data), _RECORD_SIZE):
                part = data[begin : begin + _RECORD_SIZE]
                self._session.write(part)
                self.push(len(part))

    def push(self, inside: int = 0) -> None:
        """Write what the session has for the wire.

        Args:
            inside: Of how many bytes of the program it is made.
        """
        data = self._session.outgoing()
        if not data:
            return
        self._lower.write(data)
        if self._lower.get_write_buffer_size():
            self._held.append((inside, len(data)))
            self._held_inside += inside
            self._held_outside += len(data)
        elif self._held:
            self._held.clear()
            self._held_inside = self._held_outside = 0

    def opened(self) -> None:
        """The handshake is done: write what waited for it."""
        early, self._early = self._early, []
        self.push()
        self.writelines(early)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        return self._lower.can_write_eof()

    def write_eof(self) -> None:
        if not self.is_ended:
            self._say_end()
            # The peer has perhaps reset the connection, and the loop has not noticed yet
            # (ENOTCONN).
            with contextlib.suppress(OSError):
                self._lower.write_eof()

    def close(self) -> None:
        if not self.is_ended:
            self._say_end()
        self._lower.close()

    def abort(self) -> None:
        self.is_ended = True
        self._lower.abort()

    def _say_end(self) -> None:
        self.is_ended = True
        self._session.close()
        self.push()

    def is_closing(self) -> bool:
        return self._lower.is_closing()

    def is_reading(self) -> bool:
        return self._lower.is_reading()

    def pause_reading(self) -> None:
        self._lower.pause_reading()

    def resume_reading(self) -> None:
        self._lower.resume_reading()

    def get_write_buffer_size(self) -> int:
        """How many bytes of the program have not left.

        The peer can read nothing of a record before it has all of it, so a byte has left when its
        record has.
        """
        outside = self._lower.get_write_buffer_size()
        while self._held and self._held_outside - self._held[0][1] >= outside:
            inside, length = self._held.popleft()
            self._held_inside -= inside
            self._held_outside -= length
        # What TLS adds itself, such as the alert at the end, counts as something.
        return max(self._held_inside + sum(map(len, self._early)), min(outside, 1))

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._lower.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._lower.set_write_buffer_limits(high=high, low=low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "tls_version":
            return self._session.version or default
        return self._lower.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def forget_protocol(self) -> None:
        """The connection is gone."""
        self._protocol = None

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol
