"""The sending side: one message at a time, and the reply that belongs to it."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from types import TracebackType
from typing import Any

from fastmllp import config
from fastmllp._native import FrameError, Initiator, LinkError
from fastmllp.back_off import Attempts, BackOff
from fastmllp.dial import dial
from fastmllp.logging import log_event
from fastmllp.reply import (
    ConnectError,
    ConnectionLost,
    EncodingError,
    NoReply,
    Reply,
    ReplyTooLarge,
)
from fastmllp.stream import Stream
from fastmllp.tls_failure import ALERT, TlsFailure, plain_hint
from fastmllp.tls_session import TlsSession

_STALE_READS = 16
# What a reply means is the caller's decision, and so is sending again.
RULES = "accept=accept, *=fail"


class Client:
    """A connection to a server, opened on entry or by the first `send`, and again when needed.

    A reply belongs to a message when its MSA-2 equals the message's MSH-10, byte for byte. A
    message without MSH-10, or without MSH, takes the first reply. Replies for other messages are
    logged and left out. After a failed `send` the connection is closed, because a reply that comes
    late must not be credited to the next message; the next `send` opens a new one.

    Nothing is ever sent twice. When the server has closed the connection while it was idle, `send`
    notices that before it writes and opens a new one, which is safe since no byte of the message
    has left. Once a byte was written, nobody can tell from here whether the message arrived, so a
    loss is raised and the caller decides about sending again.

    A server that cannot be reached is an error at once. The attempt after that waits: a caller who
    sends again and again does not connect any faster than `back_off` says.

    Threads may share a client; their messages go one after the other.

    Example:
        >>> with Client("127.0.0.1", 2575) as client:
        ...     reply = client.send(payload)
        ...     reply.accepted
        True
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = config.DEFAULT_PORT,
        *,
        timeout: float = config.DEFAULT_TIMEOUT,
        encoding: str = "utf-8",
        max_size: int = config.DEFAULT_MAX_SIZE,
        scan: str = "single_byte",
        strict: bool = False,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        back_off: BackOff | None = None,
    ) -> None:
        """Keep the settings; does not connect.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            timeout: Seconds to connect, seconds for the server to take a message, and seconds for
                the whole reply; the last does not start again with every byte. 0 turns it off.
            encoding: For messages given as ``str``.
            strict: A ``str`` that the encoding cannot express is an error, instead of being sent
                with ``?`` and a warning.
            max_size: Largest payload of a reply, in bytes.
            scan: How delimiters are found, as for `Message`: ``shift_jis``, for instance, on a link
                whose names are in Shift_JIS.
            tls: A context of `fastmllp.tls.client_context`, or any other for a client: speak TLS.
            server_hostname: Name that the server's certificate must have, where it is not `host`.
            back_off: How long `send` and `connect` wait before they connect when the last attempt
                has failed, but no longer than `timeout`; without it, `BackOff` as it is.

        Raises:
            ValueError: A setting is out of bounds.
        """
        self._host = host
        self._port = config.port("port", port)
        self._timeout = config.seconds("timeout", timeout)
        self._encoding = config.encoding("encoding", encoding)
        self._strict = strict
        self._max_size = config.size("max_size", max_size)
        self._scan = scan
        self._tls = tls
        self._server_hostname = server_hostname or host
        if tls is not None:
            TlsSession(tls, server_hostname=self._server_hostname)
        self._stream: Stream | None = None
        self._link = self._new_link()
        self._lost: OSError | None = None
        self._failure: TlsFailure | None = None
        # The first bytes that the server has sent on the connection, inside of TLS if there is one.
        self._first = b""
        self._lock = threading.Lock()
        self._attempts = Attempts(back_off or BackOff(), self._timeout)
        # Set by `close` for the thread that waits before its attempt.
        self._closing = threading.Event()

    def __enter__(self) -> "Client":
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Open the connection if there is none.

        Raises:
            ConnectError: The server cannot be reached, or TLS does not come about.
        """
        with self._lock:
            self._closing.clear()
            self._connect()

    def _connect(self) -> None:
        if self._stream is not None:
            return
        if (wait := self._attempts.remaining()) and self._closing.wait(wait):
            raise ConnectError(f"cannot reach {self._server}: the client was closed")
        try:
            self._stream, early = dial(
                self._host, self._port, self._timeout, self._tls, self._server_hostname
            )
        except ConnectError:
            self._attempts.failed()
            raise
        self._attempts.succeeded()
        self._lost, self._first = None, b""
        self._note(early)
        self._link.connected()
        for event in self._link.receive(early, time.monotonic()):
            self._on_event(event, "stale_reply")

    def close(self) -> None:
        """Close the connection if there is one. The client stays usable.

        A `send` of another thread that waits for its reply ends with `ConnectionLost`, one that
        waits before it connects with `ConnectError`.
        """
        self._closing.set()
        if self._lock.acquire(blocking=False):
            try:
                self._drop()
            finally:
                self._lock.release()
        elif (stream := self._stream) is not None:
            # The thread that uses the connection closes it, when it finds it at its end.
            with contextlib.suppress(OSError):
                stream.socket.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        self._hang_up()
        self._link = self._new_link()

    def send(self, message: str | bytes | bytearray | memoryview) -> Reply:
        """Send one message and wait for its reply.

        Args:
            message: The payload. Bytes go as they are; a ``str`` is encoded first, with ``?`` for
                what the encoding cannot express. Segments must end with a carriage return.

        Returns:
            The reply, positive or negative.

        Raises:
            FrameError: The payload holds a start block or an end block; nothing was sent.
            EncodingError: `strict`, and the encoding cannot express the text; nothing was sent.
            LinkError: MSH-10 is longer than 256 bytes; nothing was sent.
            ConnectError: The server cannot be reached, or refuses our certificate; it has read
                nothing of the message.
            NoReply: Not taken or not answered in time; the message may have arrived.
            ConnectionLost: The connection ended before the reply; the message may have arrived.
            ReplyTooLarge: The reply is above `max_size`; the message has arrived.
        """
        payload = encoded(message, self._encoding, strict=self._strict)
        with self._lock:
            self._closing.clear()
            try:
                return self._exchange(payload)
            except (FrameError, LinkError):
                raise  # Nothing has left, and no reply is on its way.
            except BaseException:
                # KeyboardInterrupt too: a reply is on its way that belongs to nobody any more.
                self._drop()
                raise

    def _exchange(self, payload: bytes) -> Reply:
        self._hear_what_came_unasked()
        self._link.submit(payload, time.monotonic())
        while True:
            if self._link.wants_connection(time.monotonic()):
                self._connect()
            message = self._link.next_to_send(time.monotonic())
            if message is not None:
                self._write(*message)
            events = self._link.events(time.monotonic())
            if not events and self._stream is not None:
                events = self._read(self._stream)
            for event in events:
                if event["ev"] == "verdict":
                    return self._conclude(event["payload"])
                self._on_event(event, "foreign_reply")

    def _write(self, handle: int, framed: bytes) -> None:
        assert self._stream is not None
        self._stream.socket.settimeout(self._remaining())
        try:
            self._stream.send_all(framed)
        except (TimeoutError, BlockingIOError):
            self._link.on_time(time.monotonic())
        except OSError as error:
            self._listen_once_more(self._stream)
            self._lose(error)
        else:
            self._link.sent(handle, time.monotonic())

    def _read(self, stream: Stream) -> list[dict[str, Any]]:
        """Wait for bytes of the server or the end of a time, and return what they show."""
        stream.socket.settimeout(self._remaining())
        events: list[dict[str, Any]] = []
        try:
            data = stream.receive()
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as error:
            self._lose(error)
        else:
            self._note(data)
            events = self._link.receive(data, time.monotonic())
            if stream.is_ended:
                self._lose(ConnectionResetError("closed without a reply"))
        # A server that drips bytes is always ready, so the time is looked at after each read.
        self._link.on_time(time.monotonic())
        return events + self._link.events(time.monotonic())

    def _listen_once_more(self, stream: Stream) -> None:
        """A server that refuses to go on has perhaps said why before it closed."""
        stream.socket.setblocking(False)
        with contextlib.suppress(OSError):
            self._note(stream.receive())

    def _note(self, data: bytes) -> None:
        self._first = (self._first + data[: len(ALERT)])[: len(ALERT)]

    def _remaining(self) -> float | None:
        """Seconds until the next time of the link runs out; None when there is none."""
        deadline = self._link.next_deadline()
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _hear_what_came_unasked(self) -> None:
        """Read what came since the last reply, before anything of the next message is sent."""
        if self._stream is None:
            return
        self._stream.socket.setblocking(False)
        for _ in range(_STALE_READS):
            try:
                data = self._stream.receive()
            except BlockingIOError:
                return
            except OSError:
                break
            if not data:
                break
            for event in self._link.receive(data, time.monotonic()):
                self._on_event(event, "stale_reply")
            if self._stream is None:
                return
        # Gone, or there is no end of it: the link begins anew.
        self._drop()

    def _on_event(self, event: dict[str, Any], name: str) -> None:
        if event["ev"] == "stray":
            length = len(event["payload"])
            log_event(
                logging.WARNING, name, server=self._server, length=length, reason=event["why"]
            )
        elif event["ev"] == "reconnect":
            self._hang_up()
        elif event["ev"] == "error" and event["code"] == "too_large" and name == "foreign_reply":
            raise ReplyTooLarge(f"reply of {self._server} is above {self._max_size} bytes")

    def _conclude(self, reply: bytes | None) -> Reply:
        if reply is not None:
            return Reply.from_payload(reply, self._scan)
        hint = plain_hint(self._first) if self._tls is None else ""
        if self._lost is None:
            text = f"{self._server} did not answer within {self._timeout:g} s{hint}"
            raise NoReply(text)
        failure = self._failure
        # TLS 1.3: the handshake was over for us, not for the server, which has read no message.
        if failure is not None and failure.is_about_our_certificate and not self._first:
            self._attempts.failed()
            raise ConnectError(f"cannot reach {self._server}: {failure.text}") from self._lost
        text = failure.text if failure else self._lost.strerror or str(self._lost)
        raise ConnectionLost(f"connection to {self._server} lost: {text}{hint}") from self._lost

    def _lose(self, error: OSError) -> None:
        self._lost = error
        self._failure = self._stream.failure if self._stream else None
        self._hang_up()
        self._link.disconnected(time.monotonic())

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.socket.setblocking(False)
            with contextlib.suppress(OSError):
                self._stream.end()
            self._stream.socket.close()
            self._stream = None

    def _new_link(self) -> Initiator:
        return Initiator(
            rules=RULES,
            max_attempts=1,
            max_payload_len=self._max_size,
            scan=self._scan,
            send=self._timeout,
            reply=self._timeout,
        )

    @property
    def _server(self) -> str:
        return f"{self._host}:{self._port}"


def encoded(
    message: str | bytes | bytearray | memoryview, encoding: str, *, strict: bool = False
) -> bytes:
    """The payload that a message stands for.

    Raises:
        EncodingError: The encoding has no bytes for a character, and `strict` forbids a ``?``.
        TypeError: The message is neither text nor bytes.
    """
    if type(message) is bytes:
        return message
    if isinstance(message, bytes | bytearray | memoryview):
        return bytes(message)
    if not isinstance(message, str):
        raise TypeError(f"message must be str or bytes, not {type(message).__name__}")
    try:
        return message.encode(encoding)
    except UnicodeEncodeError as error:
        if strict:
            # Not its own text, which quotes the character.
            raise EncodingError(f"{encoding} cannot express the whole message") from None
        first = error.start
    log_event(logging.WARNING, "not_encodable", encoding=encoding, first=first)
    return message.encode(encoding, errors="replace")
