"""Connections that work at some times only."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from fastmllp_engine._native import Builder
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import ActiveWindow, Inbound, Outbound, Schedule
from partners import Partner, message
from running_engines import Feed, until


def tomorrow() -> Schedule:
    """Opens in about half a day, whatever the time is."""
    start = datetime.now(UTC) + timedelta(hours=12)
    window = ActiveWindow(start=f"{start:%H:%M}", end=f"{start + timedelta(hours=1):%H:%M}")
    return Schedule(windows=[window], timezone="UTC")


def inverted() -> Schedule:
    """Open now, and not in half a day."""
    closed = tomorrow()
    return Schedule(windows=closed.windows, timezone=closed.timezone, invert=True)


def test_an_outbound_keeps_its_queue(feed: Feed, partner: Partner) -> None:
    spec = MLLP(host="127.0.0.1", port=partner.port)
    feed.outbounds[0] = Outbound("OB_LAB", spec, schedule=tomorrow())
    feed.start()
    assert feed.send(message("M1")) == [b"AA"]

    def answer() -> str:
        return feed.engine.why(1).text

    text = until(answer, lambda it: "outside of the schedule (opens at " in it)
    assert text.count("\n") == 1
    (reason,) = feed.engine.why(1).answers
    assert reason.reason == "closed"
    assert time.time() * 1_000 < reason.due < time.time() * 1_000 + 86_400_000
    lane = next(it for it in feed.engine.status().lanes if it.stage == "outbound")
    assert lane.hours is not None
    assert (lane.hours.is_open, lane.hours.until) == (False, reason.due)
    feed.outbounds[0] = Outbound("OB_LAB", spec, schedule=inverted())
    feed.start()
    assert len(partner.wait_for(1)) == 1


def test_an_inbound_does_not_listen(feed: Feed) -> None:
    feed.inbounds[0] = Inbound("IB_ADT", MLLP(port=0), router="adt", schedule=tomorrow())
    feed.start()
    with pytest.raises(ConnectionRefusedError):
        feed.send(message("M1"))


def test_an_inbound_answers(feed: Feed, partner: Partner) -> None:
    spec = MLLP(port=0)
    feed.inbounds[0] = Inbound("IB_ADT", spec, router="adt", schedule=tomorrow(), closed="answer")
    feed.start()
    assert feed.send(message("M1")) == [b"AE"]
    feed.inbounds[0] = Inbound("IB_ADT", spec, router="adt", schedule=inverted(), closed="answer")
    feed.start()
    assert feed.send(message("M1")) == [b"AA"]
    assert len(partner.wait_for(1)) == 1


def test_the_native_engine_refuses_what_is_wrong_as_well(feed: Feed) -> None:
    builder = Builder(feed.data)
    with pytest.raises(ValueError, match="Nowhere/Else"):
        builder.schedule("OB", [("mon", "06:00", "07:00")], "Nowhere/Else")
