"""Which files an inbound has stored: what tells a file that is taken from one that is new."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

DAYS_UNSEEN = 30
"""A file that was not seen for so long is forgotten: a share that is away shows an empty folder."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells, without reading it, that a file is as it was."""

    size: int
    modified: int
    """In nanoseconds, as is `changed`."""
    changed: int
    """When the system saw its last change, of its name or its mode as well."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file whose message is stored, or that could not be read."""

    stamp: Stamp
    digest: bytes
    """SHA-256 of its content; empty: it could not be read."""


class Ledger:
    """The entries of one inbound, by the paths of its files. An entry is durable once written."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS file (path BLOB PRIMARY KEY, size INTEGER NOT NULL,"
            " modified INTEGER NOT NULL, changed INTEGER NOT NULL, digest BLOB NOT NULL,"
            " seen_day INTEGER NOT NULL) WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def get(self, path: bytes) -> Entry | None:
        """What is known of a file."""
        found = self._database.execute(
            "SELECT size, modified, changed, digest FROM file WHERE path = ?", (path,)
        ).fetchone()
        return None if found is None else Entry(Stamp(*found[:3]), found[3])

    def put(self, path: bytes, entry: Entry, day: int) -> None:
        """Write down a file, in place of what was known of it."""
        stamp = entry.stamp
        self._database.execute(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)",
            (path, stamp.size, stamp.modified, stamp.changed, entry.digest, day),
        )

    def forget(self, path: bytes) -> None:
        """A file is gone from its folder."""
        self._database.execute("DELETE FROM file WHERE path = ?", (path,))

    def see(self, paths: list[bytes], day: int) -> None:
        """Keep the entries of files that are there, and forget those not seen for `DAYS_UNSEEN`."""
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "UPDATE file SET seen_day = ? WHERE path = ?", ((day, path) for path in paths)
            )
            self._database.execute("DELETE FROM file WHERE seen_day < ?", (day - DAYS_UNSEEN,))
