"""What the log hears of one accepted connection, whichever server serves it."""

import logging
from collections import deque
from typing import Any

from fastmllp._native import Responder, Ticket
from fastmllp.logging import log_event

_TIMES = frozenset({"idle_timeout", "byte_timeout", "frame_timeout"})
# What the log calls the ends of a connection where the link has another name for them.
_CLOSING = {"closed": "stopped", "too_large": "frame_too_large"}


class ConnectionReport:
    """Writes the records of one connection.

    Attributes:
        number: The connection's number in every record, counted from 1.
        reason: Why the connection ends; empty while it goes on.
    """

    def __init__(self, number: int, max_size: int) -> None:
        self.number = number
        self.reason = ""
        self._max_size = max_size
        # Answers that are not sent yet: number of the message, code, length on the wire.
        self._unsent: deque[tuple[int, str, int]] = deque()
        self._warned: set[str] = set()

    def connected(self, peer: str) -> None:
        """A peer has connected."""
        log_event(logging.INFO, "connect", self.number, peer=peer)

    def received(self, payload: bytes, deviations: list[str]) -> None:
        """A complete frame has arrived."""
        log_event(logging.INFO, "message_received", self.number, length=len(payload))
        self.deviated(deviations, len(payload))

    def deviated(self, deviations: list[str], length: int) -> None:
        """The sender of a complete frame left the grammar."""
        for deviation in deviations:
            self._warn(deviation, length=length)

    def answered(self, ticket: Ticket, code: str, length: int) -> None:
        """A message has its answer; it is on record once it is sent."""
        self._unsent.append((ticket.number, code, length))

    def sent(self, link: Responder) -> None:
        """Answers have left: record those that are out completely."""
        while self._unsent and link.is_settled(self._unsent[0][0]):
            _, code, length = self._unsent.popleft()
            log_event(logging.INFO, "ack_sent", self.number, code=code, length=length)

    def unsendable(self) -> None:
        """The connection is gone: what was not sent never will be."""
        self._unsent.clear()

    def expired(self, events: list[dict[str, Any]], unfinished: int) -> None:
        """A time may have run out, if the last of these events says so.

        Args:
            events: Those that followed a look at the times.
            unfinished: Bytes of the open frame before that look.
        """
        if events and events[-1].get("reason") in _TIMES:
            log_event(logging.INFO, events[-1]["reason"], self.number, unfinished=unfinished)

    def happened(self, event: dict[str, Any]) -> None:
        """Anything else that the link has to say."""
        kind = event["ev"]
        if kind == "closing":
            self.reason = _CLOSING.get(event["reason"], event["reason"])
        elif kind == "discard" and event["blank"]:
            # Line ends and padding between frames are common and harmless.
            log_event(logging.DEBUG, "discarded", self.number, length=event["len"])
        elif kind == "discard":
            self._warn("discarded", length=event["len"], offset=event["offset"])
        elif kind == "protocol":
            self._warn("wrong_protocol", protocol=event["protocol"])
        elif kind == "answers_lost":
            log_event(logging.WARNING, "send_timeout", self.number, answers=event["answers"])
        elif kind == "deviations":
            self.deviated(event["warn"], event["length"])
        elif event["code"] == "too_large":
            log_event(logging.WARNING, "frame_too_large", self.number, max_size=self._max_size)
        else:
            self._warn(event["code"], offset=event["offset"])

    def lost(self, error: OSError, pending: int) -> None:
        """The connection broke.

        Args:
            error: What the socket said.
            pending: Bytes of the frame that was open.
        """
        self.reason = "connection_lost"
        level = logging.WARNING if pending else logging.INFO
        text = error.strerror or type(error).__name__
        log_event(level, "connection_lost", self.number, error=text, unfinished=pending)

    def disconnected(self, messages: int) -> None:
        """The socket is closed."""
        log_event(logging.INFO, "disconnect", self.number, reason=self.reason, messages=messages)

    def _warn(self, event: str, **fields: Any) -> None:
        """Warn once per connection and kind: a peer with a habit must not fill the log."""
        level = logging.DEBUG if event in self._warned else logging.WARNING
        self._warned.add(event)
        log_event(level, event, self.number, **fields)
