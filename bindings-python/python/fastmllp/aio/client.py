"""The asyncio client: messages out, and to each the reply that belongs to it."""

import asyncio
import logging
import ssl
import time
from types import TracebackType
from typing import Any

from fastmllp import config
from fastmllp._native import Initiator
from fastmllp.aio.client_connection import ClientConnection
from fastmllp.aio.dial import dial
from fastmllp.aio.outbox import Outbox, Settled, fail
from fastmllp.back_off import Attempts, BackOff
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
from fastmllp.tls_failure import plain_hint


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
        back_off: BackOff | None = None,
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
            back_off: How long to wait before an attempt to connect when the last one has failed,
                but no longer than `timeout`; without it, `BackOff` as it is. Messages wait with it.

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
        self._outbox = Outbox()
        # The loop that is going to call `_pump`.
        self._planned: asyncio.AbstractEventLoop | None = None
        self._connection: ClientConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._attempts = Attempts(back_off or BackOff(), self._timeout)
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
        self._outbox.clear(_closed())
        connection, connecting = self._connection, self._connecting
        self._hang_up()
        # At once: what is sent from here on is for the next connection.
        self._link, self._connecting = self._new_link(), None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait({connecting})
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
        future = self._begin(message)
        try:
            return await future
        except BaseException:
            self._give_up(future)
            raise

    def _begin(self, message: str | bytes | bytearray | memoryview) -> asyncio.Future[Reply]:
        """Take one message. Whoever stops waiting for its reply calls `_give_up`."""
        payload = encoded(message, self._encoding, strict=self._strict)
        loop = asyncio.get_running_loop()
        future = self._outbox.add(payload, loop)
        self._plan(loop)
        return future

    def _give_up(self, future: asyncio.Future[Reply], settled: Settled | None = None) -> None:
        """Nobody waits for this reply any more; `settled` hears when its message is gone."""
        self._outbox.give_up(future, self._link, settled)
        if self._outbox:
            self._plan(future.get_loop())

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let everything that is sent in this turn of the loop leave with one write."""
        if self._planned is loop:
            return
        self._planned = loop
        if self._outbox.waiting:
            loop.call_soon(self._pump)
        else:
            # What came since the last reply, the end of the connection above all, is heard before
            # anything is written: two turns of the loop look at the socket once.
            loop.call_soon(loop.call_soon, self._pump)

    def _pump(self) -> None:
        """Do everything that the link has to do now, and set the time for the next look."""
        self._planned = None
        now = time.monotonic()
        self._take(self._link.replies(b"", now))
        self._outbox.submit(self._link, now)
        connection = self._connection
        while connection is not None and connection.writes:
            data = self._link.take_outgoing(now)
            if not data:
                break
            connection.write(data)
        self._take(self._link.replies(b"", now))
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
        if self._connection is not None:
            self.written(self._connection, self._connection.unsent)
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
            for future in self._outbox.take_back(self._link):
                fail(future, why)
        self._connecting = None
        self._pump()

    async def _open(self, generation: int) -> None:
        async with self._opening:
            if self._connection is not None:
                return
            if wait := self._attempts.remaining():
                await asyncio.sleep(wait)
            if generation != self._generation:
                raise _closed()
            try:
                connection = await dial(
                    self, self._host, self._port, self._timeout, self._tls, self._server_hostname
                )
            except ConnectError:
                self._attempts.failed()
                raise
            self._attempts.succeeded()
            if generation != self._generation:
                connection.transport.abort()
                raise _closed()
            self._connection = connection
            self._why = None
            self._link.connected()

    # What the connection reports.

    def received(self, connection: ClientConnection, data: bytes) -> None:
        """Bytes of the server."""
        if connection is self._connection:
            self._take(self._link.replies(data, time.monotonic()))
            self._pump()

    def written(self, connection: ClientConnection, unsent: int) -> None:
        """All that was written has left, but for so many bytes."""
        if connection is self._connection:
            self._link.written(unsent, time.monotonic())

    def resumed(self) -> None:
        """There is room to write again."""
        self._pump()

    def ended(self, connection: ClientConnection, error: Exception | None) -> None:
        """The connection is gone, or the server will send nothing more."""
        if connection is self._connection:
            text = getattr(error, "strerror", None) or "closed without a reply"
            self._lose(ConnectionLost(f"connection to {self._server} lost: {text}{self._hint}"))
            self._pump()

    def _take(self, events: list[tuple[int, bytes] | dict[str, Any]]) -> None:
        for event in events:
            if isinstance(event, tuple):
                handle, reply = event
                future = self._outbox.take(handle)
                if future is not None:
                    self._conclude(future, reply)
            elif event["ev"] == "verdict":
                future = self._outbox.take(event["handle"])
                if future is not None:
                    self._conclude(future, None)
            elif event["ev"] == "stray":
                length = len(event["payload"])
                event_name = "foreign_reply" if self._outbox.waiting else "stale_reply"
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

    def _conclude(self, future: asyncio.Future[Reply], reply: bytes | None) -> None:
        if reply is not None:
            future.set_result(Reply.from_payload(reply, self._scan))
        else:
            text = f"{self._server} did not answer within {self._timeout:g} s{self._hint}"
            fail(future, self._why or NoReply(text))

    def _lose(self, why: DeliveryError) -> None:
        """Give the connection up; the messages on their way fail for this reason."""
        if self._connection is None:
            return
        self._why = why
        self._hang_up()
        self._link.disconnected(time.monotonic())
        self._take(self._link.replies(b"", time.monotonic()))
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

    @property
    def _hint(self) -> str:
        connection = self._connection
        return "" if self._tls or connection is None else plain_hint(connection.first)


def _closed() -> ConnectionLost:
    return ConnectionLost("the client was closed")


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
