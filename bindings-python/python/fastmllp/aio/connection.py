"""One accepted connection under asyncio: bytes in, answers out, times kept."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable
from typing import cast

from fastmllp._native import (
    Arrived,
    Raised,
    Responder,
    ResponderEvent,
    Returned,
    Ticket,
    TooLarge,
)
from fastmllp.aio.connections import Connections
from fastmllp.aio.handler_queue import HandlerQueue
from fastmllp.aio.linger import Linger
from fastmllp.aio.service import Service
from fastmllp.logging import is_heard, message_fields
from fastmllp.serving.handler import connection_number
from fastmllp.serving.report import ConnectionReport, Note, Prompt
from fastmllp.serving.sockets.addresses import peer_of, place
from fastmllp.serving.sockets.introduction import Origin
from fastmllp.tls.failure import TlsFailure

# Bytes that the transport may hold beyond what the kernel took. The rest waits in the link, which
# knows how long a peer may take for its answers.
_HIGH_WATER = 65_536
# When the server stops: how long to go on reading what a peer keeps sending, and how long to wait
# for a peer to take its acknowledgments.
_STOP_SECONDS = 2.0


class ServedConnection(asyncio.Protocol):
    """Serves one peer. The link decides; this moves bytes, calls the handler and tells the time."""

    # There may be thousands of them, most of them idle.
    __slots__ = (
        "_answerer",
        "_connections",
        "_ended",
        "_linger",
        "_link",
        "_loop",
        "_lost",
        "_origin",
        "_queue",
        "_reads",
        "_report",
        "_service",
        "_stirred",
        "_stop_at",
        "_taken",
        "_timer",
        "_timer_at",
        "_transport",
        "_writes",
    )

    _transport: asyncio.Transport

    def __init__(self, service: Service, connections: Connections) -> None:
        self._loop = asyncio.get_running_loop()
        self._service = service
        self._connections = connections
        self._answerer = service.answerer
        self._link: Responder = service.limits.new_link(time.monotonic())
        self._report = ConnectionReport(
            connections.next_number(), service.limits.max_size, connections.gate
        )
        self._origin: Origin | None = None
        # Made when a handler cannot answer at once.
        self._queue: HandlerQueue | None = None
        self._linger: Linger | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._taken = False
        self._reads = True
        self._writes = True
        self._lost = False
        self._ended = False
        self._stirred = False
        self._stop_at: float | None = None

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
            self._lost = True
            return
        self._report.connected(*self._origin)
        if getattr(transport, "is_open", True):
            self._set_timer(self._link.next_deadline())

    def come_from(self, origin: Origin) -> None:
        """The acceptor of the connection knows where it comes from, perhaps from a proxy."""
        self._origin = origin

    def secured(self, version: str) -> None:
        """The TLS handshake is done."""
        self._report.secured(version)
        # The time until the first message begins now.
        self._link = self._service.limits.new_link(time.monotonic())
        self._set_timer(self._link.next_deadline())

    def insecure(self, failure: TlsFailure) -> None:
        """TLS has failed: nothing more comes, or nothing ever came."""
        self._report.insecure(failure)

    def data_received(self, data: bytes) -> None:
        if self._linger is not None:
            self._linger.received(len(data))
            return
        self._stirred = True
        handler: Prompt | None = self._service.prompt_handler
        notes: list[Note] | None = None
        if handler is not None and is_heard(logging.INFO):
            # Answers that wait for the peer, and whole messages in records, need more care.
            plain = self._writes and not self._link.unsent and not message_fields(b"")
            handler, notes = self._report.noting(handler) if plain else (None, None)
        if handler is None or self._is_busy:
            self._take(self._link.receive(data, time.monotonic()), data)
            return
        connection_number.set(self._report.number)
        first, more = data, True
        while more:
            # With records, what happens between two messages is on record between them.
            answers, lengths, events, deadline, more = self._link.converse(
                data, time.monotonic(), handler, not self._writes, pause=notes is not None
            )
            if answers:
                self._transport.write(answers)
            if notes:
                self._report.answered_by(notes, lengths, events or [])
            if events is not None or not self._writes:
                self._take(events or [], first)
                return
            data = b""
        self._set_timer(deadline)

    def eof_received(self) -> bool:
        if self._linger is not None:
            self._linger.ended()
            return False
        self._end()
        return True  # The peer may still take answers.

    def pause_writing(self) -> None:
        self._writes = False

    def resume_writing(self) -> None:
        self._writes = True
        if self._linger is None:
            self._take([])

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._linger is not None:
            self._linger.cancel()
        if not self._taken:
            return
        self._lost = True
        if isinstance(error, OSError) and self._linger is None:
            self._report.lost(error, self._link.pending)
        self._report.unsendable()
        if not self._report.is_foreign:
            # What was read goes to the handler all the same: a sender that does not wait for
            # answers may have left after it.
            self._link.peer_closed(time.monotonic())
            self._take(self._link.events(time.monotonic()))
        if not self._is_busy:
            self._leave()

    # What the server asks for.

    def stop(self) -> None:
        """Answer every message that has been received, then close."""
        if self._stop_at is None and self._linger is None:
            self._stop_at = time.monotonic() + _STOP_SECONDS
            self._stirred = True
            self._close_when_quiet()

    def abort(self) -> None:
        """Close at once: the time for a graceful end is over."""
        if self._queue is None:
            self._queue = HandlerQueue(self._service, self._report, self)
        self._queue.abort()
        self._transport.abort()

    # What happens in between.

    def _end(self) -> None:
        """Nothing more comes from the peer."""
        self._ended = True
        self._link.peer_closed(time.monotonic())
        self._take(self._link.events(time.monotonic()))

    def _take(self, events: list[ResponderEvent], data: bytes = b"") -> None:
        """Answer every message, report everything else, and send what the peer takes."""
        while True:
            for event in events:
                self._on_event(event, data)
                if self._report.is_foreign:
                    # Whoever speaks TLS or HTTP waits for an answer that cannot come.
                    self._transport.abort()
                    return
            self._flush()
            # What has left makes room for messages that were received already.
            events = self._link.events(time.monotonic())
            if not events:
                break
        if self._lost:
            return
        if self._link.is_finished:
            self._finish()
            return
        self._set_timer(self._link.next_deadline())
        if self._reads != self._link.wants_input:
            self._reads = not self._reads
            if self._reads:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _on_event(self, event: ResponderEvent, data: bytes) -> None:
        match event:
            case Arrived(ticket, payload):
                self._report.received(ticket, payload, event.deviations)
                if self._service.waits or self._is_busy:
                    self._queued(ticket, payload, None)
                else:
                    self._handle(ticket, payload)
            case Returned(ticket, message, result):
                self._on_result(ticket, message.payload, result)
            case Raised(ticket=ticket, error=error):
                self.fail(ticket, error)
            case TooLarge():
                self._report.refused(self._answerer.refuse(self._link, event, self._report.number))
            case _:
                self._report.happened(event, data)

    def _handle(self, ticket: Ticket, payload: bytes) -> None:
        """Call the handler as the link does, for a message that came with records wanted."""
        handler = self._answerer.handler
        if handler is None:
            self.conclude(ticket, payload, None)
            return
        connection_number.set(self._report.number)
        try:
            result = handler(self._answerer.message(payload))
        except BaseException as error:
            self.fail(ticket, error)
        else:
            self._on_result(ticket, payload, result)

    def _on_result(self, ticket: Ticket, payload: bytes, result: object) -> None:
        if inspect.isawaitable(result):
            self._queued(ticket, payload, result)
        else:
            self.conclude(ticket, payload, result)

    @property
    def _is_busy(self) -> bool:
        return self._queue is not None and self._queue.is_busy

    def _queued(self, ticket: Ticket, payload: bytes, result: Awaitable[object] | None) -> None:
        if self._queue is None:
            self._queue = HandlerQueue(self._service, self._report, self)
        self._queue.add(ticket, payload, result)

    # What the queue asks for.

    def handled(self) -> None:
        """A message has its answer: send it."""
        self._take([])

    def rested(self) -> None:
        """No message waits for its handler any more."""
        if self._lost:
            self._leave()

    def conclude(self, ticket: Ticket, payload: bytes, result: object) -> None:
        """Answer a message with what its handler has returned."""
        before = self._link.unsent
        code = self._answerer.conclude(self._link, ticket, payload, result, self._report.number)
        self._report.answered(self._link, ticket, code, before)

    def fail(self, ticket: Ticket, error: BaseException) -> None:
        """Answer a message whose handler has raised."""
        before = self._link.unsent
        code = self._answerer.fail(self._link, ticket, error, self._report.number)
        self._report.answered(self._link, ticket, code, before)

    def _flush(self) -> None:
        while (self._writes or self._lost) and (data := self._link.outgoing()):
            if not self._lost:
                self._transport.write(data)
            self._link.sent(len(data), time.monotonic())
        if not self._lost:
            self._report.sent(self._link)

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
        unfinished = self._link.pending
        self._link.on_time(time.monotonic())
        events = self._link.events(time.monotonic())
        self._report.expired(events, unfinished)
        self._take(events)

    def _close_when_quiet(self) -> None:
        """Go on while there is something to read: each call is one look of the loop later."""
        assert self._stop_at is not None
        if self._linger is not None or self._lost:
            return
        if self._stirred and time.monotonic() < self._stop_at:
            self._stirred = False
            self._loop.call_soon(self._loop.call_soon, self._close_when_quiet)
            return
        self._link.close(time.monotonic())
        self._take(self._link.events(time.monotonic()))
        self._loop.call_later(_STOP_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """The server has stopped, and the peer has had its time to take its answers."""
        if self._is_busy:
            self._loop.call_later(_STOP_SECONDS, self._give_up)
        elif not self._lost:
            if not self._link.is_finished or self._transport.get_write_buffer_size() > 0:
                self._report.overdue()
                self._report.reason = "send_timeout"
            self._transport.abort()

    def _finish(self) -> None:
        """Everything is answered and on its way: tell the peer, and wait for its end."""
        if self._linger is not None or self._transport.is_closing():
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for event in self._link.events(time.monotonic()):
            self._report.happened(event)
        if self._report.reason == "send_timeout":
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
        if not self._report.reason:
            self._report.reason = "failed"
        frames = self._link.counters["frames"]
        self._report.disconnected(0 if self._report.is_foreign else frames)
        self._connections.forget(self)
