"""The end of a connection whose last messages nothing answers."""

import socket
import time

__all__ = ["linger"]


def linger(ending: socket.socket, seconds: float) -> None:
    """Wait until the other side has closed its end, too. Ours must be shut down already.

    A socket that is closed while answers arrive resets the connection, and what the other side has
    not read by then is lost.

    Args:
        ending: The socket, to be closed afterwards.
        seconds: How long to wait at most.

    Raises:
        OSError: The connection has broken, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while True:
        ending.settimeout(max(0.0, deadline - time.monotonic()))
        if not ending.recv(65_536):
            return
