"""What a system may lack; a test that is about it is skipped there."""

import os
import selectors
import socket

import pytest

can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
forgets_closed_sockets = pytest.mark.skipif(
    selectors.DefaultSelector is selectors.SelectSelector,
    reason="a loop with select fails when a socket is closed that it accepts from",
)
has_reuse_port = pytest.mark.skipif(
    not hasattr(socket, "SO_REUSEPORT"), reason="this system cannot share a port"
)
can_share_a_port = pytest.mark.skipif(
    not (hasattr(os, "fork") and hasattr(socket, "SO_REUSEPORT")),
    reason="this system has no processes that share a port",
)
"""``fastmllp serve --workers``."""
