"""Settings: their defaults and the bounds within which they make sense."""

import codecs
import math
import operator

DEFAULT_PORT = 2575
"""TCP port registered for HL7 over MLLP."""
DEFAULT_TIMEOUT = 10.0
"""Seconds: idle time of a server, time to wait for a connection or for a reply of a client."""
DEFAULT_FRAME_TIMEOUT = 60.0
"""Seconds that a whole frame may take, from its first byte on."""
DEFAULT_MAX_SIZE = 1_048_576
"""Payload bytes of a frame, framing bytes not counted: 1 MiB."""
DEFAULT_MAX_CONNECTIONS = 1024
"""Connections that a server serves at the same time, each with its thread."""

_MAX_SECONDS = 1_000_000.0  # Eleven days; what a poll in milliseconds can hold with room to spare.
_MAX_BYTES = 2**31 - 1


def seconds(name: str, value: float) -> float:
    """Check a time: from 0, which turns it off, to 1,000,000 seconds.

    Raises:
        ValueError: The value is out of bounds or not a number.
    """
    if math.isnan(value) or not 0 <= value <= _MAX_SECONDS:
        raise ValueError(f"{name} must be from 0 (off) to {_MAX_SECONDS:.0f} seconds, not {value}")
    return float(value)


def size(name: str, value: int) -> int:
    """Check a number of payload bytes: from 1 to 2 GiB.

    Raises:
        ValueError: The value is out of bounds.
        TypeError: The value is no integer; ``1e6`` is none.
    """
    value = operator.index(value)
    if not 1 <= value <= _MAX_BYTES:
        raise ValueError(f"{name} must be from 1 to {_MAX_BYTES} bytes, not {value}")
    return value


def port(name: str, value: int) -> int:
    """Check a TCP port; 0 asks the system for a free one.

    Raises:
        ValueError: The value is out of bounds.
        TypeError: The value is no integer.
    """
    value = operator.index(value)
    if not 0 <= value <= 65535:
        raise ValueError(f"{name} must be from 0 to 65535, not {value}")
    return value


def encoding(name: str, value: str) -> str:
    """Check that Python knows an encoding, and that it makes bytes of text.

    Raises:
        ValueError: There is no such encoding, or it is not one for text, as ``hex`` is not.
    """
    try:
        codecs.lookup(value)
    except LookupError as error:
        raise ValueError(f"{name} is not known: {value!r}") from error
    try:
        # Just as messages are encoded later. A codec is foreign code and may raise anything.
        "MSH".encode(value, errors="replace")
    except Exception as error:
        raise ValueError(f"{name} does not make bytes of text: {value!r}") from error
    return value
