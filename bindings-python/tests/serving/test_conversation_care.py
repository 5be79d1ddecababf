# ruff: noqa: F401, F811
"""A conversation whose peer takes part of its answers, and what is on record of it meanwhile."""

import logging
from typing import Any

import pytest
from conftest import Records
from fastmllp._native import Message
from fastmllp.serving.handler import connection_number
from fastmllp.serving.options import ServerOptions
from fastmllp.tls.failure import TlsFailure
from peers import framed, message

# pytest finds fixtures by their names.
from test_conversation import (
    Clock,
    Wire,
    accepted,
    begin,
    clock,
    level,
    number_as_before,
    several,
    wire,
)

HOLDS = pytest.mark.parametrize("holds", [False, True])


def recorded(records: Records, event: str) -> list[dict[str, Any]]:
    """The fields of all records of an event."""
    return [each.__dict__["fields"] for each in records.all() if each.__dict__["event"] == event]


@HOLDS
@pytest.mark.usefixtures("level")
def test_a_handler_knows_its_connection(wire: Wire, holds: bool) -> None:
    seen: list[int | None] = []
    served = begin(wire, lambda _: seen.append(connection_number.get()))
    served.holds = holds
    served.receive(several(*"AB"))
    assert seen == [1, 1]


@HOLDS
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
@pytest.mark.usefixtures("level")
def test_whatever_a_handler_raises_its_message_has_an_answer(
    wire: Wire, holds: bool, error: type[BaseException]
) -> None:
    def handle(each: Message) -> None:
        if each.get("MSH-10") == b"A":
            raise error

    served = begin(wire, handle)
    served.holds = holds
    served.receive(several(*"AB"))
    assert wire.answers == [("AE", "A"), ("AA", "B")]


def test_a_time_that_runs_out_is_on_record(wire: Wire, clock: Clock, records: Records) -> None:
    served = begin(wire)
    served.receive(b"\x0bMSH")
    served.on_time()
    assert recorded(records, "byte_timeout") == []
    clock.now += 10
    served.on_time()
    assert recorded(records, "byte_timeout") == [{"unfinished": 4}]


def test_the_end_of_a_server_is_no_time_that_ran_out(
    wire: Wire, clock: Clock, records: Records
) -> None:
    served = begin(wire)
    wire.room = 0
    served.receive(several("A"))
    served.stop(quiet=True)
    clock.now += 11
    served.on_time()
    assert served.is_finished and recorded(records, "send_timeout") == [{"answers": 1}]


@pytest.mark.usefixtures("level")
def test_the_first_reason_counts(wire: Wire) -> None:
    served = begin(wire)
    served.insecure(TlsFailure("truncated", "it ended"))
    served.end()
    assert served.is_finished and served.reason == "tls_failed"


@HOLDS
@pytest.mark.usefixtures("level")
def test_a_connection_that_ends_is_not_calm(wire: Wire, holds: bool) -> None:
    served = begin(wire, options=ServerOptions(max_size=500))
    served.holds = holds
    assert not served.receive(framed(message("A") + b"x" * 1000))
    assert served.is_finished and served.reason == "frame_too_large"


@pytest.mark.usefixtures("clock")
def test_the_deadline_is_that_of_the_silence_once_the_answers_have_left(wire: Wire) -> None:
    logging.getLogger("fastmllp").setLevel(logging.WARNING)
    served = begin(wire, options=ServerOptions(timeout=10, idle_timeout=3))
    assert served.receive(several("A"))
    assert served.deadline == served.next_deadline() == 103


@pytest.mark.usefixtures("level")
def test_nothing_is_sent_after_an_answer_that_was_cut(wire: Wire) -> None:
    calls: list[bytes] = []

    def send(data: bytes) -> int:
        calls.append(data)
        raise ConnectionResetError

    wire.send = send  # type: ignore[method-assign]
    served = begin(wire)
    served.receive(several(*"ABC"))
    served.receive(several("D"))
    assert len(calls) == 1 and served.is_lost and not served.is_unsent


def test_an_answer_is_on_record_when_it_is_out(wire: Wire, records: Records) -> None:
    served = begin(wire, waits=True)
    served.receive(several(*"AB"))
    for ticket, payload, _ in wire.waiting:
        served.conclude(ticket, payload, None)
    wire.room = len(served._link.outgoing()) // 2
    served.resume()
    assert wire.answers == accepted("A") and len(recorded(records, "ack_sent")) == 1


def test_an_answer_that_waited_is_on_record_before_the_next(wire: Wire, records: Records) -> None:
    served = begin(wire)
    wire.room = 0
    served.receive(several("A"))
    served.holds, wire.room = False, 1000
    served.receive(several("B"))
    assert wire.answers == accepted("AB") and len(recorded(records, "ack_sent")) == 2


def test_no_answer_is_on_record_before_it_has_left(wire: Wire, records: Records) -> None:
    """Under asyncio a transport that is full says so while it takes an answer."""
    whole = wire.send

    def send(data: bytes) -> int:
        sent = whole(data)
        served.holds, wire.room = True, 0
        return sent

    wire.send = send  # type: ignore[method-assign]
    served = begin(wire)
    served.holds = False
    # What is between frames is for the host, so each of them has a call of its own.
    served.receive(b"zz".join(framed(message(name)) for name in "ABC"))
    assert wire.answers == accepted("A") and len(recorded(records, "ack_sent")) == 1
    assert served.is_unsent
