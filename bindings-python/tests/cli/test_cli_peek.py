"""``fastmllp peek`` and ``fastmllp ack`` as processes."""

import json
from pathlib import Path

import pytest
from conftest import Run
from fastmllp import Decoder
from peers import framed, message, msa

A, B = message("A"), message("B", "M\xfcLLER^EVE")


def test_peek_at_paths(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.hl7").write_bytes(A + B)
    result = run("peek", tmp_path / "two.hl7", "MSH-10", "PID-5", "PID-5.2", "ZZZ-1")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().splitlines() == [
        "A\tEVERYWOMAN^EVE\tEVE\t",
        "B\tM\xfcLLER^EVE\tEVE\t",
    ]


def test_peek_at_the_header(run: Run) -> None:
    result = run("peek", "-", stdin=A.replace(b"\r", b"\n"))
    lines = [line.split(maxsplit=1) for line in result.stdout.decode().splitlines()]
    assert lines[0] == ["-:", f"message 1, {len(A)} bytes"]
    assert ["MSH-10", "message control id     A"] in lines
    assert ["MSH-3", "sending application    SENDER"] in lines
    assert [name for name, _ in lines[1:5]] == ["MSH-1", "MSH-2", "MSH-3", "MSH-4"]
    assert "EVERYWOMAN" not in result.stdout.decode()


def test_peek_as_json(run: Run) -> None:
    data = framed(A.replace(b"||EVERYWOMAN", b'|""|EVERYWOMAN')) + framed(B)
    result = run("peek", "--json", "-", "PID-4", "PID-2", "PID-9", "PID-5.1", stdin=data)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert first["fields"] == {"PID-4": '""', "PID-2": "", "PID-9": None, "PID-5.1": "EVERYWOMAN"}
    assert second == {
        "file": "-",
        "number": 2,
        "bytes": len(B),
        "fields": {"PID-4": "", "PID-2": "", "PID-9": None, "PID-5.1": "M\xfcLLER"},
    }


def test_peek_in_another_character_set(run: Run) -> None:
    data = A.replace(b"EVE", "\u8868".encode("shift_jis"))
    result = run("peek", "--encoding", "shift_jis", "-", "PID-5.1", stdin=data)
    assert "\u8868RYWOMAN" in result.stdout.decode()
    assert run("peek", "--encoding", "hex", "-", stdin=A).returncode == 2


# In MSH-4, the second byte of a character is that of the separator.
CHINESE = (
    "MSH|^~\\&|LAB|\u533b\u4e85|HIS|H|20260101||ADT^A01|G1|P|2.5||||||GB 18030-2000\r"
    "PID|1||7||\u5f20\u4e85^X\r"
).encode("gb18030")


def test_messages_are_read_as_their_msh_18_demands(run: Run) -> None:
    arguments = ("--encoding", "gb18030", "-", "MSH-10", "PID-5.1", "PID-5.2")
    assert b"\x7c" in CHINESE[: CHINESE.index(b"HIS") - 1][13:]
    result = run("peek", *arguments, stdin=CHINESE)
    assert result.stdout.decode() == "G1\t\u5f20\u4e85\tX\n"
    result = run("peek", "--scan", "gb18030", *arguments, stdin=CHINESE)
    assert result.stdout.decode() == "G1\t\u5f20\u4e85\tX\n"
    result = run("peek", "--scan", "single_byte", *arguments, stdin=CHINESE)
    assert result.stdout.startswith(b"ADT^A01\t")
    for flags in ((), ("--policy", "conformant")):
        result = run("ack", "--json", *flags, "-", stdin=CHINESE)
        assert json.loads(result.stdout)["control_id"] == "G1"
        result = run("ack", "--framed", *flags, "-", stdin=CHINESE)
        assert b"MSA|AA|G1" in result.stdout


def test_peek_cannot_steer_the_terminal(run: Run) -> None:
    data = framed(A.replace(b"EVE", b"\x1b[2J\n\t"))
    result = run("peek", "-", "PID-5", stdin=data)
    assert b"\x1b" not in result.stdout and result.stdout.count(b"\n") == 1
    assert result.stdout.count(b"\t") == 0


def test_peek_at_a_message_without_a_header(run: Run) -> None:
    result = run("peek", "-", "MSH-10", stdin=framed(A) + framed(b"none") + framed(B))
    assert result.returncode == 1
    assert result.stdout.split() == [b"A", b"B"]
    assert result.stderr.startswith(b"fastmllp peek: -: message 2: ")
    assert b"none" not in result.stderr


@pytest.mark.parametrize("path", ["PID-x", "", "MSH_1"])
def test_peek_at_no_path(run: Run, path: str) -> None:
    result = run("peek", "-", path, stdin=A)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.count(b"\n") == 1 and b"Traceback" not in result.stderr


def test_folder(run: Run, tmp_path: Path) -> None:
    """In the order of the names; hidden files, folders and other files are no messages."""
    (tmp_path / "b").write_bytes(B)
    (tmp_path / "a").write_bytes(A)
    (tmp_path / ".hidden").write_bytes(A)
    (tmp_path / "README").write_bytes(b"about them")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "c").write_bytes(A)
    result = run("peek", tmp_path, "MSH-10")
    assert (result.returncode, result.stdout.split()) == (0, [b"A", b"B"])
    expected = f"fastmllp peek: left out {tmp_path / 'README'}: holds no message\n"
    assert result.stderr.decode() == expected
    (tmp_path / "cut").write_bytes(framed(A)[:-2])
    result = run("peek", tmp_path, "MSH-10")
    assert (result.returncode, result.stdout) == (2, b"") and b"cut" in result.stderr


def test_ack(run: Run) -> None:
    result = run("ack", "-", stdin=A + B)
    assert (result.returncode, result.stderr) == (0, b"")
    lines = result.stdout.decode().splitlines()
    assert lines[0].startswith("MSH|^~\\&|RECEIVER|RFAC|SENDER|SFAC|")
    assert [lines[1], lines[3]] == ["MSA|AA|A", "MSA|AA|B"]


def test_ack_as_frames(run: Run) -> None:
    result = run("ack", "--framed", "--code", "AE", "-", stdin=A + B)
    assert [msa(payload) for payload in Decoder().feed(result.stdout)] == [("AE", "A"), ("AE", "B")]
    assert result.stdout.endswith(b"\x1c\r")


def test_ack_as_json(run: Run) -> None:
    result = run("ack", "--json", "--code", "AR", "--text", "no|more", "-", stdin=A)
    shown = json.loads(result.stdout)
    assert (shown["code"], shown["control_id"]) == ("AR", "A")
    assert "no\\F\\more" in shown["acknowledgment"]


def test_ack_that_there_is_not(run: Run) -> None:
    nameless = A.replace(b"|A|P", b"||P")
    result = run("ack", "--policy", "conformant", "-", stdin=nameless + B)
    assert result.returncode == 1 and b"MSA|AA|B" in result.stdout
    assert result.stderr.startswith(b"fastmllp ack: -: message 1: ")
    assert result.stderr.count(b"\n") == 1
