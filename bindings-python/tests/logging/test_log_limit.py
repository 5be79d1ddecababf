"""Events that anyone can cause at any rate are written once in an interval, and counted."""

import logging

import pytest
from conftest import Records
from fastmllp.logging import Log
from fastmllp.logging.limit import LimitedEvent


@pytest.fixture
def refused() -> LimitedEvent:
    return LimitedEvent(Log("adt-in"), logging.WARNING, "refused", seconds=60)


def warnings(records: Records) -> list[str]:
    found = [record for record in records.all() if record.levelno >= logging.WARNING]
    return [record.getMessage() for record in found]


def test_one_record_in_an_interval(
    refused: LimitedEvent, records: Records, heard: list[str]
) -> None:
    for number in range(5):
        refused.happened(1000.0 + number, number, peer="A")
    refused.on_time(1059.9)
    first = "event=refused connection=0 name=adt-in peer=A"
    assert warnings(records) == [first]
    refused.on_time(1060.0)
    refused.on_time(1060.0)
    assert warnings(records)[1:] == ["event=repeated name=adt-in of=refused count=4"]
    # Metrics count every one.
    assert heard == ["refused"] * 5 + ["repeated"]


def test_the_event_after_an_interval_is_written_again(
    refused: LimitedEvent, records: Records
) -> None:
    refused.happened(0.0, 1)
    refused.happened(59.0, 2)
    refused.happened(60.0, 3)
    refused.happened(61.0, 4)
    refused.happened(200.0, 5)
    assert [text.replace(" name=adt-in", "") for text in warnings(records)] == [
        "event=refused connection=1",
        "event=repeated of=refused count=1",
        "event=refused connection=3",
        "event=repeated of=refused count=1",
        "event=refused connection=5",
    ]


def test_the_last_count_at_the_end(refused: LimitedEvent, records: Records) -> None:
    refused.finish()
    refused.happened(0.0)
    refused.finish()
    refused.happened(1.0)
    refused.happened(2.0)
    refused.finish()
    refused.finish()
    assert [text.split()[0] for text in warnings(records)] == [
        "event=refused",
        "event=refused",
        "event=repeated",
    ]
