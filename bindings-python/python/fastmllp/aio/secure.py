"""TLS between a transport and any protocol."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol, cast, runtime_checkable

from fastmllp.aio.linger import MAX_BYTES
from fastmllp.aio.secure_transport import SecureTransport
from fastmllp.logging import Log
from fastmllp.serving.sockets.addresses import peer_of, place
from fastmllp.tls.failure import TLS_CLOSED, TLS_TIMEOUT, TlsFailure
from fastmllp.tls.session import TlsSession


@runtime_checkable
class HearsOfTls(Protocol):
    """A protocol that is told of the handshake, and puts it on record."""

    def secured(self, version: str) -> None:
        """The handshake is done. Comes after ``connection_made`` on the server's end."""

    def insecure(self, failure: TlsFailure) -> None:
        """TLS has failed: nothing more comes, or nothing ever came."""


class SecureLayer(asyncio.Protocol):
    """Decrypts for one protocol, which gets a `SecureTransport` and need not know of TLS.

    It takes the place of the TLS of the loop, which closes both directions at once, keeps
    connections in the handshake out of every limit and record, and does not report why one failed.

    On the server's end the protocol has its connection at once, so that it counts from the first
    byte. On the client's end it is made when the handshake is done.

    Attributes:
        opened: The end of the handshake: None, or why it failed. Always set, at the latest when the
            connection is gone.
    """

    def __init__(
        self,
        new_connection: Callable[[], asyncio.Protocol],
        session: TlsSession,
        *,
        timeout: float = 0.0,
        log: Log | None = None,
    ) -> None:
        """Prepare; belongs to the loop that is running.

        Args:
            new_connection: Makes the protocol.
            session: New, of either end.
            timeout: Seconds for the handshake on the server's end; 0 for no limit. On the client's
                end the caller keeps the time.
            log: For the records of a protocol that does not hear of TLS.
        """
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[TlsFailure | None] = self._loop.create_future()
        self._new_connection = new_connection
        self._session = session
        self._timeout = timeout
        self._log = log or Log()
        self._protocol: asyncio.Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self._left = MAX_BYTES

    def itself(self) -> asyncio.Protocol:
        """This protocol, for a loop that asks for a function that makes one."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are not subclasses.
        self._lower = cast(asyncio.Transport, transport)
        self._upper = SecureTransport(self._lower, self._session)
        self._upper.push()
        if self._session.server_side:
            self._begin()
            if self._timeout and not self._lower.is_closing():
                self._timer = self._loop.call_later(self._timeout, self._on_timer)

    def data_received(self, data: bytes) -> None:
        if self._upper.is_ended:
            # Read only so that the peer gets what was sent last; see `Linger`.
            self._left -= len(data)
            if self._left < 0:
                self._lower.abort()
            return
        was_open = self._session.is_open
        data = self._session.receive(data)
        if self._session.is_open and not was_open:
            self._on_open()
        else:
            self._upper.push()
        if data and self._protocol is not None:
            self._protocol.data_received(data)
        if self._session.is_ended:
            self._on_end()

    def eof_received(self) -> bool:
        if self._upper.is_ended:
            return bool(self._protocol is not None and self._protocol.eof_received())
        # An end without TLS's own word for it is an end: a frame that was cut is not complete.
        self._on_end()
        return True

    def pause_writing(self) -> None:
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        if self._protocol is not None:
            self._protocol.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._upper.is_ended = True
        self._settle(self._session.failure or TLS_CLOSED)
        # Forgotten, so that what a connection took is free at once, and not when the collector of
        # cycles comes by: a flood of handshakes would take much more memory.
        protocol, self._protocol = self._protocol, None
        self._upper.forget_protocol()
        if protocol is not None:
            protocol.connection_lost(error)

    def _begin(self) -> None:
        self._protocol = self._new_connection()
        self._upper.set_protocol(self._protocol)
        self._protocol.connection_made(self._upper)

    def _on_open(self) -> None:
        self._settle(None)
        if self._protocol is None:
            self._begin()
        if isinstance(self._protocol, HearsOfTls):
            self._protocol.secured(self._session.version)
        else:
            self._record(logging.INFO, "tls_established", version=self._session.version)
        self._upper.opened()

    def _on_end(self) -> None:
        """Nothing more comes from the peer."""
        if self._ended:
            return
        self._ended = True
        failure = self._session.failure
        if failure is None and not self._session.is_open:
            failure = TLS_CLOSED
        if failure is not None:
            self._fail(failure)
        if self._protocol is None or not self._protocol.eof_received():
            self._upper.close()

    def _on_timer(self) -> None:
        self._fail(TLS_TIMEOUT)
        self._upper.abort()

    def _fail(self, failure: TlsFailure) -> None:
        self._settle(failure)
        if isinstance(self._protocol, HearsOfTls):
            self._protocol.insecure(failure)
        elif self._protocol is not None:
            level = logging.INFO if failure is TLS_CLOSED else logging.WARNING
            self._record(level, "tls_failed", reason=failure.code, text=failure.text)

    def _settle(self, failure: TlsFailure | None) -> None:
        """The handshake has ended, unless it had already."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.opened.done():
            self.opened.set_result(failure)

    def _record(self, level: int, event: str, **fields: Any) -> None:
        address = self._lower.get_extra_info("peername") or ("", 0)
        self._log.event(level, event, peer=place(*peer_of(address)), **fields)
