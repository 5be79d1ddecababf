"""Files that commands are given: what stops them before the first message, and what is noted."""

import json
import os
from pathlib import Path

import pytest
from conftest import Run, Serve
from fastmllp import Message
from peers import framed, message

A, B, C = message("A"), message("B"), message("C")
LONG = message("C" * 257)
BATCH = b"BHS|^~\\&|LAB\r" + A + B + b"BTS|3\r"


class Archive:
    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def __call__(self, message: Message) -> None:
        self.payloads.append(message.payload)


class Sender:
    """``fastmllp send`` to a server that keeps what it gets."""

    def __init__(self, serve: Serve, run: Run) -> None:
        self._run = run
        self.archive = Archive()
        host, port = serve(self.archive).address
        self._place = ("--host", host, "--port", port)

    def __call__(self, *arguments: object, stdin: bytes = b"") -> tuple[int, str]:
        result = self._run("send", "--quiet", *self._place, *arguments, stdin=stdin)
        return result.returncode, result.stderr.decode()


@pytest.fixture
def send(serve: Serve, run: Run) -> Sender:
    return Sender(serve, run)


def test_word_that_looks_like_a_header(send: Sender) -> None:
    data = A + b"MSH Toronto on request\rOBX|2|NM|GLU||5.4\r"
    status, errors = send("-", stdin=data + B)
    assert status == 0 and send.archive.payloads == [data, B]
    assert errors == (
        "fastmllp send: -: line 3 begins with MSH, but is not such a segment:"
        " it stays with message 1\n"
    )


def test_many_odd_lines(run: Run) -> None:
    result = run("peek", "-", "MSH-10", stdin=A + b"MSH Toronto\r" * 1000)
    assert result.stdout == b"A\n"
    lines = result.stderr.decode().splitlines()
    assert len(lines) == 11 and lines[-1] == "fastmllp peek: -: and 990 more such lines"


@pytest.mark.parametrize("data", [BATCH, BATCH.removesuffix(b"BTS|3\r"), framed(BATCH)])
def test_batch_that_is_not_whole(send: Sender, run: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.hl7").write_bytes(C)
    (tmp_path / "b.hl7").write_bytes(data)
    for names in ([tmp_path / "a.hl7", tmp_path / "b.hl7"], [tmp_path]):
        status, errors = send(*names)
        assert status == 2 and send.archive.payloads == []
        assert errors.startswith(f"fastmllp send: {tmp_path / 'b.hl7'}: ")
        assert "--ignore-counts" in errors and errors.count("\n") == 1
    status, errors = send("--ignore-counts", tmp_path)
    assert status == 0
    assert send.archive.payloads == ([C, BATCH] if data[0] == 0x0B else [C, A, B])
    assert "BTS" in errors and "--ignore-counts" not in errors
    for command in ("peek", "ack"):
        result = run(command, tmp_path / "b.hl7")
        assert result.returncode == 0 and b"BTS" in result.stderr and result.stdout


def test_whole_batch(send: Sender) -> None:
    status, errors = send("-", stdin=BATCH.replace(b"BTS|3", b"BTS|2"))
    assert status == 0 and send.archive.payloads == [A, B]
    assert errors == "fastmllp send: -: left out 2 lines of no message\n"


@pytest.mark.parametrize("window", ["1", "8"])
def test_what_cannot_be_sent_is_found_before_the_first(send: Sender, window: str) -> None:
    for data in (A + LONG + B, framed(A) + framed(LONG), A + b"NTE|\x1c\r", A + b"NTE|\x0b\r"):
        status, errors = send("--window", window, "-", stdin=data)
        assert status == 2 and "-: message " in errors and " cannot be sent: " in errors
    assert send.archive.payloads == []
    # The longest that can be sent is.
    longest = message("C" * 256)
    assert send("--window", window, "-", stdin=longest)[0] == 0
    assert send.archive.payloads == [longest]


def test_utf16(send: Sender, run: Run) -> None:
    data = (A + B).decode().replace("\r", "\r\n").encode("utf-16")
    status, errors = send("-", stdin=data)
    assert status == 0 and send.archive.payloads == [A, B] and "is in UTF-16" in errors
    result = run("peek", "-", "MSH-10", stdin=data)
    assert (result.returncode, result.stdout) == (0, b"A\nB\n")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("b", A.decode().encode("utf-16-le")),
        ("b", A.decode().encode("utf-32")),
        ("b", b"MSH|damaged|LAB\r"),
        ("b", b'{"message": "MSH|^~\\\\&|LAB"}'),
        ("b", b"> MSH|^~\\&|LAB\r"),
        ("b", b"  MSH|^~\\&|A\n PID|1\n"),
        ("b.hl7", b""),
        ("b.HL7", b"lost+found"),
        ("b.er7", b"\0" * 100),
    ],
)
def test_file_of_a_folder_that_looks_like_messages(
    send: Sender, tmp_path: Path, name: str, data: bytes
) -> None:
    """Left out, its messages would be lost and the exit status 0."""
    (tmp_path / "a.hl7").write_bytes(A)
    (tmp_path / name).write_bytes(data)
    status, errors = send(tmp_path)
    assert status == 2 and send.archive.payloads == [] and str(tmp_path / name) in errors


