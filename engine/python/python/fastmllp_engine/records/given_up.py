"""Deliveries that are dead or held: pages of them, and what they have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastmllp_engine.records.copied import copied

if TYPE_CHECKING:
    from fastmllp_engine._native import GivenUp

Place = tuple[int, int, int]

List = Callable[[str | None, Place | None, int], "Sequence[GivenUp]"]
"""`Engine.dead` or `Engine.held`: of an outbound or of all, after a place, at most so many."""

PAGE = 1_000
SHOWN = 3
"""Control IDs that a group names."""
GROUPS = 200
"""Groups at most; what belongs to none of them is counted together."""


@dataclass(frozen=True, slots=True)
class GivenUpRecord:
    """A delivery that is dead or held."""

    message: int
    control_id: str
    outbound: str
    at: int
    """When it was given up, milliseconds since 1970 in UTC."""
    failure: str | None
    """The class of its failure; null: an operator holds it."""
    attempts: int
    said: str
    """What the partner said last."""
    by: str
    because: str


@dataclass(frozen=True, slots=True)
class GivenUpPage:
    """Deliveries in the order in which their messages were received."""

    deliveries: list[GivenUpRecord]
    next: str | None
    """`after` of the next page; null: there is none."""


@dataclass(frozen=True, slots=True)
class GivenUpGroup:
    """Deliveries of one outbound that were given up for the same reason."""

    outbound: str
    failure: str | None
    said: str
    """What the partner said; of a group of further reasons nothing."""
    count: int
    oldest: int
    """When the first of them was given up, milliseconds since 1970 in UTC."""
    control_ids: list[str]
    """Of the first three."""


@dataclass(frozen=True, slots=True)
class GivenUpSummary:
    """All of them, by outbound and reason, the largest group first."""

    total: int
    groups: list[GivenUpGroup]


def page_of(listed: List, outbound: str | None, after: str | None, limit: int) -> GivenUpPage:
    """A page of deliveries.

    Raises:
        ValueError: `after` is not what an earlier page said.
    """
    found = listed(outbound, _place(after) if after else None, limit)
    following = "-".join(str(part) for part in found[-1].place) if len(found) == limit else None
    return GivenUpPage([copied(GivenUpRecord, one) for one in found], following)


def summary_of(listed: List, outbound: str | None = None) -> GivenUpSummary:
    """Everything, read page by page: it may be a hundred thousand deliveries."""
    groups: dict[tuple[str, str | None, str], GivenUpGroup] = {}
    total = 0
    after: Place | None = None
    while found := listed(outbound, after, PAGE):
        total += len(found)
        for one in found:
            key = (one.outbound, one.failure, one.said)
            if key not in groups and len(groups) >= GROUPS:
                key = (one.outbound, one.failure, "")
            groups[key] = _with(groups.get(key), key, one)
        after = found[-1].place
        if len(found) < PAGE:
            break
    return GivenUpSummary(total, sorted(groups.values(), key=lambda it: (-it.count, it.outbound)))


def _with(
    group: GivenUpGroup | None, key: tuple[str, str | None, str], one: "GivenUp"
) -> GivenUpGroup:
    if group is None:
        return GivenUpGroup(*key, 1, one.at, [one.control_id])
    shown = group.control_ids
    if len(shown) < SHOWN:
        shown = [*shown, one.control_id]
    return GivenUpGroup(*key, group.count + 1, min(group.oldest, one.at), shown)


def _place(text: str) -> Place:
    message, lane, sequence = (int(part) for part in text.split("-"))
    return message, lane, sequence
