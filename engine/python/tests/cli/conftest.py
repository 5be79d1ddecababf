"""Configurations and servers for the tests of this room."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from partners import Partner
from serving import ADT, Server


@pytest.fixture
def feeds(tmp_path: Path, partner: Partner) -> Path:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "adt.py").write_text(ADT.format(port=partner.port))
    return feeds


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    """Servers that a test started: what still runs is killed at its end."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        if server.is_running:
            server.end(signal.SIGKILL)
