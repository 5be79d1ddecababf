"""What the tests of several rooms share: partners, senders, and engines that run a graph."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from partners import Partner
from running_engines import Feed


@pytest.fixture
def partner() -> Iterator[Partner]:
    """A partner that answers AA until it is told otherwise."""
    partner = Partner()
    yield partner
    partner.close()


@pytest.fixture
def feed(tmp_path: Path, partner: Partner) -> Iterator[Feed]:
    """IB_ADT -> adt -> to_lab -> OB_LAB, which is the partner. Not started yet."""
    feed = Feed(tmp_path / "data", partner.port)
    yield feed
    feed.close()
