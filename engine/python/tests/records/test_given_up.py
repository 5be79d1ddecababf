"""A hundred thousand dead letters are read page by page."""

from dataclasses import dataclass

import pytest
from fastmllp_engine.records import page_of, summary_of
from fastmllp_engine.records.given_up import GROUPS, PAGE


@dataclass
class GivenUp:
    """What the native engine lists."""

    message: int
    said: str = "AR unknown patient"
    failure: str | None = "refused_for_good"
    outbound: str = "OB_LAB"
    attempts: int = 1
    by: str = ""
    because: str = ""

    @property
    def place(self) -> tuple[int, int, int]:
        return (self.message, 3, self.message)

    @property
    def control_id(self) -> str:
        return f"M{self.message}"

    @property
    def at(self) -> int:
        return 1_000_000 - self.message


class Engine:
    """Lists so many, and counts how often it is asked."""

    def __init__(self, all_of_them: list[GivenUp]) -> None:
        self.all = all_of_them
        self.asked = 0

    def dead(
        self, outbound: str | None, after: tuple[int, int, int] | None, limit: int
    ) -> list[GivenUp]:
        assert limit <= PAGE
        self.asked += 1
        begin = after[0] if after else 0
        return self.all[begin : begin + limit]


def test_a_hundred_thousand_are_counted_in_pages() -> None:
    engine = Engine([GivenUp(number) for number in range(1, 100_001)])
    summary = summary_of(engine.dead)  # type: ignore[arg-type]
    (group,) = summary.groups
    assert (summary.total, group.count, group.oldest) == (100_000, 100_000, 900_000)
    assert group.control_ids == ["M1", "M2", "M3"]
    assert engine.asked == 101


def test_as_many_reasons_as_deliveries_do_not_make_as_many_groups() -> None:
    engine = Engine([GivenUp(number, said=f"AR {number}") for number in range(1, 5_001)])
    summary = summary_of(engine.dead)  # type: ignore[arg-type]
    assert len(summary.groups) == GROUPS + 1
    assert sum(group.count for group in summary.groups) == summary.total == 5_000
    assert (summary.groups[0].said, summary.groups[0].count) == ("", 5_000 - GROUPS)


def test_pages_follow_each_other_and_end() -> None:
    engine = Engine([GivenUp(number) for number in range(1, 6)])
    seen: list[int] = []
    after: str | None = None
    for _ in range(3):
        page = page_of(engine.dead, None, after, 2)  # type: ignore[arg-type]
        seen += [one.message for one in page.deliveries]
        after = page.next
    assert (seen, after) == ([1, 2, 3, 4, 5], None)


@pytest.mark.parametrize("after", ["x", "1-2", "1-2-3-4", "1-2-x"])
def test_a_place_that_is_none_is_refused(after: str) -> None:
    with pytest.raises(ValueError):
        page_of(Engine([]).dead, None, after, 2)  # type: ignore[arg-type]
