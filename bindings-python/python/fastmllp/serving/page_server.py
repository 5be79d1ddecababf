"""A page over HTTP, with limits on what those who read it can take.

The page is beside a server for messages, in the same process. A peer that is silent, slow or many
must not take its descriptors, its threads or its processor.
"""

import contextlib
import re
import selectors
import socket
import threading
import time
from collections.abc import Callable

from fastmllp.serving.sockets.listening import listen

__all__ = ["MAX_CONNECTIONS", "MAX_REQUEST", "SECONDS", "PageServer"]

MAX_CONNECTIONS = 8
"""Connections at a time; one more ends the oldest."""
MAX_REQUEST = 8192
"""Bytes of a request."""
SECONDS = 5.0
"""What a connection may take from its first moment to its last."""

# How long to leave the listener alone when the process has no descriptors left.
_SHORTAGE_SECONDS = 0.2
# The pause between two pages, as a multiple of the time that the first one took to make.
_REST = 3
_PATHS = (b"/", b"/metrics")
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n")
_END = re.compile(rb"\r?\n\r?\n")

Page = Callable[[], bytes]


class _Connection:
    """One reader: it asks, is answered, and leaves."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self.deadline = time.monotonic() + SECONDS
        self.request = b""
        self.answer = b""
        self.is_answered = False


class PageServer:
    """Shows a page at ``/`` and ``/metrics``; one thread serves all its readers."""

    def __init__(self, host: str, port: int, content_type: str, page: Page) -> None:
        """Listen, and serve until `close`.

        Args:
            host: Address or name to listen on.
            port: TCP port; 0 takes a free one.
            content_type: What the page is.
            page: Makes it, for each request.

        Raises:
            OSError: The address cannot be resolved or bound.
        """
        self._page = page
        self._content_type = content_type
        self._listener = listen(host, port)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        self._connections: list[_Connection] = []
        self._paused_until = 0.0
        self._rested_at = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="fastmllp-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what is being read is cut off. May be called more than once."""
        if self._closing:
            return
        self._closing = True
        self._wake_sender.send(b"\0")
        self._thread.join()
        for connection in self._connections:
            connection.socket.close()
        self._selector.close()
        for owned in (self._listener, self._wake_receiver, self._wake_sender):
            owned.close()

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(self._wait_seconds()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._connections:  # Not one that was ended to make room.
                    self._go_on(key.data)
            self._on_time()

    def _wait_seconds(self) -> float | None:
        times = [connection.deadline for connection in self._connections]
        if self._paused_until:
            times.append(self._paused_until)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _on_time(self) -> None:
        now = time.monotonic()
        for connection in self._connections[:]:
            if connection.deadline <= now:
                self._end(connection)
        if self._paused_until and self._paused_until <= now:
            self._paused_until = 0.0
            self._selector.register(self._listener, selectors.EVENT_READ)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # Most likely there are no descriptors. The listener stays readable, so leave it alone.
            self._selector.unregister(self._listener)
            self._paused_until = time.monotonic() + _SHORTAGE_SECONDS
            return
        accepted.setblocking(False)
        # The oldest has had the most time; those who read the page at once are not disturbed.
        if len(self._connections) >= MAX_CONNECTIONS:
            self._end(self._connections[0])
        connection = _Connection(accepted)
        self._connections.append(connection)
        self._selector.register(accepted, selectors.EVENT_READ, connection)

    def _go_on(self, connection: _Connection) -> None:
        try:
            if connection.answer:
                self._send(connection)
            else:
                self._receive(connection)
        except BlockingIOError:
            pass
        except Exception:  # Whatever it is, it ends one connection and not the page.
            self._end(connection)

    def _receive(self, connection: _Connection) -> None:
        data = connection.socket.recv(MAX_REQUEST)
        if not data:
            self._end(connection)
            return
        # After the answer, what still comes is read and thrown away: to close a socket with unread
        # bytes would reset the connection, and the peer might lose the answer.
        if connection.is_answered:
            return
        connection.request += data
        if _END.search(connection.request) or len(connection.request) > MAX_REQUEST:
            connection.answer = self._answer(connection.request)
            connection.request = b""
            self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)

    def _send(self, connection: _Connection) -> None:
        connection.answer = connection.answer[connection.socket.send(connection.answer) :]
        if not connection.answer:
            connection.is_answered = True
            connection.socket.shutdown(socket.SHUT_WR)
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)

    def _end(self, connection: _Connection) -> None:
        self._connections.remove(connection)
        self._selector.unregister(connection.socket)
        with contextlib.suppress(OSError):
            connection.socket.close()

    def _answer(self, request: bytes) -> bytes:
        line = _REQUEST_LINE.match(request)
        if len(request) > MAX_REQUEST:
            return _response("431 Request Header Fields Too Large")
        if line is None:
            return _response("400 Bad Request")
        method, target = line.groups()
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "Allow: GET, HEAD\r\n")
        if target.partition(b"?")[0] not in _PATHS:
            return _response("404 Not Found")
        began = time.monotonic()
        if began < self._rested_at:
            time.sleep(self._rested_at - began)
            began = time.monotonic()
        try:
            page = self._page()
        except Exception:  # Of a collector of the program.
            return _response("500 Internal Server Error")
        finally:
            ended = time.monotonic()
            self._rested_at = ended + _REST * (ended - began)
        fields = f"Content-Type: {self._content_type}\r\n"
        return _response("200 OK", fields, page, is_head=method == b"HEAD")


def _response(status: str, fields: str = "", body: bytes = b"", *, is_head: bool = False) -> bytes:
    head = f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + (b"" if is_head else body)
