"""One end of a TLS connection, without a socket: bytes of the wire against bytes of the program.

`ssl.SSLSocket` would read and write by itself. Here the socket is read first, whole, and whatever
it held is decrypted at once: nothing waits inside where no poll can see it, and a message that has
arrived is not lost because the handshake's last bytes could not be written.
"""

import contextlib
import ssl

from fastmllp.tls.failure import TlsFailure

__all__ = ["TlsSession", "reloaded"]

_RECORD_SIZE = 16_384
# Enough of the first bytes to know MLLP by.
_FIRST_SIZE = 8
# RFC 8446, 5: bytes that are not a record are answered with the alert unexpected_message. OpenSSL
# sends nothing to a peer that does not speak TLS, but the peer may read what comes. Our
# client does.
_UNEXPECTED_MESSAGE = b"\x15\x03\x03\x00\x02\x02\x0a"
_NO_TLS = frozenset({"plain_mllp", "http", "not_tls"})


class TlsSession:
    """Either end of a TLS connection.

    Never raises for what comes from the other side: `failure` says what was wrong with it.

    Attributes:
        server_side: Whether this is the server's end.
        is_open: The handshake is done.
        is_ended: Nothing more comes from the other side: it has said so, or has failed.
        failure: Why TLS has failed, if it has.
        version: Version of the protocol, such as ``TLSv1.3``; empty before the handshake is done.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        """Begin: a client has its first bytes to send now.

        Args:
            context: Certificates and rules.
            server_side: Whether this is the server's end.
            server_hostname: The client's end: the name that the server's certificate must have.

        Raises:
            ValueError: The context is one for the other end, or the name cannot be one.
        """
        if context.check_hostname and not (server_side or server_hostname):
            # Left out, the name would pass unchecked.
            raise ValueError("server_hostname is needed to check the server's certificate")
        self.is_open = False
        self.is_ended = False
        self.failure: TlsFailure | None = None
        self.version = ""
        self.server_side = server_side
        self._first = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(
                self._incoming,
                self._outgoing,
                server_side=server_side,
                server_hostname=server_hostname,
            )
        except ssl.SSLError as error:
            end = "server" if server_side else "client"
            raise ValueError(f"tls must be a context for the {end}'s end") from error
        if not server_side:
            self.receive(b"")

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the wire; return all that they hold for the program, perhaps nothing."""
        if self.is_ended:
            return b""
        if not self.is_open:
            self._first = (self._first + data[:_FIRST_SIZE])[:_FIRST_SIZE]
        self._incoming.write(data)
        parts: list[bytes] = []
        try:
            if not self.is_open:
                self._tls.do_handshake()
                self.is_open = True
                self.version = self._tls.version() or ""
            while part := self._tls.read(_RECORD_SIZE):
                parts.append(part)
            self.is_ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # The other side's word for the end, after ours.
            self.is_ended = True
        except ssl.SSLError as error:
            self._fail(error)
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Take bytes of the program; `outgoing` then has them for the wire.

        Raises:
            ssl.SSLError: Nothing can be sent any more, because TLS has failed.
        """
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]

    def close(self) -> None:
        """Tell the other side that nothing more comes: `outgoing` then has the alert for that."""
        # It also looks for the alert of the other side, which nobody waits for.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()

    def outgoing(self) -> bytes:
        """Bytes for the wire, each of them once."""
        return self._outgoing.read()

    @property
    def unsent(self) -> int:
        """How many bytes `outgoing` has for the wire."""
        return self._outgoing.pending

    def _fail(self, error: ssl.SSLError) -> None:
        self.is_ended = True
        self.failure = TlsFailure.of(error, b"" if self.is_open else self._first)
        if self.server_side and self.failure.code in _NO_TLS:
            self._outgoing.write(_UNEXPECTED_MESSAGE)


def reloaded(current: ssl.SSLContext | None, context: ssl.SSLContext) -> ssl.SSLContext:
    """The context that a listening port uses from now on.

    Args:
        current: The one that it has; None if it does not speak TLS.
        context: The one that it is given.

    Raises:
        ValueError: The context is not one for a server, or the port does not speak TLS: the peers
            that know it would fail.
    """
    if current is None:
        raise ValueError("tls: the port does not speak TLS")
    TlsSession(context, server_side=True)
    return context
