"""How `serve` ends."""

import signal
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastmllp_engine._native import EngineError
from fastmllp_engine.runtime import Running, Wakes, serve

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def wakes() -> Iterator[Wakes]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield Wakes()
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


class Fake:
    """An engine whose store has come to its end, or not."""

    def __init__(self, ends_with: int | None) -> None:
        self.ends_with = ends_with
        self.engine = self
        self.closed = 0

    def listening(self) -> list[tuple[str, str]]:
        return [("IB_ADT", "127.0.0.1:2575")]

    def has_ended(self) -> bool:
        return self.ends_with is not None

    def stop(self, seconds: float) -> None:
        if self.ends_with is not None:
            error = EngineError("a sync failed")
            error.exit_status = self.ends_with
            raise error

    def answer(self, running: Any) -> "Fake":
        assert running is self
        return self

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("status", [5, 1])
def test_the_end_of_the_store_is_the_end_of_the_program(
    status: int, wakes: Wakes, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = Fake(status)
    assert serve(cast(Running, fake), wakes, fake.answer, 1.0) == status
    out, error = capsys.readouterr()
    assert out.splitlines() == ["listening IB_ADT 127.0.0.1:2575", "ready"]
    assert error == "fastmllp-engine: a sync failed\n"
    assert fake.closed == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_engine_has_started_ends_it_too(
    number: signal.Signals, wakes: Wakes
) -> None:
    fake = Fake(None)
    signal.raise_signal(number)
    assert serve(cast(Running, fake), wakes, fake.answer, 1.0) == 0
    assert fake.closed == 1
