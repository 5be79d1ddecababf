"""The asyncio client: messages out, and to each the reply that belongs to it."""

import asyncio
import logging
import os
import ssl
import time
from types import TracebackType
from typing import Any, cast

from fastmllp import config
from fastmllp._native import Initiator
from fastmllp.client.client import RULES, encoded
from fastmllp.logging import log_event
from fastmllp.reply import (
    ConnectError,
    ConnectionLost,
    DeliveryError,
    NoReply,
    Reply,
    ReplyTooLarge,
)
from fastmllp.tls_failure import TlsFailure

# Messages that the link holds at a time; further ones wait here.
_CAPACITY = 64


class AsyncClient:
    """A link to a server, opened on entry or by the first `send`, and again when needed.

    A reply belongs to a message when its MSA-2 equals the message's MSH-10, byte for byte. A
    message without MSH-10, or without MSH, takes the first reply. Replies for other messages are
    logged and left out. After a reply that did not come the connection is closed, because a late
    one must not be credited to the next message. Nothing is ever sent twice.

    Any number of tasks may `send` at the same time; `window` messages are on the wire without a
    reply, in the order in which `send` was called.
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
        window: int = 1,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> None:
        """Keep the settings; does not connect.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            timeout: Seconds to connect, seconds for the server to take a message, and seconds for
                the whole reply. 0 turns it off.
            encoding: For messages given as ``str``.
            strict: A ``str`` that the encoding cannot express is an error, instead of being sent
                with ``?`` and a warning.
            max_size: Largest payload of a reply, in bytes.
            scan: How delimiters are found, as for `Message`.
            window: How many messages may wait for their replies on the connection, from 1 to 64.
                More than one needs a server that reads ahead.
            tls: For a connection over TLS, such as from `ssl.create_default_context`.
            server_hostname: The name in the server's certificate, where it is not `host`.

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
        self._server_hostname = server_hostname
        self._window = window
        self._link = self._new_link()
        # As many places as the link has; one is free again with the verdict about its message.
        self._room = asyncio.Semaphore(_CAPACITY)
        self._turn = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._why: DeliveryError | None = None
        # Counts how often the client was closed: what began before that ends there.
        self._generation = 0

    async def __aenter__(self) -> "AsyncClient":
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Open the connection if there is none.

        Raises:
            ConnectError: The server cannot be reached.
        """
        await self._open(self._generation)

    async def close(self) -> None:
        """Close the connection. Messages without a reply fail; the client stays usable."""
        self._generation += 1
        for handle in list(self._waiting):
            self._fail(handle, _closed())
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait({connecting})
        connection = self._connection
        self._hang_up()
        self._link, self._room = self._new_link(), asyncio.Semaphore(_CAPACITY)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if connection is not None:
            await connection.closed.wait()

    async def send(self, message: str | bytes | bytearray | memoryview) -> Reply:
        """Send one message and wait for its reply.

        A task that is cancelled while it waits leaves a message that is on its way as it is; one
        that is not is taken back.

        Args:
            message: The payload. Bytes go as they are; a ``str`` is encoded first, with ``?`` for
                what the encoding cannot express. Segments must end with a carriage return.

        Returns:
            The reply, positive or negative.

        Raises:
            FrameError: The payload holds a start block or an end block; nothing was sent.
            EncodingError: `strict`, and the encoding cannot express the text; nothing was sent.
            LinkError: MSH-10 is longer than 256 bytes, or is that of a message that still waits for
                its reply; nothing was sent.
            ConnectError: The server cannot be reached; nothing was sent.
            NoReply: Not taken or not answered in time; the message may have arrived.
            ConnectionLost: The connection ended before the reply; the message may have arrived.
            ReplyTooLarge: A reply is above `max_size`; the message may have arrived.
        """
        payload = encoded(message, self._encoding, strict=self._strict)
        generation, room = self._generation, self._room
        # In the order of the calls, also where one of them has to wait.
        async with self._turn:
            await room.acquire()
            try:
                if not self._waiting:
                    # What came since the last reply, the end of the connection above all, is heard
                    # before anything is written: two turns of the loop look at the socket once.
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                if generation != self._generation:
                    raise _closed()
                link = self._link
                handle = link.submit(payload, time.monotonic())
            except BaseException:
                room.release()
                raise
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[handle] = future
        self._pump()
        try:
            return await future
        finally:
            if self._waiting.get(handle) is future:
                del self._waiting[handle]
                if link.withdraw(handle):
                    room.release()

    def _pump(self) -> None:
        """Do everything that the link has to do now, and set the time for the next look."""
        now = time.monotonic()
        self._take(self._link.events(now))
        connection = self._connection
        while connection is not None and connection.writes:
            message = self._link.next_to_send(now)
            if message is None:
                break
            connection.write(*message)
        self._take(self._link.events(now))
        if self._link.wants_connection(now) and self._connection is None:
            if self._connecting is None:
                self._connecting = asyncio.ensure_future(self._connect_for_messages())
            return
        self._set_timer()

    def _set_timer(self) -> None:
        """Wake up no later than the next deadline; a timer that is too early sets itself anew."""
        deadline = self._link.next_deadline()
        if deadline is None or self._connecting is not None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        delay = max(0.0, deadline - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._link.on_time(time.monotonic())
        self._pump()

    async def _connect_for_messages(self) -> None:
        generation = self._generation
        try:
            await self._open(generation)
        except Exception as error:
            if generation != self._generation:
                return
            self._link.connect_failed(time.monotonic())
            why = error if isinstance(error, ConnectError) else ConnectError(type(error).__name__)
            # Whoever has waited for this attempt hears of it; the next message makes the next one.
            for handle in list(self._waiting):
                if self._link.withdraw(handle):
                    self._room.release()
                    self._fail(handle, why)
        self._connecting = None
        self._pump()

    async def _open(self, generation: int) -> None:
        async with self._opening:
            if self._connection is not None:
                return
            connection = await self._new_connection()
            if generation != self._generation:
                connection.transport.abort()
                raise _closed()
            self._connection = connection
            self._why = None
            self._link.connected()

    async def _new_connection(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        hostname = self._server_hostname if self._tls is not None else None
        try:
            async with asyncio.timeout(self._timeout or None):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self),
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=hostname,
                )
        except TimeoutError as error:
            raise ConnectError(f"cannot reach {self._server}: no answer in time") from error
        except ssl.SSLError as error:
            failure = TlsFailure.of(error, b"")
            raise ConnectError(f"cannot reach {self._server}: {failure.text}") from error
        except (OSError, UnicodeError) as error:
            # asyncio adds the address to the text of an error; the number has the plain one.
            number = getattr(error, "errno", None) or 0
            text = os.strerror(number) if number > 0 else getattr(error, "strerror", None)
            text = text or str(error) or "not a host name"
            raise ConnectError(f"cannot reach {self._server}: {text}") from error
        return connection

    # What the connection reports.

    def received(self, connection: "_Connection", data: bytes) -> None:
        """Bytes of the server."""
        if connection is self._connection:
            self._take(self._link.receive(data, time.monotonic()))
            self._pump()

    def written(self, connection: "_Connection", handle: int) -> None:
        """The last byte of a message is on its way."""
        if connection is self._connection:
            self._link.sent(handle, time.monotonic())

    def resumed(self) -> None:
        """There is room to write again."""
        self._pump()

    def ended(self, connection: "_Connection", error: Exception | None) -> None:
        """The connection is gone, or the server will send nothing more."""
        if connection is self._connection:
            text = getattr(error, "strerror", None) or "closed without a reply"
            self._lose(ConnectionLost(f"connection to {self._server} lost: {text}"))
            self._pump()

    def _take(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["ev"] == "verdict":
                self._room.release()
                self._conclude(event)
            elif event["ev"] == "stray":
                length = len(event["payload"])
                event_name = "foreign_reply" if self._waiting else "stale_reply"
                log_event(
                    logging.WARNING,
                    event_name,
                    server=self._server,
                    length=length,
                    reason=event["why"],
                )
            elif event["ev"] == "reconnect":
                text = f"connection to {self._server} given up: another reply did not come"
                self._why = ConnectionLost(text)
                self._hang_up()
            elif event["ev"] == "error" and event["code"] == "too_large":
                text = f"reply of {self._server} is above {self._max_size} bytes"
                self._lose(ReplyTooLarge(text))

    def _conclude(self, event: dict[str, Any]) -> None:
        reply = event["payload"]
        if reply is None:
            text = f"{self._server} did not answer within {self._timeout:g} s"
            self._fail(event["handle"], self._why or NoReply(text))
            return
        future = self._waiting.pop(event["handle"], None)
        if future is not None and not future.done():
            future.set_result(Reply.from_payload(reply, self._scan))

    def _fail(self, handle: int, error: DeliveryError) -> None:
        future = self._waiting.pop(handle, None)
        if future is not None and not future.done():
            # One exception for each: a traceback belongs to one task.
            future.set_exception(type(error)(*error.args).with_traceback(None))

    def _lose(self, why: DeliveryError) -> None:
        """Give the connection up; the messages on their way fail for this reason."""
        if self._connection is None:
            return
        self._why = why
        self._hang_up()
        self._link.disconnected(time.monotonic())
        self._take(self._link.events(time.monotonic()))
        self._set_timer()

    def _new_link(self) -> Initiator:
        return Initiator(
            rules=RULES,
            window=self._window,
            max_attempts=1,
            max_payload_len=self._max_size,
            scan=self._scan,
            send=self._timeout,
            reply=self._timeout,
            back_off=0.0,
        )

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.transport.abort()

    @property
    def _server(self) -> str:
        return f"{self._host}:{self._port}"


def _closed() -> ConnectionLost:
    return ConnectionLost("the client was closed")


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, client: AsyncClient) -> None:
        self.writes = True
        self.closed = asyncio.Event()
        self._client = client
        self._writing: list[int] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self.transport = transport = cast(asyncio.Transport, transport)
        # A message counts as written once the transport holds none of it. A mark of 0 is reached by
        # an empty buffer under TLS, and by one byte without.
        secure = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if secure else 0, low=0)

    def write(self, handle: int, framed: bytes) -> None:
        """Write one message whole; `writes` is False until the transport has taken it."""
        self._writing.append(handle)
        self.transport.write(framed)
        if self.writes:
            self._on_written()

    def data_received(self, data: bytes) -> None:
        if self._writing and self.transport.get_write_buffer_size() == 0:
            # All of it has left, and the transport has not come to say so before the reply.
            self._on_written()
        self._client.received(self, data)

    def pause_writing(self) -> None:
        self.writes = False

    def resume_writing(self) -> None:
        self.writes = True
        self._on_written()
        self._client.resumed()

    def eof_received(self) -> None:
        self._client.ended(self, None)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()
        self._client.ended(self, error)

    def _on_written(self) -> None:
        written, self._writing = self._writing, []
        for handle in written:
            self._client.written(self, handle)


def connect(
    host: str = "127.0.0.1", port: int = config.DEFAULT_PORT, **options: Any
) -> AsyncClient:
    """A client that is connected by ``async with`` or by its first `AsyncClient.send`.

    Args:
        host: Address or name of the server.
        port: TCP port of the server.
        options: As for `AsyncClient`.
    """
    return AsyncClient(host, port, **options)
