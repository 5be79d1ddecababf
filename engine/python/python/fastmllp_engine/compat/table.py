"""The table of what a feed of MessageFoundry finds here."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

PACKAGE = "messagefoundry"
FILE = "messagefoundry.toml"
REST = "*"
"""Stands for everything of its section that is not named."""

Verdict = Literal["alike", "differs", "refused"]


@dataclass(frozen=True)
class Row:
    """What becomes of one name, parameter or setting."""

    section: str
    key: str
    differs: str = ""
    """How it is otherwise here."""
    refused: str = ""
    """What to say instead, or why there is no such thing."""
    becomes: str | None = None
    """Its name here, if that is another; empty: it is left out."""
    harmless: Any = False
    """The value with which a refused parameter may be given, beside False and None."""
    example: str = ""
    gives: Any = None

    @property
    def verdict(self) -> Verdict:
        """Whether it is alike."""
        return "refused" if self.refused else "differs" if self.differs else "alike"

    def permits(self, value: object) -> bool:
        """Whether a value asks for nothing that is refused."""
        return not self.refused or value is None or value is self.harmless


@functools.cache
def rows() -> Mapping[str, Mapping[str, Row]]:
    """The table: rows by section and key."""
    text = (files("fastmllp_engine.compat") / FILE).read_text(encoding="utf-8")
    return {
        name: {key: Row(name, key, **values) for key, values in table.items()}
        for name, table in tomllib.loads(text).items()
    }


def section(name: str) -> Mapping[str, Row]:
    """The rows of a section; those of any setting for one that is not named."""
    table = rows()
    return table[name] if name in table else table[f"settings.{REST}"]


def row(name: str, key: str) -> Row:
    """What becomes of a key of a section."""
    known = section(name)
    return known[key] if key in known else known[REST]


def what_of_name(name: str) -> Row | None:
    """What becomes of a name of the package; None: it is not known."""
    return rows()["names"].get(name)
