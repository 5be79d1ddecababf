"""Inbounds that handlers send to, in a process that serves: workers, status, pause and pictures."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastmllp_engine.cli.client import Client
from fastmllp_engine.graph import load, run
from partners import Partner, message, send
from running_engines import until
from serving import Server

FEEDS = """
from fastmllp_engine import MLLP, Loopback, PassThrough, Send, handler, inbound, outbound, router

inbound("IB_ADT", MLLP(port=0, encoding="latin-1"), router="adt")
inbound("IB_HOP", {kind}(), router="again")
outbound("OB_LAB", MLLP(host="127.0.0.1", port={port}))


@router("adt")
def adt(msg):
    return "to_hop"


@handler("to_hop")
def to_hop(msg):
    msg["PV1-3.1"] = "W\\u00e9"
    return Send("IB_HOP", msg)


@router("again")
def again(msg):
    return "to_lab" if msg["PV1-3.1"] == "W\\u00e9" else None


@handler("to_lab")
def to_lab(msg):
    msg["MSH-5"] = msg["PV1-3.1"]
    return Send("OB_LAB", msg)
"""


@pytest.fixture(params=["PassThrough", "Loopback"])
def hops(feeds: Path, partner: Partner, request: pytest.FixtureRequest) -> Path:
    (feeds / "adt.py").write_text(
        FEEDS.replace("{kind}", request.param).replace("{port}", str(partner.port))
    )
    return feeds


def asked(feeds: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "fastmllp_engine", *arguments, "--data", str(feeds / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lane(client: Client) -> dict[str, Any]:
    (found,) = (it for it in client.get("/status")["lanes"] if it["name"] == "IB_HOP")
    return dict(found)


def test_it_is_routed_again_in_the_character_set_that_it_came_in(
    hops: Path, servers: list[Server], partner: Partner
) -> None:
    servers.append(server := Server(str(hops)))
    port, client = server.port(), Client(hops / "data")
    send(port, [message("M1")])
    (received,) = partner.wait_for(1)
    assert b"|W\xe9|" in received.split(b"\r")[0]
    until(lambda: client.get("/messages/1")["disposition"], lambda it: it == "PROCESSED")
    told = asked(hops, "show", "1")
    assert "transformed   to_hop -> IB_HOP" in told
    assert "routed        again -> to_lab  at IB_HOP" in told
    events = client.get("/messages/1/journey")["events"]
    (again,) = (it for it in events if it["kind"] == "routed" and it["connection"])
    assert (again["connection"], again["to"]) == ("IB_HOP", ["to_lab"])
    # What a dry run says is what the engine did.
    registry = load(str(hops), variables={})
    made = run(registry, registry.inbounds["IB_ADT"], message("M1"))
    assert [(it.to, it.payload) for it in made.sent] == [("OB_LAB", received)]
    assert [it.router for it in made.routed] == ["adt", "again"]
    assert made.disposition == "PROCESSED"


def test_a_pause_holds_what_handlers_send_and_a_start_lets_it_go(
    hops: Path, servers: list[Server], partner: Partner
) -> None:
    servers.append(server := Server(str(hops)))
    port, client = server.port(), Client(hops / "data")
    asked(hops, "pause", "IB_HOP", "--because", "look at it first")
    send(port, [message("M1"), message("M2")])
    until(lambda: lane(client)["depth"], lambda it: it == 2)
    (answer,) = client.get("/messages/2/why")["answers"]
    assert (answer["place"], answer["reason"]) == ("IB_HOP", "paused")
    assert "look at it first" in asked(hops, "status")
    assert partner.received == []
    asked(hops, "start", "IB_HOP", "--because", "looked at")
    received = partner.wait_for(2)
    assert [it.split(b"|")[9] for it in received] == [b"M1", b"M2"]


def test_one_that_does_not_start_by_itself_holds_what_handlers_send(
    hops: Path, servers: list[Server]
) -> None:
    feed = hops / "adt.py"
    feed.write_text(feed.read_text().replace('router="again"', 'router="again", auto_start=False'))
    servers.append(server := Server(str(hops)))
    port, client = server.port(), Client(hops / "data")
    send(port, [message("M1")])
    until(lambda: lane(client)["depth"], lambda it: it == 1)
    assert lane(client)["output"]["flow"] == "stopped"


def test_one_that_vanishes_while_it_holds_something_refuses_the_reload(
    hops: Path, servers: list[Server], partner: Partner
) -> None:
    servers.append(server := Server(str(hops)))
    port, client = server.port(), Client(hops / "data")
    asked(hops, "pause", "IB_HOP", "--because", "before the change")
    send(port, [message("M1")])
    until(lambda: lane(client)["depth"], lambda it: it == 1)
    feed = hops / "adt.py"
    feed.write_text(feed.read_text().replace("IB_HOP", "IB_NEW"))
    command = [sys.executable, "-m", "fastmllp_engine", "reload", "--data", str(hops / "data")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    text = "inbound IB_HOP is no longer configured, and 1 message waits in its lane"
    assert text in refused.stderr
    assert refused.returncode != 0
    asked(hops, "reload", "--move", "IB_HOP=IB_NEW", "--because", "it has another name")
    (received,) = partner.wait_for(1)
    assert received.split(b"|")[9] == b"M1"
