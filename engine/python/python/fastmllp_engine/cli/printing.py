"""What people read: safe for a terminal, in any locale, with times in UTC."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Kinds of characters that move a terminal's cursor, turn the text around, or show nothing."""


def settle_output() -> None:
    """Have standard output take every text, whatever the locale: what it cannot show is escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def safe(text: str) -> str:
    """A text on one line without anything that a terminal obeys. Control IDs come from outside."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if unicodedata.category(char) not in _ESCAPED:
        return char
    return char.encode("unicode_escape").decode("ascii")


def say(text: str = "") -> None:
    """Print lines of our own making: what is from outside went through `safe` before."""
    print(text)


def say_lines(text: str) -> None:
    """Print a text of several lines that may have something from outside in it."""
    for line in text.split("\n"):
        print(safe(line))


def say_error(text: str) -> None:
    """Print an error, each of its lines made safe."""
    sys.stdout.flush()
    for line in text.split("\n"):
        print(f"fastmllp-engine: {safe(line)}", file=sys.stderr)


def say_json(value: Any) -> None:
    """Print a value as JSON, in ASCII."""
    print(json.dumps(value, indent=2))


def say_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns, each as wide as its longest value."""
    lines = [tuple(heads), *(tuple(safe(value) for value in row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    for line in lines:
        cells = (value.ljust(width) for value, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def moment(milliseconds: int) -> str:
    """A time as `2026-11-30 22:10:05Z`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def date(milliseconds: int) -> str:
    """A day as `2026-11-30`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def seconds(milliseconds: int) -> str:
    """A wait as whole seconds, such as `15 s`."""
    return f"{-(-milliseconds // 1000)} s"


def counted(count: int, what: str, whats: str = "") -> str:
    """Such as `1 delivery` or `14 deliveries`."""
    return f"{count:,} {what if count == 1 else whats or what + 's'}"


def say_verified(verified: Mapping[str, Any]) -> None:
    """Print what was proven of a store."""
    say(f"{counted(verified['received'], 'message')} received")
    for name, count in sorted(verified["dispositions"].items()):
        say(f"  {name:<10}{count:>12,}")
    say(f"{verified['open_work']:,} open: deliveries that wait or are held")
    for finding in verified["findings"]:
        say_lines(f"FINDING  {finding}")
    say(f"{counted(len(verified['findings']), 'finding')}")
