"""The fixture ``mllp_server``. pytest finds it by itself where this package is installed.

A test of a program that sends::

    def test_a_refused_message_is_kept(mllp_server):
        mllp_server.reply("AE")
        feed(outbox, *mllp_server.address)
        assert mllp_server.messages[0].get("MSH-10") == b"M1"
        assert len(outbox) == 1
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fastmllp.testing import MockServer


@pytest.fixture
def mllp_server() -> "Iterator[MockServer]":
    """An MLLP server on a free port that records messages and answers as it is told.

    See `fastmllp.testing.MockServer`. New for each test; it must have stopped when the test is
    over.
    """
    # Here, because most runs of pytest on a machine have nothing to do with this package.
    from fastmllp.testing import MockServer

    with MockServer() as server:
        yield server
