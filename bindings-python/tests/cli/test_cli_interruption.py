"""``fastmllp send`` that is interrupted by a signal."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import A, B, C, place
from fastmllp.cli.signals import HANG_UP
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed
from test_cli_send_many import counts, sending

STOPPING = b"fastmllp send: waiting for the answers on their way, interrupt again to give up\n"


# Whoever runs the tests by nohup has SIGHUP ignored, here and in what is started here.
INTERRUPTIONS = [
    number
    for number in (signal.SIGINT, signal.SIGTERM, *HANG_UP)
    if signal.getsignal(number) != signal.SIG_IGN
]


@pytest.mark.parametrize("number", INTERRUPTIONS)
def test_interruption_waits_for_the_answer_that_is_on_its_way(tmp_path: Path, number: int) -> None:
    arrived, interrupted = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == A
        peer.send(framed(acknowledgment("A")))
        assert peer.receive_frame() == B
        arrived.set()
        assert interrupted.wait(DEADLINE)
        peer.send(framed(acknowledgment("B")))
        assert peer.receive_end() == b"", "something was sent after the interruption"

    (tmp_path / "three").write_bytes(A + B + C)
    with ScriptedServer(script) as server:
        with sending(*place(server.address), tmp_path / "three") as process:
            assert arrived.wait(DEADLINE)
            process.send_signal(number)
            assert process.stderr is not None
            assert process.stderr.readline() == STOPPING
            interrupted.set()
            out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (130, b"")
    assert b"MSA|AA|B" in out and counts(out.decode().splitlines()[-1]) == [3, 2, 0, 0, 1]


@pytest.mark.parametrize("number", INTERRUPTIONS)
def test_second_interruption_waits_for_nothing(tmp_path: Path, number: int) -> None:
    arrived, gone = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        arrived.set()
        assert gone.wait(DEADLINE)

    (tmp_path / "two").write_bytes(A + B)
    with ScriptedServer(script) as server:
        options = ("--timeout", "0", "-q", *place(server.address))
        with sending(*options, tmp_path / "two") as process:
            assert arrived.wait(DEADLINE)
            while process.poll() is None:
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            out, err = process.communicate(timeout=DEADLINE)
            gone.set()
    assert (process.returncode, err) == (130, STOPPING)
    assert counts(out.decode().strip()) == [2, 0, 0, 1, 1]


@pytest.mark.parametrize("number", INTERRUPTIONS)
def test_interruption_before_anything_is_sent(tmp_path: Path, number: int) -> None:
    """While the messages are read: the second file is a pipe into which nothing is written."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    with sending("--port", "1", tmp_path / "pipe") as process:
        with open(tmp_path / "pipe", "wb"):  # Returns when the command reads.
            process.send_signal(number)
            out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.skipif(not HANG_UP, reason="this system has no SIGHUP")
def test_a_closed_terminal_is_nothing_to_a_program_of_nohup(tmp_path: Path) -> None:
    arrived, hung_up = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.receive_frame()
        arrived.set()
        assert hung_up.wait(DEADLINE)
        peer.send(framed(acknowledgment("A")))

    (tmp_path / "one").write_bytes(A)
    with ScriptedServer(script) as server:
        command = ["nohup", sys.executable, "-m", "fastmllp", "send", "-q", *place(server.address)]
        with subprocess.Popen([*command, tmp_path / "one"], stdin=subprocess.DEVNULL) as process:
            assert arrived.wait(DEADLINE)
            process.send_signal(HANG_UP[0])
            hung_up.set()
            assert process.wait(DEADLINE) == 0
