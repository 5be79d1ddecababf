"""One accepted connection under asyncio: bytes in, answers out, times kept."""

import asyncio
import time
from collections.abc import Awaitable
from typing import cast

from fastmllp._native import Ticket
from fastmllp.aio.connections import Connections
from fastmllp.aio.handler_queue import HandlerQueue
from fastmllp.aio.linger import Linger
from fastmllp.aio.service import Service
from fastmllp.serving.conversation import STOP_SECONDS, Conversation
from fastmllp.serving.report import ConnectionReport
from fastmllp.serving.sockets.addresses import peer_of, place
from fastmllp.serving.sockets.introduction import Origin
from fastmllp.tls.failure import TlsFailure

# Bytes that the transport may hold beyond what the kernel took. The rest waits in the link, which
# knows how long a peer may take for its answers.
_HIGH_WATER = 65_536


class ServedConnection(asyncio.Protocol):
    """Serves one peer. The conversation decides; this moves bytes and tells the time."""

    # There may be thousands of them, most of them idle.
    __slots__ = (
        "_connections",
        "_conversation",
        "_ended",
        "_linger",
        "_loop",
        "_origin",
        "_queue",
        "_reads",
        "_report",
        "_service",
        "_stirred",
        "_taken",
        "_timer",
        "_timer_at",
        "_transport",
    )

    _transport: asyncio.Transport

    def __init__(self, service: Service, connections: Connections) -> None:
        self._loop = asyncio.get_running_loop()
        self._service = service
        self._connections = connections
        limits = service.limits
        self._report = ConnectionReport(
            connections.next_number(), limits.max_size, connections.gate
        )
        self._conversation = Conversation(service.terms, self._report, self, self._queued)
        self._conversation.holds = False
        self._origin: Origin | None = None
        # Made when a handler cannot answer at once.
        self._queue: HandlerQueue | None = None
        self._linger: Linger | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._taken = False
        self._reads = True
        self._ended = False
        self._stirred = False

    # What the transport reports.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        if self._origin is None:
            address = transport.get_extra_info("peername") or ("", 0)
            self._origin = Origin(place(*peer_of(address)))
        self._taken = self._connections.takes(self, self._report.number, self._origin.peer)
        if not self._taken:
            transport.abort()
            self._conversation.is_lost = True
            return
        self._report.connected(*self._origin)
        if getattr(transport, "is_open", True):
            self._set_timer(self._conversation.next_deadline())

    def come_from(self, origin: Origin) -> None:
        """The acceptor of the connection knows where it comes from, perhaps from a proxy."""
        self._origin = origin

    def secured(self, version: str) -> None:
        """The TLS handshake is done."""
        self._report.secured(version)
        self._conversation.begin()
        self._set_timer(self._conversation.next_deadline())

    def insecure(self, failure: TlsFailure) -> None:
        """TLS has failed: nothing more comes, or nothing ever came."""
        self._conversation.insecure(failure)

    def data_received(self, data: bytes) -> None:
        if self._linger is not None:
            self._linger.received(len(data))
            return
        self._stirred = True
        if self._conversation.receive(data):
            self._set_timer(self._conversation.deadline)
        else:
            self._look()

    def eof_received(self) -> bool:
        if self._linger is not None:
            self._linger.ended()
            return False
        self._ended = True
        self._conversation.end()
        self._look()
        return True  # The peer may still take answers.

    def pause_writing(self) -> None:
        self._conversation.holds = True

    def resume_writing(self) -> None:
        self._conversation.holds = False
        if self._linger is None:
            self.handled()

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._linger is not None:
            self._linger.cancel()
        if not self._taken:
            return
        conversation = self._conversation
        if isinstance(error, OSError) and self._linger is None:
            conversation.break_off(error)
        conversation.stop_sending()
        if not conversation.is_foreign:
            conversation.end()
        if not conversation.is_busy:
            self._leave()

    # What the server asks for.

    def stop(self) -> None:
        """Answer every message that has been received, then close."""
        if self._conversation.stop_at is None and self._linger is None:
            self._stirred = True
            self._close_when_quiet()

    def abort(self) -> None:
        """Close at once: the time for a graceful end is over."""
        self._handler_queue().abort()
        self._transport.abort()

    # What the conversation asks for.

    def send(self, data: bytes) -> int:
        """Hand answers to the transport, as long as it does not hold too many."""
        if self._conversation.holds:
            raise BlockingIOError
        self._transport.write(data)
        return len(data)

    def _queued(self, ticket: Ticket, payload: bytes, result: Awaitable[object] | None) -> None:
        queue = self._handler_queue()
        queue.add(ticket, payload, result)
        self._conversation.is_busy = queue.is_busy

    # What the queue asks for.

    def handled(self) -> None:
        """A message has its answer: send it."""
        self._conversation.resume()
        self._look()

    def rested(self) -> None:
        """No message waits for its handler any more."""
        self._conversation.is_busy = False
        if self._conversation.is_lost:
            self._leave()

    # What happens in between.

    def _handler_queue(self) -> HandlerQueue:
        if self._queue is None:
            self._queue = HandlerQueue(self._service, self._conversation, self._report, self)
        return self._queue

    def _look(self) -> None:
        """Go on as the conversation asks for."""
        conversation = self._conversation
        if conversation.is_foreign:
            # A peer that speaks TLS or HTTP waits for an answer that cannot come.
            self._transport.abort()
        elif conversation.is_lost:
            pass
        elif conversation.is_finished:
            self._finish()
        else:
            self._set_timer(conversation.next_deadline())
            if self._reads != conversation.wants_input:
                self._reads = not self._reads
                if self._reads:
                    self._transport.resume_reading()
                else:
                    self._transport.pause_reading()

    def _set_timer(self, deadline: float | None) -> None:
        """Wake up no later than that. A timer that is too early only looks and sets itself anew."""
        if deadline is None or (self._timer is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        delay = max(0.0, deadline - time.monotonic())
        self._timer = self._loop.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._conversation.on_time()
        self._look()

    def _close_when_quiet(self) -> None:
        """Go on while there is something to read: each call is one look of the loop later."""
        if self._linger is not None or self._conversation.is_lost:
            return
        quiet, self._stirred = not self._stirred, False
        if self._conversation.stop(quiet=quiet):
            self._look()
            self._loop.call_later(STOP_SECONDS, self._give_up)
        else:
            self._loop.call_soon(self._loop.call_soon, self._close_when_quiet)

    def _give_up(self) -> None:
        """The server has stopped, and the peer has had its time to take its answers."""
        conversation = self._conversation
        if conversation.is_busy:
            self._loop.call_later(STOP_SECONDS, self._give_up)
        elif not conversation.is_lost:
            if not conversation.is_finished or self._transport.get_write_buffer_size() > 0:
                conversation.give_up()
            self._transport.abort()

    def _finish(self) -> None:
        """Everything is answered and on its way: tell the peer, and wait for its end."""
        if self._linger is not None or self._transport.is_closing():
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._conversation.reason == "send_timeout":
            self._transport.abort()
            return
        if self._ended:
            # Nothing can come any more: what the transport holds is sent, and that is all.
            self._transport.close()
            return
        if not self._reads:
            self._transport.resume_reading()
        self._linger = Linger(self._transport, self._loop, self._service.limits.timeout)

    def _leave(self) -> None:
        self._conversation.leave()
        self._connections.forget(self)
