"""``fastmllp send`` as a process."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
from commands import A, Archive, B, C, place
from conftest import Run, Serve
from peers import DEADLINE, Peer, ScriptedServer, acknowledgment, framed


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_files_with_several_messages(serve: Serve, run: Run, tmp_path: Path, end: bytes) -> None:
    archive = Archive()
    server = serve(archive)
    (tmp_path / "one.hl7").write_bytes((A + B).replace(b"\r", end))
    (tmp_path / "two.hl7").write_bytes(C.replace(b"\r", end))
    result = run("send", *place(server.address), tmp_path / "one.hl7", tmp_path / "two.hl7")
    assert (result.returncode, result.stderr) == (0, b"")
    assert archive.payloads == [A, B, C]
    lines = result.stdout.decode().splitlines()
    assert [line for line in lines if line.startswith("MSA")] == [
        "MSA|AA|A",
        "MSA|AA|B",
        "MSA|AA|C",
    ]
    assert sum(line.startswith("MSH|^~\\&|RECEIVER|RFAC|SENDER|SFAC|") for line in lines) == 3


def test_standard_input(serve: Serve, run: Run) -> None:
    archive = Archive()
    result = run("send", *place(serve(archive).address), "-", stdin=A.replace(b"\r", b"\n"))
    assert result.returncode == 0 and archive.payloads == [A]


def test_capture_is_sent_as_it_is(serve: Serve, run: Run, tmp_path: Path) -> None:
    archive = Archive()
    lines = b"MSH|^~\\&|A\nPID|1\r\n"
    (tmp_path / "capture").write_bytes(framed(A) + framed(lines) + b"\n" + framed(B))
    result = run("send", *place(serve(archive).address), tmp_path / "capture")
    assert result.returncode == 0 and archive.payloads == [A, lines, B]


def test_bytes_are_not_decoded(serve: Serve, run: Run, tmp_path: Path) -> None:
    archive = Archive()
    payload = A.replace(b"EVE", b"M\xfcller \x95\x5c")
    (tmp_path / "latin").write_bytes(payload)
    result = run("send", *place(serve(archive).address), tmp_path / "latin")
    assert result.returncode == 0 and archive.payloads == [payload]


def test_negative_acknowledgment(serve: Serve, run: Run, tmp_path: Path) -> None:
    archive = Archive("B")
    (tmp_path / "three").write_bytes(A + B + C)
    result = run("send", *place(serve(archive).address), tmp_path / "three")
    assert result.returncode == 1
    assert archive.payloads == [A, B, C], "the messages behind the refused one were not sent"
    assert b"MSA|AE|B\n" in result.stdout and b"MSA|AA|C\n" in result.stdout


def test_nobody_listens(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    result = run("send", *place(address), "-", stdin=A)
    assert (result.returncode, result.stdout) == (3, b"")
    expected = f"fastmllp send: cannot reach 127.0.0.1:{address[1]}: Connection refused\n"
    assert result.stderr.decode() == expected


def test_unknown_host(run: Run) -> None:
    result = run("send", "--host", "no-such-host.invalid", "-", stdin=A)
    assert (result.returncode, result.stdout) == (3, b"")
    assert result.stderr.startswith(b"fastmllp send: cannot reach no-such-host.invalid:2575: ")
    assert result.stderr.count(b"\n") == 1


def test_no_answer_in_time(run: Run) -> None:
    finished = threading.Event()

    def script(peer: Peer) -> None:
        assert peer.receive_frame() == A
        peer.send(framed(acknowledgment("A")))
        assert peer.receive_frame() == B
        assert finished.wait(DEADLINE)

    with ScriptedServer(script) as server:
        result = run("send", *place(server.address), "--timeout", "0.3", "-", stdin=A + B + C)
        finished.set()
    assert result.returncode == 3
    assert b"MSA|AA|A\n" in result.stdout
    assert b"did not answer within 0.3 s" in result.stderr and result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", ["no-such-file.hl7", "."])
def test_file_that_cannot_be_read(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    result = run("send", "--port", "1", path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"fastmllp send: cannot read {path}: ".encode())
    assert result.stderr.count(b"\n") == 1


def test_file_without_a_message_stops_everything(serve: Serve, run: Run, tmp_path: Path) -> None:
    archive = Archive()
    (tmp_path / "good").write_bytes(A)
    (tmp_path / "empty").write_bytes(b"\n")
    result = run("send", *place(serve(archive).address), tmp_path / "good", tmp_path / "empty")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.decode() == f"fastmllp send: {tmp_path / 'empty'}: holds no message\n"
    assert not archive.payloads


def test_max_size(run: Run) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A").ljust(2000, b"x")))

    with ScriptedServer(script) as server:
        result = run("send", *place(server.address), "--max-size", "1000", "-", stdin=A)
    assert result.returncode == 3 and b"above 1000 bytes" in result.stderr


def test_acknowledgment_cannot_steer_the_terminal(run: Run) -> None:
    def script(peer: Peer) -> None:
        peer.receive_frame()
        peer.send(framed(acknowledgment("A") + b"ZZZ|\x1b[2J\x07|M\xfcller\r"))

    with ScriptedServer(script) as server:
        result = run("send", *place(server.address), "-", stdin=A)
    assert result.returncode == 0
    assert "ZZZ|\\x1b[2J\\x07|Müller\n" in result.stdout.decode()


def test_standard_output_that_nobody_reads(serve: Serve) -> None:
    """``fastmllp send ... | true``: every message goes out, and the exit status tells the truth."""
    archive = Archive("B")
    command = [sys.executable, "-m", "fastmllp", "send", *place(serve(archive).address), "-"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(A + B + C, timeout=DEADLINE)
    assert (process.returncode, err) == (1, b"")
    assert archive.payloads == [A, B, C]


@pytest.mark.parametrize(("refused", "status"), [("", 0), ("B", 1)])
def test_standard_output_that_takes_nothing(
    serve: Serve, full: BinaryIO, refused: str, status: int
) -> None:
    """``fastmllp send ... > file`` on a full disk: told once, and all the rest as ever."""
    archive = Archive(refused)
    command = [sys.executable, "-m", "fastmllp", "send", *place(serve(archive).address), "-"]
    done = subprocess.run(
        command, input=A + B + C, stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE
    )
    expected = b"fastmllp send: cannot print acknowledgments, sending goes on: No space left"
    assert done.stderr.startswith(expected) and done.stderr.count(b"\n") == 1
    assert done.returncode == status
    assert archive.payloads == [A, B, C]


def test_standard_error_that_takes_nothing(serve: Serve, full: BinaryIO) -> None:
    archive = Archive("B")
    command = [sys.executable, "-m", "fastmllp", "send", *place(serve(archive).address), "-"]
    done = subprocess.run(command, input=A + B, stdout=full, stderr=full, timeout=DEADLINE)
    assert done.returncode == 1 and archive.payloads == [A, B]
    done = subprocess.run(command, input=b"none", stdout=full, stderr=full, timeout=DEADLINE)
    assert done.returncode == 2


def closing(descriptor: int, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a shell's ``<&-`` or ``>&-``."""
    code = (
        "import os, sys; os.close(int(sys.argv[1]));"
        "os.execv(sys.executable, [sys.executable, '-m', 'fastmllp', *sys.argv[2:]])"
    )
    command = [sys.executable, "-c", code, str(descriptor), *arguments]
    return subprocess.run(command, input=A, capture_output=True, timeout=DEADLINE)


def test_standard_input_that_is_closed() -> None:
    done = closing(0, "send", "--port", "1", "-")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"fastmllp send: cannot read -: standard input is closed\n"


def test_standard_output_or_error_that_is_closed(serve: Serve, tmp_path: Path) -> None:
    archive = Archive("A")
    address = place(serve(archive).address)
    done = closing(1, "send", *address, "-")
    assert (done.returncode, done.stderr) == (1, b"") and archive.payloads == [A]
    # A complaint must not get among the acknowledgments.
    done = closing(2, "send", *address, str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (2, b"")


def test_message_that_asks_for_no_answer(serve: Serve, run: Run) -> None:
    silent = A[: A.index(b"\r")] + b"|||NE|NE" + A[A.index(b"\r") :]
    server = serve(policy="conformant")
    result = run("send", "--json", *place(server.address), "-", stdin=silent)
    row, summary = (json.loads(line) for line in result.stdout.splitlines())
    assert result.returncode == 0 and result.stderr == b""
    assert (row["fate"], row["accepted"], row["acknowledgment"]) == ("unasked", True, "")
    assert summary["summary"]["unasked"] == 1
