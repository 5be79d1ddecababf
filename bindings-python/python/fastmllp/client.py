"""The sending side: one message at a time, and the reply that belongs to it."""

import logging
import socket
import threading
import time
from types import TracebackType

from fastmllp import config
from fastmllp.ack import ACCEPTED
from fastmllp.hl7 import Message, MessageError
from fastmllp.logging import log_event
from fastmllp.mllp import Decoder, frame
from fastmllp.reply import (
    ConnectError,
    ConnectionLost,
    DeliveryError,
    NoReply,
    Reply,
    ReplyTooLarge,
)

__all__ = [
    "ACCEPTED",
    "Client",
    "ConnectError",
    "ConnectionLost",
    "DeliveryError",
    "NoReply",
    "Reply",
    "ReplyTooLarge",
]

_READ_SIZE = 65_536
_STALE_READS = 16


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
    ) -> None:
        """Keep the settings; does not connect.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            timeout: Seconds to connect, seconds for the server to take a message, and seconds for
                the whole reply; the last does not start again with every byte. 0 turns it off.
            encoding: For messages given as ``str``.
            max_size: Largest payload of a reply, in bytes.
            scan: How delimiters are found, as for `Message`: ``shift_jis``, for instance, on a link
                whose names are in Shift_JIS.

        Raises:
            ValueError: A setting is out of bounds.
        """
        self._host = host
        self._port = config.port("port", port)
        self._timeout = config.seconds("timeout", timeout)
        self._encoding = config.encoding("encoding", encoding)
        self._max_size = config.size("max_size", max_size)
        self._scan = scan
        Message(b"", scan=scan)  # One that does not exist is the caller's error, now.
        self._socket: socket.socket | None = None
        self._decoder = self._new_decoder()
        self._lock = threading.Lock()

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
            ConnectError: The server cannot be reached.
        """
        if self._socket is not None:
            return
        address = (self._host, self._port)
        try:
            connected = socket.create_connection(address, timeout=self._timeout or None)
        except TimeoutError as error:
            raise ConnectError(f"cannot reach {self._server}: no answer in time") from error
        except (OSError, UnicodeError) as error:
            text = getattr(error, "strerror", None) or "not a host name"
            raise ConnectError(f"cannot reach {self._server}: {text}") from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket = connected
        self._decoder = self._new_decoder()

    def close(self) -> None:
        """Close the connection if there is one. The client stays usable."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, message: str | bytes | bytearray | memoryview) -> Reply:
        """Send one message and wait for its reply.

        Args:
            message: The payload. Bytes go as they are; a ``str`` is encoded first, with ``?`` for
                what the encoding cannot express. Segments must end with a carriage return.

        Returns:
            The reply, positive or negative.

        Raises:
            FrameError: The payload holds a start block or an end block; nothing was sent.
            ConnectError: The server cannot be reached; nothing was sent.
            NoReply: Not taken or not answered in time; the message may have arrived.
            ConnectionLost: The connection ended before the reply; the message may have arrived.
            ReplyTooLarge: The reply is above `max_size`; the message has arrived.
        """
        if isinstance(message, str):
            payload = message.encode(self._encoding, errors="replace")
        elif isinstance(message, bytes | bytearray | memoryview):
            payload = bytes(message)
        else:
            raise TypeError(f"message must be str or bytes, not {type(message).__name__}")
        framed = frame(payload)
        with self._lock:
            try:
                return self._exchange(framed, _control_id(payload, self._scan))
            except BaseException:
                # KeyboardInterrupt too: a reply is on its way that belongs to nobody any more.
                self.close()
                raise

    def _exchange(self, framed: bytes, control_id: bytes) -> Reply:
        if self._socket is not None and not self._is_usable(self._socket):
            self.close()
        self.connect()
        assert self._socket is not None
        try:
            self._socket.settimeout(self._timeout or None)
            self._socket.sendall(framed)
            return self._await_reply(self._socket, control_id)
        except TimeoutError as error:
            raise NoReply(f"{self._server} did not answer within {self._timeout:g} s") from error
        except OSError as error:
            if isinstance(error, DeliveryError):
                raise
            text = error.strerror or type(error).__name__
            raise ConnectionLost(f"connection to {self._server} lost: {text}") from error

    def _is_usable(self, connected: socket.socket) -> bool:
        """Look at what came since the last reply, before anything of the next message is sent.

        A frame that is complete now answers an earlier message. One that is only begun would be
        completed after the send and look like an answer to it; so would the end of an endless one.
        """
        connected.setblocking(False)
        try:
            for _ in range(_STALE_READS):
                data = connected.recv(_READ_SIZE)
                if not data:
                    return False
                for event in self._decoder.events(data):
                    if event["ev"] == "error":
                        return False
                    if event["ev"] == "frame":
                        self._leave_out("stale_reply", event["payload"])
        except BlockingIOError:
            return self._decoder.pending == 0
        except OSError:
            return False
        return False

    def _await_reply(self, connected: socket.socket, control_id: bytes) -> Reply:
        deadline = time.monotonic() + self._timeout
        while True:
            if self._timeout:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError
                connected.settimeout(remaining)
            data = connected.recv(_READ_SIZE)
            if not data:
                raise ConnectionLost(f"{self._server} closed the connection without a reply")
            reply = self._find_reply(data, control_id)
            if reply is not None:
                return reply

    def _find_reply(self, data: bytes, control_id: bytes) -> Reply | None:
        found: Reply | None = None
        for event in self._decoder.events(data):
            if event["ev"] == "frame":
                payload: bytes = event["payload"]
                reply = Reply.from_payload(payload, self._scan)
                if found is None and reply.answers(control_id):
                    found = reply
                else:
                    self._leave_out("foreign_reply", payload)
            elif event["ev"] == "error" and event["code"] == "too_large" and found is None:
                raise ReplyTooLarge(f"reply of {self._server} is above {self._max_size} bytes")
        return found

    def _leave_out(self, event: str, payload: bytes) -> None:
        log_event(logging.WARNING, event, server=self._server, length=len(payload))

    def _new_decoder(self) -> Decoder:
        return Decoder(max_payload_len=self._max_size)

    @property
    def _server(self) -> str:
        return f"{self._host}:{self._port}"


def _control_id(payload: bytes, scan: str) -> bytes:
    """Read MSH-10; empty when the message has none, or the null value ``""``.

    Read leniently: a message whose MSH-2 is unusual still has a name, and only its own reply may be
    credited to it.
    """
    try:
        header = Message(payload, scan=scan, lenient=True).header
    except MessageError:
        return b""
    control_id = header.message_control_id
    return b"" if control_id == b'""' else control_id
