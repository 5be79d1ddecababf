"""Observers hear of every event, and nothing that they do disturbs a connection."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fastmllp.logging
import pytest
from conftest import Records, Serve
from fastmllp.logging import add_observer, log_event, remove_observer
from peers import Peer, framed, message

MARK = "4711 EVERYWOMAN"
Heard = list[tuple[str, int | None, dict[str, Any]]]
Observe = Callable[[Callable[..., object]], None]


@pytest.fixture
def observe() -> Iterator[Observe]:
    """Add observers for the time of the test."""
    added: list[Callable[..., object]] = []

    def add(observer: Callable[..., object]) -> None:
        added.append(observer)
        add_observer(observer)

    yield add
    for observer in added:
        remove_observer(observer)


@pytest.fixture
def heard(observe: Observe) -> Heard:
    events: Heard = []

    def note(event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        events.append((event, connection, dict(fields)))

    observe(note)
    return events


def test_every_event_whatever_the_level(heard: Heard, serve_both: Serve) -> None:
    assert not fastmllp.logging.LOGGER.isEnabledFor(logging.INFO)
    server = serve_both()
    with Peer.connect(server.address) as peer:
        peer.send(b"\r" + framed(message("A")))
        peer.receive_frame()
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    names = [event for event, _, _ in heard]
    assert names == ["connect", "discarded", "message_received", "ack_sent", "disconnect"]
    assert {number for _, number, _ in heard} == {1}
    assert heard[2][2] == {"length": len(message("A"))} and heard[3][2]["code"] == "AA"


def test_without_a_connection(heard: Heard) -> None:
    log_event(logging.INFO, "accept_failed", error="no")
    assert heard == [("accept_failed", None, {"error": "no"})]


def test_added_twice_and_removed(heard: Heard, observe: Observe) -> None:
    class Counter:
        count = 0

        def hear(self, *event: object) -> None:
            self.count += 1

    counter = Counter()
    observe(counter.hear)
    observe(counter.hear)  # A bound method is another object each time it is read.
    log_event(logging.DEBUG, "one")
    remove_observer(counter.hear)
    remove_observer(counter.hear)
    log_event(logging.DEBUG, "two")
    assert counter.count == 1 and [event for event, _, _ in heard] == ["one", "two"]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, RecursionError])
def test_one_that_fails_is_reported_once(
    kind: type[BaseException], observe: Observe, serve_both: Serve, records: Records
) -> None:
    def fail(*event: object) -> None:
        raise kind(MARK)

    observe(fail)
    later: list[object] = []
    observe(lambda *event: later.append(event[0]))
    server = serve_both()
    with Peer.connect(server.address) as peer:
        for number in range(5):
            peer.exchange(f"M{number}")
        peer.half_close()
        peer.receive_end()
    server.shutdown()
    (failed,) = [r for r in records.all() if getattr(r, "event", None) == "observer_failed"]
    text = failed.getMessage()
    assert text.startswith("event=observer_failed connection=1 during=connect\nTraceback")
    assert kind.__name__ in text and "in fail" in text and MARK not in text
    assert later.count("message_received") == later.count("ack_sent") == 5
    assert "observer_failed" not in later


def test_one_that_writes_records_itself_ends(observe: Observe, records: Records) -> None:
    def echo(event: str, *rest: object) -> None:
        log_event(logging.DEBUG, event)

    observe(echo)
    log_event(logging.DEBUG, "round")
    assert records.wait_for("observer_failed")


def test_an_interrupt_is_not_held_back(observe: Observe) -> None:
    def interrupted(*event: object) -> None:
        raise KeyboardInterrupt

    observe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        log_event(logging.DEBUG, "round")
