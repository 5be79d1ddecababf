"""A message through the functions of a graph in this process: what would be sent."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from fastmllp_engine._native import Functions, Send
from fastmllp_engine.graph.connections import Inbound
from fastmllp_engine.graph.explain import explainer
from fastmllp_engine.graph.fields import differences
from fastmllp_engine.graph.findings import did_you_mean
from fastmllp_engine.graph.options import ContentType
from fastmllp_engine.graph.registry import Registry

MAX_HOPS = 8
"""From handler to handler, as in the engine."""
RECEIVED = 1_767_225_600_000
"""When a message here was received: the beginning of 2026 in UTC, so that runs are alike."""
MAX_SHOWN = 5
"""Fields of one message that are listed where a second run differs."""


@dataclass(frozen=True)
class Routed:
    """What one router has chosen."""

    router: str
    handlers: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """What a handler makes of a message for one outbound."""

    handler: str
    to: str
    payload: bytes


@dataclass
class Run:
    """What has become of one message."""

    routed: list[Routed] = field(default_factory=list)
    """The choice of its router, then those of the inbounds that handlers send to."""
    sent: list[Sent] = field(default_factory=list)
    """In order."""
    failures: list[str] = field(default_factory=list)
    """What went wrong, a note for each, without anything that an exception says."""

    @property
    def disposition(self) -> str:
        """How the message ends if every delivery succeeds."""
        if self.failures:
            return "ERROR"
        if not self.routed[0].handlers:
            return "UNROUTED"
        return "PROCESSED" if self.sent else "FILTERED"


def functions_of(registry: Registry) -> Functions:
    """The functions of a graph, with the one judge of what they return."""
    return Functions(
        [(it.name, it.runs or it.function) for it in registry.routers.values()],
        [(it.name, it.runs or it.function, it.accepts) for it in registry.handlers.values()],
        [
            (it.name, it.content_type == ContentType.HL7V2, it.encoding)
            for it in registry.inbounds.values()
        ],
        explainer(registry.folder),
    )


def run(registry: Registry, inbound: Inbound, payload: bytes, *, received: int = RECEIVED) -> Run:
    """Route and transform a message. It never raises because of a function."""
    walk = _Walk(registry, inbound.name, received)
    walk.waiting.append(_ToInbound(inbound.name, payload, 0))
    while walk.waiting:
        walk.waiting.popleft().go(walk)
    return walk.made


def second_run_differs(first: Run, second: Run, encoding: str) -> Iterable[str]:
    """What two runs of the same message show of functions that are not pure: never a value."""
    if [(it.handler, it.to) for it in first.sent] != [(it.handler, it.to) for it in second.sent]:
        yield "a second run sends to other outbounds"
        return
    if first.failures != second.failures:
        yield "a second run fails otherwise"
    for one, other in zip(first.sent, second.sent, strict=True):
        if one.payload != other.payload:
            texts = [it.payload.decode(encoding, "backslashreplace") for it in (other, one)]
            parts = differences(texts[0], texts[1])
            paths = sorted({part.text.partition(" is ")[0] for part in parts})
            where = ", ".join(paths[:MAX_SHOWN]) or "other bytes"
            yield f"{one.to}: a second run sends something else: {where} (handler {one.handler})"


class _Walk:
    """One message on its way."""

    def __init__(self, registry: Registry, received_by: str, received: int) -> None:
        self.registry = registry
        self.received = received
        self.received_by = received_by
        """The inbound whose content type and encoding count, wherever handlers send the message."""
        self.functions = functions_of(registry)
        self.made = Run()
        self.waiting: deque[_Step] = deque()


@dataclass(frozen=True)
class _ToInbound:
    """A message for the router of an inbound: what was received, or what a handler passes on."""

    inbound: str
    payload: bytes
    hops: int

    def go(self, walk: _Walk) -> None:
        router = walk.registry.inbounds[self.inbound].router
        said = walk.functions.route(router, walk.received_by, self.payload, received=walk.received)
        if isinstance(said, str):
            walk.made.failures.append(said)
            return
        known = walk.registry.handlers
        wrong = [
            f"router {router} names {_shown(name, known, 'no handler')}"
            for name in said
            if name not in known
        ]
        walk.made.failures += wrong
        names = () if wrong else tuple(dict.fromkeys(said))
        walk.made.routed.append(Routed(router, names))
        walk.waiting.extend(_ToHandler(name, self.payload, self.hops) for name in names)


@dataclass(frozen=True)
class _ToHandler:
    """A message for a handler."""

    handler: str
    payload: bytes
    hops: int

    def go(self, walk: _Walk) -> None:
        said = walk.functions.handle(
            self.handler, walk.received_by, self.payload, received=walk.received
        )
        if isinstance(said, str):
            walk.made.failures.append(said)
            return
        registry = walk.registry
        passes = {name for name, it in registry.inbounds.items() if it.takes_sends}
        known = {*registry.outbounds, *registry.handlers, *passes}
        wrong = [
            f"handler {self.handler} sends to {_shown(send.to, known, 'no outbound or handler')}"
            for send in said
            if send.to not in known
        ]
        if self.hops >= MAX_HOPS and any(send.to not in registry.outbounds for send in said):
            wrong.append(
                f"handler {self.handler}: more than {MAX_HOPS} hops from handler to handler"
            )
        walk.made.failures += wrong
        for send in () if wrong else said:
            self._send(walk, send, passes)

    def _send(self, walk: _Walk, send: Send, passes: set[str]) -> None:
        # A name of both is the outbound's, as in the engine.
        if send.to in walk.registry.outbounds:
            walk.made.sent.append(Sent(self.handler, send.to, send.payload))
        elif send.to in passes:
            walk.waiting.append(_ToInbound(send.to, send.payload, self.hops + 1))
        else:
            walk.waiting.append(_ToHandler(send.to, send.payload, self.hops + 1))


_Step: TypeAlias = _ToInbound | _ToHandler


def _shown(name: str, known: Iterable[str], what: str) -> str:
    """A name that leads nowhere. One that is like no other may be made of a patient's data."""
    near = did_you_mean(name, known)
    return f'"{name}", which is {what}{near}' if near else f"a name that is {what}"
