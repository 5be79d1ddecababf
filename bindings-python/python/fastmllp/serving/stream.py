"""The bytes of one connection, plain or inside TLS, over a socket that its owner waits for."""

import contextlib
import socket

from fastmllp.tls.failure import TlsFailure
from fastmllp.tls.session import TlsSession

__all__ = ["Stream", "TlsStream"]

_READ_SIZE = 65_536
# As much is encrypted at once.
_WRITE_SIZE = 65_536


class Stream:
    """Bytes as they are.

    Whether and how long a method blocks is a matter of the socket's timeout. What the socket raises
    passes through, `BlockingIOError` and `TimeoutError` among it.

    Attributes:
        socket: The socket below, for waiting and for its timeout.
        is_ended: Nothing more comes from the other side.
    """

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.is_ended = False

    @property
    def is_open(self) -> bool:
        """Whether bytes of the program can flow: under TLS, after the handshake."""
        return True

    @property
    def is_unsent(self) -> bool:
        """Whether bytes wait for room in the socket, other than those that `send` did not take."""
        return False

    @property
    def failure(self) -> TlsFailure | None:
        """Why TLS has failed, if it has. Nothing more comes then."""
        return None

    @property
    def version(self) -> str:
        """Version of TLS; empty for none."""
        return ""

    def receive(self) -> bytes:
        """What has come; empty at the end. BlockingIOError when nothing has."""
        data = self.socket.recv(_READ_SIZE)
        self.is_ended = not data
        return data

    def send(self, data: bytes) -> int:
        """Send what there is room for, and return how much of the data has left.

        0 means that the socket took bytes, but not yet all that a part of the data has become.
        After that and after a BlockingIOError, the next call must begin with the same data.
        """
        return self.socket.send(data)

    def send_all(self, data: bytes) -> None:
        """Send everything, within the timeout of the socket."""
        self.socket.sendall(data)

    def end(self) -> None:
        """Tell the other side that nothing more comes from here."""
        self.socket.shutdown(socket.SHUT_WR)


class TlsStream(Stream):
    """Bytes inside TLS.

    A connection that ends without TLS's own word for the end is taken as ended: many senders leave
    it so, and a frame that was cut is not complete with or without that word.
    """

    def __init__(self, connected: socket.socket, session: TlsSession) -> None:
        super().__init__(connected)
        self._session = session
        self._unsent = memoryview(b"")
        # Length of the data that has been encrypted but has not left as a whole.
        self._promised = 0

    @property
    def is_open(self) -> bool:
        return self._session.is_open

    @property
    def is_unsent(self) -> bool:
        return bool(self._unsent) or self._session.unsent > 0

    @property
    def failure(self) -> TlsFailure | None:
        return self._session.failure

    @property
    def version(self) -> str:
        return self._session.version

    def receive(self) -> bytes:
        self._push_if_possible()
        if self.is_ended:
            return b""
        received = self.socket.recv(_READ_SIZE)
        data = self._session.receive(received)
        self.is_ended = not received or self._session.is_ended
        # An answer of TLS itself, an alert for instance. The message that came before must not be
        # lost because there is no room for that answer, or because the peer is gone.
        self._push_if_possible()
        if not data and not self.is_ended:
            raise BlockingIOError
        return data

    def send(self, data: bytes) -> int:
        if not self._promised:
            part = data[:_WRITE_SIZE]
            self._session.write(part)
            self._promised = len(part)
        self._push()
        if self.is_unsent:
            return 0
        sent, self._promised = self._promised, 0
        return sent

    def send_all(self, data: bytes) -> None:
        self._session.write(data)
        unsent, self._unsent = bytes(self._unsent) + self._session.outgoing(), memoryview(b"")
        self.socket.sendall(unsent)

    def end(self) -> None:
        self._session.close()
        self._push_if_possible()
        super().end()

    def _push(self) -> None:
        if not self._unsent:
            self._unsent = memoryview(self._session.outgoing())
        if self._unsent:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]

    def _push_if_possible(self) -> None:
        with contextlib.suppress(OSError):
            self._push()
