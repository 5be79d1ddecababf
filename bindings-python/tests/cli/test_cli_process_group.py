"""Signals for the whole group of ``serve --workers``: Ctrl-C, and what a service manager sends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from peers import DEADLINE, Peer, framed, message
from platforms import can_share_a_port

pytestmark = can_share_a_port

# Says on standard output to whom a signal was passed on, and whose server was told to stop.
PROGRAM = """
import os, sys
from fastmllp.cli import main
from fastmllp.server import Server

kill, shutdown = os.kill, Server.shutdown

def telling_kill(process, number):
    kill(process, number)
    os.write(1, b"told %d\\n" % process)

def telling_shutdown(server):
    shutdown(server)
    os.write(1, b"stopping %d\\n" % os.getpid())

os.kill, Server.shutdown = telling_kill, telling_shutdown
Server.__exit__ = lambda server, *_: shutdown(server)  # What comes after the end is no signal.
sys.exit(main(sys.argv[1:]))
"""
# Holds a message until somebody has opened the other end.
HANDLER = """
import os

def hold(message):
    os.write(1, b"holding %d\\n" % os.getpid())
    open("gate", "rb").close()
"""


class Group:
    """The processes of ``serve --workers 2``, one of which holds a message."""

    def __init__(self, folder: Path) -> None:
        self._gate = folder / "gate"
        os.mkfifo(self._gate)
        (folder / "holding.py").write_text(HANDLER)
        options = ("serve", "holding:hold", "-q", "--workers", "2", "--host", "127.0.0.1")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *options, "--port", "0"],
            stdout=subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.lines: IO[bytes] = self.process.stdout

    def begin(self) -> None:
        """Wait until a worker holds a message."""
        self.peer = Peer.connect(("127.0.0.1", self._number_after(b"listening 127.0.0.1:")))
        self.peer.send(framed(message("A")))
        self.worker = self._number_after(b"holding ")
        self.stopping, self.told = (b"%s %d\n" % (it, self.worker) for it in (b"stopping", b"told"))

    def _number_after(self, words: bytes) -> int:
        while not (line := self.lines.readline()).startswith(words):
            assert line, f"the end, and nothing that begins with {words!r}"
        return int(line.removeprefix(words))

    def wait_for(self, *awaited: bytes) -> int:
        """Read until each of these lines has come; how often the worker was told to stop."""
        lines: list[bytes] = []
        while not set(awaited).issubset(lines):
            lines.append(self.lines.readline())
            assert lines[-1], f"the end, after {lines}"
        return lines.count(self.stopping)

    def tell(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def release(self) -> int:
        """Let the handler end; how often the worker was told to stop until its end."""
        self._gate.write_bytes(b"")
        out = self.lines.read()  # Until the end of the last process.
        self.process.wait(DEADLINE)
        return out.count(self.stopping)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path)
    try:
        made.begin()
        with made.peer:
            yield made
    finally:
        if made.process.poll() is None:
            made.tell(signal.SIGKILL)
            made.process.wait(DEADLINE)
        made.lines.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_for_the_group_is_one_signal(group: Group, number: int) -> None:
    group.tell(number)
    told = group.wait_for(group.stopping, group.told)
    # The worker has heard of it twice.
    told += group.release()
    assert group.peer.receive_msa() == ("AA", "A")
    assert (group.process.returncode, told) == (0, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_for_the_group_is_a_second_signal(group: Group, number: int) -> None:
    group.tell(number)
    group.wait_for(group.stopping, group.told)
    group.tell(number)
    group.wait_for(group.stopping)
    group.release()
    assert group.process.returncode == 0
