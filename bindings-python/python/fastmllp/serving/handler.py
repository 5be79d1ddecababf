"""What a handler says about a message, made into the acknowledgment that goes back."""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeAlias

from fastmllp._native import (
    Ack,
    AckError,
    LinkError,
    Message,
    MessageError,
    MllpError,
    Responder,
    Ticket,
    TooLarge,
    answers,
    read_msa,
)
from fastmllp.ack import AckCode
from fastmllp.logging import Log, describe_exception
from fastmllp.serving.character_set import encode_message
from fastmllp.serving.conformant import conformant_answer

_CODES = frozenset(str(code) for code in AckCode)

HandlerResult: TypeAlias = str | bytes | Ack | None
Handler: TypeAlias = Callable[[Message], HandlerResult]

connection_number: ContextVar[int | None] = ContextVar("fastmllp_connection", default=None)
"""Number of the connection whose message the handler works on, for its own log and names."""
server_name: ContextVar[str] = ContextVar("fastmllp_server", default="")
"""Name of the server or link that received the message; empty if it has none."""


class Answerer:
    """Asks the handler about each message and answers with what it says.

    Answering never fails: any exception of the handler, an unknown code, and a result of a wrong
    type or one that cannot be encoded or framed is logged and becomes AE, so that the sender learns
    that the message was not taken and the connection goes on.

    With the policy ``conformant`` the code is not the last word: see `fastmllp.serving.conformant`.
    A whole acknowledgment of a handler goes back as it is by either policy, if its MSA has a code
    of table 0008 and repeats the control ID of the message: ``bytes`` as they are, ``str`` with CR
    at the ends of its lines, in the set that its own MSH-18 names, or in `encoding` where it names
    none.
    Texts of an `Ack` are in the set of the message, as `Ack.encode` describes. What a set lacks
    becomes ``?``, with a record ``not_encodable``.
    """

    def __init__(
        self,
        handler: Handler | None,
        encoding: str,
        scan: str = "single_byte",
        policy: str = "always",
        log: Log | None = None,
        local_time: bool = False,
    ) -> None:
        self.handler = handler
        self._log = log or Log()
        self._encoding = encoding
        self._scan = scan
        self._local_time = local_time
        self._conforms = policy == "conformant"
        Message(b"", scan=scan)  # One that does not exist is the caller's error, now.
        self.prompt = None if self._conforms else (handler or _accept)
        """What the link itself may call for each message; None where a code is not the answer."""

    def message(self, payload: bytes) -> Message:
        """What a handler is called with."""
        return Message(payload, scan=self._scan, lenient=True)

    def fail(self, link: Responder, ticket: Ticket, error: BaseException, connection: int) -> str:
        """Answer a message whose handler has raised. As `conclude` for the rest."""
        trace = describe_exception(error)
        self._log.event(logging.ERROR, "handler_failed", connection, trace=trace)
        try:
            return self._acknowledge(link, ticket, AckCode.AE, connection)
        except LinkError as given_up:
            if not _is_given_up(given_up):
                raise
            return ""

    def conclude(
        self, link: Responder, ticket: Ticket, payload: bytes, result: object, connection: int
    ) -> str:
        """Answer a message with what its handler has returned.

        Args:
            link: The connection's state machine, which gave the ticket.
            ticket: The place of the answer.
            payload: What a complete frame held; may be empty or without MSH.
            result: What the handler has returned.
            connection: Number of the connection, for the log.

        Returns:
            What the log shows for the answer: its code, or ``own`` for a handler's own bytes; empty
            when there is no answer.
        """
        try:
            return self._answer_with(link, ticket, payload, result, connection)
        except BaseException as error:
            if _is_given_up(error):
                return ""
            # A result runs code of its own, such as that of a codec or of an exporter of a buffer.
            kind = type(result).__name__
            self._log.event(
                logging.ERROR, "handler_result", connection, type=kind, reason=_reason(error)
            )
            return self._acknowledge(link, ticket, AckCode.AE, connection)

    def refuse(self, link: Responder, event: TooLarge, connection: int) -> str:
        """Refuse a message above the limit, of which the beginning is at hand.

        Args:
            link: The connection's state machine.
            event: The last event that it gave.
            connection: Number of the connection, for the log.

        Returns:
            The code of the answer; empty when there is none.
        """
        code, now = str(AckCode.AR), time.monotonic()
        try:
            if self._conforms:
                code = conformant_answer(self.message(event.payload), code, self._scan).code
            if code:
                level = "accept" if code == AckCode.CR else "application"
                link.refuse(event.refusal, "reject", now, level=level)
                return code
            reason = "not_wanted"
        except (MessageError, AckError) as error:
            reason = error.code
        link.leave_unrefused(event.refusal, now)
        self._log.event(logging.INFO, "no_answer", connection, reason=reason)
        return ""

    def _answer_with(
        self, link: Responder, ticket: Ticket, payload: bytes, result: object, connection: int
    ) -> str:
        if result is None:
            return self._acknowledge(link, ticket, AckCode.AA, connection)
        if isinstance(result, Ack):
            return self._acknowledge(link, ticket, result.code, connection, result)
        if isinstance(result, str):
            if not result.startswith("MSH"):
                return self._acknowledge(link, ticket, result, connection)
            # Text has the line ends of Python; a segment ends in CR.
            result = result.replace("\r\n", "\r").replace("\n", "\r")
            result, encoding, first = encode_message(result, self._encoding)
            if first is not None:
                self._replaced(connection, encoding, first=first)
        # An empty payload is not an acknowledgment: the sender could not match it with its message.
        elif not isinstance(result, bytes | bytearray | memoryview) or len(result) == 0:
            raise TypeError
        if not is_acknowledgment(result, self._scan):
            raise NoAcknowledgmentError
        if not self._is_answer_to(payload, result):
            raise OtherMessageError
        link.answer_with(ticket, result, time.monotonic())
        return "own"

    def _acknowledge(
        self, link: Responder, ticket: Ticket, code: str, connection: int, ack: Ack | None = None
    ) -> str:
        """Answer with a code, or with an acknowledgment that says more."""
        if self._conforms:
            return self._conform(link, ticket, ack or Ack(code), connection)
        if ack is None:
            link.answer(ticket, code, time.monotonic())
        else:
            answer = ack.encode(
                ticket.payload,
                scan=self._scan,
                encoding=self._encoding,
                local_time=self._local_time,
            )
            link.answer_with(ticket, answer, time.monotonic())
            self._note_replaced(ticket.payload, ack, connection)
        return str(code)

    def _conform(self, link: Responder, ticket: Ticket, ack: Ack, connection: int) -> str:
        payload, scan = ticket.payload, self._scan
        try:
            answer = conformant_answer(self.message(payload), ack.code, scan)
            if answer.code:
                if answer.errors:
                    ack = ack.refusing(answer.errors)
                encoded = ack.encode(
                    payload,
                    code=answer.code,
                    policy="conformant",
                    scan=scan,
                    encoding=self._encoding,
                    local_time=self._local_time,
                )
                link.answer_with(ticket, encoded, time.monotonic())
                self._note_replaced(payload, ack, connection)
                if answer.due:
                    self._log.event(logging.INFO, "ack_due", connection, code=answer.due)
                return answer.code
            level, reason = logging.INFO, "not_wanted"
        except (MessageError, AckError) as error:
            level, reason = logging.WARNING, error.code
        # Whoever sent this waits in vain; the record is all that tells why.
        link.leave_unanswered(ticket, time.monotonic())
        self._log.event(level, "no_answer", connection, reason=reason)
        return ""

    def _is_answer_to(self, payload: bytes, answer: bytes | bytearray | memoryview) -> bool:
        """Whether MSA-2 repeats MSH-10, where there is one; for a batch it may name any message."""
        try:
            message = self.message(payload)
            control_id = b"" if message.kind == "batch" else message.get("MSH-10")
        except MessageError:
            return True
        return answers(answer, control_id or b"", scan=self._scan)

    def _note_replaced(self, payload: bytes, ack: Ack, connection: int) -> None:
        encoding = ack.not_encodable(payload, scan=self._scan, encoding=self._encoding)
        if encoding is not None:
            self._replaced(connection, encoding)

    def _replaced(self, connection: int, encoding: str, **fields: Any) -> None:
        self._log.event(logging.WARNING, "not_encodable", connection, encoding=encoding, **fields)


class NoAcknowledgmentError(MllpError, ValueError):
    """A whole message of a handler that acknowledges nothing."""

    code = "no_acknowledgment"


class OtherMessageError(MllpError, ValueError):
    """A whole acknowledgment of a handler whose MSA-2 is not the MSH-10 that it answers."""

    code = "other_message"


def is_acknowledgment(payload: bytes | bytearray | memoryview, scan: str = "single_byte") -> bool:
    """Whether a payload has a header and an MSA segment with a code of table 0008 in MSA-1.

    That is an ACK, or a response; one with a batch header around it is one too.
    """
    return read_msa(payload, scan=scan)[0] in _CODES


def _is_given_up(error: BaseException) -> bool:
    """Whether there is nobody to answer any more: the peer did not take its answers in time."""
    return isinstance(error, LinkError) and error.code == "closed"


def _accept(message: Message) -> None:
    """The handler of a server without one."""


def _reason(error: BaseException) -> str:
    """Name why a result was not taken; never the text of the error, which may quote the result."""
    if isinstance(error, MllpError):
        return error.code
    return "wrong_type" if type(error) is TypeError else type(error).__name__
