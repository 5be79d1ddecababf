"""A timer on a real engine: each tick is a message, and the only one is the only one."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ends import FileSink
from partners import message
from running_engines import until
from worlds import World


class NoSource:
    """Nothing offers messages to a timer."""

    keeps_order = True

    def __init__(self, settings: str) -> None:
        self.declared = f"Timer(body={message('TICK').decode()!r}, {settings})"

    def offer(self, payloads: object) -> None:
        raise NotImplementedError

    def let_go(self) -> set[str]:
        return set()

    def close(self) -> None:
        pass


class NamedByNumber(FileSink):
    """Ticks have one control ID."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.declared = self.declared.replace(")", ', filename="{message}.hl7")')


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], World]]:
    made: list[World] = []

    def make(settings: str) -> World:
        made.append(world := World(tmp_path, NoSource(settings), NamedByNumber(tmp_path)))
        return world

    yield make
    for world in made:
        world.close()


def test_each_tick_is_a_message_of_its_own(make: Callable[[str], World]) -> None:
    world = make("interval_seconds=0.05")
    world.start()
    until(lambda: len(world.sink.payloads()), lambda it: it >= 5)
    assert world.end() == 0
    world.start()
    assert not [it for it in world.stored() if it["disposition"] == "DUPLICATE"]
    assert set(world.sink.payloads()) == {message("TICK")}


def test_once_is_once_for_each_start_of_the_engine(make: Callable[[str], World]) -> None:
    world = make("run_once=True")
    world.start()
    until(lambda: len(world.sink.payloads()), lambda it: it == 1)
    ran = world.data / "connections" / "IB" / "ran"
    until(ran.exists)
    # Neither another process nor a reload is another start.
    killed = set(world.connection_processes())
    for process in killed:
        os.kill(process, signal.SIGKILL)
    until(world.connection_processes, lambda it: len(it) == 2 and not killed & set(it))
    (world.folder / "other.py").write_text("")
    world.client.post("/config/reload", {"moves": {}, "cancels": [], "because": ""})
    assert world.end() == 0
    world.start()
    until(lambda: len(world.sink.payloads()), lambda it: it == 2)
    assert len(world.stored()) == 2
