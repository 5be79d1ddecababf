"""Every route, over a real engine."""

import json
import os
import pwd
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmllp_engine.api import door
from fastmllp_engine.api.serving import Api
from fastmllp_engine.api.standing import health_of
from fastmllp_engine.cli.client import Client, Refused
from fastmllp_engine.connectors import MLLP
from fastmllp_engine.graph import Outbound
from partners import Partner, message
from running_engines import Feed, until

USER = pwd.getpwuid(os.getuid()).pw_name


class Asked:
    """An engine that is asked over its socket."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.api = Api(feed.start())
        self.client = Client(feed.data)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(path, body)

    def disposition(self, number: int) -> str:
        disposition: str = self.get(f"/messages/{number}")["disposition"]
        return disposition


@pytest.fixture
def asked(feed: Feed) -> Iterator[Asked]:
    asked = Asked(feed)
    yield asked
    asked.api.close()


def refusal(asked: Asked, path: str, **body: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        asked.post(path, **body) if body else asked.get(path)
    return caught.value.exit_status, caught.value.text


def stopped_by(asked: Asked) -> str:
    """Who has set what holds for the lane of OB_LAB."""
    lanes = asked.get("/status")["lanes"]
    (lane,) = [it for it in lanes if (it["stage"], it["name"]) == ("outbound", "OB_LAB")]
    by: str = lane["output"]["by"]
    return by


def test_the_document_is_the_committed_one(asked: Asked) -> None:
    document = asked.get("/openapi.json")
    committed = Path(__file__).parents[2] / "openapi.json"
    assert json.loads(committed.read_text()) == document, (
        "write it again: python -m fastmllp_engine.api.document > openapi.json"
    )


def test_no_answer_but_the_payload_has_the_payload(asked: Asked) -> None:
    asked.feed.send(message("M1"))
    until(lambda: asked.disposition(1), lambda it: it == "PROCESSED")
    for path in (
        "/status", "/connections", "/health", "/messages", "/messages/1", "/messages/1/journey",
        "/messages/expired?control_id=M1",
        "/messages/1/why", "/dead-letters", "/dead-letters/summary", "/held", "/held/summary",
        "/retention", "/metrics",
    ):  # fmt: skip
        assert b"SECRETNAME" not in asked.client.get_bytes(path)
    assert asked.client.get_bytes("/messages/1/payload") == message("M1")


def test_metrics_are_text_for_prometheus(asked: Asked) -> None:
    asked.feed.send(message("M1"))
    until(lambda: asked.disposition(1), lambda it: it == "PROCESSED")
    lines = asked.client.get_bytes("/metrics").decode().splitlines()
    assert 'fastmllp_received_total{connection="IB_ADT"} 1' in lines
    assert 'fastmllp_delivered_total{connection="OB_LAB"} 1' in lines
    assert 'fastmllp_lane_depth{stage="outbound",connection="OB_LAB"} 0' in lines
    assert lines[-1] == "# EOF"


def test_status_says_what_runs(asked: Asked) -> None:
    status = asked.get("/status")
    assert status["engine"]["configuration"] == "9c41e02"
    assert status["store"]["state"] == "writing"
    assert [(it["stage"], it["name"]) for it in status["lanes"]] == [
        ("ingress", "IB_ADT"),
        ("routed", "to_lab"),
        ("outbound", "OB_LAB"),
    ]


def test_connections_say_where_they_are(asked: Asked, partner: Partner) -> None:
    inbound, outbound = asked.get("/connections")
    assert inbound["address"] == f"127.0.0.1:{asked.feed.engine.address('IB_ADT')[1]}"
    assert (inbound["router"], inbound["lane"]["stage"]) == ("adt", "ingress")
    assert outbound["address"] == f"127.0.0.1:{partner.port}"


def test_messages_are_found_a_page_at_a_time(asked: Asked) -> None:
    asked.feed.send(*(message(f"M{number}", patient=f"P{number % 2}") for number in range(5)))
    page = asked.get("/messages", limit=2)
    assert [it["control_id"] for it in page["messages"]] == ["M4", "M3"]
    older = asked.get("/messages", before=page["next"], limit=100)
    assert [it["control_id"] for it in older["messages"]] == ["M2", "M1", "M0"]
    found = asked.get("/messages", field=["PID-3.1=P1"])
    assert [it["control_id"] for it in found["messages"]] == ["M3", "M1"]
    assert [it["id"] for it in asked.get("/messages", control_id="M2")["messages"]] == [3]
    received_at = page["messages"][0]["received_at"]
    assert asked.get("/messages", since=received_at + 60_000)["messages"] == []


def test_what_is_not_there_or_is_wrong_is_said(asked: Asked) -> None:
    assert refusal(asked, "/messages/99/why") == (1, "there is no message 99")
    assert refusal(asked, "/messages/99/payload") == (1, "there is no body of message 99")
    assert refusal(asked, "/messages?field=PID-3.1")[0] == 2
    assert refusal(asked, "/messages?limit=0")[0] == 2
    assert refusal(asked, "/dead-letters?after=x")[0] == 2
    status, text = refusal(asked, "/connections/OB_LAP/stop", because="x")
    assert (status, text) == (1, "there is no inbound, outbound or handler OB_LAP")
    assert refusal(asked, "/connections/OB_LAB/stop", becuase="x")[0] == 2


def test_an_operator_stops_pauses_and_starts_an_outbound(asked: Asked, partner: Partner) -> None:
    asked.post("/connections/OB_LAB/stop", because="maintenance")
    asked.feed.send(message("M1"))

    def reasons() -> list[str]:
        return [it["reason"] for it in asked.get("/messages/1/why")["answers"]]

    until(reasons, lambda it: it == ["stopped"])
    asked.post("/connections/OB_LAB/pause", because="maintenance")
    until(reasons, lambda it: it == ["paused"])
    (answer,) = asked.get("/messages/1/why")["answers"]
    assert (answer["by"], answer["because"]) == (USER, "maintenance")
    asked.post("/connections/OB_LAB/start")
    partner.wait_for(1)


def test_an_inbound_that_is_stopped_does_not_listen(asked: Asked) -> None:
    address = asked.feed.engine.address("IB_ADT")
    asked.post("/connections/IB_ADT/stop")

    def is_refused() -> bool:
        import socket

        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return True
        return False

    until(is_refused)
    asked.post("/connections/IB_ADT/start")
    until(lambda: not is_refused())


def test_dead_deliveries_are_counted_and_replayed_once(asked: Asked, partner: Partner) -> None:
    partner.code, partner.text = "AR", "unknown patient"
    asked.feed.send(message("M1"), message("M2"), message("M3"))
    summary = until(lambda: asked.get("/dead-letters/summary"), lambda it: it["total"] == 3)
    (group,) = summary["groups"]
    assert (group["outbound"], group["failure"]) == ("OB_LAB", "refused_for_good")
    assert group["control_ids"] == ["M1", "M2", "M3"]
    assert "unknown patient" in group["said"]
    page = asked.get("/dead-letters", limit=2)
    assert [it["control_id"] for it in page["deliveries"]] == ["M1", "M2"]
    rest = asked.get("/dead-letters", after=page["next"], limit=2)
    assert [it["control_id"] for it in rest["deliveries"]] == ["M3"]
    assert rest["next"] is None

    partner.code = "AA"
    preview = asked.post("/dead-letters/replay/preview", outbound="OB_LAB")
    assert (preview["total"], preview["newer"]) == (3, 0)
    wanted = {"outbound": "OB_LAB", "key": "k1"}
    assert asked.post("/dead-letters/replay", **wanted)["total"] == 3
    partner.wait_for(6)
    asked.feed.idle()
    assert asked.post("/dead-letters/replay", **wanted)["total"] == 3
    asked.feed.send(message("M4"))
    assert [it.split(b"|")[9] for it in partner.wait_for(7)[3:]] == [b"M1", b"M2", b"M3", b"M4"]


def test_who_has_asked_is_what_the_kernel_says(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "eve")
    status, text = refusal(asked, "/connections/OB_LAB/stop", by="eve")
    assert (status, "by" in text) == (2, True), text
    asked.post("/connections/OB_LAB/stop")
    assert stopped_by(asked) == USER


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_another_user_is_named(asked: Asked) -> None:
    data = asked.feed.data
    for folder in (data, *data.parents[:-2]):
        folder.chmod(0o755)
    (data / door.NAME).chmod(0o666)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            asked.post("/connections/OB_LAB/stop")
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert stopped_by(asked) == pwd.getpwuid(65534).pw_name


def test_messages_are_sent_again(asked: Asked, partner: Partner) -> None:
    asked.feed.send(message("M1"), message("M2"))
    partner.wait_for(2)
    asked.feed.idle()
    preview = asked.post("/messages/replay/preview", messages=[1])
    assert preview["total"] == 1
    asked.post("/messages/replay", messages=[1], key="k")
    assert partner.wait_for(3)[2] == message("M1")


def test_held_deliveries_are_released_or_cancelled(feed: Feed, partner: Partner) -> None:
    feed.outbounds[0] = Outbound("OB_LAB", MLLP(host="127.0.0.1", port=partner.port), then="held")
    partner.code = "AR"
    asked = Asked(feed)
    feed.send(message("M1"), message("M2"))
    until(lambda: asked.get("/held/summary")["total"], lambda it: it == 2)
    partner.code = "AA"
    job = {"because": "the patient is known now"}
    assert asked.post("/held/release", messages=[1], key="a", **job)["done"] == 1
    partner.wait_for(3)
    assert asked.post("/held/cancel", messages=[2], key="b", **job)["done"] == 1
    until(lambda: asked.disposition(2), lambda it: it == "ERROR")
    asked.api.close()


def test_what_a_lane_holds_that_is_gone_is_moved(feed: Feed, partner: Partner) -> None:
    feed.outbounds.append(Outbound("OB_OLD", MLLP(host="127.0.0.1", port=1)))
    feed.handlers["to_lab"] = lambda payload: _sent("OB_OLD", payload)
    feed.start()
    feed.send(message("M1"))
    until(lambda: feed.engine.why(1).answers, lambda it: it[0].place == "OB_OLD")
    del feed.outbounds[1]
    feed.handlers["to_lab"] = lambda payload: _sent("OB_LAB", payload)
    asked = Asked(feed)
    assert asked.get("/messages/1/why")["answers"][0]["reason"] == "orphaned"
    assert asked.get("/health")["problems"] == ["OB_OLD: no longer configured, and holds 1"]
    moved = asked.post("/lanes/move", stage="outbound", name="OB_OLD", to="OB_LAB")
    assert moved == {"count": 1}
    partner.wait_for(1)
    asked.api.close()


def _sent(to: str, payload: bytes) -> Any:
    from fastmllp_engine.graph import Send

    return Send(to, payload)


def test_verify_proves_the_store(asked: Asked) -> None:
    asked.feed.send(message("M1"))
    until(lambda: asked.disposition(1), lambda it: it == "PROCESSED")
    verified = asked.client.post("/verify")
    assert (verified["received"], verified["findings"]) == (1, [])
    assert verified["dispositions"] == {"PROCESSED": 1}


def test_the_engine_that_stops_says_so(asked: Asked) -> None:
    assert asked.feed.running is not None
    asked.get("/status")
    asked.feed.running.is_stopping = True
    assert refusal(asked, "/status") == (3, "the engine stops")


def test_a_client_that_dies_in_the_middle_disturbs_nobody(asked: Asked) -> None:
    for _ in range(20):
        dying = door.connect(asked.feed.data, 10)
        dying.sendall(b"POST /verify HTTP/1.1\r\nHost: engine\r\nContent-Length: 100\r\n\r\n{")
        dying.close()
    assert asked.get("/health")["status"] == "ok"
    assert asked.feed.send(message("M1")) == [b"AA"]


def test_many_ask_at_once_while_messages_pass(asked: Asked, partner: Partner) -> None:
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                asked.get("/status")
                asked.get("/messages")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    codes = asked.feed.send(*(message(f"M{number}") for number in range(50)))
    for thread in threads:
        thread.join()
    assert (codes, failures) == ([b"AA"] * 50, [])
    partner.wait_for(50)


def test_health_says_what_is_in_the_way(feed: Feed, partner: Partner) -> None:
    partner.close()
    running = feed.start()
    assert health_of(running).status == "ok"
    feed.send(message("M1"))
    problems = until(lambda: health_of(running).problems)
    assert len(problems) == 1 and problems[0].startswith("OB_LAB: not connected")
