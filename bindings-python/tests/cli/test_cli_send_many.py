"""``fastmllp send`` with many messages: repeated, in parallel, summed up."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import A, Archive, B, C, place
from conftest import Run, Serve
from fastmllp import Message
from fastmllp.cli.delivery import Agenda, Outcome
from fastmllp.cli.progress import progress
from fastmllp.cli.summary import Summary
from fastmllp.client.reply import ConnectError, NoReply, Reply
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed, message, not_before


def counts(line: str) -> list[int]:
    """Messages, accepted, refused, not delivered, not sent."""
    found = re.fullmatch(
        r"(\d+) messages in [\d.]+ s: (\d+) accepted, (\d+) refused, (\d+) not delivered,"
        r" (\d+) not sent",
        line,
    )
    assert found, line
    return [int(number) for number in found.groups()]


@contextlib.contextmanager
def sending(*arguments: object, **streams: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "fastmllp", "send", *(str(word) for word in arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=streams.get("stderr", subprocess.PIPE)
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)


def test_summary(serve: Serve, run: Run) -> None:
    result = run("send", *place(serve(Archive("B")).address), "-", stdin=A + B + C)
    lines = result.stdout.decode().splitlines()
    assert counts(lines[-1]) == [3, 2, 1, 0, 0]
    result = run("send", *place(serve().address), "-", stdin=A)
    assert b"accepted" not in result.stdout, "there is nothing to sum up"


def test_quiet(serve: Serve, run: Run) -> None:
    result = run("send", "--quiet", *place(serve(Archive("B")).address), "-", stdin=A + B + C)
    assert counts(result.stdout.decode().rstrip("\n")) == [3, 2, 1, 0, 0]
    assert (result.returncode, result.stderr) == (1, b"")


def test_summary_of_a_failure(run: Run) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A")))
        peer.receive_frame()
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server:
        result = run("send", *place(server.address), "--timeout", "0.3", "-", stdin=A + B + C)
        finished.set()
    assert result.returncode == 3
    assert counts(result.stdout.decode().splitlines()[-1]) == [3, 1, 0, 1, 1]
    expected = f"fastmllp send: -: message 2: 127.0.0.1:{server.address[1]} did not answer"
    assert result.stderr.decode().startswith(expected)
    assert result.stderr.endswith(b" (uncertain: the message may have arrived)\n")


def test_lines_of_json(serve: Serve, run: Run, tmp_path: Path) -> None:
    (tmp_path / "two").write_bytes(A + B)
    options = ("--json", *place(serve(Archive("B")).address))
    result = run("send", *options, tmp_path / "two")
    first, second, last = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["file"], first["number"]) == (str(tmp_path / "two"), 1)
    assert (first["code"], first["control_id"], first["accepted"]) == ("AA", "A", True)
    assert (second["number"], second["code"], second["accepted"]) == (2, "AE", False)
    assert "MSA|AE|B\n" in second["acknowledgment"] and second["milliseconds"] > 0
    summary = last["summary"]
    assert (summary["messages"], summary["accepted"], summary["refused"]) == (2, 1, 1)
    assert (summary["not_delivered"], summary["not_sent"]) == (0, 0)
    assert set(summary["round_trip_ms"]) == {"p50", "p90", "p99", "max"}
    assert summary["round_trip_ms"]["max"] == max(first["milliseconds"], second["milliseconds"])


def test_failure_in_json(run: Run) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()

    with ScriptedServer(script) as server:
        result = run("send", "--json", *place(server.address), "-", stdin=A)
    first, last = (json.loads(line) for line in result.stdout.splitlines())
    assert result.returncode == 3 and first["error"] == "connection_lost"
    assert (last["summary"]["not_delivered"], last["summary"]["round_trip_ms"]) == (1, None)


def test_nobody_listens_in_json(run: Run) -> None:
    result = run("send", "--json", "--port", "1", "--connections", "2", "-", stdin=A + B)
    (last,) = (json.loads(line) for line in result.stdout.splitlines())
    assert result.returncode == 3 and result.stderr.count(b"\n") == 1
    assert (last["summary"]["not_sent"], last["summary"]["not_delivered"]) == (2, 0)


def test_repeat_keeps_the_order(serve: Serve, run: Run) -> None:
    archive = Archive()
    result = run("send", *place(serve(archive).address), "--repeat", "3", "-", stdin=A + B)
    assert result.returncode == 0 and archive.payloads == [A, B] * 3


def test_connections_send_at_the_same_time(serve: Serve, run: Run) -> None:
    """Each of three messages is answered only when all three have arrived."""
    together = threading.Barrier(3)

    def handler(received: Message) -> None:
        together.wait(DEADLINE)

    server = serve(handler)
    result = run("send", *place(server.address), "--connections", "3", "-", stdin=A + B + C)
    assert result.returncode == 0, result.stderr
    assert {line for line in result.stdout.split() if line.startswith(b"MSA")} == {
        b"MSA|AA|A",
        b"MSA|AA|B",
        b"MSA|AA|C",
    }


def test_failure_on_one_connection_stops_all(run: Run) -> None:
    """The message that is on its way on the other connection is waited for."""

    class Pair(ScriptedServer):
        def _run(self, scripts: object) -> None:
            try:
                one = Peer(self._listener.accept()[0])
                other = Peer(self._listener.accept()[0])
                with one, other:
                    one.receive_frame()
                    other.receive_frame()
                    one.socket.close()
                    other.send(framed(acknowledgment("A")))
                    # It may have begun more before it was told.
                    while other.socket.recv(65536):
                        other.send(framed(acknowledgment("A")))
            except BaseException as failure:
                self.failures.put(failure)

    with Pair() as server:
        options = ("--connections", "2", "--repeat", "10000")
        result = run("send", "-q", *place(server.address), *options, "-", stdin=A)
    assert result.returncode == 3 and result.stderr.count(b"\n") == 1
    total, accepted, refused, failed, unsent = counts(result.stdout.decode().strip())
    assert (refused, failed) == (0, 1) and accepted >= 1 and unsent > 0
    assert total == accepted + failed + unsent == 10_000


def test_window(run: Run) -> None:
    """The answers come when all three messages are there, and in another order."""

    def script(peer: Peer) -> None:
        assert [peer.receive_frame() for _ in range(3)] == [A, B, C]
        for control_id, code in (("C", "AA"), ("A", "AE"), ("B", "AA")):
            peer.send(framed(acknowledgment(control_id, code)))
        assert peer.receive_end() == b""

    with ScriptedServer(script) as server:
        options = (*place(server.address), "--window", "3", "--json")
        result = run("send", *options, "-", stdin=A + B + C)
    assert (result.returncode, result.stderr) == (1, b"")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    codes = {row["number"]: (row["control_id"], row["code"]) for row in rows[:-1]}
    assert codes == {1: ("A", "AE"), 2: ("B", "AA"), 3: ("C", "AA")}


def test_messages_of_one_name_are_never_on_the_wire_together(run: Run) -> None:
    """Their replies could not be told apart. Those behind them wait, so that the order is kept."""

    def script(peer: Peer) -> None:
        for _ in range(2):
            assert peer.receive_frame() == A
            peer.socket.settimeout(0.1)
            with pytest.raises(TimeoutError):
                peer.receive_frame()
            peer.socket.settimeout(DEADLINE)
            peer.send(framed(acknowledgment("A")))
        assert [peer.receive_frame() for _ in range(3)] == [A, B, C]
        for control_id in ("B", "C", "A"):
            peer.send(framed(acknowledgment(control_id)))
        assert peer.receive_end() == b""

    with ScriptedServer(script) as server:
        options = ("-q", *place(server.address), "--window", "4")
        result = run("send", *options, "-", stdin=A * 3 + B + C)
    assert (result.returncode, result.stderr) == (0, b"")
    assert counts(result.stdout.decode().strip()) == [5, 5, 0, 0, 0]


def test_failure_in_a_window(run: Run) -> None:
    def script(peer: Peer) -> None:
        assert [peer.receive_frame(), peer.receive_frame()] == [A, B]
        peer.send(framed(acknowledgment("B")))
        # C takes the place of B; then the server is gone.
        assert peer.receive_frame() == C

    with ScriptedServer(script) as server:
        options = ("-q", *place(server.address), "--window", "2")
        result = run("send", *options, "-", stdin=A + B + C + message("D"))
    assert result.returncode == 3
    assert counts(result.stdout.decode().strip()) == [4, 1, 0, 2, 1]
    complaints = result.stderr.decode().splitlines()
    assert [line.split(": ")[2] for line in complaints] == ["message 1", "message 3"]


def test_windows_on_several_connections(serve: Serve, run: Run) -> None:
    archive = Archive("C7")
    messages = b"".join(message(f"C{number}") for number in range(20))
    options = ("-q", "--connections", "3", "--window", "4", "--repeat", "5")
    result = run("send", *options, *place(serve(archive).address), "-", stdin=messages)
    assert result.returncode == 1 and result.stderr == b""
    assert counts(result.stdout.decode().strip()) == [100, 95, 5, 0, 0]
    assert len(archive.payloads) == 100


def test_window_with_nobody_listening(run: Run) -> None:
    result = run("send", "--port", "1", "--window", "2", "-", stdin=A + B)
    assert result.returncode == 3
    assert counts(result.stdout.decode().strip()) == [2, 0, 0, 0, 2]
    expected = b"fastmllp send: cannot reach 127.0.0.1:1: Connection refused\n"
    assert result.stderr == expected


def test_rate(serve: Serve, run: Run) -> None:
    server = serve()
    rate = ("--rate", "20", "--repeat", "6")
    with not_before(0.25):
        result = run("send", "-q", *place(server.address), *rate, "-", stdin=A)
    assert result.returncode == 0


@pytest.mark.parametrize(
    "option",
    [
        ("--repeat", "0"),
        ("--connections", "x"),
        ("--window", "-1"),
        ("--window", "65"),
        ("--rate", "0"),
    ]
    + [("--rate", "nan"), ("--repeat", "1.5")],
)
def test_wrong_usage(run: Run, option: tuple[str, str]) -> None:
    result = run("send", *option, "-", stdin=A)
    assert (result.returncode, result.stdout) == (2, b"")
    assert f"argument {option[0]}: {option[0][2:]} ".encode() in result.stderr


def test_agenda_ends_and_stops() -> None:
    agenda = Agenda(2)
    assert [agenda.take(), agenda.take(), agenda.take()] == [0, 1, None]
    assert agenda.started == 2
    endless = Agenda(None, rate=0.001)
    assert endless.take() == 0
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(endless.take()))
    waiting.start()
    endless.stop()
    waiting.join(DEADLINE)
    assert taken == [None] and endless.started == 1


def test_agenda_has_its_time_from_the_first_message_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("fastmllp.cli.delivery.time", clock)
    agenda = Agenda(None, seconds=5)
    now = 1000.0  # However late the connection is there.
    assert (agenda.take(), agenda.began) == (0, 1000)
    now = 1004.9
    assert agenda.take() == 1
    late = agenda.reserve()
    now = 1005.0
    assert agenda.begin(late) is None and agenda.reserve() is None
    assert (agenda.began, agenda.started) == (1000, 2)


def test_percentiles_are_times_that_were_measured() -> None:
    summary = Summary()
    assert summary.round_trip() is None
    accepted = Reply(acknowledgment("A"), "AA", "A")
    for milliseconds in range(1, 101):
        summary.count(Outcome(0, milliseconds / 1000, accepted))
    assert summary.round_trip() == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
    summary.count(Outcome(0, 1.0, Reply(acknowledgment("A", "AE"), "AE", "A")))
    summary.count(Outcome(0, 1.0, error=NoReply("")))
    summary.count(Outcome(0, 1.0, error=ConnectError("")))
    assert (summary.accepted, summary.refused, summary.lost) == (100, 1, 1)


def test_progress_is_for_terminals_only(serve: Serve, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    (tmp_path / "two").write_bytes(A + B)
    options = (*place(serve().address), tmp_path / "two", "--repeat", "200")
    with sending(*options) as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (0, b"")
    master, slave = pty.openpty()
    with sending(*options, stderr=slave) as process:
        os.close(slave)
        shown = b""
        reader = threading.Thread(target=process.stdout.read)  # type: ignore[union-attr]
        reader.start()
        with contextlib.suppress(OSError):  # Linux ends a pseudo-terminal with EIO.
            while data := os.read(master, 65536):
                shown += data
        reader.join(DEADLINE)
        assert process.wait(DEADLINE) == 0
    os.close(master)
    assert b"400/400" in shown and b"messages" in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_without_rich_is_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr("fastmllp.cli.progress._LINE_SECONDS", 0.0)
    with progress("messages", 2) as advance:
        advance()
        advance()
    assert terminal.getvalue() == "1 of 2 messages\n2 of 2 messages\n"
