"""The defaults of the settings, and the bounds within which they make sense."""

import codecs
import operator
import re
from typing import NamedTuple

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

DEFAULT_STOP_TIMEOUT = 10.0
"""Seconds that a graceful stop may take."""


class Range(NamedTuple):
    """What a number may be, both ends included."""

    least: int
    most: int
    unit: str = ""
    """``seconds`` or ``bytes``; empty for a plain number."""

    @property
    def text(self) -> str:
        """The range in words, such as ``from 0 (off) to 1000000 seconds``."""
        off = " (off)" if self.least == 0 and self.unit == "seconds" else ""
        return f"from {self.least}{off} to {self.most} {self.unit}".rstrip()

    def check(self, name: str, value: float) -> None:
        """Check a number.

        Raises:
            ValueError: The value is out of bounds or not a number.
        """
        if not self.least <= value <= self.most:  # NaN is not, either.
            raise ValueError(f"{name} must be {self.text}, not {value}")


# Python's own reading also takes underscores and the digits of every script.
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|nan)", re.IGNORECASE
)

SECONDS = Range(0, 1_000_000, "seconds")
"""Up to eleven days; what a poll in milliseconds can hold with room to spare."""
BYTES = Range(1, 2**31 - 1, "bytes")
PORT = Range(0, 65_535)
CONNECTIONS = Range(1, 1_000_000)
WORKERS = Range(1, 1024)


def seconds(name: str, value: float) -> float:
    """Check a time: from 0, which turns it off, to 1,000,000 seconds.

    Raises:
        ValueError: The value is out of bounds or not a number.
    """
    SECONDS.check(name, value)
    return float(value)


def seconds_or_none(name: str, value: float | None) -> float | None:
    """Check a time as `seconds` does; None where another one counts.

    Raises:
        ValueError: The value is out of bounds or not a number.
    """
    return None if value is None else seconds(name, value)


def size(name: str, value: int) -> int:
    """Check a number of payload bytes: from 1 to 2 GiB.

    Raises:
        ValueError: The value is out of bounds.
        TypeError: The value is not an integer; ``1e6`` is a float.
    """
    value = operator.index(value)
    BYTES.check(name, value)
    return value


def port(name: str, value: int) -> int:
    """Check a TCP port; 0 asks the system for a free one.

    Raises:
        ValueError: The value is out of bounds.
        TypeError: The value is not an integer.
    """
    value = operator.index(value)
    PORT.check(name, value)
    return value


def read_integer(text: str) -> int:
    """Read a whole number that is written with the digits 0 to 9.

    Raises:
        ValueError: The text is not one, or has thousands of digits.
    """
    if _INTEGER.fullmatch(text.strip()) is None:
        raise ValueError("not a whole number")
    return int(text)


def read_number(text: str) -> float:
    """Read a number that is written with the digits 0 to 9; ``inf`` and ``nan`` are numbers too.

    Raises:
        ValueError: The text is not one.
    """
    if _NUMBER.fullmatch(text.strip()) is None:
        raise ValueError("not a number")
    return float(text)


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
