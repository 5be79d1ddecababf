"""What every inbound keeps, whatever its connector is, on a real engine.

Nothing that a source was allowed to forget is lost; nothing is let go before it is stored; what
comes twice is recorded as a duplicate and sent once.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ends import FileSink, FileSource, LinesSource, MllpSource, Source, control_id
from partners import frame, message, read_frame
from running_engines import until
from worlds import World

SOURCES = [MllpSource, FileSource, LinesSource]


@pytest.fixture(params=SOURCES, ids=lambda it: it.__name__)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes the world of one source; its sink is a folder."""
    made: list[World] = []

    def make(options: str = "") -> World:
        source: Source = request.param(tmp_path)
        made.append(world := World(tmp_path, source, FileSink(tmp_path), options))
        return world

    yield make
    for world in made:
        world.close()


def messages(count: int, first: int = 0) -> list[bytes]:
    return [message(f"M{number:05}") for number in range(first, first + count)]


def ids(payloads: list[bytes]) -> set[str]:
    return set(map(control_id, payloads))


def test_what_is_offered_arrives_in_order_and_is_let_go(make: Callable[..., World]) -> None:
    world = make()
    world.start()
    offered = messages(30)
    world.source.offer(offered)
    world.arrived(ids(offered))
    assert [it["control_id"] for it in world.stored()] == sorted(ids(offered))
    assert world.sink.payloads() == offered
    assert world.end() == 0


def test_nothing_is_let_go_before_it_is_stored(make: Callable[..., World]) -> None:
    world = make()
    settings = world.folder / "engine.toml"
    settings.write_text("[store]\nmin_free_bytes = 9000000000000000\n")
    world.start()
    offered = messages(3)
    world.source.offer(offered)
    until(lambda: world.client.get("/status")["store"]["state"], lambda it: it != "writing")
    until(lambda: refused(world))
    assert world.source.let_go() == set()
    assert world.stored() == []
    assert world.end() == 0
    settings.unlink()
    world.start()
    world.arrived(ids(offered))


def refused(world: World) -> bool:
    """Whether the engine has said that it does not store: it was asked to."""
    assert world.server is not None
    return isinstance(world.source, MllpSource) or "not stored" in "".join(world.server.errors)


def test_the_same_again_is_a_duplicate_and_sent_once(make: Callable[..., World]) -> None:
    world = make()
    world.start()
    (offered,) = messages(1)
    world.source.offer([offered])
    world.arrived({control_id(offered)})
    world.at_rest()
    world.source.offer([offered])
    until(lambda: len(world.stored()), lambda it: it == 2)
    assert [it["disposition"] for it in world.stored()] == ["PROCESSED", "DUPLICATE"]
    assert len(world.sink.payloads()) == 1


def test_killed_again_and_again_it_loses_nothing(make: Callable[..., World]) -> None:
    world = make()
    offered = messages(200)
    world.start()
    world.source.offer(offered)
    for kill in range(1, 5):
        until(lambda: len(world.sink.received()), lambda it, kill=kill: it >= 40 * kill)  # type: ignore[misc]
        world.end(signal.SIGKILL)
        let_go = world.source.let_go()
        world.start()
        assert let_go <= {it["control_id"] for it in world.stored()}
    world.arrived(ids(offered))
    world.at_rest()
    stored = world.stored()
    first = {it["control_id"]: it for it in stored[::-1]}
    assert {it["disposition"] for it in first.values()} == {"PROCESSED"}
    doubled = [it for it in stored if it is not first[it["control_id"]]]
    assert {it["disposition"] for it in doubled} <= {"DUPLICATE"}
    assert sorted(world.sink.received()) == sorted(ids(offered))
    world.verify()


def test_a_stop_in_the_middle_keeps_what_was_let_go(make: Callable[..., World]) -> None:
    world = make()
    offered = messages(300)
    world.start()
    world.source.offer(offered)
    until(world.stored)
    assert world.end() == 0
    let_go = world.source.let_go()
    world.start()
    assert let_go <= {it["control_id"] for it in world.stored()}
    world.arrived(ids(offered))


def test_a_sender_that_closes_its_half_hears_every_answer(tmp_path: Path) -> None:
    world = World(tmp_path, source := MllpSource(tmp_path), FileSink(tmp_path))
    try:
        world.start()
        offered = messages(20)
        with socket.create_connection(("127.0.0.1", source.port), timeout=20) as connection:
            connection.sendall(b"".join(map(frame, offered)))
            connection.shutdown(socket.SHUT_WR)
            rest = bytearray()
            answers = [read_frame(connection, rest) for _ in range(len(offered) + 1)]
        assert answers[-1] is None
        heard = [it.split(b"|")[-1].rstrip(b"\r") for it in answers if it and b"MSA|AA|" in it]
        assert [it.decode() for it in heard] == [control_id(it) for it in offered]
        until(lambda: len(world.sink.received()), lambda it: it == 20)
        assert world.sink.payloads() == offered
    finally:
        world.close()


def test_a_process_that_is_killed_is_started_again(make: Callable[..., World]) -> None:
    world = make()
    if isinstance(world.source, MllpSource):
        pytest.skip("MLLP has no process of its own")
    offered = messages(200)
    world.start()
    world.source.offer(offered)
    for kill in range(1, 4):
        until(lambda: len(world.stored()), lambda it, kill=kill: it >= 40 * kill)  # type: ignore[misc]
        for process in world.connection_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    world.arrived(ids(offered))
    world.at_rest()
    assert sorted(world.sink.received()) == sorted(ids(offered))
    world.verify()


@pytest.mark.timeout(180)
def test_a_long_message_is_whole(make: Callable[..., World]) -> None:
    world = make()
    world.start()
    long = message("LONG") + b"ZZZ|" + b"x" * 100_000_000 + b"\r"
    world.source.offer([long, message("NEXT")])
    world.arrived({"LONG", "NEXT"})
    assert world.sink.payloads()[0] == long
