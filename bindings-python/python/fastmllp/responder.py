"""What a handler says about a message, made into the acknowledgment that goes back."""

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from fastmllp.ack import Ack, AckCode, build_ack
from fastmllp.hl7 import Message
from fastmllp.logging import describe_exception, log_event
from fastmllp.mllp import MllpError, frame

HandlerResult: TypeAlias = str | bytes | Ack | None
Handler: TypeAlias = Callable[[Message], HandlerResult]


class Answer(NamedTuple):
    """An acknowledgment, framed for the wire, and the code that the log shows for it."""

    framed: bytes
    code: str


class Responder:
    """Asks the handler about each message and builds the acknowledgment.

    Answering never fails: any exception of the handler, an unknown code, and a result of a wrong
    type or one that cannot be encoded or framed is logged and becomes AE, so that the sender learns
    that the message was not taken and the connection goes on.
    """

    def __init__(self, handler: Handler | None, encoding: str, scan: str = "single_byte") -> None:
        self.handler = handler
        self._encoding = encoding
        self._scan = scan
        Message(b"", scan=scan)  # One that does not exist is the caller's error, now.

    def answer(self, payload: bytes, connection: int) -> Answer:
        """Give the answer for one payload, after the handler has returned.

        Args:
            payload: What a complete frame held; may be empty or without MSH.
            connection: Number of the connection, for the log.
        """
        if self.handler is None:
            return self._acknowledge(payload, AckCode.AA)
        try:
            result = self.handler(Message(payload, scan=self._scan))
        except BaseException as error:
            # Not Exception alone: SystemExit, asyncio.CancelledError or a panic of native code
            # would end the connection without an answer, and Python would print their text. A
            # KeyboardInterrupt comes from the handler too, since this is never the main thread.
            trace = describe_exception(error)
            log_event(logging.ERROR, "handler_failed", connection, trace=trace)
            return self._acknowledge(payload, AckCode.AE)
        try:
            return self._answer_with(payload, result)
        except BaseException as error:
            # A result runs code of its own, such as that of a codec or of an exporter of a buffer.
            kind = type(result).__name__
            log_event(logging.ERROR, "handler_result", connection, type=kind, reason=_reason(error))
            return self._acknowledge(payload, AckCode.AE)

    def _answer_with(self, payload: bytes, result: object) -> Answer:
        if result is None:
            return self._acknowledge(payload, AckCode.AA)
        if isinstance(result, str):
            if result.startswith("MSH"):
                return Answer(frame(result.encode(self._encoding, errors="replace")), "own")
            return self._acknowledge(payload, result)
        if isinstance(result, Ack):
            return Answer(frame(result.encode(payload, scan=self._scan)), result.code)
        # An empty payload is no acknowledgment: the sender could not match it with its message.
        if isinstance(result, bytes | bytearray | memoryview) and len(result) > 0:
            return Answer(frame(result), "own")
        raise TypeError

    def _acknowledge(self, payload: bytes, code: str) -> Answer:
        return Answer(frame(build_ack(payload, code, scan=self._scan)), str(code))


def _reason(error: BaseException) -> str:
    """Name why a result was not taken; never the text of the error, which may quote the result."""
    if isinstance(error, MllpError):
        return error.code
    return "wrong_type" if type(error) is TypeError else type(error).__name__
