"""The asyncio client: messages out, and to each the reply that belongs to it."""

import contextlib
from types import TracebackType
from typing import Unpack

from fastmllp.aio.exchange import ConnectedExchange
from fastmllp.aio.loops import other_loop
from fastmllp.client.options import AsyncClientKeywords, ClientOptions
from fastmllp.client.reply import ConnectionLost, Reply
from fastmllp.client.settings import ClientSettings, Payload
from fastmllp.client.unasked import Unasked


class AsyncClient:
    """A link to a server, opened on entry or by the first `send`, and again when needed.

    A reply belongs to a message when its MSA-2 equals the message's MSH-10; blanks at the end do
    not count. A message without MSH-10, or without MSH, takes the first reply. Replies for other
    messages are logged and left out. After a reply that did not come the connection is closed,
    because a late one must not be credited to the next message. Nothing is ever sent twice. What is
    waited for, the message says in MSH-15 and MSH-16, as for `fastmllp.Client`.

    Any number of tasks may `send` at the same time; `window` messages are on the wire without a
    reply, in the order in which `send` was called.

    A client belongs to the event loop that used it last, until it is closed. When that loop has
    ended without closing it, the next one begins with a new connection; while it still runs, the
    use in another loop is a RuntimeError.

    Attributes:
        unasked: How many messages that asked for no answer are `uncertain`, and `refused`.
    """

    @ClientOptions.shown(AsyncClientKeywords)
    def __init__(
        self,
        host: str = ClientOptions.host,
        port: int = ClientOptions.port,
        **options: Unpack[AsyncClientKeywords],
    ) -> None:
        """Keep the settings; does not connect.

        Args:
            host: Address or name of the server.
            port: TCP port of the server.
            options: See `fastmllp.client.ClientOptions`, which says what each is for.

        Raises:
            ValueError: A setting is out of bounds.
            TypeError: A setting is of a wrong type.
        """
        self._settings = ClientSettings.of(AsyncClientKeywords, options, host=host, port=port)
        self._exchange: ConnectedExchange | None = None
        self.unasked = Unasked(self._settings.server, self._settings.scan)

    async def __aenter__(self) -> "AsyncClient":
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(*(() if error is None else (ConnectionLost,))):
            await self.close()

    async def connect(self) -> None:
        """Open the connection if there is none.

        Raises:
            ConnectError: The server cannot be reached.
            RuntimeError: The client belongs to another event loop, which still runs.
        """
        await self._current().open()

    async def close(self) -> None:
        """Close the connection. Messages without a reply fail; the client stays usable.

        After messages that nothing answers, this waits until the server has read them and has
        closed its end, but ten seconds at most.

        Raises:
            ConnectionLost: The server may not have read all messages that asked for no answer;
                `unasked.uncertain` tells how many. Not raised by ``async with`` over another
                exception.
            RuntimeError: The client belongs to another event loop, which still runs.
        """
        exchange = self._exchange
        if exchange is None:
            return
        if other_loop(exchange.loop, "client"):
            exchange.abandon()
            self._exchange = None
        else:
            # At once: what is sent from here on is for the next connection.
            self._exchange = None
            await exchange.close()
        self.unasked.conclude()

    async def send(self, message: Payload) -> Reply:
        """Send one message and wait for its reply.

        A task that is cancelled while it waits leaves a message that was written as it is; any
        other is taken back.

        Args:
            message: The payload. Bytes go as they are; a ``str`` is encoded first, with ``?`` for
                what the encoding cannot express. Segments must end with a carriage return.

        Returns:
            The reply, positive or negative. For a message that asks for no answer when it is
            accepted, the silence: `Reply.unasked`.

        Raises:
            FrameError: The payload holds a start block or an end block; nothing was sent.
            EncodingError: `strict`, and the encoding cannot express the text; nothing was sent.
            LinkError: MSH-10 is longer than 256 bytes, or is that of a message that still waits for
                its reply; nothing was sent.
            ConnectError: The server cannot be reached; no byte of the message has left.
            NoReply: Not taken or not answered in time; the message may have arrived.
            ConnectionLost: The connection ended before the reply; the message may have arrived.
            ReplyTooLarge: A reply is above `max_size`; the message may have arrived.
            RuntimeError: The client belongs to another event loop, which still runs.
        """
        exchange = self._current()
        future = exchange.begin(message)
        try:
            return await future
        except BaseException:
            exchange.give_up(future)
            raise

    def _current(self) -> ConnectedExchange:
        """Messages and connection of the loop that runs."""
        exchange = self._exchange
        if exchange is not None and other_loop(exchange.loop, "client"):
            exchange.abandon()
            exchange = None
        if exchange is None:
            exchange = self._exchange = ConnectedExchange(self._settings, self.unasked)
        return exchange


@ClientOptions.shown(AsyncClientKeywords)
def connect(
    host: str = ClientOptions.host,
    port: int = ClientOptions.port,
    **options: Unpack[AsyncClientKeywords],
) -> AsyncClient:
    """A client that is connected by ``async with`` or by its first `AsyncClient.send`.

    Args:
        host: Address or name of the server.
        port: TCP port of the server.
        options: As for `AsyncClient`.
    """
    return AsyncClient(host, port, **options)
