"""How an engine, its connections and its lanes stand.

Times are milliseconds since 1970 in UTC.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SettingRecord:
    """What an operator, or the engine itself, has set for one side of a lane."""

    flow: Literal["on", "paused", "stopped"]
    by: str
    """Empty: the engine."""
    reason: str
    since: int


@dataclass(frozen=True, slots=True)
class HoursRecord:
    """What the schedule of a connection says."""

    is_open: bool
    until: int | None
    """When that changes; null: never."""


@dataclass(frozen=True, slots=True)
class LaneRecord:
    """How the lane of an inbound, handler or outbound stands."""

    name: str
    stage: Literal["ingress", "routed", "outbound"]
    depth: int
    """Messages or deliveries in it that are not done."""
    bytes: int
    is_full: bool
    head: int | None
    """The message at its head."""
    attempt: int
    """Attempts that the head has had."""
    due_in: int
    """Milliseconds until the head is tried again; 0: it does not wait."""
    ready: bool
    """Whether it goes on now: an outbound can reach its partner."""
    lost: str | None
    """Why the last connection ended or could not be opened."""
    stalled_for: int
    """Milliseconds that it has had work and got nothing done, if that is too long; 0: it is not
    stalled."""
    in_flight: int
    """Deliveries that the partner has not answered."""
    keeps_order: bool
    input: SettingRecord | None
    output: SettingRecord | None
    hours: HoursRecord | None
    """What its schedule says; null: it has none."""
    is_orphaned: bool
    """It is no longer configured: an operator has to move or cancel what it holds."""
    ended_in_error: int
    """Messages that it has seen end in ERROR since the start."""


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """Whether the store writes."""

    state: Literal["writing", "full", "not_writing"]
    trouble: str | None
    since: int


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate that is in use."""

    connection: str
    stage: Literal["ingress", "outbound"]
    whose: Literal["own", "partner"]
    """Of a partner: what it has shown when the outbound connected last."""
    valid_until: int
    """Of a chain it is the certificate that ends first."""


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """Which engine this is, and what it runs."""

    version: str
    pid: int
    started_at: int
    folder: str
    environment: str
    configuration: str
    """The hash of the configuration's files."""


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """Something that is wrong, and of which people were told."""

    kind: str
    connection: str
    """Empty: the engine."""
    text: str
    since: int


@dataclass(frozen=True, slots=True)
class StatusRecord:
    """How everything stands."""

    engine: EngineRecord
    store: StoreRecord
    lanes: list[LaneRecord]
    waiting: int
    """Messages that were received and are not stored yet."""
    is_idle: bool
    retention_doubt: Literal["jumped", "long_away"] | None
    """Why nothing expires any more, if that is so."""
    alerts: list[AlertRecord]
    """What has begun and is not over, the first one first."""
    alert_troubles: list[str]
    """Who is not reached by alerts, a text for each."""
    certificates: list[CertificateRecord]


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """A connection as it is configured, and its lane."""

    name: str
    direction: Literal["inbound", "outbound"]
    transport: str
    address: str
    """Where an inbound listens or an outbound dials; empty: nowhere."""
    router: str | None
    """Of an inbound."""
    lane: LaneRecord | None


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """Whether the engine stores and can deliver."""

    status: Literal["ok", "degraded"]
    problems: list[str]
    """What is wrong, a text for each."""
