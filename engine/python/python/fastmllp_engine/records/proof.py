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
class RetentionRecord:
    """Whether what has expired is deleted."""

    doubt: Literal["jumped", "long_away"] | None
    """The clock has jumped, or the engine was away for long; null: nothing is in doubt."""
