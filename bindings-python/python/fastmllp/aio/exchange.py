"""Messages and replies of an asyncio client, in one event loop."""

import asyncio
import contextlib
import time

from fastmllp._native import Fault, InitiatorEvent, Reconnect, Verdict
from fastmllp.aio.client_connection import ClientConnection
from fastmllp.aio.dial import dial
from fastmllp.aio.outbox import Outbox, Settled, fail
from fastmllp.aio.read_block import keep_read_block
from fastmllp.client import failure
from fastmllp.client.exchange import Exchange
from fastmllp.client.reply import ConnectError, DeliveryError, Reply
from fastmllp.client.settings import ClientSettings, Payload
from fastmllp.client.unasked import GRACE_SECONDS, Unasked

__all__ = ["ConnectedExchange"]


class ConnectedExchange:
    """An exchange with its connection, which is opened when messages need it, until it is closed.

    Belongs to the loop that runs when it is made.
    """

    def __init__(self, settings: ClientSettings, unasked: Unasked) -> None:
        """Begin without a connection."""
        keep_read_block()
        self.loop = asyncio.get_running_loop()
        self._settings = settings
        self._exchange = Exchange(settings, unasked)
        self._link = self._exchange.link
        self._outbox = Outbox()
        self._is_planned = False
        self._is_closed = False
        self._connection: ClientConnection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        # Why the connection ended; None while the only reason is time.
        self._why: DeliveryError | None = None
        self._unasked = unasked
        # Those who wait for the success of messages that nothing answers, while the loop looks at
        # the connection: a server that refuses us has perhaps said so by now.
        self._departed: list[asyncio.Future[Reply]] = []
        self._answered = 0
        self._ending: set[asyncio.Task[None]] = set()
        # The connection that ends because of `close`: its answers still go to the link.
        self._last: ClientConnection | None = None

    # What the client asks for.

    def begin(self, message: Payload) -> asyncio.Future[Reply]:
        """Take one message. A caller that stops waiting for its reply calls `give_up`."""
        payload = self._settings.encoded(message)
        self._exchange.begin(payload)
        future = self._outbox.add(payload, self.loop)
        self._plan()
        return future

    def give_up(self, future: asyncio.Future[Reply], settled: Settled | None = None) -> None:
        """Nobody waits for this reply any more; `settled` hears when its message is gone."""
        self._outbox.give_up(future, self._link, settled)
        if self._outbox:
            self._plan()

    async def open(self) -> None:
        """Open the connection if there is none.

        Raises:
            ConnectError: The server cannot be reached.
            ConnectionLost: The exchange was closed.
        """
        async with self._opening:
            if self._connection is not None:
                return
            settings, attempts = self._settings, self._settings.attempts
            if wait := attempts.remaining():
                await asyncio.sleep(wait)
            if self._is_closed:
                raise failure.closed()
            try:
                connection = await dial(*settings.destination)
            except ConnectError:
                attempts.failed()
                raise
            if self._is_closed:
                connection.hang_up()
                raise failure.closed()
            self._adopt(connection)

    def _adopt(self, connection: ClientConnection) -> None:
        settings = self._settings
        self._exchange.dialed()
        if connection.has_ended:
            # Before the first byte of a message has left: that proves that it has nothing of it.
            settings.attempts.failed()
            connection.hang_up()
            self._exchange.hear(connection.early)
            why = failure.ended(connection.error, connection.failure, self._exchange.hint)
            raise failure.not_sent(settings.server, why)
        self._connection = connection
        self._why = None
        self._exchange.opened()
        connection.adopt(self)

    async def close(self) -> None:
        """Close the connection. Messages without a reply fail."""
        self._is_closed = True
        connection, connecting = self._connection, self._connecting
        self._forget()
        self._part()
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait({connecting})
        if self._ending:
            await asyncio.wait(self._ending)
        if connection is not None:
            await connection.closed.wait()

    def abandon(self) -> None:
        """The loop does not run any more: leave everything that belongs to it."""
        self._is_closed = True
        connection, self._connection = self._connection, None
        with contextlib.suppress(RuntimeError):  # It is closed: no task waits there.
            self._forget()
        if connection is not None:
            connection.hang_up()
        self._unasked.lost(self._unasked.leave(), "its event loop has ended")

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._settle_departed()
        self._settle_stored()
        self._outbox.clear(self._link, failure.closed())

    # What there is to do.

    def _plan(self) -> None:
        """Let everything that is sent in this turn of the loop leave with one write."""
        if self._is_planned:
            return
        self._is_planned = True
        if self._outbox.waiting:
            self.loop.call_soon(self._pump)
        else:
            # What came since the last reply, the end of the connection above all, is heard before
            # anything is written: two turns of the loop look at the socket once.
            self.loop.call_soon(self.loop.call_soon, self._pump)

    def _plan_for_room(self) -> None:
        """Go on with messages that wait outside the link, where it has room for them now."""
        if self._outbox.can_submit(self._link):
            self._plan()

    def _pump(self) -> None:
        """Do everything that the link has to do now, and set the time for the next look."""
        self._is_planned = False
        if self._is_closed:
            return
        now = time.monotonic()
        if events := self._link.replies(b"", now):
            self._take(events)
        self._outbox.submit(self._link, now)
        connection = self._connection
        while connection is not None and connection.writes:
            data = self._link.take_outgoing(now)
            if not data:
                break
            connection.write(data)
        if events := self._link.replies(b"", now):
            self._take(events)
        self._plan_for_room()
        if self._link.wants_connection(now) and self._connection is None:
            if self._connecting is None:
                self._connecting = self.loop.create_task(self._connect_for_messages())
            return
        self._set_timer()

    def _set_timer(self) -> None:
        """Wake up no later than the next deadline; a timer that is too early sets itself again."""
        deadline = self._link.next_deadline()
        if deadline is None or self._connecting is not None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        delay = max(0.0, deadline - time.monotonic())
        self._timer = self.loop.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._connection is not None:
            unsent = self._connection.unsent
            self.written(self._connection, unsent)
            self._link.not_written(unsent)
        self._link.on_time(time.monotonic())
        self._pump()

    async def _connect_for_messages(self) -> None:
        try:
            await self.open()
        except Exception as error:
            if self._is_closed:
                return
            self._link.connect_failed(time.monotonic())
            why = error if isinstance(error, ConnectError) else ConnectError(type(error).__name__)
            # Those who have waited for this attempt hear of it; the next message makes another one.
            self._outbox.fail_queued(self._link, why)
        self._connecting = None
        self._pump()

    # What the connection reports.

    def received(self, connection: ClientConnection, data: bytes) -> None:
        """Bytes of the server."""
        if connection is self._connection:
            self._exchange.note(data)
            self._take(self._link.replies(data, time.monotonic()))
            self._pump()
        elif connection is self._last:
            self._exchange.hear(data)
            self._take(self._link.replies(data, time.monotonic()))
        else:
            connection.early += data

    def written(self, connection: ClientConnection, unsent: int) -> None:
        """All that was written has left, except for this many bytes."""
        if connection is self._connection:
            self._link.written(unsent, time.monotonic())

    def resumed(self) -> None:
        """There is room to write again."""
        self._pump()

    def ended(self, connection: ClientConnection, error: Exception | None) -> None:
        """The connection is gone, or the server will send nothing more."""
        if connection is self._connection:
            why = self._exchange.ended(error, connection.failure)
            self._lose(failure.lost(self._settings.server, why))
            self._pump()

    # Events of the link.

    def _take(self, events: list[tuple[int, bytes] | InitiatorEvent]) -> None:
        exchange = self._exchange
        for event in events:
            if not isinstance(event, tuple):
                self._on_event(event)
                continue
            handle, payload = event
            if exchange.stored:
                exchange.stored.pop(handle, None)
            reply = exchange.reply(payload)
            future = self._outbox.take(handle)
            if future is not None:
                future.set_result(reply)
        if exchange.stored and exchange.is_enough(connected=self._connection is not None):
            self._settle_stored()

    def _on_event(self, event: InitiatorEvent) -> None:
        settings = self._settings
        match event:
            case Verdict(handle, fate):
                self._conclude(handle, fate)
            case Reconnect():
                self._why = failure.given_up(settings.server)
                self._part()
            case Fault(code="too_large"):
                self._lose(failure.too_large(settings.server, settings.max_size))
            case _:
                self._exchange.happened(event, waits=bool(self._outbox.waiting))

    def _conclude(self, handle: int, fate: str) -> None:
        """A message has ended without an answer of its own."""
        settings = self._settings
        stored = self._exchange.stored.pop(handle, None)
        future = self._outbox.take(handle)
        if fate == "unasked" and future is None:
            self._unasked.waiting += 1
        if future is None:
            return
        if stored is not None:
            future.set_result(Reply.from_payload(stored, settings.scan))
        elif fate == "unasked":
            if not self._departed:
                self._answered = self._unasked.answered
                self.loop.call_soon(self.loop.call_soon, self._settle_departed)
            self._departed.append(future)
        else:
            why = self._why or failure.no_reply(
                settings.server, settings.timeout, self._exchange.hint
            )
            fail(future, why, fate)

    def _settle_departed(self) -> None:
        """The loop has looked at the connection since these messages have left."""
        if self._departed and (hint := self._exchange.hint):
            self._lose(failure.lost(self._settings.server, hint.removeprefix("; ")))
        departed, self._departed = self._departed, []
        answered = self._unasked.answered - self._answered if departed else 0
        self._unasked.waiting += max(0, len(departed) - answered)
        for future in departed:
            if not future.done():
                future.set_result(Reply.of_silence())

    def _settle_stored(self) -> None:
        stored = self._exchange.stored
        while stored:
            handle, payload = stored.popitem()
            self._link.withdraw(handle)
            future = self._outbox.take(handle)
            if future is not None:
                future.set_result(Reply.from_payload(payload, self._settings.scan))

    # The end of a connection.

    def _lose(self, why: DeliveryError) -> None:
        """Give the connection up; the messages that wait for their replies fail for this reason."""
        if self._connection is None:
            return
        self._why = why
        departed, self._departed = self._departed, []
        given_up = 0
        for future in departed:
            given_up += future.done()
            fail(future, why, "uncertain")
        self._unasked.lost(self._unasked.leave() + given_up, str(why))
        self._part()
        self._link.disconnected(time.monotonic())
        self._take(self._link.replies(b"", time.monotonic()))
        self._plan_for_room()
        self._set_timer()

    def _part(self) -> None:
        """Leave the connection, at once unless the server has perhaps not read everything yet."""
        self._settle_departed()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._exchange.left()
        if unheard := self._unasked.leave():
            if self._is_closed:
                self._last = connection
            ending = self.loop.create_task(self._end(connection, unheard))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        else:
            connection.hang_up()

    async def _end(self, connection: ClientConnection, count: int) -> None:
        """End a connection with messages that the server may or may not have."""
        unasked, answered = self._unasked, self._unasked.answered
        why = await connection.end(GRACE_SECONDS, self._settings.linger)
        if connection is self._last:
            why = (why + self._exchange.hint).removeprefix("; ")
            count -= min(count, unasked.answered - answered)
        elif connection.early:
            why = why or "answered after it was given up"
        unasked.lost(count if why else 0, why)
