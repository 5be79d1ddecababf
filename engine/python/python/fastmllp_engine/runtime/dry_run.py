"""A message through a graph in this process: what would be sent, and nothing is."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fastmllp_engine.graph import Inbound, Registry
from fastmllp_engine.runtime.threads import handlers_of, note_of, reader_of, sends_of

HOPS = 8
"""From handler to handler a message goes so often at most, as in the engine."""


@dataclass(frozen=True)
class WouldSend:
    """What one handler makes of a message for one destination."""

    handler: str
    to: str
    payload: bytes


@dataclass
class DryRun:
    """What would become of a message."""

    router: str
    handlers: list[str] = field(default_factory=list)
    sends: list[WouldSend] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What went wrong, a note for each, without anything that the message holds."""

    @property
    def disposition(self) -> str:
        """How the message would end if every delivery succeeds."""
        if self.failures:
            return "ERROR"
        if not self.handlers:
            return "UNROUTED"
        return "PROCESSED" if self.sends else "FILTERED"


def dry_run(registry: Registry, inbound: Inbound, payload: bytes) -> DryRun:
    """Run a message through the router of an inbound and the handlers that it names.

    Raises:
        ConfigurationError: functions cannot run in threads with this graph.
    """
    parse = reader_of(registry)
    run = DryRun(inbound.router)
    try:
        names = handlers_of(registry.routers[inbound.router], registry.handlers, parse(payload))
    except BaseException as error:
        run.failures.append(note_of(error, inbound.router))
        return run
    for name in dict.fromkeys(names):
        run.handlers.append(name)
        _handle(registry, run, name, payload, HOPS)
    return run


def _handle(registry: Registry, run: DryRun, name: str, payload: bytes, hops: int) -> None:
    handler = registry.handlers.get(name)
    if handler is None:
        run.failures.append(f"there is no handler {name}")
        return
    if not hops:
        run.failures.append(f"more than {HOPS} handlers one after the other")
        return
    try:
        sends = [(it.to, it.payload) for it in sends_of(handler, reader_of(registry)(payload))]
    except BaseException as error:
        run.failures.append(note_of(error, name))
        return
    for to, sent in sends:
        if to in registry.outbounds:
            run.sends.append(WouldSend(name, to, sent))
        elif to in registry.handlers:
            _handle(registry, run, to, sent, hops - 1)
        else:
            run.failures.append(f"{name} sends to {to}, which is no outbound or handler")


def differences(before: bytes, after: bytes) -> list[str]:
    """The fields in which two messages differ, such as ``PV1-3``; a segment that one of them lacks
    is ``+ZPI`` or ``-ZPI``. Never a value."""
    if before == after:
        return []
    old, new = dict(_segments(before)), dict(_segments(after))
    found: list[str] = []
    for name, place in dict.fromkeys((*old, *new)):
        shown = name if place == 1 else f"{name}[{place}]"
        mine, theirs = old.get((name, place)), new.get((name, place))
        if mine is None or theirs is None:
            found.append(("+" if mine is None else "-") + shown)
            continue
        first = 1 if name == "MSH" else 0
        for number in range(1, max(len(mine), len(theirs))):
            pair = [fields[number] if number < len(fields) else b"" for fields in (mine, theirs)]
            if pair[0] != pair[1]:
                found.append(f"{shown}-{number + first}")
    return found or ["the bytes between segments"]


def _segments(payload: bytes) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    separator = payload[3:4] or b"|"
    counts: dict[str, int] = {}
    for line in payload.split(b"\r"):
        if line:
            fields = line.split(separator)
            name = fields[0].decode("latin-1")
            counts[name] = counts.get(name, 0) + 1
            yield (name, counts[name]), fields
