"""Noticing a peer that vanished without a word."""

import contextlib
import socket

# Seconds of silence before the first probe, seconds between probes, and how many go unanswered
# before the connection is given up: after two minutes in all, instead of the system's two hours.
_IDLE, _INTERVAL, _PROBES = 60, 10, 6


def keep_alive(connected: socket.socket) -> None:
    """Let the system probe an idle peer. A listening socket hands this to what it accepts.

    A receiver that waits for the next message sends nothing itself, and so would never learn that
    a firewall has dropped the connection or the peer has lost its power.
    """
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system has them; macOS calls the first one TCP_KEEPALIVE.
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for name, value in (
        (idle, _IDLE),
        ("TCP_KEEPINTVL", _INTERVAL),
        ("TCP_KEEPCNT", _PROBES),
    ):
        with contextlib.suppress(AttributeError, OSError):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