def test_folder_with_what_is_no_file(send: Sender, tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_bytes(A)
    (tmp_path / "list.txt").write_bytes(b"patients of Monday")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    status, errors = send(tmp_path)
    assert status == 0 and send.archive.payloads == [A]
    assert "list.txt: holds no message" in errors
    assert not hasattr(os, "mkfifo") or "pipe: not a file" in errors
    (tmp_path / "b.hl7").symlink_to(tmp_path / "gone")
    status, errors = send(tmp_path)
    assert status == 2 and "b.hl7: No such file" in errors and send.archive.payloads == [A]


def test_peek_reads_a_damaged_msh_2(run: Run) -> None:
    data = A.replace(b"^~\\&", b"^~\\\\&") + B
    result = run("peek", "-", "MSH-10", "PID-3", stdin=data)
    assert (result.returncode, result.stdout) == (0, b"A\t4711\nB\t4711\n")
    expected = b"fastmllp peek: -: message 1: MSH-2 is damaged, and read as far as possible\n"
    assert result.stderr == expected
    result = run("peek", "--json", "-", "MSH-10", stdin=data)
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["deviation"] == "duplicate_delimiter" and "deviation" not in second


NAME = "a\n\x1b[2J\u202eb.hl7"


def test_file_names_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in\x1b]0;x\x07"
    folder.mkdir()
    (folder / NAME).write_bytes(A + b"MSH x\r" + b"\x1a")
    (folder / b"\xff\x9b.txt".decode("utf-8", "surrogateescape")).write_bytes(b"none")
    outputs = [
        run("peek", folder),
        run("peek", folder, "PID-3"),
        run("ack", folder),
        run("send", "--port", "1", folder),
        run("peek", folder / "none\x1b\n"),
        run("serve", "--config", folder / "none\x1b\n"),
    ]
    (folder / NAME).write_bytes(framed(A)[:-2])
    outputs.append(run("send", folder))
    for result in outputs:
        for line in (result.stdout + result.stderr).decode().split("\n"):
            assert line.isprintable() and "\u202e" not in line
    assert "\\x0a\\x1b[2J\\u202eb.hl7" in outputs[0].stdout.decode()
    assert outputs[3].stderr.count(b"\n") == 3
    # For programs the name is what it is.
    (folder / NAME).write_bytes(A)
    shown = json.loads(run("peek", "--json", folder).stdout)
    assert shown["file"] == str(folder / NAME)


def test_hosts_cannot_steer_the_terminal(run: Run) -> None:
    for arguments in (
        ("send", "--host", "a\x1b[2J\nb", "-"),
        ("serve", "--host", "a\x1b[2J\nb"),
        ("bench", "--seconds", "1", "--address", "a\x1b[2J\nb:1"),
        ("send", "--tls", "--tls-ca", "a\x1b[2J\nb", "-"),
        ("serve", "--save", "/none/a\x1b[2J\nb"),
        ("serve", "--metrics-port", "1", "--metrics-host", "a\x1b\n" + "b" * 64),
    ):
        result = run(*arguments, stdin=A)
        assert result.returncode in (1, 2, 3) and b"Traceback" not in result.stderr
        for line in (result.stdout + result.stderr).decode().split("\n"):
            assert line.isprintable()
