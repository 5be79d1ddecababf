"""`engine.toml`: what the engine itself may be told."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from fastmllp_engine.graph.checked import Checked
from fastmllp_engine.graph.kinds import Address, Between, Count, Days, Port, Seconds
from fastmllp_engine.graph.options import RetryPolicy


class StoreSettings(Checked):
    """``[store]``: where messages are kept."""

    backend: Literal["sqlite"] = "sqlite"
    min_free_bytes: Count | None = None
    """Kept free on the disk for deliveries; None: one per cent of the disk, 512 MiB at most."""


class IntakeSettings(Checked):
    """``[intake]``: what all inbounds share."""

    bind_address: Address = "127.0.0.1"
    """Where inbounds listen that do not say it themselves."""


class DeliverySettings(Checked):
    """``[delivery]``: what outbounds do that do not say it themselves."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)


class WorkerSettings(Checked):
    """``[workers]``: the processes that run routers and handlers."""

    count: Annotated[int, Between(0, 64)] = 1
    """How many there are; 0 runs them in threads of the engine, for tests."""
    handler_timeout_seconds: Seconds = 10.0
    """A worker whose call takes longer is ended."""
    max_spares: Annotated[int, Between(0, 64)] = 4
    """Workers that take over while a call blocks others."""


class RetentionSettings(Checked):
    """``[retention]``: how long final messages stay."""

    bodies_days: Days | Literal["forever"] = 30
    metadata_days: Days | Literal["forever"] = 400
    """Everything else of a message: its row and its journey."""
    dead_days: Days | Literal["forever"] = 90
    """Messages that ended in ERROR, with their bodies."""


class ApiSettings(Checked):
    """``[api]``: where programs and the console reach the engine."""

    host: Address = "127.0.0.1"
    port: Port = 8765


class CompatSettings(Checked):
    """``[compat]``: feeds that were written for another engine."""

    messagefoundry: bool = False
    """Whether modules may import ``messagefoundry``."""


class Settings(Checked):
    """All of ``engine.toml``. Each section is an attribute."""

    store: StoreSettings = field(default_factory=StoreSettings)
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    api: ApiSettings = field(default_factory=ApiSettings)

    compat: CompatSettings = field(default_factory=CompatSettings)

    word: ClassVar[str] = "section"
    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("alerts", "cluster"), "it belongs to a later version"
    )
