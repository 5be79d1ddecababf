"""Who declares: the load in progress, and the line of the configuration that calls."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Protocol

from fastmllp_engine.graph.findings import ConfigurationError, Finding, Place
from fastmllp_engine.graph.folder import name_of

if TYPE_CHECKING:
    from fastmllp_engine.graph.code_sets import CodeSet

LOADING = "__fastmllp_engine_loading__"
"""The global name by which each module of a configuration knows the load that it belongs to."""

_OWN = __name__.partition(".")[0]


class Values(Protocol):
    """What `env` reads."""

    @property
    def name(self) -> str: ...

    def get(self, key: str) -> tuple[object, str] | None:
        """The value of a key, and where it was found."""

    def keys(self) -> Iterator[str]: ...


@dataclass
class Loading:
    """One load of a folder: what was declared so far, and what is wrong with it."""

    folder: Path
    values: Values
    shown: str = ""
    """The folder as people know it."""
    declared: list[object] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    code_sets: "Mapping[str, CodeSet]" = field(default_factory=dict)
    """By their names; all are read before a module runs."""
    alike: set[str] = field(default_factory=set)
    """What feeds for another engine use of it that is the same here."""
    compat: ModuleType | None = None
    """What such feeds get in place of that engine's package; None: they are not asked for."""
    is_open: bool = True
    """Declarations are taken while the modules run, and not after that."""

    def place(self, file: str, line: int) -> Place:
        """A place by a path as Python knows it."""
        path = Path(file)
        inside = path.is_relative_to(self.folder)
        return Place(name_of(path.relative_to(self.folder) if inside else path.name), line)

    def error(self, place: Place, text: str) -> None:
        """Write down what is wrong."""
        self.findings.append(Finding(place, text))

    def note(self, place: Place, text: str) -> None:
        """Write down what a reader should know."""
        self.findings.append(Finding(place, text, "note"))

    def shows(self, place: Place) -> str:
        """A place as it is printed."""
        return place.below(self.shown)


@dataclass(frozen=True)
class Entry:
    """A table of a TOML file that is read."""

    loading: Loading
    subject: str
    """What it declares, such as ``inbound IB_ADT``."""
    place: Place
    places: Mapping[str, Place]
    """The place of each of its keys; of one in a table inside by ``table.key``."""


_entry: ContextVar[Entry | None] = ContextVar("_entry", default=None)


@contextmanager
def reading(entry: Entry) -> Iterator[None]:
    """Have declarations belong to a table of a TOML file."""
    token = _entry.set(entry)
    try:
        yield
    finally:
        _entry.reset(token)


@dataclass
class Site:
    """Where a declaration stands."""

    loading: Loading | None
    """None: a program that is not a configuration declares something."""
    at: Place
    entry: Entry | None = None
    errors: list[Finding] = field(default_factory=list)
    table: str = ""
    """The key whose table is read, if it is one inside another."""

    @property
    def word(self) -> str:
        """What a name and its value are called there."""
        return "key" if self.entry else "parameter"

    def error(self, subject: str, text: str, key: str = "") -> None:
        """Write down what is wrong with a declaration."""
        place = self.at
        if self.entry:
            subject = self.entry.subject or (f"[{self.table}]" if self.table else "")
            inside = f"{self.table}.{key}" if self.table else key
            places = self.entry.places
            # A table in a line of its own has no line for what is in it.
            while inside and inside not in places:
                inside = inside.rpartition(".")[0]
            place = places.get(inside) or self.entry.place
        self.errors.append(Finding(place, f"{subject}: {text}" if subject else text))

    def inside(self, table: str) -> "Site":
        """The site of a table inside this one."""
        path = f"{self.table}.{table}" if self.table else table
        return Site(self.loading, self.at, self.entry, self.errors, path)

    def finish(self) -> None:
        """Hand on what is wrong: to the load, or to the caller as an exception."""
        if self.loading:
            self.loading.findings += self.errors
        elif self.errors:
            raise ConfigurationError(self.errors)


def site(*, declares: bool = True) -> Site:
    """Where the caller's caller stands in a configuration.

    In a helper file, one whose name begins with ``_``, a function may declare what a module asks
    for: then the place is the line of that module.

    Raises:
        RuntimeError: something is declared by a router or handler that runs.
    """
    entry = _entry.get()
    if entry:
        return Site(entry.loading, entry.place, entry)
    found: Site | None = None
    outside: Place | None = None
    for frame in _callers():
        loading = frame.f_globals.get(LOADING)
        file = frame.f_code.co_filename
        if isinstance(loading, Loading):
            if declares and not loading.is_open:
                raise RuntimeError("declarations are made while a module loads, not later")
            here = Site(loading, loading.place(file, frame.f_lineno))
            if not Path(file).name.startswith("_"):
                return here
            found = found or here
        elif outside is None and not _is_own(frame):
            outside = Place(file, frame.f_lineno)
    return found or Site(None, outside or Place("?"))


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(2)
    while frame:
        yield frame
        frame = frame.f_back


def _is_own(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return isinstance(name, str) and name.partition(".")[0] == _OWN
