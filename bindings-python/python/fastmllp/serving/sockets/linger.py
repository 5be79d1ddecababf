"""The end of a connection whose last messages nothing answers."""

import contextlib
import time
from collections.abc import Callable

from fastmllp.serving.sockets.addresses import reason
from fastmllp.serving.stream import Stream

__all__ = ["linger"]


def linger(stream: Stream, take: Callable[[bytes], None], grace: float, seconds: float) -> str:
    """End our side of a connection, and wait until the other side has ended its own, too.

    A socket that is closed while answers arrive resets the connection, and what the other side has
    not read by then is lost.

    Args:
        stream: The connection, to be closed afterwards.
        take: Called with what comes.
        grace: Seconds before our end in which the other side's end would come first.
        seconds: How long to wait at most for the other side's end after ours.

    Returns:
        Why the other side may not have read everything, in words; empty if it has.
    """
    try:
        with contextlib.suppress(TimeoutError):
            _receive(stream, take, grace)
            return _failed(stream) or "closed by the server first"
        stream.end()
        _receive(stream, take, seconds)
    except TimeoutError:
        return f"not closed by the server within {seconds:g} s"
    except OSError as error:
        return _failed(stream) or reason(error)
    return _failed(stream)


def _receive(stream: Stream, take: Callable[[bytes], None], seconds: float) -> None:
    """Take everything up to the other side's end.

    Raises:
        TimeoutError: The time is over.
        OSError: The connection has broken.
    """
    deadline = time.monotonic() + seconds
    while not stream.is_ended:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        stream.socket.settimeout(remaining)
        with contextlib.suppress(BlockingIOError):  # Bytes of TLS itself.
            take(stream.receive())


def _failed(stream: Stream) -> str:
    return "" if stream.failure is None else stream.failure.text
