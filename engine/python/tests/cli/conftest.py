"""Configurations and servers for the tests of this room."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastmllp_engine.api.serving import Api
from partners import Partner
from running_engines import Feed
from serving import ADT, Server
from shells import Shell


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


@pytest.fixture
def shell(feed: Feed, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A shell beside a running engine."""
    api = Api(feed.start())
    yield Shell(feed, capsys)
    api.close()
