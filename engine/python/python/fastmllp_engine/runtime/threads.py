"""Routers and handlers in threads of the engine: `workers.count = 0`, tests and `dryrun`.

A function that hangs or ends the process is everybody's trouble here: a hospital uses processes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fastmllp_engine.graph import (
    ConfigurationError,
    ContentType,
    Finding,
    Handler,
    Registry,
    Router,
    Send,
)
from fastmllp_engine.runtime.building import Functions

if TYPE_CHECKING:
    from fastmllp_engine._native import Builder

Parse = Callable[[bytes], Any]
"""Makes the message that functions get."""


class Returned(Exception):
    """A function has returned something else than it may. The text names the type only."""


def in_threads(parse: Parse | None = None) -> Functions:
    """Gives a builder the routers and handlers of a graph.

    Args:
        parse: Makes what they are called with; without it that is a message of the inbounds' kind.
    """

    def give(builder: "Builder", registry: Registry) -> None:
        made = parse or reader_of(registry)
        for router in registry.routers.values():
            builder.router(router.name, router_in_thread(router, registry.handlers, made))
        for handler in registry.handlers.values():
            builder.handler(handler.name, handler_in_thread(handler, made))

    return give


def reader_of(registry: Registry) -> Parse:
    """Makes the messages that the functions of a graph get.

    Raises:
        ConfigurationError: inbounds differ in what they receive. A thread is not told by which
            inbound a message came.
    """
    from fastmllp_engine._native import Message, RawMessage

    kinds = {(str(it.content_type), it.encoding): it for it in registry.inbounds.values()}
    if len(kinds) > 1:
        text = "functions in threads need one content type and one encoding of all inbounds"
        raise ConfigurationError(
            [Finding(it.place, f"{it.subject}: {text}") for it in kinds.values()]
        )
    content_type, encoding = next(iter(kinds), ("hl7v2", "utf-8"))
    made = Message if content_type == ContentType.HL7V2 else RawMessage
    return lambda payload: made(payload, encoding)


def handlers_of(router: Router, handlers: Mapping[str, Handler], message: Any) -> list[str]:
    """The handlers that a router chooses and that accept the message."""
    chosen = router.function(message)
    if chosen is None:
        return []
    names = [chosen] if isinstance(chosen, str) else _listed(chosen, str, f"router {router.name}")
    return [name for name in names if _accepts(handlers.get(name), message)]


def sends_of(handler: Handler, message: Any) -> list[Send]:
    """What a handler sends."""
    made = handler.function(message)
    if made is None:
        return []
    return [made] if isinstance(made, Send) else _listed(made, Send, f"handler {handler.name}")


def _accepts(handler: Handler | None, message: Any) -> bool:
    return handler is None or handler.accepts is None or bool(handler.accepts(message))


def _listed(made: Any, kind: type[Any], who: str) -> list[Any]:
    if isinstance(made, (bytes, Mapping)) or not hasattr(made, "__iter__"):
        raise Returned(f"{who} returned {type(made).__name__}")
    listed = list(made)
    for one in listed:
        if not isinstance(one, kind):
            raise Returned(f"{who} returned {type(one).__name__} in a {type(made).__name__}")
    return listed


def router_in_thread(
    router: Router, handlers: Mapping[str, Handler], parse: Parse
) -> Callable[[bytes], list[str] | str]:
    """What `Builder.router` wants."""

    def route(payload: bytes) -> list[str] | str:
        try:
            return handlers_of(router, handlers, parse(payload))
        except BaseException as error:
            return note_of(error, router.name)

    return route


def handler_in_thread(
    handler: Handler, parse: Parse
) -> Callable[[bytes], list[tuple[str, bytes | None]] | str]:
    """What `Builder.handler` wants."""

    def handle(payload: bytes) -> list[tuple[str, bytes | None]] | str:
        try:
            sends = sends_of(handler, parse(payload))
            return [_sent(send, payload) for send in sends]
        except BaseException as error:
            return note_of(error, handler.name)

    return handle


def _sent(send: Send, payload: bytes) -> tuple[str, bytes | None]:
    sent = send.payload
    return send.to, None if sent == payload else sent


def note_of(error: BaseException, name: str) -> str:
    """Such as ``ValueError at adt.py:14 in to_lab``, without what the exception says of values."""
    if isinstance(error, Returned):
        return str(error)
    trace = error.__traceback__
    place = _last(trace)
    return f"{type(error).__name__}{f' at {place}' if place else ''} in {name}"


def _last(trace: TracebackType | None) -> str:
    """The last line of the configuration that was run: not one of this package."""
    lines: Sequence[tuple[str, int]] = []
    own = str(Path(__file__).parents[1])
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(own):
            lines = [*lines, (file, trace.tb_lineno)]
        trace = trace.tb_next
    return f"{Path(lines[-1][0]).name}:{lines[-1][1]}" if lines else ""
