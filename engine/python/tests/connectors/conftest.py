"""What the tests of connectors share."""

from pathlib import Path

import pytest
from inbox import Inbox


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """A folder with an inbound."""
    return Inbox(tmp_path)
