"""``fastmllp serve --workers``: several processes, one port."""

import os
import re
import signal
from pathlib import Path

import pytest
from conftest import Program, Run, Start
from peers import DEADLINE, Peer, framed, message, wait_until
from platforms import can_share_a_port

pytestmark = can_share_a_port


def workers_of(server: Program) -> set[int]:
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    if not path.exists():
        pytest.skip("this system does not show the children of a process")
    return {int(word) for word in path.read_text().split()}


def is_gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"  # Ended, and its new parent has not looked yet.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_share_the_port_and_end_together(program: Start, number: int) -> None:
    server = program("--workers", "2")
    workers = workers_of(server)
    assert len(workers) == 2
    for _ in range(10):
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
    with Peer.connect(server.address) as peer:
        peer.exchange("B")
        peer.send(framed(message("C")))
        server.process.send_signal(number)
        assert peer.receive_msa() == ("AA", "C")
        assert peer.receive_end() == b""
    out, err = server.process.communicate(timeout=DEADLINE)
    assert (server.process.returncode, out) == (0, b"") and b"Traceback" not in err
    assert err.count(b"event=message_received") == 12 and b"worker_died" not in err
    assert all(is_gone(worker) for worker in workers)


def test_worker_that_dies_is_replaced(program: Start) -> None:
    server = program("--workers", "2")
    before = workers_of(server)
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: len(workers_of(server) - before) == 1, "a new worker")
    for _ in range(10):
        with Peer.connect(server.address) as peer:
            peer.exchange("A")
    status, _, err = server.stop()
    assert status == 0 and err.count(b"event=worker_died") == 1
    assert re.search(rb"event=worker_died process=%d status=-9" % min(before), err)


def test_workers_end_when_nobody_watches_them(program: Start) -> None:
    server = program("--workers", "2", "-q")
    workers = workers_of(server)
    server.process.kill()
    server.process.communicate(timeout=DEADLINE)  # They have its streams until they end.
    wait_until(lambda: all(map(is_gone, workers)), "the end of the workers")


def test_workers_save_to_one_folder(program: Start, tmp_path: Path) -> None:
    server = program("--workers", "3", "-q", "--save", str(tmp_path))
    for number in range(30):
        with Peer.connect(server.address) as peer:
            peer.exchange(str(number))
    assert server.stop()[0] == 0
    stored = {path.read_bytes() for path in tmp_path.iterdir()}
    assert stored == {message(str(number)) for number in range(30)}


def test_port_of_other_workers_is_not_shared(program: Start, run: Run) -> None:
    server = program("--workers", "2", "-q")
    options = ("--host", "127.0.0.1", "--port", server.address[1], "--workers", "2")
    result = run("serve", *options)
    assert (result.returncode, result.stdout) == (1, b"")
    assert re.fullmatch(
        rb"fastmllp serve: cannot listen on 127\.0\.0\.1:\d+: .* in use\n", result.stderr
    )
    assert server.stop()[0] == 0


def test_workers_and_metrics(run: Run) -> None:
    result = run("serve", "--port", "0", "--workers", "2", "--metrics-port", "1")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"[metrics] metrics_port needs [server] workers = 1" in result.stderr
