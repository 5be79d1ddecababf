"""The options that every connection gets, opened or accepted."""

import contextlib
import socket

__all__ = ["set_options"]

# Seconds of silence before the first probe, seconds between probes, and how many may go unanswered:
# a peer that is gone is noticed after two minutes, where the system's defaults take two hours. The
# first probe must come before load balancers and firewalls forget an idle connection, which some do
# after 350 seconds.
_IDLE, _INTERVAL, _PROBES = 60, 10, 6


def set_options(connected: socket.socket) -> None:
    """Send small frames without delay, and let the system probe a peer that is silent.

    Without probes, an end that only waits never learns that a firewall has dropped the connection
    or that the peer has lost its power. A socket that is not TCP, or whose peer has already left,
    keeps the options that it has.
    """
    with contextlib.suppress(OSError):  # Some systems refuse when the peer has left.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system has all of them; macOS calls the first one TCP_KEEPALIVE.
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for name, value in ((idle, _IDLE), ("TCP_KEEPINTVL", _INTERVAL), ("TCP_KEEPCNT", _PROBES)):
        with contextlib.suppress(AttributeError, OSError):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
