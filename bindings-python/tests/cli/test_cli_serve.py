"""``fastmllp serve`` as a process."""

import re
import signal
import socket
import subprocess
import sys
from typing import BinaryIO

import pytest
from conftest import Run, Start
from peers import DEADLINE, Peer, framed, message, msa, wait_until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_after_everything_is_answered(program: Start, number: int) -> None:
    server = program()
    assert re.fullmatch(rb"listening 127\.0\.0\.1:[1-9][0-9]*\n", server.first_line)
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        peer.send(framed(message("B")) + framed(message("C")) + framed(message("CUT"))[:20])
        server.process.send_signal(number)
        frames = peer.receive_end().split(b"\x1c\r")
        assert [msa(frame[1:]) for frame in frames[:-1]] == [("AA", "B"), ("AA", "C")]
    out, err = server.process.communicate(timeout=DEADLINE)
    assert server.process.returncode == 0
    assert out == b"", "standard output holds more than the first line"
    assert b"Traceback" not in err


def test_message_sent_just_before_the_signal_is_answered(program: Start) -> None:
    server = program()
    with Peer.connect(server.address) as peer:
        peer.send(framed(message("A")))
        server.process.send_signal(signal.SIGTERM)
        assert peer.receive_msa() == ("AA", "A")
    assert server.stop()[0] == 0


def test_many_signals(program: Start) -> None:
    server = program()
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        for _ in range(20):
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGINT)
        assert peer.receive_end() == b""
    out, err = server.process.communicate(timeout=DEADLINE)
    assert (server.process.returncode, out) == (0, b"") and b"Traceback" not in err


# An object that is destroyed when the interpreter has taken its signal handlers down already.
LAST_BREATH = """
import os, sys
from fastmllp.cli import main

class Last:
    def __del__(self, write=os.write, read=os.read):
        write(1, b"exiting\\n")
        read(0, 1)

last = Last()
sys.exit(main(["serve", "--host", "127.0.0.1", "--port", "0"]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_during_the_exit(number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LAST_BREATH],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"listening ")
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == b"exiting\n"
        process.send_signal(number)
        _, err = process.communicate(b"x", timeout=DEADLINE)
    assert (process.returncode, err) == (0, b"")


def test_log_goes_to_standard_error(program: Start) -> None:
    server = program("--max-size", "1000")
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
        peer.send(b"\x0b" + b"x" * 1001)
        assert peer.receive_end() == b""
    status, out, err = server.stop()
    assert (status, out) == (0, b"")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    lines = err.decode().splitlines()
    assert all(re.match(rf"{stamp} (INFO|WARNING) event=\w+", line) for line in lines)
    assert re.search(
        r"WARNING event=frame_too_large connection=1 max_size=1000$", err.decode(), re.M
    )
    for event in ("connect", "message_received", "ack_sent", "disconnect"):
        assert f" INFO event={event} connection=1" in err.decode()


def test_quiet(program: Start) -> None:
    server = program("--quiet")
    with Peer.connect(server.address) as peer:
        peer.exchange("A")
    assert server.stop() == (0, b"", b"")


def test_timeout(program: Start) -> None:
    server = program("--timeout", "0.2")
    with Peer.connect(server.address) as peer:
        assert peer.receive_end() == b""
    assert b"event=idle_timeout connection=1" in server.stop()[2]


def test_standard_output_that_nobody_reads() -> None:
    """``fastmllp serve | true`` serves on."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    command = [sys.executable, "-m", "fastmllp", "serve", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "debug"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()

    def answers() -> bool:
        try:
            with Peer.connect(("127.0.0.1", port)) as peer:
                peer.exchange("A")
        except ConnectionRefusedError:
            return False
        return True

    try:
        wait_until(answers, "an answer")
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        err = process.stderr.read()
        process.stderr.close()
        status = process.wait(DEADLINE)
    assert status == 0 and b"Traceback" not in err and b"BrokenPipe" not in err


def test_standard_output_that_takes_nothing(full: BinaryIO) -> None:
    """Whoever waits for the port that was chosen would wait in vain."""
    command = [sys.executable, "-m", "fastmllp", "serve", "--host", "127.0.0.1", "--port", "0"]
    done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE)
    assert done.returncode == 1
    expected = b"fastmllp serve: cannot write to standard output: No space left on device\n"
    assert done.stderr == expected


def test_port_in_use(program: Start, run: Run) -> None:
    server = program()
    result = run("serve", "--host", "127.0.0.1", "--port", server.address[1])
    assert (result.returncode, result.stdout) == (1, b"")
    assert re.fullmatch(
        rb"fastmllp serve: cannot listen on 127\.0\.0\.1:\d+: .* in use\n", result.stderr
    )


def test_unknown_host(run: Run) -> None:
    result = run("serve", "--host", "no-such-host.invalid", "--port", "0")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"fastmllp serve: cannot listen on no-such-host.invalid:0: ")
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("peek",),
        ("serve", "--port", "x"),
        ("serve", "--port", "70000"),
        ("serve", "--timeout", "-1"),
        ("serve", "--timeout", "nan"),
        ("serve", "--max-size", "0"),
        ("serve", "extra"),
        ("send",),
        ("send", "--timeout", "soon", "-"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"usage: fastmllp" in result.stderr and b"Traceback" not in result.stderr


def test_version_and_help(run: Run) -> None:
    assert re.fullmatch(rb"fastmllp \d\S*\n", run("--version").stdout)
    for arguments in (("--help",), ("serve", "--help"), ("send", "--help")):
        result = run(*arguments)
        assert result.returncode == 0 and result.stdout.startswith(b"usage: fastmllp")
