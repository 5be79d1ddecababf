"""The name of a server or link in its records."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from conftest import Records
from fastmllp.logging import Log, add_observer, log_event, remove_observer

Heard = list[tuple[str, int | None, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    events: Heard = []

    def hear(event: str, connection: int | None, fields: Mapping[str, Any]) -> None:
        events.append((event, connection, dict(fields)))

    add_observer(hear)
    yield events
    remove_observer(hear)


def test_the_name_is_the_first_field(records: Records, heard: Heard) -> None:
    log = Log("adt-in")
    log.event(logging.INFO, "connect", 1, peer="192.0.2.1:50312")
    log.events(logging.INFO, "ack_sent", 1, [{"code": "AA"}, {"code": "AE"}])
    log.event(logging.ERROR, "handler_failed", trace="lines")
    assert [record.getMessage() for record in records.all()] == [
        "event=connect connection=1 name=adt-in peer=192.0.2.1:50312",
        "event=ack_sent connection=1 name=adt-in code=AA",
        "event=ack_sent connection=1 name=adt-in code=AE",
        "event=handler_failed name=adt-in\nlines",
    ]
    assert {record.funcName for record in records.all()} == {"test_the_name_is_the_first_field"}
    assert heard[0] == ("connect", 1, {"name": "adt-in", "peer": "192.0.2.1:50312"})
    assert [fields["name"] for _, _, fields in heard] == ["adt-in"] * 4


def test_without_a_name_nothing_changes(records: Records, heard: Heard) -> None:
    log_event(logging.INFO, "connect", 1, peer="A")
    Log().event(logging.INFO, "connect", 1, peer="A")
    Log().events(logging.INFO, "connect", 1, [{"peer": "A"}])
    assert len({record.getMessage() for record in records.all()}) == 1
    assert heard == [("connect", 1, {"peer": "A"})] * 3


def test_levels(heard: Heard) -> None:
    for level in (logging.DEBUG, logging.INFO):
        Log("A").event(level, "one")
        Log("A").events(level, "two", None, [{}])
        Log("A").events(level, "none", None, [])
    assert [event for event, _, _ in heard] == ["one", "two"] * 2


@pytest.mark.parametrize(
    "name", ["", "a", "ADT-in.2", "lab/roche_1", "host:2575", "a@b+c", "x" * 64]
)
def test_a_name(name: str) -> None:
    assert Log(name).name == name


@pytest.mark.parametrize(
    "name", [" ", "a b", "a\n", "\x1b[2J", "é", "x=y", '"', "x" * 65, "\udcff"]
)
def test_a_name_that_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name must be up to 64 ASCII letters") as caught:
        Log(name)
    assert str(caught.value).isprintable()
