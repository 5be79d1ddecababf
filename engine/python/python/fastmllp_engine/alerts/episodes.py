"""Episodes: one notice when something begins to be wrong, and one when it is over.

No clock and no I/O is in here: times are seconds of a clock that nothing sets, and for people
milliseconds since 1970.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fastmllp_engine.alerts.conditions import Condition, Kind

AFTER_START = 120.0
"""Seconds in which what was wrong before a start may come again without being told again."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that is wrong, and of which people were told."""

    kind: Kind
    connection: str
    text: str
    """As it was when it began."""
    since: int
    """When it was first seen, in milliseconds since 1970 in UTC."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told."""

    episode: Episode
    begins: bool
    """Whether it begins, or is over."""
    at: int
    """In milliseconds since 1970 in UTC."""


@dataclass(slots=True)
class _Seen:
    """A condition that was seen."""

    condition: Condition
    first: float
    since: int
    """The same by the wall clock."""
    last: float
    lasts: float
    episode: Episode | None = None
    """If people were told."""


@dataclass
class Episodes:
    """What is wrong, from one look to the next."""

    _seen: dict[tuple[Kind, str], _Seen] = field(default_factory=dict)

    @classmethod
    def resumed(cls, episodes: Iterable[Episode], now: float) -> "Episodes":
        """Go on with what an engine was told of that ran before: it is not told again."""
        made = cls()
        for it in episodes:
            condition = Condition(it.kind, it.connection, it.text)
            made._seen[it.kind, it.connection] = _Seen(
                condition, now, it.since, now, AFTER_START, it
            )
        return made

    @property
    def active(self) -> list[Episode]:
        """Of what people were told that it began, and not that it was over; the first one first."""
        told = (it.episode for it in self._seen.values() if it.episode)
        return sorted(told, key=lambda it: (it.since, it.kind, it.connection))

    def look(self, conditions: Iterable[Condition], now: float, wall: int) -> list[Notice]:
        """Take in what is wrong now.

        Args:
            conditions: All of it.
            now: Seconds, by a clock that nothing sets.
            wall: Milliseconds since 1970 in UTC.

        Returns:
            What is to be told.
        """
        for condition in conditions:
            key = (condition.kind, condition.connection)
            seen = self._seen.get(key)
            if seen is None:
                self._seen[key] = _Seen(condition, now, wall, now, condition.lasts)
            else:
                seen.condition, seen.last, seen.lasts = condition, now, condition.lasts
        return [*self._ended(now, wall), *self._begun(now, wall)]

    def _ended(self, now: float, wall: int) -> Iterator[Notice]:
        for key, seen in list(self._seen.items()):
            # Before anybody is told, a moment in which it is right begins the wait again.
            lasts = seen.lasts if seen.episode else 0.0
            if seen.last < now and now - seen.last >= lasts:
                del self._seen[key]
                if seen.episode:
                    yield Notice(seen.episode, begins=False, at=wall)

    def _begun(self, now: float, wall: int) -> Iterator[Notice]:
        for seen in self._seen.values():
            condition = seen.condition
            if seen.episode is None and now - seen.first >= condition.after:
                seen.episode = Episode(
                    condition.kind, condition.connection, condition.text, seen.since
                )
                yield Notice(seen.episode, begins=True, at=wall)
