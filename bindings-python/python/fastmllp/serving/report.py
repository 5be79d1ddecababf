"""What the log hears of one accepted connection, whichever server serves it."""

import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from fastmllp._native import (
    AnswersLost,
    Deviation,
    Discard,
    Fault,
    Message,
    Raised,
    Responder,
    ResponderEvent,
    Returned,
    Ticket,
    Unusual,
)
from fastmllp.logging import describe_exception, is_heard, message_fields
from fastmllp.serving.sockets.gate import Gate
from fastmllp.serving.sockets.introduction import HTTP_PROBES
from fastmllp.tls.failure import TlsFailure

# The header of a proxy that connects on its own account, to see whether the server is alive: the
# signature of version 2, and the command LOCAL.
_LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20"

Prompt: TypeAlias = Callable[[Message], object]
# When a message arrived, when its handler was done, and what it returned.
Note: TypeAlias = tuple[float, float, object]


class _Answer(NamedTuple):
    number: int
    code: str
    length: int
    arrived: float
    handler_seconds: float
    fields: dict[str, Any]


class ConnectionReport:
    """Writes the records of one connection.

    Attributes:
        number: The connection's number in every record, counted from 1.
    """

    # There is one for each connection, of which there may be thousands that are idle.
    __slots__ = (
        "_arrived",
        "_gate",
        "_log",
        "_max_size",
        "_unsent",
        "_warned",
        "number",
    )

    def __init__(self, number: int, max_size: int, gate: Gate) -> None:
        self.number = number
        self._gate = gate
        self._log = gate.log
        self._max_size = max_size
        # When the messages arrived that have no answer yet, by their numbers.
        self._arrived: dict[int, float] = {}
        # Answers that are not sent yet.
        self._unsent: list[_Answer] = []
        self._warned: tuple[str, ...] = ()

    def connected(self, peer: str, proxy: str = "") -> None:
        """A peer has connected, perhaps through a proxy that has told its address."""
        through = {"proxy": proxy} if proxy else {}
        self._log.event(logging.INFO, "connect", self.number, peer=peer, **through)

    def secured(self, version: str) -> None:
        """The TLS handshake is done."""
        self._log.event(logging.INFO, "tls_established", self.number, version=version)

    def insecure(self, failure: TlsFailure) -> None:
        """TLS has failed: nothing more comes, or nothing ever came."""
        fields = {"reason": failure.code, "text": failure.text}
        if failure.code == "closed":
            # A peer that has sent nothing checks that somebody listens, as load balancers do.
            self._log.event(logging.INFO, "tls_failed", self.number, **fields)
        else:
            self._gate.refuse("tls_failed", self.number, **fields)

    def received(self, ticket: Ticket, payload: bytes, deviations: tuple[str, ...]) -> None:
        """A complete frame has arrived."""
        if is_heard(logging.INFO):
            self._arrived[ticket.number] = time.monotonic()
            fields = message_fields(payload)
            length = len(payload)
            self._log.event(logging.INFO, "message_received", self.number, length=length, **fields)
        self.deviated(deviations, len(payload))

    def deviated(self, deviations: tuple[str, ...], length: int) -> None:
        """The sender of a complete frame left the grammar."""
        for deviation in deviations:
            self._warn(deviation, length=length)

    def noting(self, handler: Prompt) -> tuple[Prompt, list[Note]]:
        """A handler for the link to call itself, and the records to write about its messages.

        Each message is on record before `handler` is called for it. The notes are for `answered_by`
        whenever the link returns.
        """
        notes: list[Note] = []

        def noted(message: Message) -> object:
            arrived = time.monotonic()
            self._log.event(logging.INFO, "message_received", self.number, length=len(message))
            result: object = None
            try:
                result = handler(message)
            finally:
                notes.append((arrived, time.monotonic(), result))
            return result

        return noted, notes

    def answered_by(
        self, notes: list[Note], lengths: tuple[int, ...], rest: list[ResponderEvent]
    ) -> None:
        """The link has called a handler of `noting`, and its answers have left.

        Args:
            notes: What there is to record.
            lengths: Of the answers, as many as the link gave itself.
            rest: The events that the link has left to the host: the last may be the last message.
        """
        if rest and isinstance(left := rest[-1], Returned | Raised):
            arrived, _, _ = notes.pop()
            self._arrived[left.ticket.number] = arrived
        sent = time.monotonic()
        records: list[dict[str, object]] = [
            {
                "code": "AA" if result is None else str(result),
                "length": length,
                "handler_seconds": round(answered - arrived, 6),
                "answer_seconds": round(sent - arrived, 6),
            }
            for (arrived, answered, result), length in zip(notes, lengths, strict=True)
        ]
        notes.clear()
        self._log.events(logging.INFO, "ack_sent", self.number, records)

    def answered(self, link: Responder, ticket: Ticket, code: str, before: int) -> None:
        """A message has its answer, or none; it is on record once it is sent.

        Args:
            link: The connection's state machine.
            ticket: The place of the message.
            code: What the record shows for the answer; empty when there is none.
            before: How many bytes the link had for the socket before the answer.
        """
        arrived = self._arrived.pop(ticket.number, None)
        if not (code and is_heard(logging.INFO)):
            return
        now = time.monotonic()
        length = link.unsent - before
        fields = {}
        if message_fields(b""):
            # An answer that waits for an earlier one is not among the outgoing bytes yet.
            fields = message_fields(link.outgoing(link.unsent)[before:][1:-2])
        arrived = now if arrived is None else arrived
        self._unsent.append(_Answer(ticket.number, code, length, arrived, now - arrived, fields))

    def refused(self, code: str) -> None:
        """A message above the limit has been refused with that code, or has no answer: empty."""
        self._too_large(refused=bool(code))

    def sent(self, link: Responder) -> None:
        """Answers have left: record those that are out completely."""
        while self._unsent and link.is_settled(self._unsent[0].number):
            answer = self._unsent.pop(0)
            self._log.event(
                logging.INFO,
                "ack_sent",
                self.number,
                code=answer.code,
                length=answer.length,
                handler_seconds=round(answer.handler_seconds, 6),
                answer_seconds=round(time.monotonic() - answer.arrived, 6),
                **answer.fields,
            )

    def unsendable(self) -> None:
        """The connection is gone: what was not sent never will be."""
        self._unsent.clear()

    def expired(self, name: str, unfinished: int) -> None:
        """A time has run out.

        Args:
            name: Which one.
            unfinished: Bytes of the frame that was open until then.
        """
        self._log.event(logging.INFO, name, self.number, unfinished=unfinished)

    def happened(self, event: ResponderEvent) -> None:
        """Anything else that the link has to say."""
        match event:
            case Discard(is_blank=True, length=length):
                # Line ends and padding between frames are common and harmless.
                self._log.event(logging.DEBUG, "discarded", self.number, length=length)
            case Discard(offset, length):
                self._warn("discarded", length=length, offset=offset)
            case AnswersLost(answers):
                self.overdue(answers=answers)
            case Unusual(deviations, length):
                self.deviated(deviations, length)
            case Fault(code="too_large"):
                self._too_large()
            case Fault(code, offset) | Deviation(code, offset):
                self._warn(code, offset=offset)

    def lost(self, error: OSError, pending: int) -> None:
        """The connection broke.

        Args:
            error: What the socket said.
            pending: Bytes of the frame that was open.
        """
        level = logging.WARNING if pending else logging.INFO
        text = error.strerror or type(error).__name__
        self._log.event(level, "connection_lost", self.number, error=text, unfinished=pending)

    def disconnected(self, reason: str, messages: int) -> None:
        """The socket is closed."""
        self._log.event(logging.INFO, "disconnect", self.number, reason=reason, messages=messages)

    def failed(self, error: BaseException) -> None:
        """A defect of ours has ended the connection, or the work on one of its messages."""
        trace = describe_exception(error)
        self._log.event(logging.ERROR, "connection_failed", self.number, trace=trace)

    def overdue(self, **fields: Any) -> None:
        """The peer has not taken its answers in time."""
        self._log.event(logging.WARNING, "send_timeout", self.number, **fields)

    def handler_overdue(self) -> None:
        """The handler has not finished in time."""
        self._log.event(logging.ERROR, "handler_timeout", self.number)

    def speaks(self, protocol: str, data: bytes) -> None:
        """The peer's first bytes are those of another protocol, or of none.

        Args:
            protocol: Its name.
            data: What has come.
        """
        if protocol == "http" and data.startswith(HTTP_PROBES):
            self._gate.http_probe(self.number)
        elif data.startswith(_LOCAL):
            self._log.event(logging.INFO, "wrong_protocol", self.number, protocol=protocol)
        else:
            self._gate.refuse("wrong_protocol", self.number, protocol=protocol)

    def _too_large(self, **fields: Any) -> None:
        limit = self._max_size
        self._log.event(logging.WARNING, "frame_too_large", self.number, max_size=limit, **fields)

    def _warn(self, event: str, **fields: Any) -> None:
        """Warn once per connection and kind: a peer with a habit must not fill the log."""
        level = logging.WARNING
        if event in self._warned:
            level = logging.DEBUG
        else:
            self._warned += (event,)
        self._log.event(level, event, self.number, **fields)
