"""A message through the functions of a graph, in this process and without sending anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fastmllp_engine._native import Message, RawMessage, Send
from fastmllp_engine.graph.connections import Inbound
from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.loading import LOADING, Loading
from fastmllp_engine.graph.options import ContentType
from fastmllp_engine.graph.registry import Registry

MAX_HOPS = 8
"""From handler to handler, as in the engine."""


@dataclass
class Run:
    """What has become of one message."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)
    """Outbounds and payloads, in order."""
    failures: list[str] = field(default_factory=list)
    """What went wrong, with the line of the configuration where that is known."""


def run(registry: Registry, inbound: Inbound, payload: bytes) -> Run:
    """Route and transform a message. It never raises because of a function."""
    made = Run()
    waiting: list[tuple[str, bytes, int]] = [(inbound.name, payload, 0)]
    while waiting:
        name, body, hops = waiting.pop(0)
        if hops > MAX_HOPS:
            made.failures.append(f"{name}: more than {MAX_HOPS} hops from handler to handler")
            continue
        try:
            through = registry.inbounds.get(name)
            sends = (
                _through(registry, through, body)
                if through
                else _handle(registry, name, inbound, body)
            )
        except _Failed as failed:
            made.failures += failed.texts
            sends = failed.sends
        for to, sent in sends:
            if to in registry.handlers or to in registry.inbounds:
                waiting.append((to, sent, hops + 1))
            else:
                made.sent.append((to, sent))
    return made


class _Failed(Exception):
    def __init__(self, texts: list[str], sends: list[tuple[str, bytes]]) -> None:
        self.texts = texts
        self.sends = sends


def message_of(inbound: Inbound, payload: bytes) -> Message | RawMessage:
    """What the functions of an inbound get."""
    if inbound.content_type == ContentType.HL7V2:
        return Message(payload, inbound.encoding)
    return RawMessage(payload, inbound.encoding)


def _through(registry: Registry, inbound: Inbound, body: bytes) -> list[tuple[str, bytes]]:
    """The router of an inbound and the handlers that it names."""
    router = registry.routers.get(inbound.router)
    if router is None:
        return []
    try:
        named = router.function(message_of(inbound, body))
        names = [] if named is None else [named] if isinstance(named, str) else list(named)
    except Exception as error:
        raise _Failed([_raised(router.subject, error)], []) from None
    failures: list[str] = []
    sends: list[tuple[str, bytes]] = []
    for name in dict.fromkeys(names):
        if name not in registry.handlers:
            shown = f'"{name}"' if isinstance(name, str) else f"a {type(name).__name__}"
            near = did_you_mean(name, registry.handlers) if isinstance(name, str) else ""
            failures.append(f"{router.subject} names {shown}, which is no handler{near}")
            continue
        try:
            accepts = registry.handlers[name].accepts
            if accepts is None or accepts(message_of(inbound, body)):
                sends += _handle(registry, name, inbound, body)
        except _Failed as failed:
            failures += failed.texts
        except Exception as error:
            failures.append(_raised(f"handler {name}: accepts", error))
    if failures:
        raise _Failed(failures, sends)
    return sends


def _handle(
    registry: Registry, name: str, inbound: Inbound, body: bytes
) -> list[tuple[str, bytes]]:
    handler = registry.handlers[name]
    try:
        result = handler.function(message_of(inbound, body))
        if result is None:
            return []
        if isinstance(result, (str, bytes)) or not isinstance(result, (Send, Iterable)):
            kind = type(result).__name__
            raise _Failed([f"handler {name} returned {kind}, not Send, several or None"], [])
        sends = [result] if isinstance(result, Send) else list(result)
    except _Failed:
        raise
    except Exception as error:
        raise _Failed([_raised(handler.subject, error)], []) from None
    for send in sends:
        if not isinstance(send, Send):
            raise _Failed([f"handler {name} returned {type(send).__name__} among its Sends"], [])
    known = {*registry.outbounds, *registry.handlers, *registry.inbounds}
    unknown = [it.to for it in sends if it.to not in known]
    texts = [f'handler {name} sends to "{to}"{did_you_mean(to, known)}' for to in unknown]
    made = [(it.to, it.payload) for it in sends if it.to in known]
    if texts:
        raise _Failed(texts, made)
    return made


def _raised(subject: str, error: Exception) -> str:
    """What a function has raised, and at which line of the configuration."""
    place: Place | None = None
    traceback = error.__traceback__
    while traceback:
        loading = traceback.tb_frame.f_globals.get(LOADING)
        if isinstance(loading, Loading):
            file = traceback.tb_frame.f_code.co_filename
            place = loading.place(file, traceback.tb_lineno)
        traceback = traceback.tb_next
    at = f" ({place})" if place else ""
    return f"{subject} raised {type(error).__name__}: {error}{at}"
