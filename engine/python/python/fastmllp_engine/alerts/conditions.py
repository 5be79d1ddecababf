"""What is wrong at one moment, read from the status of an engine."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from fastmllp_engine.graph import Registry

if TYPE_CHECKING:
    from fastmllp_engine._native import Certificate, LaneState, Status


DAY = 24 * 60 * 60 * 1000
CONNECTS_SECONDS = 60.0


class Kind(StrEnum):
    """What may be wrong."""

    STORE = "store"
    """The store does not write."""
    DISK = "disk"
    """The disk has little room: no new message is stored."""
    CLOCK = "clock"
    """The clock is in doubt, so nothing that has expired is deleted."""
    ORPHANED = "orphaned"
    """A lane holds something and is no longer configured."""
    STOPPED = "stopped"
    """The engine has stopped a lane by itself."""
    UNCONNECTED = "unconnected"
    """An outbound does not reach its partner; an inbound cannot listen, or its connector does not
    run."""
    STALLED = "stalled"
    """A lane has work and gets nothing done."""
    FULL = "full"
    """A lane takes nothing more."""
    WAITING = "waiting"
    """More wait in a lane than should."""
    FAILING = "failing"
    """Messages end in ERROR."""
    CERTIFICATE = "certificate"
    """A certificate is not valid much longer, or not any more."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is wrong. It is the same one as long as kind and connection are the same."""

    kind: Kind
    connection: str
    """Empty: the engine as a whole."""
    text: str
    """What an operator reads. Nothing of a message is in it."""
    after: float = 0.0
    """Seconds that it has to last before anybody is told."""
    lasts: float = 5.0
    """Seconds after which it is over once it is not seen any more."""


def conditions(
    status: "Status", doubt: str | None, registry: Registry, failed: Mapping[str, int]
) -> Iterator[Condition]:
    """Everything that is wrong.

    Args:
        status: How the engine stands.
        doubt: Why retention does not trust the clock, if it does not.
        registry: The graph, with the limits.
        failed: By lane, how many messages have ended in ERROR since somebody looked last.
    """
    if status.store.state != "writing":
        trouble = (status.store.trouble or "").replace("_", " ")
        state = status.store.state.replace("_", " ")
        kind = Kind.DISK if status.store.state == "full" else Kind.STORE
        yield Condition(kind, "", f"the store is {state}: {trouble}")
    if doubt:
        yield Condition(
            Kind.CLOCK, "", "the clock is in doubt: nothing that has expired is deleted"
        )
    for lane in status.lanes:
        yield from _of_lane(lane, registry, failed.get(f"{lane.stage} {lane.name}", 0))


def _of_lane(lane: "LaneState", registry: Registry, failed: int) -> Iterator[Condition]:
    settings = registry.settings.alerts
    if lane.is_orphaned:
        text = f"no longer configured, and holds {lane.depth:,}"
        yield Condition(Kind.ORPHANED, lane.name, text)
        return
    setting = lane.output if lane.output and lane.output.flow == "stopped" else None
    if setting and not setting.by and setting.reason in FAILURES:
        text = f"the engine has stopped it: {setting.reason.replace('_', ' ')}"
        yield Condition(Kind.STOPPED, lane.name, text)
    elif lane.output is None or lane.output.flow == "on":
        is_closed = lane.hours is not None and not lane.hours.is_open
        is_away = lane.stage == "outbound" and lane.depth and not lane.ready
        if not is_closed and (lane.lost is not None or is_away):
            why = f": {lane.lost}" if lane.lost else ""
            what = "receives nothing" if lane.stage == "ingress" else "not connected"
            yield Condition(
                Kind.UNCONNECTED,
                lane.name,
                f"{what}{why}, {lane.depth:,} wait",
                after=settings.unconnected_after_seconds,
            )
        if lane.stalled_for:
            text = f"nothing done for {lane.stalled_for // 1000:,} s, {lane.depth:,} wait"
            yield Condition(Kind.STALLED, lane.name, text)
    if lane.is_full:
        yield Condition(Kind.FULL, lane.name, f"the lane is full: {lane.depth:,} wait")
    most = _most(lane, registry)
    if most is not None and lane.depth > most:
        # A queue that swings around the limit is one episode.
        text = f"{lane.depth:,} wait, more than {most:,}"
        yield Condition(Kind.WAITING, lane.name, text, lasts=settings.quiet_seconds)
    if failed:
        text = f"messages end in ERROR, {failed:,} just now"
        yield Condition(Kind.FAILING, lane.name, text, lasts=settings.quiet_seconds)


def ending(
    certificates: Iterable["Certificate"], at: int, registry: Registry
) -> Iterator[Condition]:
    """Certificates that are not valid much longer: of each connection the one that ends first.

    Args:
        certificates: Those in use.
        at: Now, in milliseconds since 1970.
        registry: The graph, with the limit.
    """
    near = at + registry.settings.alerts.certificate_days * DAY
    told = set()
    for one in sorted(certificates, key=lambda it: it.valid_until):
        if one.valid_until >= near or one.connection in told:
            continue
        told.add(one.connection)
        whose = "its certificate" if one.whose == "own" else "the certificate of its partner"
        day = datetime.fromtimestamp(one.valid_until / 1000, UTC).date()
        until = "is valid until" if one.valid_until > at else "was valid until"
        text = f"{whose} {until} {day}"
        # After a restart nothing is known of a partner before it is connected.
        yield Condition(Kind.CERTIFICATE, one.connection, text, lasts=CONNECTS_SECONDS)


FAILURES = frozenset(
    {
        "refused_for_good",
        "refused_for_now",
        "transport",
        "no_reply",
        "content",
        "infrastructure",
        "credential",
    }
)
"""What the engine gives as its reason where it stops a lane; other reasons are those of people."""


def _most(lane: "LaneState", registry: Registry) -> int | None:
    of_stage: Mapping[str, Mapping[str, object]] = {
        "ingress": registry.inbounds,
        "routed": registry.handlers,
        "outbound": registry.outbounds,
    }
    own: int | None = getattr(of_stage[lane.stage].get(lane.name), "alert_waiting", None)
    return registry.settings.alerts.waiting if own is None else own
