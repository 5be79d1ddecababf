"""`engine.toml`: what the engine itself may be told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from fastmllp_engine.graph.checked import Checked
from fastmllp_engine.graph.kinds import Address, Between, Count, Days, Port, Seconds, Text
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


class AlertSettings(Checked):
    """``[alerts]``: who is told when something is wrong, and when it is over.

    The log has every alert. What else is named here gets it too.
    """

    command: Sequence[Text] = ()
    """A program and its arguments. It reads the alert from its standard input, as JSON."""
    webhook: Text | None = field(default=None, repr=False)
    """An address that the alert is posted to, as JSON."""
    email_to: Sequence[Text] = ()
    email_from: Text | None = None
    smtp_host: Text | None = None
    """The server that takes the mail."""
    smtp_port: Port = 25
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_user: Text | None = None
    smtp_password: Text | None = field(default=None, repr=False)
    """Give it as ``FASTMLLP_ENGINE_ALERTS_SMTP_PASSWORD``, not in the file."""
    timeout_seconds: Seconds = 10.0
    """For the program, the address or the server. It is tried four times."""
    stalled_after_seconds: Seconds = 300.0
    """How long a lane may have work and get nothing done."""
    unconnected_after_seconds: Seconds = 60.0
    """How long an outbound may not reach its partner."""
    waiting: Count | None = None
    """How many messages may wait in a lane, if the lane has no ``alert_waiting``; None: any."""
    certificate_days: Days = 30
    """How many days before its end a certificate is told of."""
    quiet_seconds: Seconds = 300.0
    """How long no further message must end in ERROR before that is over."""

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.webhook and not self.webhook.lower().startswith(("http://", "https://")):
            yield "webhook", "webhook must begin with http:// or https://"
        if self.email_to:
            for key in ("email_from", "smtp_host"):
                if getattr(self, key) is None:
                    yield "email_to", f"email_to needs {key}"
        elif self.email_from or self.smtp_host:
            yield "email_from", "email_from and smtp_host are for email_to, which is empty"
        if self.webhook and not urlsplit(self.webhook).hostname:
            yield "webhook", "webhook has no host"
        if self.smtp_password and not self.smtp_user:
            yield "smtp_password", "smtp_password needs smtp_user"
        if self.smtp_user and self.smtp_security == "none":
            yield "smtp_user", 'smtp_user needs smtp_security = "starttls" or "tls"'


class Settings(Checked):
    """All of ``engine.toml``. Each section is an attribute."""

    store: StoreSettings = field(default_factory=StoreSettings)
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)

    compat: CompatSettings = field(default_factory=CompatSettings)

    word: ClassVar[str] = "section"
    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("cluster",), "it belongs to a later version"
    )
