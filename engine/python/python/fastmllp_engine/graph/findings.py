"""What is wrong with a configuration, and where."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "golden", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file of the configuration."""

    file: str
    """The path below the configuration's folder, with ``/`` on every system; empty: the folder
    itself. A variable of the process begins with ``$``."""
    line: int = 0
    """From 1; 0 is the file as a whole."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def below(self, folder: str) -> str:
        """The place as it is printed: after the path of the folder, unless it is a variable."""
        if not folder or self.file.startswith("$"):
            return str(self)
        return f"{folder.rstrip('/')}/{self}" if self.file else folder


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, or that a reader should know."""

    place: Place
    text: str
    level: Level = "error"
    """``golden``: a golden test differs. ``note``: nothing is wrong, but something is not known."""

    def __str__(self) -> str:
        return self.line()

    def line(self, folder: str = "") -> str:
        """``folder/file:line: text``."""
        note = "note: " if self.level == "note" else ""
        return f"{self.place.below(folder)}: {note}{self.text}"


class ConfigurationError(Exception):
    """A configuration is refused. `findings` has everything that is wrong with it, in order."""

    def __init__(self, findings: Iterable[Finding], folder: str = "") -> None:
        self.findings = in_order(findings)
        self.folder = folder
        super().__init__("\n".join(finding.line(folder) for finding in self.findings))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By file and line, each finding once."""
    return tuple(sorted(set(findings)))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that somebody may have meant; None: none is near."""
    known = {one.casefold(): one for one in sorted(names, reverse=True)}
    near = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.6)
    return known[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """``; did you mean "x"?`` for the nearest of some names, or nothing if none is near."""
    near = nearest(name, names)
    return f'; did you mean "{near}"?' if near else ""
