"""The process of a connection: what it tells the engine, and what it makes of failures."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastmllp_engine.connectors import (
    Credential,
    Delivery,
    DeliveryFailed,
    NoReply,
    NotStored,
    RefusedForGood,
    RefusedForNow,
    Sender,
    Transport,
)
from fastmllp_engine.workers import connection


class EngineRefuses(Exception):
    """What the native module raises when a message is not stored."""


class Engine:
    """The engine, as the process of a connection sees it. It notes what it hears."""

    def __init__(self, name: str = "OB", is_inbound: bool = False, deliveries: int = 0) -> None:
        self.connection = name
        self.is_inbound = is_inbound
        self.heard: list[tuple[str, ...]] = []
        self.waits = 3
        self._left = deliveries

    def hello(self) -> None:
        self.heard.append(("hello",))

    def refuse(self, why: str) -> None:
        self.heard.append(("refuse", why))

    def ready(self) -> None:
        self.heard.append(("ready",))

    def not_ready(self, why: str) -> None:
        self.heard.append(("not ready", why))

    def note(self, level: str, text: str) -> None:
        self.heard.append((level, text))

    def wait(self, seconds: float) -> bool:
        self.heard.append(("wait", str(seconds)))
        self.waits -= 1
        return self.waits >= 0

    def next_delivery(self) -> Any:
        self._left -= 1
        return None if self._left < 0 else Given(self)

    def submit(self, payload: bytes) -> Any:
        if payload == b"full":
            raise EngineRefuses("the disk is full")
        self.heard.append(("stored", payload.decode()))
        return SimpleNamespace(message=3, outcome="duplicate")

    def submit_parts(self, parts: Iterable[bytes]) -> Any:
        return self.submit(b"".join(parts))


class Given:
    """A delivery that tells how it was answered."""

    payload = b"SECRETNAME"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def delivered(self, note: str) -> None:
        self._engine.heard.append(("delivered", note))

    def failed(self, kind: str, note: str) -> None:
        self._engine.heard.append((kind, note))


class Scripted(Sender):
    """Raises or returns one thing after the other."""

    def __init__(self, *does: str | Exception | None, connects: Iterable[Exception] = ()) -> None:
        self._does = list(does)
        self._connects = list(connects)

    def connect(self) -> None:
        if self._connects:
            raise self._connects.pop(0)

    def send(self, delivery: Delivery) -> str | None:
        done = self._does.pop(0)
        if isinstance(done, Exception):
            raise done
        return done


def told(sender: Sender, deliveries: int) -> list[tuple[str, ...]]:
    engine = Engine(deliveries=deliveries)
    connection.deliver(engine, sender, connection._explainer("/none"))  # type: ignore[arg-type]
    return engine.heard


def test_each_delivery_is_answered() -> None:
    sender = Scripted("201 Created", None)
    assert told(sender, 2) == [("ready",), ("delivered", "201 Created"), ("delivered", "")]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (RefusedForGood("never"), "refused_for_good"),
        (RefusedForNow("later"), "refused_for_now"),
        (NoReply("silence"), "no_reply"),
        (Credential("who are you"), "credential"),
    ],
)
def test_a_failure_is_told_and_the_connection_stays(failure: DeliveryFailed, kind: str) -> None:
    assert told(Scripted(failure, "sent"), 2) == [
        ("ready",),
        (kind, str(failure)),
        ("delivered", "sent"),
    ]


def test_a_lost_connection_is_made_again_before_anything_is_sent() -> None:
    sender = Scripted(Transport("reset"), "sent")
    assert told(sender, 2) == [
        ("ready",),
        ("transport", "reset"),
        ("not ready", "reset"),
        ("ready",),
        ("delivered", "sent"),
    ]


def test_while_the_partner_is_away_no_delivery_is_taken_and_the_waits_grow() -> None:
    sender = Scripted("sent", connects=[Transport("away"), ConnectionRefusedError(111, "x")])
    heard = told(sender, 1)
    assert heard == [
        ("not ready", "away"),
        ("wait", "0.5"),
        ("not ready", "ConnectionRefusedError: Connection refused"),
        ("wait", "1.0"),
        ("ready",),
        ("delivered", "sent"),
    ]


def test_the_end_comes_while_the_partner_is_away() -> None:
    heard = told(Scripted(connects=[Transport("away")] * 9), 1)
    assert [it[0] for it in heard].count("wait") == 4
    assert ("ready",) not in heard


def test_what_a_connector_raises_is_told_without_its_text() -> None:
    heard = told(Scripted(ValueError("SECRETNAME")), 1)
    (_, note) = heard[1]
    assert heard[1][0] == "transport"
    assert note.startswith("ValueError at test_connection:")
    assert note.endswith(" in send")
    assert "SECRETNAME" not in str(heard)


TIMER = """
from fastmllp_engine import Timer, inbound, router

inbound("IB", Timer(body="MSH|", run_once=True), router="r")

@router("r")
def route(msg):
    return []
"""
MINE = """
from fastmllp_engine import inbound, router
from fastmllp_engine.connectors import Connector, Receiver

class Mine(Connector):
    transport = "mine"

    def receiver(self, connection):
        return Receives()

class Receives(Receiver):
    def run(self, intake):
        receipt = intake.submit(part for part in (b"a", b"b"))
        intake.say(f"{receipt.message} {receipt.outcome}")
        try:
            intake.submit(b"full")
        except Exception as error:
            intake.say(f"{type(error).__name__} {error}")
        raise KeyError("SECRETNAME")

inbound("IB", Mine(), router="r")

@router("r")
def route(msg):
    return []
"""


def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, engine: Engine
) -> tuple[int, list[tuple[str, ...]]]:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "adt.py").write_text(code)
    native = SimpleNamespace(Connector=lambda: engine, NotStored=EngineRefuses)
    monkeypatch.setattr(connection, "_native", native)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    status = connection.serve(str(feeds), str(tmp_path / "data"), "1", None)
    return status, engine.heard


def test_a_connection_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, heard = served(tmp_path, monkeypatch, TIMER, Engine("IB", is_inbound=True))
    assert status == 0
    assert heard[:3] == [("hello",), ("stored", "MSH|"), ("wait", "3600.0")]
    assert (tmp_path / "data" / "connections" / "IB").stat().st_mode & 0o777 == 0o700


def test_a_receiver_hears_what_became_of_a_message_and_its_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, heard = served(tmp_path, monkeypatch, MINE, Engine("IB", is_inbound=True))
    assert status == 1
    assert heard == [
        ("hello",),
        ("stored", "ab"),
        ("warn", "3 duplicate"),
        ("warn", f"{NotStored.__name__} the disk is full"),
        ("error", "the connector has ended: KeyError at adt.py:19 in run"),
    ]


@pytest.mark.parametrize(
    ("code", "name", "why"),
    [
        ("from fastmllp_engine import inbund", "IB", 'fastmllp_engine has no "inbund"'),
        (TIMER, "OTHER", "KeyError"),
        (MINE.replace("return Receives()", "raise ValueError('SECRETNAME')"), "IB", "ValueError"),
    ],
)
def test_what_cannot_run_is_told_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, name: str, why: str
) -> None:
    status, heard = served(tmp_path, monkeypatch, code, Engine(name, is_inbound=True))
    assert status == 0
    ((kind, text),) = heard
    assert kind == "refuse"
    assert why in text
    assert "SECRETNAME" not in text
