"""A certificate is told of while there is time to renew it."""

from dataclasses import dataclass
from typing import Any

import pytest
from fastmllp_engine.alerts import Kind, ending
from fastmllp_engine.graph import Registry
from fastmllp_engine.graph.settings import AlertSettings, Settings

DAY = 24 * 60 * 60 * 1000
NOW = 20_000 * DAY


@dataclass
class Certificate:
    """As the engine tells of one."""

    connection: str
    days: int
    whose: str = "own"

    @property
    def valid_until(self) -> int:
        return NOW + self.days * DAY


@pytest.fixture
def registry() -> Registry:
    return Registry(settings=Settings(alerts=AlertSettings(certificate_days=14)))


def told(registry: Registry, *certificates: Any) -> list[tuple[str, str]]:
    found = list(ending(certificates, NOW, registry))
    assert {it.kind for it in found} <= {Kind.CERTIFICATE}
    return [(it.connection, it.text) for it in found]


def test_only_what_ends_soon_is_told_of(registry: Registry) -> None:
    assert told(registry, Certificate("IB", 14), Certificate("OB", 4_000)) == []
    near = [Certificate("IB", 13), Certificate("OB", 1, "partner"), Certificate("OTHER", -1)]
    assert told(registry, *near) == [
        ("OTHER", "its certificate was valid until 2024-10-03"),
        ("OB", "the certificate of its partner is valid until 2024-10-05"),
        ("IB", "its certificate is valid until 2024-10-17"),
    ]


def test_of_a_connection_it_is_the_one_that_ends_first(registry: Registry) -> None:
    both = [Certificate("OB", 5), Certificate("OB", 3, "partner")]
    (only,) = told(registry, *both)
    assert only == ("OB", "the certificate of its partner is valid until 2024-10-07")
