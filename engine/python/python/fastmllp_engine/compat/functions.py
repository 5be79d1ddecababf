"""Routers and handlers of feeds for MessageFoundry: what they get, and what they return."""

import functools
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from fastmllp_engine import _native
from fastmllp_engine.compat.declaring import settle
from fastmllp_engine.compat.message import Message, RawMessage, wrapped
from fastmllp_engine.graph.functions import Handler, MessageTypes, Router
from fastmllp_engine.graph.loading import site

_ingest_time: ContextVar[float | None] = ContextVar("_ingest_time", default=None)


class Send:
    """A message for an outbound, as it was when this was made."""

    is_send = True
    """For the reader of what a handler sends, which looks at its code."""

    def __init__(self, to: str, message: Message | RawMessage | str) -> None:
        given = message.native if isinstance(message, Message | RawMessage) else message
        self.native = _native.Send(to, given)
        self.to = to
        self.message = message.copy() if isinstance(message, Message | RawMessage) else message


def router(name: str, **given: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a router."""
    return _decorator(Router(name, **_settled("router", name, given)))


def handler(
    name: str, *, accepts: Callable[[Any], bool] | None = None, **given: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a handler."""
    options = _settled("handler", name, {"accepts": accepts, **given} if accepts else given)
    if "accepts" in options and not isinstance(accepts, MessageTypes):
        options["accepts"] = _adapted(options["accepts"])
    return _decorator(Handler(name, **options))


def current_ingest_time() -> float | None:
    """When the message that a function runs on was received, in seconds since 1970."""
    return _ingest_time.get()


def _settled(section: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    here = site()
    settled = settle(section, f"{section} {name}", given, here)
    here.finish()
    return settled


def _decorator(declared: Router | Handler) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        object.__setattr__(declared, "runs", _adapted(function))
        return declared(function)

    return declare


def _adapted(function: Callable[..., Any]) -> Callable[[Any], Any]:
    @functools.wraps(function)
    def run(message: Any) -> Any:
        token = _ingest_time.set(message.ingest_time().timestamp())
        try:
            return _returned(function(wrapped(message)))
        finally:
            _ingest_time.reset(token)

    return run


def _returned(value: object) -> object:
    """What a function has returned, in the engine's own terms, which judges it."""
    if isinstance(value, Send):
        return value.native
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [it.native if isinstance(it, Send) else it for it in value]
    return value
