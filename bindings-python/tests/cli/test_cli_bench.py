"""``fastmllp bench`` as a process."""

import json
import re
import signal
import subprocess
import sys
import threading

import pytest
from conftest import Run, Serve
from fastmllp import Message
from peers import DEADLINE, Peer, ScriptedServer


class Audience:
    """A handler that keeps lengths and control IDs, and answers with one code."""

    def __init__(self, code: str = "AA") -> None:
        self.code = code
        self.lengths: list[int] = []
        self.control_ids: set[bytes] = set()
        self.arrived = threading.Event()

    def __call__(self, message: Message) -> str:
        self.lengths.append(len(message))
        self.control_ids.add(message.header.message_control_id)
        self.arrived.set()
        return self.code


def place(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def test_own_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's settings get in its way."""
    monkeypatch.setenv("FASTMLLP_SERVER_PORT", "1")
    monkeypatch.setenv("FASTMLLP_CLIENT_PORT", "1")
    result = run("bench", "--seconds", "0.3", "--connections", "2", "--json")
    assert (result.returncode, result.stderr) == (0, b"")
    shown = json.loads(result.stdout)
    assert shown["address"].startswith("127.0.0.1:") and shown["connections"] == 2
    assert shown["accepted"] == shown["messages"] > 0 == shown["not_delivered"]
    assert shown["per_second"] > 0 and shown["seconds"] >= 0.3
    times = shown["round_trip_ms"]
    assert 0 < times["p50"] <= times["p90"] <= times["p99"] <= times["max"]


def test_table(run: Run) -> None:
    result = run("bench", "--seconds", "0.2")
    rows = dict(re.split(r"  +", line) for line in result.stdout.decode().splitlines())
    assert rows["connections, window"] == "4, 1" and rows["payload"] == "400 bytes"
    assert float(rows["messages/s"]) > 0 and rows["round trip p99"].endswith(" ms")


@pytest.mark.parametrize("window", [1, 8])
def test_server_at_an_address(serve: Serve, run: Run, window: int) -> None:
    audience = Audience()
    options = ("--address", place(serve(audience).address), "--seconds", "0.3", "--size", "777")
    result = run("bench", *options, "--window", window, "--json")
    assert (result.returncode, result.stderr) == (0, b"")
    shown = json.loads(result.stdout)
    assert shown["messages"] == len(audience.lengths) and set(audience.lengths) == {777}
    assert len(audience.control_ids) == min(1000, len(audience.lengths))


@pytest.mark.parametrize("window", [1, 8])
def test_one_message_at_least_however_short_the_time(serve: Serve, run: Run, window: int) -> None:
    """The time begins with the first message, not before there is a connection for it."""
    audience = Audience()
    options = ("--address", place(serve(audience).address), "--seconds", "1e-9")
    result = run("bench", *options, "--window", window, "--connections", "1", "--json")
    assert (result.returncode, result.stderr) == (0, b"")
    assert json.loads(result.stdout)["accepted"] == len(audience.lengths) >= 1


def test_refused(serve: Serve, run: Run) -> None:
    server = serve(Audience("AE"))
    options = ("--address", place(server.address), "--seconds", "0.1", "--json")
    result = run("bench", *options)
    shown = json.loads(result.stdout)
    assert result.returncode == 1 and shown["refused"] == shown["messages"] > shown["accepted"] == 0


def test_nobody_listens(run: Run) -> None:
    result = run("bench", "--address", "127.0.0.1:1", "--json")
    assert result.returncode == 3 and json.loads(result.stdout)["messages"] == 0
    assert result.stderr == b"fastmllp bench: cannot reach 127.0.0.1:1: Connection refused\n"


def test_server_that_leaves(run: Run) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()

    with ScriptedServer(script) as server:
        options = ("--address", place(server.address), "--connections", "1", "--json")
        result = run("bench", *options)
    assert result.returncode == 3 and json.loads(result.stdout)["not_delivered"] == 1
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_shows_what_was_measured(serve: Serve, number: int) -> None:
    audience = Audience()
    options = ("--address", place(serve(audience).address), "--seconds", "1000", "--json")
    command = [sys.executable, "-m", "fastmllp", "bench", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert audience.arrived.wait(DEADLINE)
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130 and err.startswith(b"fastmllp bench: waiting for the answers")
    assert json.loads(out)["messages"] == len(audience.lengths)


def test_own_server_ends_with_it(run: Run) -> None:
    result = run("bench", "--seconds", "0.1", "--json")
    host, _, port = json.loads(result.stdout)["address"].rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        Peer.connect((host, int(port)))


@pytest.mark.parametrize(
    "options",
    [("--address", "nowhere"), ("--address", ":1"), ("--address", "a:70000"), ("--size", "10")]
    + [("--seconds", "0"), ("--window", "65"), ("--connections", "0"), ("extra",)],
)
def test_wrong_usage(run: Run, options: tuple[str, ...]) -> None:
    result = run("bench", *options)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"usage: fastmllp" in result.stderr and result.stderr.count(b"error: ") == 1
