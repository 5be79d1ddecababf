"""`Timer`: when it ticks, and when it does not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from doubles import Clock, Intake, Killed
from fastmllp_engine.connectors import Connection, Timer
from fastmllp_engine.connectors.timer import AGAIN_SECONDS, TimerReceiver
from fastmllp_engine.graph import ConfigurationError, inbound


def ticks(
    waits: int, data: Path, spec: Timer, on_wait: Callable[[Intake, Clock], None] = lambda *_: None
) -> list[float]:
    """When messages were stored while so many waits went by."""
    clock, at, left = Clock(0.0), [], waits

    def waited(_: float) -> bool:
        nonlocal left
        left -= 1
        on_wait(intake, clock)
        return left > 0

    intake = Intake(clock, waited)
    submit = intake.submit

    def noted(payload: bytes) -> object:
        receipt = submit(payload)
        at.append(clock.now)
        return receipt

    intake.submit = noted  # type: ignore[assignment, method-assign]
    TimerReceiver(spec, Connection("IB", data, "1"), clock).run(intake)
    assert all(one == spec.body.encode(spec.encoding) for one in intake.stored)
    return at


def every(seconds: float) -> Timer:
    return Timer(body="MSH|tick", interval_seconds=seconds)


def test_it_ticks_without_drift(tmp_path: Path) -> None:
    def slow(intake: Intake, clock: Clock) -> None:
        # Each commit takes a while.
        clock.now += 0.25

    assert ticks(4, tmp_path, every(10), slow) == [10.25, 20.25, 30.25]


def test_after_a_sleep_of_the_machine_it_ticks_once_and_as_before(tmp_path: Path) -> None:
    def sleeps(intake: Intake, clock: Clock) -> None:
        if clock.now == 20:
            clock.now = 1007

    assert ticks(5, tmp_path, every(10), sleeps) == [10, 1007, 1010, 1020]


def test_a_wait_that_ends_early_is_no_tick(tmp_path: Path) -> None:
    def early(intake: Intake, clock: Clock) -> None:
        clock.now -= 4

    assert ticks(4, tmp_path, every(10), early) == []


def test_what_cannot_be_stored_is_tried_until_it_is_and_nothing_piles_up(tmp_path: Path) -> None:
    def full(intake: Intake, clock: Clock) -> None:
        intake.refuses = "full" if 15 < clock.now < 44.5 else None

    at = ticks(AGAIN + 6, tmp_path, every(10), full)
    assert at[:3] == [10, 45, 50]


AGAIN = int(25 / AGAIN_SECONDS)


def test_once_is_once_for_each_start_of_the_engine(tmp_path: Path) -> None:
    spec = Timer(body="MSH|once", run_once=True)
    assert len(ticks(3, tmp_path, spec)) == 1
    # The connection starts again, and the engine has not.
    assert len(ticks(3, tmp_path, spec)) == 0
    stored = Intake(Clock(), lambda _: False)
    TimerReceiver(spec, Connection("IB", tmp_path, "2")).run(stored)
    assert stored.stored == [b"MSH|once"]


def test_a_crash_before_the_commit_does_not_use_it_up(tmp_path: Path) -> None:
    spec = Timer(body="MSH|once", run_once=True)
    intake = Intake(Clock(), lambda _: False)
    intake.dies = "before"
    with pytest.raises(Killed):
        TimerReceiver(spec, Connection("IB", tmp_path, "1")).run(intake)
    assert len(ticks(2, tmp_path, spec)) == 1


def test_a_stop_ends_a_tick_that_cannot_be_stored(tmp_path: Path) -> None:
    def full(intake: Intake, clock: Clock) -> None:
        intake.refuses = "full"

    assert ticks(3, tmp_path, every(10), full) == []


def test_its_body_is_what_its_inbound_receives() -> None:
    with pytest.raises(ConfigurationError, match="the body is no HL7 message"):
        inbound("IB", Timer(body="tick", interval_seconds=5), router="r")
    inbound("IB", Timer(body="tick", interval_seconds=5), router="r", content_type="text")
    with pytest.raises(ConfigurationError, match="characters that its encoding lacks"):
        Timer(body="MSH\u20ac", run_once=True, encoding="latin-1")
    with pytest.raises(ConfigurationError, match="no such character set"):
        Timer(body="MSH", run_once=True, encoding="latin-99")
