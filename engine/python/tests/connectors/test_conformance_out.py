"""What every outbound keeps, whatever its connector is, on a real engine.

Everything arrives, in order; what may have been sent twice is listed; a failure is classified.
"""

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ends import (
    REFUSED,
    Answering,
    FileSink,
    LinesSink,
    MllpSink,
    MllpSource,
    Sink,
    TcpSink,
    control_id,
)
from partners import message
from running_engines import until
from worlds import World

SINKS = [MllpSink, TcpSink, FileSink, LinesSink]


@pytest.fixture(params=SINKS, ids=lambda it: it.__name__)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The world of one sink; its source speaks MLLP."""
    sink: Sink = request.param(tmp_path)
    world = World(tmp_path, MllpSource(tmp_path), sink)
    yield world
    world.close()


@pytest.fixture(params=[MllpSink, TcpSink], ids=lambda it: it.__name__)
def silent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, Answering]]:
    """The world of a sink that takes messages and does not answer; half a second is all it has."""
    sink: Answering = request.param(tmp_path)
    sink.declared = sink.declared.removesuffix(")") + ", timeout_seconds=0.5)"
    sink.answers(False)
    world = World(tmp_path, MllpSource(tmp_path), sink)
    yield world, sink
    world.close()


def messages(count: int, first: int = 0) -> list[bytes]:
    return [message(f"M{number:05}") for number in range(first, first + count)]


def ids(payloads: list[bytes]) -> list[str]:
    return list(map(control_id, payloads))


def lane(world: World) -> dict[str, object]:
    (found,) = (it for it in world.client.get("/status")["lanes"] if it["name"] == "OB")
    return dict(found)


def test_everything_arrives_in_order_and_once(world: World) -> None:
    world.start()
    offered = messages(30)
    world.source.offer(offered)
    world.arrived(set(ids(offered)))
    assert world.sink.payloads() == offered
    world.at_rest()
    assert {it["disposition"] for it in world.stored()} == {"PROCESSED"}
    assert world.end() == 0


def test_a_partner_that_is_away_gets_everything_later(world: World) -> None:
    world.sink.go_away()
    world.start()
    offered = messages(5)
    world.source.offer(offered)
    until(lambda: lane(world)["lost"])
    until(lambda: len(world.stored()), lambda it: it == 5)
    assert lane(world)["depth"] == 5
    world.sink.come_back()
    world.arrived(set(ids(offered)))
    assert world.sink.payloads() == offered


def test_one_that_goes_away_in_the_middle_gets_everything(world: World) -> None:
    world.start()
    offered = messages(100)
    world.source.offer(offered[:50])
    until(lambda: len(world.sink.received()), lambda it: it >= 10)
    world.sink.go_away()
    world.source.offer(offered[50:])
    until(lambda: lane(world)["lost"])
    world.sink.come_back()
    world.arrived(set(ids(offered)))
    world.at_rest()
    assert {it["disposition"] for it in world.stored()} == {"PROCESSED"}
    assert list(dict.fromkeys(world.sink.received())) == ids(offered)


def test_what_is_refused_for_good_holds_up_nothing(world: World) -> None:
    world.start()
    offered = [message("M1"), message(REFUSED) + b"NTE|1||a\nb\r", message("M2")]
    world.source.offer(offered)
    until(lambda: world.sink.received(), lambda it: it == ["M1", "M2"])
    world.at_rest()
    assert [it["disposition"] for it in world.stored()] == ["PROCESSED", "ERROR", "PROCESSED"]
    (dead,) = world.client.get("/dead-letters")["deliveries"]
    assert dead["failure"] == world.sink.refusal


def test_killed_again_and_again_it_lists_what_was_sent_twice(world: World) -> None:
    offered = messages(200)
    world.start()
    world.source.offer(offered)
    for kill in range(1, 5):
        until(lambda: len(world.sink.received()), lambda it, kill=kill: it >= 40 * kill)  # type: ignore[misc]
        world.end(signal.SIGKILL)
        world.start()
    world.arrived(set(ids(offered)))
    world.at_rest()
    received = world.sink.received()
    assert list(dict.fromkeys(received)) == ids(offered)
    doubled = {one for one, count in Counter(received).items() if count > 1}
    assert doubled <= world.possibly_sent()
    assert not (doubled and world.sink.is_idempotent)
    world.verify()


def test_one_that_hangs_after_a_message_gets_it_again(silent: tuple[World, Answering]) -> None:
    world, sink = silent
    offered = messages(5)
    world.start()
    world.source.offer(offered)
    until(lambda: len(sink.received()), lambda it: it >= 3)
    assert set(sink.received()) == {"M00000"}
    assert lane(world)["attempt"]
    sink.answers(True)
    ends_well(world, offered)


def test_one_that_closes_its_half_gets_the_message_again(
    silent: tuple[World, Answering],
) -> None:
    world, sink = silent
    offered = messages(5)
    sink.answers(False, closes_its_half=True)
    world.start()
    world.source.offer(offered)
    until(lambda: len(sink.received()), lambda it: it >= 3)
    assert set(sink.received()) == {"M00000"}
    sink.answers(True)
    ends_well(world, offered)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_out_when_the_engine_ended_is_listed(
    silent: tuple[World, Answering], number: int
) -> None:
    world, sink = silent
    offered = messages(5)
    world.start()
    world.source.offer(offered)
    until(sink.received)
    until(lambda: len(world.stored()), lambda it: it == 5)
    # A stop waits for the answer as long as a partner has for it, and no longer.
    assert world.end(number) == (0 if number == signal.SIGTERM else -number)
    sink.answers(True)
    world.start()
    ends_well(world, offered)


def ends_well(world: World, offered: list[bytes]) -> None:
    """All of it arrives in order, and what came twice is listed."""
    world.arrived(set(ids(offered)))
    world.at_rest()
    received = world.sink.received()
    assert list(dict.fromkeys(received)) == ids(offered)
    doubled = {one for one, count in Counter(received).items() if count > 1}
    assert doubled <= world.possibly_sent()
    assert {it["disposition"] for it in world.stored()} == {"PROCESSED"}
    world.verify()


def test_a_process_that_is_killed_is_started_again(world: World) -> None:
    if isinstance(world.sink, MllpSink | TcpSink):
        pytest.skip("it has no process of its own")
    offered = messages(200)
    world.start()
    world.source.offer(offered)
    for kill in range(1, 4):
        until(lambda: len(world.sink.received()), lambda it, kill=kill: it >= 40 * kill)  # type: ignore[misc]
        for process in world.connection_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    world.arrived(set(ids(offered)))
    world.at_rest()
    received = world.sink.received()
    assert list(dict.fromkeys(received)) == ids(offered)
    doubled = {one for one, count in Counter(received).items() if count > 1}
    assert doubled <= world.possibly_sent()
    assert {it["disposition"] for it in world.stored()} == {"PROCESSED"}


@pytest.mark.timeout(180)
def test_a_long_message_is_whole(world: World) -> None:
    world.start()
    long = message("LONG") + b"ZZZ|" + b"x" * 100_000_000 + b"\r"
    world.source.offer([long, message("NEXT")])
    world.arrived({"LONG", "NEXT"})
    assert world.sink.payloads()[0] == long
