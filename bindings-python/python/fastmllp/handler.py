"""What a handler says about a message, made into the acknowledgment that goes back."""

import logging
import time
from collections.abc import Callable
from typing import TypeAlias

from fastmllp._native import Responder, Ticket
from fastmllp.ack import Ack, AckCode
from fastmllp.hl7 import Message
from fastmllp.logging import describe_exception, log_event
from fastmllp.mllp import MllpError

HandlerResult: TypeAlias = str | bytes | Ack | None
Handler: TypeAlias = Callable[[Message], HandlerResult]


class Answerer:
    """Asks the handler about each message and answers with what it says.

    Answering never fails: any exception of the handler, an unknown code, and a result of a wrong
    type or one that cannot be encoded or framed is logged and becomes AE, so that the sender learns
    that the message was not taken and the connection goes on.
    """

    def __init__(self, handler: Handler | None, encoding: str, scan: str = "single_byte") -> None:
        self.handler = handler
        self._encoding = encoding
        self._scan = scan
        Message(b"", scan=scan)  # One that does not exist is the caller's error, now.

    def answer(self, link: Responder, ticket: Ticket, payload: bytes, connection: int) -> str:
        """Answer one message, after the handler has returned.

        Args:
            link: The connection's state machine, which gave the ticket.
            ticket: The place of the answer.
            payload: What a complete frame held; may be empty or without MSH.
            connection: Number of the connection, for the log.

        Returns:
            What the log shows for the answer: its code, or ``own`` for a handler's own bytes.
        """
        if self.handler is None:
            return _acknowledge(link, ticket, AckCode.AA)
        try:
            result = self.handler(self.message(payload))
        except BaseException as error:
            # Not Exception alone: SystemExit, asyncio.CancelledError or a panic of native code
            # would end the connection without an answer, and Python would print their text. A
            # KeyboardInterrupt comes from the handler too, since this is never the main thread.
            return self.fail(link, ticket, error, connection)
        return self.conclude(link, ticket, payload, result, connection)

    def message(self, payload: bytes) -> Message:
        """What a handler is called with."""
        return Message(payload, scan=self._scan)

    def fail(self, link: Responder, ticket: Ticket, error: BaseException, connection: int) -> str:
        """Answer a message whose handler has raised. As `answer` for the rest."""
        trace = describe_exception(error)
        log_event(logging.ERROR, "handler_failed", connection, trace=trace)
        return _acknowledge(link, ticket, AckCode.AE)

    def conclude(
        self, link: Responder, ticket: Ticket, payload: bytes, result: object, connection: int
    ) -> str:
        """Answer a message with what its handler has returned. As `answer` for the rest."""
        try:
            return self._answer_with(link, ticket, payload, result)
        except BaseException as error:
            # A result runs code of its own, such as that of a codec or of an exporter of a buffer.
            kind = type(result).__name__
            log_event(logging.ERROR, "handler_result", connection, type=kind, reason=_reason(error))
            return _acknowledge(link, ticket, AckCode.AE)

    def _answer_with(self, link: Responder, ticket: Ticket, payload: bytes, result: object) -> str:
        if result is None:
            return _acknowledge(link, ticket, AckCode.AA)
        code = "own"
        if isinstance(result, str):
            if not result.startswith("MSH"):
                return _acknowledge(link, ticket, result)
            result = result.encode(self._encoding, errors="replace")
        elif isinstance(result, Ack):
            code = result.code
            result = result.encode(payload, scan=self._scan)
        # An empty payload is no acknowledgment: the sender could not match it with its message.
        elif not isinstance(result, bytes | bytearray | memoryview) or len(result) == 0:
            raise TypeError
        link.answer_with(ticket, result, time.monotonic())
        return code


def _acknowledge(link: Responder, ticket: Ticket, code: str) -> str:
    link.answer(ticket, code, time.monotonic())
    return str(code)


def _reason(error: BaseException) -> str:
    """Name why a result was not taken; never the text of the error, which may quote the result."""
    if isinstance(error, MllpError):
        return error.code
    return "wrong_type" if type(error) is TypeError else type(error).__name__
