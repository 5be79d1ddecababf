"""One accepted connection inside of TLS."""

import contextlib
import ssl
import time

from fastmllp.aio.connection import ServedConnection
from fastmllp.aio.connections import Connections
from fastmllp.aio.service import Service
from fastmllp.tls_failure import TLS_CLOSED, TLS_TIMEOUT
from fastmllp.tls_session import TlsSession


class SecureConnection(ServedConnection):
    """A `ServedConnection` whose bytes are those of a `TlsSession`.

    Not the TLS of the loop, which closes both directions at once and tells nobody why a handshake
    has failed.
    """

    __slots__ = ("_tls",)

    def __init__(self, service: Service, connections: Connections, context: ssl.SSLContext) -> None:
        super().__init__(service, connections)
        self._tls = TlsSession(context, server_side=True)

    def _receive(self, data: bytes) -> None:
        tls = self._tls
        was_open = tls.is_open
        data = tls.receive(data)
        self._push()
        if tls.is_open and not was_open:
            self._report.secured(tls.version)
            # The time until the first message begins now.
            self._link = self._service.limits.new_link(time.monotonic())
        if data:
            super()._receive(data)
        if tls.is_ended and not self._ended:
            self._report_failure()
            self._end()

    def eof_received(self) -> bool:
        if not self._tls.is_open and not self._ended and self._linger is None:
            self._report.insecure(self._tls.failure or TLS_CLOSED)
        return super().eof_received()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(ssl.SSLError):  # It has failed, and that is on record.
            self._tls.write(data)
        self._push()

    def _push(self) -> None:
        if data := self._tls.outgoing():
            self._transport.write(data)

    def _say_end(self) -> None:
        self._tls.close()
        self._push()

    def _on_timer(self) -> None:
        deadline = self._link.next_deadline()
        if self._tls.is_open or deadline is None or deadline > time.monotonic():
            super()._on_timer()
            return
        self._timer = None
        self._report.insecure(TLS_TIMEOUT)
        self._transport.abort()

    def _report_failure(self) -> None:
        if self._tls.failure is not None:
            self._report.insecure(self._tls.failure)
