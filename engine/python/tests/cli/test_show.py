"""``show``: every fact of a journey, from the store."""

import re

import pytest
from fastmllp_engine import Message
from fastmllp_engine.api.serving import Api
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Outbound, RetryPolicy, Send
from partners import Partner, message
from running_engines import Feed, routes_to, sends_to, until
from shells import Shell

DAY = r"20\d\d-\d\d-\d\d"
TIME = r"\d\d:\d\d:\d\d\.\d{3}"


def changes_two_fields(msg: Message) -> Send:
    msg["MSH-5"] = "OB_LAB"
    msg["PV1-3.2"] = "12"
    return Send("OB_LAB", msg)


@pytest.fixture
def feed(feed: Feed, partner: Partner) -> Feed:
    """To a laboratory, changed, and to billing, unchanged."""
    lab = MLLP(host="127.0.0.1", port=partner.port)
    retry = RetryPolicy(backoff_seconds=0.05, max_backoff_seconds=0.05)
    feed.outbounds = [Outbound(name, lab, retry=retry) for name in ("OB_LAB", "OB_BILL")]
    feed.routers["adt"] = routes_to("to_lab", "to_bill")
    feed.handlers = {"to_lab": changes_two_fields, "to_bill": sends_to("OB_BILL")}
    return feed


def test_a_journey_has_every_fact(shell: Shell) -> None:
    shell.feed.send(message("M1"))
    shell.disposition(1, "PROCESSED")
    assert shell("show", "1") == 0
    expected = [
        r"1  ADT\^A08  control ID M1  IB_ADT  from 127\.0\.0\.1:\d+  96 bytes  session 1",
        "configuration 9c41e02",
        rf"{DAY} \(UTC\)",
        rf"{TIME}  received      IB_ADT",
        r"              stored, answered AA \(ACK control ID [0-9a-f]+\)",
        rf"{TIME}  routed        adt -> to_lab, to_bill",
        rf"{TIME}  transformed   to_lab -> OB_LAB \(2 fields differ: MSH-5, PV1-3.2\)",
        rf"{TIME}  transformed   to_bill -> OB_BILL \(unchanged\)",
        rf"{TIME}  delivered     OB_(LAB|BILL)  AA L1  \d+ ms",
        rf"{TIME}  delivered     OB_(LAB|BILL)  AA L1  \d+ ms",
        rf"PROCESSED {DAY} {TIME}Z",
    ]
    lines = shell.out.splitlines()
    assert len(lines) == len(expected), shell.out
    for line, one in zip(lines, expected, strict=True):
        assert re.fullmatch(one, line), (one, line)


def test_its_facts_are_fields_as_well(shell: Shell) -> None:
    shell.feed.send(message("M1"))
    shell.disposition(1, "PROCESSED")
    journey = shell.json("show", "1")
    assert re.fullmatch(r"127\.0\.0\.1:\d+", journey["message"]["origin"])
    assert (journey["configuration"], journey["answer"]) == ("9c41e02", "AA")
    assert journey["ack_control_id"]
    routed, lab, bill, *_ = journey["events"]
    assert (routed["router"], routed["to"]) == ("adt", ["to_lab", "to_bill"])
    assert (lab["connection"], lab["to"]) == ("to_lab", ["OB_LAB"])
    assert (lab["differs"], bill["differs"]) == ([["MSH-5", "PV1-3.2"]], [[]])


def test_a_control_id_that_more_than_one_message_has_lists_them(shell: Shell) -> None:
    shell.feed.send(message("M1"), message("M2"), message("M2", patient="2"))
    shell.disposition(3, "PROCESSED")
    assert shell("show", "M1") == 0
    assert shell.out.startswith("1  ADT^A08  control ID M1  IB_ADT")
    assert shell("show", "M2") == 0
    assert shell.out.startswith("2 messages have this control ID")
    assert [line.split()[0] for line in shell.out.splitlines()[2:]] == ["3", "2"]
    assert shell("show", "M9") == 1
    assert shell.error == 'fastmllp-engine: there is no message with control ID "M9"\n'
    assert shell("show", "99") == 1
    assert shell.error == "fastmllp-engine: there is no message 99\n"


def test_a_body_is_shown_only_if_it_is_asked_for(shell: Shell) -> None:
    shell.feed.send(message("M1"))
    assert shell("show", "1") == 0
    assert "SECRETNAME" not in shell.out
    assert shell("show", "1", "--show-phi") == 0
    assert "PID|1||1001||SECRETNAME^JANE" in shell.out.splitlines()


def test_what_has_expired_says_when(
    feed: Feed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.start()
    feed.send(message("M1"))
    feed.idle()
    monkeypatch.setattr("fastmllp_engine.runtime.building.days", lambda kept: 0)
    # A life begins with a pass over what is final.
    api = Api(feed.start())
    shell = Shell(feed, capsys)
    assert until(lambda: feed.engine.expired(1))
    for command in (["show", "1"], ["show", "1", "--show-phi"], ["why", "1"]):
        assert shell(*command) == 1
        assert re.fullmatch(rf"fastmllp-engine: message 1 expired on {DAY}\n", shell.error)
    # Its control ID is asked for by a sender who has the message still.
    gone = rf'the message with control ID "M1" expired on {DAY}\n'
    assert shell("show", "M1") == 1
    assert re.fullmatch(f"fastmllp-engine: {gone}", shell.error)
    assert shell("messages", "--control-id", "M1") == 1
    assert re.fullmatch(gone, shell.out)
    assert shell("show", "M2") == 1
    assert shell.error == 'fastmllp-engine: there is no message with control ID "M2"\n'
    api.close()
