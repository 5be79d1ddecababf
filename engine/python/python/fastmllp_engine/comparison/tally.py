"""What two configurations make of many messages, counted. Nothing of a message is kept."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from fastmllp_engine._native import differences
from fastmllp_engine.comparison.trial import Outcome

Verdict: TypeAlias = Literal["same", "differ", "only_old", "only_new"]

K = TypeVar("K")

_LINE = re.compile(r" at \S+?:\d+")


@dataclass
class Seen:
    """How often something was seen, and in which message first."""

    count: int
    example: int


@dataclass
class Places:
    """What differs at one outbound."""

    differ: Seen | None = None
    """Messages of which something else is sent."""
    paths: dict[str, Seen] = field(default_factory=dict)
    """The fields that differ, such as ``PV1-3.1``."""
    only_old: Seen | None = None
    """Messages of which only the old configuration sends something, or sends more."""
    only_new: Seen | None = None


@dataclass(frozen=True)
class Difference:
    """What is sent to one outbound for a message by each side; None: nothing."""

    outbound: str
    old: bytes | None
    new: bytes | None
    paths: tuple[str, ...] = ()


@dataclass
class Tally:
    """The sums of a comparison."""

    messages: Counter[str] = field(default_factory=Counter)
    """By inbound."""
    verdicts: Counter[str] = field(default_factory=Counter)
    outbounds: dict[str, Places] = field(default_factory=dict)
    failures: dict[tuple[str, str], Seen] = field(default_factory=dict)
    """By where (``old``, ``new`` or ``both``), and why."""
    not_comparable: dict[str, Seen] = field(default_factory=dict)
    """By why."""

    @property
    def total(self) -> int:
        """How many messages there were."""
        return self.messages.total()

    @property
    def differs(self) -> bool:
        """Whether the two make something else of any message."""
        return any(self.verdicts[it] for it in ("differ", "only_old", "only_new"))

    def cannot(self, message: int, inbound: str, why: str) -> None:
        """Count a message that could not be compared."""
        self.messages[inbound] += 1
        self.verdicts["not_comparable"] += 1
        _count(self.not_comparable, why, message)

    def add(self, message: int, inbound: str, old: Outcome, new: Outcome) -> list[Difference]:
        """Count what became of a message on each side, and return what differs."""
        if not old.known and not new.known:
            self.cannot(message, inbound, "neither configuration has its inbound")
            return []
        self.messages[inbound] += 1
        found = list(_differences(old, new))
        self.verdicts[self._verdict(message, found, old, new)] += 1
        for one in found:
            self._count(message, one)
        return found

    def _verdict(
        self, message: int, found: list[Difference], old: Outcome, new: Outcome
    ) -> Verdict:
        if old.failure or new.failure:
            self._failed(message, old.failure, new.failure)
            if _where_not(old.failure) != _where_not(new.failure):
                return "differ"
        if not found:
            return "same"
        if all(one.old is None for one in found):
            return "only_new"
        return "only_old" if all(one.new is None for one in found) else "differ"

    def _failed(self, message: int, old: str, new: str) -> None:
        if _where_not(old) == _where_not(new):
            _count(self.failures, ("both", new), message)
            return
        for side, failure in (("old", old), ("new", new)):
            if failure:
                _count(self.failures, (side, failure), message)

    def _count(self, message: int, one: Difference) -> None:
        places = self.outbounds.setdefault(one.outbound, Places())
        if one.old is None:
            places.only_new = _counted(places.only_new, message)
        elif one.new is None:
            places.only_old = _counted(places.only_old, message)
        else:
            places.differ = _counted(places.differ, message)
            for path in one.paths:
                _count(places.paths, path, message)


def _differences(old: Outcome, new: Outcome) -> Iterator[Difference]:
    """What is sent to each outbound: the first of one side beside the first of the other."""
    before, after = _by_outbound(old), _by_outbound(new)
    for outbound in sorted(before.keys() | after.keys()):
        ours, theirs = before.get(outbound, []), after.get(outbound, [])
        for one, other in zip(ours, theirs, strict=False):
            if one != other:
                yield Difference(outbound, one, other, tuple(differences(one, other)))
        yield from (Difference(outbound, one, None) for one in ours[len(theirs) :])
        yield from (Difference(outbound, None, one) for one in theirs[len(ours) :])


def _by_outbound(outcome: Outcome) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    # A handler that fails sends nothing; what others send of the message goes out all the same.
    for _, outbound, payload in outcome.sent:
        found.setdefault(outbound, []).append(payload)
    return found


def _where_not(failure: str) -> str:
    """A failure without its line: the same one may stand elsewhere in the other configuration."""
    return _LINE.sub("", failure)


def _counted(seen: Seen | None, message: int) -> Seen:
    return Seen(seen.count + 1, seen.example) if seen else Seen(1, message)


def _count(seen: dict[K, Seen], key: K, message: int) -> None:
    seen[key] = _counted(seen.get(key), message)
