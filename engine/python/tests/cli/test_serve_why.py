"""`why` beside a process that serves: what its worker processes do with a message."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastmllp_engine.cli.client import Client
from partners import Partner, message, send
from running_engines import until
from serving import Server

FEEDS = """
import os
import signal
import time
from pathlib import Path

from fastmllp_engine import MLLP, Send, handler, inbound, outbound, router

HERE = Path("{here}")
if (HERE / "broken").exists():
    raise RuntimeError("broken")

inbound("IB_ADT", MLLP(port=0), router="adt")
outbound("OB_LAB", MLLP(host="127.0.0.1", port={port}))


@router("adt")
def route(msg):
    return ["to_lab"]


@handler("to_lab")
def to_lab(msg):
    dies = HERE / "dies"
    if dies.exists():
        dies.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    while not (HERE / "go on").exists():
        time.sleep(0.005)
    return Send("OB_LAB", msg)
"""


@pytest.fixture
def slow(feeds: Path, partner: Partner) -> Path:
    """A configuration whose handler waits, or kills its process once."""
    # Not beside the module: workers have a snapshot of the folder.
    text = FEEDS.replace("{port}", str(partner.port)).replace("{here}", str(feeds))
    (feeds / "adt.py").write_text(text)
    return feeds


def answer_of(client: Client, number: int, reason: str) -> dict[str, Any]:
    """The only answer, once its reason is this."""

    def answers() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.get(f"/messages/{number}/why")["answers"]
        return found

    (answer,) = until(answers, lambda it: [one["reason"] for one in it] == [reason])
    return answer


def finish(feeds: Path, client: Client, number: int) -> None:
    (feeds / "go on").touch()
    until(lambda: client.get(f"/messages/{number}")["disposition"], lambda it: it == "PROCESSED")


def test_a_handler_runs_since_and_others_are_behind_it(slow: Path, servers: list[Server]) -> None:
    servers.append(server := Server(str(slow)))
    port, client = server.port(), Client(slow / "data")
    send(port, [message("M1")])
    answer = until(lambda: answer_of(client, 1, "running"), lambda it: it["place"] == "to_lab")
    assert answer["at"] >= client.get("/messages/1")["received_at"]
    send(port, [message("M2"), message("M3")])
    behind = answer_of(client, 3, "behind")
    assert (behind["place"], behind["message"], behind["before"]) == ("to_lab", 1, 2)
    finish(slow, client, 3)


def test_a_message_whose_worker_died_runs_alone(slow: Path, servers: list[Server]) -> None:
    servers.append(server := Server(str(slow)))
    port, client = server.port(), Client(slow / "data")
    (slow / "dies").touch()
    send(port, [message("M1")])
    assert answer_of(client, 1, "runs_alone")["text"] == "its worker died, it runs alone next"
    finish(slow, client, 1)


def test_no_worker_can_be_started(
    slow: Path, servers: list[Server], children: Callable[[int], list[int]]
) -> None:
    servers.append(server := Server(str(slow)))
    port, client = server.port(), Client(slow / "data")
    (slow / "broken").touch()
    server_pid = client.get("/status")["engine"]["pid"]
    for pid in until(lambda: children(server_pid)):
        os.kill(pid, signal.SIGKILL)
    send(port, [message("M1")])
    # The first reason is that they were killed; the next one why there are no others.
    answer = until(
        lambda: answer_of(client, 1, "no_worker"), lambda it: "RuntimeError" in it["because"]
    )
    assert answer["at"]
    (slow / "broken").unlink()
    finish(slow, client, 1)


@pytest.fixture
def children() -> Callable[[int], list[int]]:
    """The processes that a process has started, by its number."""

    def found(pid: int) -> list[int]:
        tasks = Path(f"/proc/{pid}/task")
        if not tasks.is_dir():
            pytest.skip("processes cannot be listed here")
        return [
            int(it) for task in tasks.iterdir() for it in (task / "children").read_text().split()
        ]

    return found
