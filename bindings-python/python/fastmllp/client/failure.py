"""Why a message has no reply: the same errors and words for the blocking and the asyncio client."""

import logging

from fastmllp._native import Stray
from fastmllp.client.reply import (
    ConnectError,
    ConnectionLost,
    DeliveryError,
    Fate,
    NoReply,
    ReplyTooLarge,
)
from fastmllp.client.settings import ClientSettings
from fastmllp.logging import log_event
from fastmllp.serving.sockets.addresses import reason
from fastmllp.tls.failure import TlsFailure

__all__ = [
    "closed",
    "ended",
    "given_up",
    "log_stray",
    "lost",
    "no_reply",
    "not_sent",
    "too_large",
    "with_fate",
]


def ended(error: Exception | None, failure: TlsFailure | None, hint: str) -> str:
    """Why a connection ended, in words.

    Args:
        error: What the socket said; None at the end of the stream.
        failure: What TLS says of it, if it failed.
        hint: What the server seems to speak, from `FirstBytes.hint`.
    """
    if failure is not None:
        return failure.text + hint
    text = reason(error) if isinstance(error, OSError) else "closed without a reply"
    return text + hint


def lost(server: str, why: str) -> ConnectionLost:
    """The connection ended after some of the message was written."""
    return ConnectionLost(f"connection to {server} lost: {why}")


def not_sent(server: str, why: str) -> ConnectError:
    """The connection ended before any of the message was written."""
    return ConnectError(f"cannot reach {server}: {why}")


def no_reply(server: str, timeout: float, hint: str) -> NoReply:
    """The time is over."""
    return NoReply(f"{server} did not answer within {timeout:g} s{hint}")


def too_large(server: str, max_size: int) -> ReplyTooLarge:
    """A reply came that no message can take."""
    return ReplyTooLarge(f"reply of {server} is above {max_size} bytes")


def log_stray(name: str, settings: ClientSettings, stray: Stray) -> None:
    """Log a reply that belongs to no message that waits.

    Args:
        name: ``foreign_reply`` while a message waits, else ``stale_reply``.
        settings: Of the client.
        stray: The event of the link.
    """
    why = stray.why
    # What was not waited for, by the message or by the client, says nothing about the link.
    expected = why == "unasked" or (why == "late" and settings.wait_for == "accept")
    level = logging.INFO if expected else logging.WARNING
    log_event(level, name, server=settings.server, length=len(stray.payload), reason=why)


def closed(what: str = "client", fate: Fate = "uncertain") -> ConnectionLost:
    """The client was closed while the message waited."""
    error = ConnectionLost(f"the {what} was closed")
    error.fate = fate
    return error


def given_up(server: str) -> ConnectionLost:
    """The connection was closed, because a late reply must not meet another message."""
    return ConnectionLost(f"connection to {server} given up: another reply did not come")


def with_fate(error: DeliveryError, fate: str) -> DeliveryError:
    """An exception like this one for one message: a traceback belongs to one caller.

    Args:
        error: Why there is no reply.
        fate: What the link says of the message.
    """
    copy = type(error)(*error.args).with_traceback(None)
    copy.fate = "not_sent" if fate == "not_sent" else "uncertain"
    return copy
