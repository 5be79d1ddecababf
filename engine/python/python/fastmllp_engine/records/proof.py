"""What jobs and verifications report."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class JobRecord:
    """How far a job has come, or would come."""

    total: int
    done: int
    newer: int
    """How many have newer messages of the same key, or of the whole lane, already delivered."""


@dataclass(frozen=True, slots=True)
class VerifiedRecord:
    """What was proven of a store."""

    received: int
    dispositions: dict[str, int]
    open_work: int
    """Rows of lanes that wait, and deliveries that are held."""
    findings: list[str]
    """What is wrong, a text for each."""


@dataclass(frozen=True, slots=True)
class BackupRecord:
    """A backup that is there."""

    at: str
    """The folder."""
    made_at: int
    """When it was begun."""
    bytes: int
    """Of its store."""
    sha256: str
    """Of its store, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class BackupStateRecord:
    """How far the backup has come that is being made, and what became of the last one."""

    is_running: bool
    copied: int
    """Bytes that are copied."""
    total: int
    """Bytes in all."""
    last: BackupRecord | None
    """The last one that was made since the engine was started."""
    failure: str | None
    """Why the last one that was tried is not there; null: it is."""


@dataclass(frozen=True, slots=True)
class RetentionRecord:
    """Whether what has expired is deleted."""

    doubt: Literal["jumped", "long_away"] | None
    """The clock has jumped, or the engine was away for long; null: nothing is in doubt."""
