"""An engine that is watched: what is wrong is told once, and its end once."""

import json
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastmllp_engine.alerts import Notice, Watch, watch
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph.checked import changed
from fastmllp_engine.graph.settings import AlertSettings, Settings
from fastmllp_engine.runtime import Running
from partners import Partner, message
from running_engines import Feed

DEADLINE = 60.0


class Ear:
    """Hears every notice."""

    trouble = None

    def __init__(self) -> None:
        self.heard: queue.Queue[Notice] = queue.Queue()

    def tell(self, notice: Notice) -> None:
        self.heard.put(notice)

    def close(self, seconds: float) -> None:
        pass

    def next(self) -> tuple[str, str, bool]:
        notice = self.heard.get(timeout=DEADLINE)
        return str(notice.episode.kind), notice.episode.connection, notice.begins


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    ear = Ear()
    monkeypatch.setattr(watch, "sinks", lambda settings, engine: [ear])
    yield ear
    assert ear.heard.empty(), ear.heard.get()


def limits(feed: Feed, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Has the engine of a feed these limits."""
    plain = feed.registry
    settings = Settings(alerts=AlertSettings(**values))
    monkeypatch.setattr(feed, "registry", lambda: replace(plain(), settings=settings))


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def watching(running: Running) -> Watch:
    return Watch(running, look_seconds=0.02)


def test_a_partner_that_is_away_is_told_once_and_again_when_it_is_back(
    feed: Feed, partner: Partner, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(feed, monkeypatch, unconnected_after_seconds=0.05, stalled_after_seconds=3600.0)
    running = feed.start()
    until(lambda: running.engine.status().lanes[-1].ready)
    port = partner.port
    partner.close()
    watched = watching(running)
    feed.send(message("M1"))
    assert ear.next() == ("unconnected", "OB_LAB", True)
    (episode,) = watched.active
    assert episode.text.startswith("not connected")
    until((running.data / "alerts.json").exists)
    kept = json.loads((running.data / "alerts.json").read_text())
    assert [(it["kind"], it["connection"]) for it in kept] == [("unconnected", "OB_LAB")]
    # A watch that begins while it lasts does not tell it again.
    watched.close()
    watched = watching(running)
    assert watched.active == [episode]
    back = Partner(port)
    assert ear.next() == ("unconnected", "OB_LAB", False)
    assert not watched.active
    watched.close()
    back.close()


def test_messages_that_end_in_error_are_one_episode(
    feed: Feed, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(message: Any) -> None:
        raise ValueError("PATIENT")

    limits(feed, monkeypatch, quiet_seconds=0.3)
    feed.handlers["to_lab"] = fails
    running = feed.start()
    watched = watching(running)
    for number in range(20):
        feed.send(message(f"M{number}"))
    assert ear.next() == ("failing", "to_lab", True)
    assert ear.next() == ("failing", "to_lab", False)
    watched.close()


def test_a_message_above_the_limit_leaves_a_record_and_is_told(
    feed: Feed, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(feed, monkeypatch, quiet_seconds=0.3)
    feed.inbounds[0] = changed(feed.inbounds[0], spec=MLLP(port=0, max_frame_bytes=1_000))
    running = feed.start()
    watched = watching(running)
    assert feed.send(message("M1") + b"NTE|1||" + 2_000 * b"X") == [b"AR"]
    assert ear.next() == ("failing", "IB_ADT", True)
    found = running.engine.journey(1)
    assert found is not None and found.message.disposition == "ERROR"
    assert ear.next() == ("failing", "IB_ADT", False)
    watched.close()


def test_a_lane_that_is_long_is_told(feed: Feed, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    limits(feed, monkeypatch, waiting=100, quiet_seconds=0.3)
    feed.outbounds[0] = changed(feed.outbounds[0], alert_waiting=2)
    running = feed.start()
    running.engine.switch("outbound", "OB_LAB", "output", "paused", by="anna", because="")
    watched = watching(running)
    for number in range(3):
        feed.send(message(f"M{number}"))
    assert ear.next() == ("waiting", "OB_LAB", True)
    running.engine.switch("outbound", "OB_LAB", "output", "on", by="anna", because="")
    assert ear.next() == ("waiting", "OB_LAB", False)
    watched.close()


def test_a_lane_that_is_stalled_is_told(
    feed: Feed, partner: Partner, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(feed, monkeypatch, stalled_after_seconds=0.1)
    partner.code = None
    running = feed.start()
    watched = watching(running)
    feed.send(message("M1"))
    assert ear.next() == ("stalled", "OB_LAB", True)
    assert "fastmllp_lane_stalled" in running.engine.metrics()
    running.engine.switch("outbound", "OB_LAB", "output", "paused", by="anna", because="")
    assert ear.next() == ("stalled", "OB_LAB", False)
    watched.close()
