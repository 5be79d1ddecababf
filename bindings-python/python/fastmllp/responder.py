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

    Answering never fails: an exception of the handler, an unknown code or a result of a wrong type
    is logged and becomes AE, so that the sender learns that the message was not taken and the
    connection goes on.
    """

    def __init__(self, handler: Handler | None, encoding: str) -> None:
        self.handler = handler
        self._encoding = encoding

    def answer(self, payload: bytes, connection: int) -> Answer:
        """Give the answer for one payload, after the handler has returned.

        Args:
            payload: What a complete frame held; may be empty or without MSH.
            connection: Number of the connection, for the log.
        """
        if self.handler is None:
            return _acknowledge(payload, AckCode.AA)
        try:
            result = self.handler(Message(payload))
        except (Exception, SystemExit) as error:
            # SystemExit too: in a thread it would end the connection without a word to anybody.
            trace = describe_exception(error)
            log_event(logging.ERROR, "handler_failed", connection, trace=trace)
            return _acknowledge(payload, AckCode.AE)
        try:
            return self._answer_with(payload, result)
        except (MllpError, TypeError) as error:
            kind = type(result).__name__
            reason = error.code if isinstance(error, MllpError) else "wrong_type"
            log_event(logging.ERROR, "handler_result", connection, type=kind, reason=reason)
            return _acknowledge(payload, AckCode.AE)

    def _answer_with(self, payload: bytes, result: object) -> Answer:
        if result is None:
            return _acknowledge(payload, AckCode.AA)
        if isinstance(result, str):
            if result.startswith("MSH"):
                return Answer(frame(result.encode(self._encoding, errors="replace")), "own")
            return _acknowledge(payload, result)
        if isinstance(result, Ack):
            return Answer(frame(result.encode(payload)), result.code)
        # An empty payload is no acknowledgment: the sender could not match it with its message.
        if isinstance(result, bytes | bytearray | memoryview) and len(result) > 0:
            return Answer(frame(result), "own")
        raise TypeError


def _acknowledge(payload: bytes, code: str) -> Answer:
    return Answer(frame(build_ack(payload, code)), str(code))
