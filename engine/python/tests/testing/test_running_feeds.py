"""A configuration at work in a test, with partners that follow a script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastmllp_engine.testing import Feeds, NotSettled, RunningFeeds
from partners import message

FEED = """
from fastmllp_engine import MLLP, File, RetryPolicy, Send, handler, inbound, outbound, router

inbound("IB_ADT", MLLP(port=2600, tls=True, tls_cert_file="x", tls_key_file="x"), router="adt")
inbound("IB_FILE", File(directory="nowhere"), router="adt")
outbound(
    "OB_LAB", MLLP(host="lab.example", port=2601), retry=RetryPolicy(max_attempts=4), then="dead"
)
outbound("OB_FILE", File(directory="nowhere"))


@router("adt")
def route(msg):
    return ["to_all"] if msg["MSH-9.1"] == "ADT" else []


@handler("to_all")
def to_all(msg):
    return [Send("OB_LAB", msg), Send("OB_FILE", msg)]
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningFeeds]:
    (tmp_path / "adt.py").write_text(FEED)
    with Feeds(tmp_path).running() as running:
        yield running


def received(running: RunningFeeds, outbound: str) -> list[str]:
    return [(it.get("MSH-10") or b"").decode() for it in running.partners[outbound].messages]


def test_what_is_received_reaches_every_partner(running: RunningFeeds) -> None:
    assert running.send("IB_ADT", message("M1")) == "AA"
    assert running.send("IB_FILE", message("M2")) == "AA"
    assert running.send("IB_ADT", message("M3", kind="ORU^R01")) == "AA"
    running.settle()
    assert running.dispositions() == ["PROCESSED", "PROCESSED", "UNROUTED"]
    assert received(running, "OB_LAB") == received(running, "OB_FILE") == ["M1", "M2"]


def test_a_partner_that_refuses_is_tried_again_in_order(running: RunningFeeds) -> None:
    lab = running.partners["OB_LAB"]
    lab.next(2).reply("AE")
    for number in (1, 2):
        running.send("IB_ADT", message(f"M{number}"))
    running.settle()
    assert received(running, "OB_LAB") == ["M1", "M1", "M1", "M2"]
    assert running.dispositions() == ["PROCESSED", "PROCESSED"]


def test_what_is_refused_for_good_or_too_often_is_dead(running: RunningFeeds) -> None:
    lab = running.partners["OB_LAB"]
    lab.reply("AR")
    lab.next(4).reply("AE")
    for number in (1, 2, 3):
        running.send("IB_ADT", message(f"M{number}"))
    running.settle()
    assert running.dispositions() == ["ERROR", "ERROR", "PROCESSED"]
    assert received(running, "OB_LAB") == ["M1", "M2", "M2", "M2", "M2", "M3"]


@pytest.mark.parametrize("what", ["silence", "cut", "foreign"])
def test_what_is_no_answer_completes_nothing(running: RunningFeeds, what: str) -> None:
    getattr(running.partners["OB_LAB"], what)()
    running.send("IB_ADT", message("M1"))
    running.settle()
    assert received(running, "OB_LAB") == ["M1", "M1"]
    assert running.dispositions() == ["PROCESSED"]


def test_what_does_not_settle_says_what_it_waits_for(tmp_path: Path) -> None:
    (tmp_path / "adt.py").write_text(FEED.replace("max_attempts=4", 'max_attempts="forever"'))
    with Feeds(tmp_path).running() as running:
        running.partners["OB_LAB"].always.reply("AE")
        running.send("IB_ADT", message("M1"))
        with pytest.raises(NotSettled, match="OB_LAB") as caught:
            running.settle(0.3)
        assert "SECRETNAME" not in str(caught.value)


def test_what_listens_for_nothing_cannot_be_sent_to(running: RunningFeeds) -> None:
    with pytest.raises(KeyError, match="no inbound IB_NO"):
        running.send("IB_NO", message("M1"))
