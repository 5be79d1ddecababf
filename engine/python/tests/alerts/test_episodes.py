"""One notice when something begins to be wrong, and one when it is over."""

import random
from collections.abc import Iterable

import pytest
from fastmllp_engine.alerts import Condition, Episode, Episodes, Kind, Notice


def stalled(text: str = "x", after: float = 0.0, lasts: float = 10.0) -> Condition:
    return Condition(Kind.STALLED, "OB_LAB", text, after, lasts)


def told(notices: Iterable[Notice]) -> list[tuple[str, bool]]:
    return [(it.episode.text, it.begins) for it in notices]


def test_a_thousand_looks_are_one_beginning_and_one_end() -> None:
    episodes = Episodes()
    notices: list[Notice] = []
    for second in range(1_000):
        notices += episodes.look([stalled(f"{second} wait")], second, 1_000 * second)
    assert told(notices) == [("0 wait", True)]
    assert episodes.active == [Episode(Kind.STALLED, "OB_LAB", "0 wait", 0)]
    for second in range(1_000, 2_000):
        notices += episodes.look([], second, 1_000 * second)
    assert told(notices) == [("0 wait", True), ("0 wait", False)]
    # It was last seen at 999.
    assert notices[1].at == 1_009_000 and not episodes.active


def test_what_does_not_last_long_enough_is_not_told() -> None:
    episodes = Episodes()
    short = stalled(after=60)
    for second in range(500):
        # Right for a moment every 50 seconds.
        found = [] if second % 50 == 0 else [short]
        assert not episodes.look(found, second, 0)
    for second in range(501, 600):
        notices = episodes.look([short], second, 7)
        assert bool(notices) == (second == 511), second


def test_a_gap_that_is_shorter_than_it_lasts_is_no_end() -> None:
    episodes = Episodes()
    episodes.look([stalled()], 0, 0)
    for second in (2, 4, 6, 8):
        assert not episodes.look([], second, 0)
    assert not episodes.look([stalled()], 9, 0)
    assert not episodes.look([], 18, 0)
    assert told(episodes.look([], 19, 0)) == [("x", False)]


def test_what_was_told_before_a_start_is_not_told_again() -> None:
    before = [Episode(Kind.UNCONNECTED, "OB_LAB", "not connected", 5)]
    one = Condition(Kind.UNCONNECTED, "OB_LAB", "still", after=60)
    episodes = Episodes.resumed(before, now=1_000)
    assert not episodes.look([], 1_002, 0)
    assert not episodes.look([one], 1_100, 0)
    assert episodes.active == before
    gone = Episodes.resumed(before, now=1_000)
    assert not gone.look([], 1_119, 0)
    assert told(gone.look([], 1_120, 0)) == [("not connected", False)]


@pytest.mark.parametrize("seed", range(200))
def test_beginnings_and_ends_take_turns(seed: int) -> None:
    chance = random.Random(seed)
    episodes = Episodes()
    begun: set[tuple[Kind, str]] = set()
    now, ends = 0.0, 0
    for _ in range(300):
        now += chance.choice((0.0, 2.0, 2.0, 30.0))
        kinds = chance.sample(list(Kind), chance.randint(0, 3))
        found = [
            Condition(kind, chance.choice("AB"), "x", chance.choice((0, 5)), chance.choice((2, 9)))
            for kind in kinds
        ]
        # The wall clock is set back and forth.
        for notice in episodes.look(found, now, chance.randint(0, 1 << 41)):
            key = (notice.episode.kind, notice.episode.connection)
            assert notice.begins == (key not in begun)
            begun ^= {key}
            ends += not notice.begins
        assert {(it.kind, it.connection) for it in episodes.active} == begun
    assert ends > 10
