"""One peer's messages and their answers: everything about a connection but its socket."""

import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from fastmllp._native import (
    Arrived,
    Closing,
    OtherProtocol,
    Raised,
    ResponderEvent,
    Returned,
    Ticket,
    TooLarge,
)
from fastmllp.logging import is_heard, message_fields
from fastmllp.serving.handler import Answerer, connection_number
from fastmllp.serving.options import ServerOptions
from fastmllp.serving.report import ConnectionReport, Prompt
from fastmllp.tls.failure import TlsFailure

__all__ = ["STOP_SECONDS", "Conversation", "Host", "Terms"]

STOP_SECONDS = 2.0
"""When the server stops: how long to go on reading what a peer keeps sending, and how long to wait
for a peer to take its acknowledgments."""

_TIMES = frozenset({"idle_timeout", "byte_timeout", "frame_timeout"})
# What the log calls the ends of a connection where the link has another name for them.
_CLOSING = {"closed": "stopped", "too_large": "frame_too_large"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What all conversations of a server or a link have in common."""

    answerer: Answerer
    """Makes acknowledgments of what the handler says."""
    options: ServerOptions
    waits: bool = False
    """Whether no call of the handler can answer at once."""


class Host(Protocol):
    """Who waits for the peer of a conversation, and moves its bytes."""

    def send(self, data: bytes) -> int:
        """Send answers, and return how many of the bytes have left.

        Raises:
            BlockingIOError: The peer takes nothing more for now.
            OSError: The connection is lost.
        """


WaitFor: TypeAlias = Callable[[Ticket, bytes, Awaitable[object] | None], None]


class Conversation:
    """What happens between a peer and the handler, from the first byte to the last answer.

    The host tells what it has read, that there is room to send again, that time has passed, that
    the peer has ended, or that the server stops, and then looks how things stand.

    Attributes:
        number: The connection's number in every record, counted from 1.
        reason: Why the connection ends; empty while it goes on.
        is_foreign: The peer speaks TLS, HTTP or the PROXY protocol where plain MLLP is expected.
            Its connection is closed at once, and nothing on it is a message.
        is_busy: A message waits for its handler, and so do those that follow it. Set by the host.
        holds: What is to be sent may leave in parts. Set by the host; otherwise answers that are
            given at once are sent in one piece, and are no concern of anybody any more.
        is_lost: Nothing can be sent any more.
        loss: Why, if the host has learned it from `Host.send`.
        deadline: After a `receive` that has left nothing to do: when to look at the times.
        stop_at: When the server stops, the end of what is still read; otherwise None.
    """

    # There may be thousands of them, most of them idle.
    __slots__ = (
        "_answerer",
        "_host",
        "_link",
        "_prompt",
        "_report",
        "_terms",
        "_wait_for",
        "deadline",
        "holds",
        "is_busy",
        "is_foreign",
        "is_lost",
        "loss",
        "number",
        "reason",
        "stop_at",
    )

    def __init__(
        self,
        terms: Terms,
        report: ConnectionReport,
        host: Host,
        wait_for: WaitFor | None = None,
    ) -> None:
        """Begin with a peer that has just come.

        Args:
            terms: Of the server or the link.
            report: Where the records go.
            host: Who moves the bytes.
            wait_for: Called with a ticket, a message and what the handler has returned for it, if
                that must be awaited; with None if the handler is still to be called. Such a message
                waits with the host, which answers by `conclude` or `fail`. Without this, a handler
                always answers at once.
        """
        self._terms = terms
        self._wait_for = wait_for
        self._answerer = terms.answerer
        self._prompt: Prompt | None = None if terms.waits else terms.answerer.prompt
        self._report = report
        self._host = host
        self.number = report.number
        self.reason = ""
        self.is_foreign = self.is_busy = self.is_lost = False
        self.holds = True
        self.loss: OSError | None = None
        self.deadline: float | None = None
        self.stop_at: float | None = None
        self.begin()

    # How things stand.

    @property
    def is_finished(self) -> bool:
        """Everything is answered and sent: the connection can be closed."""
        return self._link.is_finished

    @property
    def wants_input(self) -> bool:
        """Whether to read: False while too much is unanswered or unsent."""
        return self._link.wants_input

    @property
    def is_unsent(self) -> bool:
        """Whether answers wait for the peer to take them."""
        return self._link.unsent > 0

    def next_deadline(self) -> float | None:
        """When to call `on_time`, unless something else happens before; None: never."""
        return self._link.next_deadline()

    # What the host tells.

    def begin(self) -> None:
        """The time until the first message begins now: the way to the peer is open."""
        self._link = self._terms.options.new_link(time.monotonic())

    def receive(self, data: bytes) -> bool:
        """Take bytes of the peer: mostly one native call for all that they ask for.

        Returns:
            Whether every answer has left, and there is nothing to do but to read on, until
            `deadline`.
        """
        prompt, notes = self._prompt, None
        if prompt is not None and is_heard(logging.INFO):
            # Answers that wait for the peer, and whole messages in records, need more care.
            plain = not (self.holds or self._link.unsent or message_fields(b""))
            prompt, notes = self._report.noting(prompt) if plain else (None, None)
        if prompt is None or self.is_busy:
            self._take(self._link.receive(data, time.monotonic()), data)
            return False
        connection_number.set(self.number)
        link, first, calm, more = self._link, data, True, True
        while more:
            # With records, what happens between two messages is on record between them.
            answers, lengths, events, self.deadline, more = link.converse(
                data, time.monotonic(), prompt, self.holds, notes is not None
            )
            data = b""
            if answers:
                self._host.send(answers)
            if notes:
                self._report.answered_by(notes, lengths, events or [])
            if events is not None or self.holds:
                calm = calm and events is None
                # Answers that leave make room for messages that were read already.
                more = more or (link.unsent > 0 and not link.wants_input)
                if not self._follow(events or [], first, notes is not None):
                    return False
        return calm

    def resume(self) -> None:
        """Send what there is to send: the peer takes answers again, or a message has its own."""
        self._take([])

    def on_time(self) -> None:
        """Look at the times, also after a read: a peer that drips bytes is always ready."""
        link = self._link
        unfinished = link.pending
        link.on_time(time.monotonic())
        events = link.events(time.monotonic())
        match events:
            case [*_, Closing(reason=reason)] if reason in _TIMES:
                self._report.expired(reason, unfinished)
        self._take(events)

    def end(self) -> None:
        """The peer sends nothing more. It may still take answers."""
        self._link.peer_closed(time.monotonic())
        self._take(self._link.events(time.monotonic()))

    def stop(self, *, quiet: bool) -> bool:
        """The server stops: answer every frame that is complete, leave the rest to the sender.

        Args:
            quiet: Nothing has come since the host looked last.

        Returns:
            Whether nothing more is taken: all is quiet, or a peer that keeps sending has had its
            time.
        """
        now = time.monotonic()
        if self.stop_at is None:
            self.stop_at = now + STOP_SECONDS
        if not quiet and now < self.stop_at:
            return False
        self._link.close(now)
        self._take(self._link.events(now))
        return True

    def give_up(self) -> None:
        """The server has stopped, and the peer has had its time to take its answers."""
        self._report.overdue()
        self.reason = "send_timeout"

    def insecure(self, failure: TlsFailure) -> None:
        """TLS has failed: nothing more comes, or nothing ever came."""
        self.reason = "tls_failed"
        self._report.insecure(failure)

    def break_off(self, error: OSError) -> None:
        """The connection broke: the reason is on record."""
        self.reason = "connection_lost"
        self._report.lost(error, self._link.pending)

    def break_down(self, error: BaseException) -> None:
        """A defect of ours ends the connection."""
        self.reason = "failed"
        self._report.failed(error)

    def stop_sending(self) -> None:
        """Nothing can be sent any more. What was read goes to the handler all the same: a sender
        that does not wait for acknowledgments may have left after it."""
        self.is_lost = True
        self._report.unsendable()

    def leave(self) -> None:
        """The socket is closed, and no message is worked on any more."""
        frames = self._link.counters["frames"]
        reason = self.reason or "failed"
        self._report.disconnected(reason, 0 if self.is_foreign else frames)

    def conclude(self, ticket: Ticket, payload: bytes, result: object) -> None:
        """Answer a message with what its handler has returned."""
        before = self._link.unsent
        code = self._answerer.conclude(self._link, ticket, payload, result, self.number)
        self._report.answered(self._link, ticket, code, before)

    def fail(self, ticket: Ticket, error: BaseException) -> None:
        """Answer a message whose handler has raised."""
        before = self._link.unsent
        code = self._answerer.fail(self._link, ticket, error, self.number)
        self._report.answered(self._link, ticket, code, before)

    # What happens in between.

    def _follow(self, events: list[ResponderEvent], data: bytes, notes: bool) -> bool:
        """Do what the link has left to do, and send what it holds. Whether to give it more."""
        for event in events:
            self._on_event(event, data)
            if self.is_foreign:
                return False
        if self.is_busy or (notes and self.holds):
            self._take([])
            return False
        link = self._link
        if link.unsent:
            self._flush()
            if link.unsent:
                # The peer takes no more for now: the rest is for when it does, or was too slow.
                return False
            self.deadline = link.next_deadline()
        return True

    def _take(self, events: list[ResponderEvent], data: bytes = b"") -> None:
        """Answer every message, report everything else, and send what the peer takes."""
        while True:
            for event in events:
                self._on_event(event, data)
                if self.is_foreign:
                    return
            self._flush()
            # What has left makes room for messages that were received already.
            events = self._link.events(time.monotonic())
            if not events:
                return

    def _on_event(self, event: ResponderEvent, data: bytes) -> None:
        match event:
            case Arrived(ticket, payload):
                self._report.received(ticket, payload, event.deviations)
                self._hand_over(ticket, payload)
            case Returned(ticket, message, result):
                self._on_result(ticket, message.payload, result)
            case Raised(ticket=ticket, error=error):
                self.fail(ticket, error)
            case TooLarge():
                self._report.refused(self._answerer.refuse(self._link, event, self.number))
            case OtherProtocol(protocol, is_foreign):
                if is_foreign:
                    self.is_foreign, self.reason = True, "wrong_protocol"
                self._report.speaks(protocol, data)
            case Closing(reason):
                self.reason = self.reason or _CLOSING.get(reason, reason)
            case _:
                self._report.happened(event)

    def _hand_over(self, ticket: Ticket, payload: bytes) -> None:
        """Call the handler for a message, as soon as the messages before it have their answers."""
        if self._wait_for is not None and (self._terms.waits or self.is_busy):
            self._wait_for(ticket, payload, None)
            return
        handler = self._answerer.handler
        if handler is None:
            # Nothing takes time, and the answers to one read leave together.
            self.conclude(ticket, payload, None)
            return
        connection_number.set(self.number)
        try:
            result = handler(self._answerer.message(payload))
        except BaseException as error:
            # Not Exception alone: SystemExit, asyncio.CancelledError or a panic of native code
            # would end the connection without an answer, and Python would print their text. A
            # KeyboardInterrupt comes from the handler too, where a thread of its own calls it.
            self.fail(ticket, error)
        else:
            self._on_result(ticket, payload, result)
        # An answer does not wait for the handler to finish the messages behind it.
        self._flush()

    def _on_result(self, ticket: Ticket, payload: bytes, result: object) -> None:
        if self._wait_for is not None and inspect.isawaitable(result):
            self._wait_for(ticket, payload, result)
        else:
            self.conclude(ticket, payload, result)

    def _flush(self) -> None:
        """Send what the peer takes of the answers owed."""
        while data := self._link.outgoing():
            sent = len(data)
            if not self.is_lost:
                try:
                    sent = self._host.send(data)
                except BlockingIOError:
                    break
                except OSError as error:
                    self.loss = error
                    self.stop_sending()
            self._link.sent(sent, time.monotonic())
        self._report.sent(self._link)
