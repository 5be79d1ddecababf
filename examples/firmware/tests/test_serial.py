"""The serial gateway on an emulated board: what it answers, and how much memory it takes.

`make firmware` builds the images.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastmllp.hl7 import Message
from fastmllp.serving.conformant import conformant_answer
from serial_board import END, START, Board, frame

ROOT = Path(__file__).parents[3]
IMAGES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "firmware"
SAMPLES = sorted((ROOT / "examples/samples").glob("*.hl7"))
POLICIES = ["always", "conformant"]


def message(control_id: str, *, header: str = "", body: str = "OBX|1|TX|||text\r") -> bytes:
    return f"MSH|^~\\&|LAB|L|HIS|H|20261121||ORU^R01|{control_id}|P|2.5.1{header}\r{body}".encode()


A, B, LAST = message("A"), message("B"), message("LAST")
A1, A2 = A[: A.index(b"OBX")], A[A.index(b"OBX") :]


def image(name: str) -> Path:
    path = IMAGES / f"serial-{name}.elf"
    missing = "qemu-system-arm" if not shutil.which("qemu-system-arm") else ""
    missing = missing or ("" if path.exists() else f"{path.name}, which `make firmware` builds")
    if missing:
        assert os.environ.get("CI") != "true", f"no {missing}"
        pytest.skip(f"no {missing}")
    return path


@pytest.fixture(scope="module")
def boards() -> Iterator[dict[str, Board]]:
    """One board for each image, for all tests, as a gateway runs for years."""
    boards: dict[str, Board] = {}
    yield boards
    for board in boards.values():
        board.stop()


def board_with(boards: dict[str, Board], name: str) -> Board:
    if name not in boards:
        boards[name] = Board(image(name))
    return boards[name]


@pytest.fixture(params=POLICIES)
def board(request: pytest.FixtureRequest, boards: dict[str, Board]) -> Board:
    return board_with(boards, request.param)


def summary(answer: bytes) -> str:
    """MSA-1 and MSA-2; ``new`` where the message has no control ID to repeat."""
    ack = Message(answer)
    code, quoted = (ack.get(path).decode() for path in ("MSA-1", "MSA-2"))
    return f"{code} {'new' if quoted == ack.get('MSH-10').decode() else quoted}".strip()


def answers(board: Board, wire: bytes) -> list[str]:
    """What comes back for these bytes, up to the answer to a message behind them."""
    board.send(wire + frame(LAST))
    found: list[str] = []
    while "AA LAST" not in found:
        found.append(summary(board.receive()))
    return found[:-1]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_sample(boards: dict[str, Board], policy: str, sample: Path) -> None:
    """It is answered as the Python server answers it."""
    asked = Message(sample.read_bytes())
    code = "AA" if policy == "always" else conformant_answer(asked, "AA").code
    board = board_with(boards, policy)
    board.send(frame(sample.read_bytes()))
    ack = Message(board.receive())
    assert ack.get("MSA-1") == code.encode()
    assert ack.get("MSA-2") == asked.header.message_control_id


@pytest.mark.timeout(120)
def test_message_that_is_larger_than_the_memory(board: Board) -> None:
    body = f"OBX|1|ED|||{'QUJD' * 25}\r" * 45_000
    large = message("LARGE", body=body)
    assert len(large) > 5_000_000
    board.send(frame(large))
    board.report_until(f"message: {len(large)} bytes, answer: AA")
    assert summary(board.receive()) == "AA LARGE"


FRAMES = {
    "two at once": (frame(A) + frame(B), ["AA A", "AA B"]),
    "noise before": (b"noise" + frame(A), ["AA A"]),
    "noise between": (frame(A) + b"noise" + frame(B), ["AA A", "AA B"]),
    "line ends between": (frame(A) + b"\r\n" + frame(B), ["AA A", "AA B"]),
    "NUL between": (frame(A) + bytes(5) + frame(B), ["AA A", "AA B"]),
    "another protocol": (b"GET / HTTP/1.1\r\n\r\n", []),
    "no frame": (A, []),
    "no carriage return": (START + A + b"\x1c" + frame(B), ["AA A", "AA B"]),
    "a line feed for it": (START + A + b"\x1c\n" + frame(B), ["AA A", "AA B"]),
    "end block twice": (frame(A) + END, ["AA A"]),
    "start block twice": (START + frame(A), ["AA A"]),
    "end block inside": (START + A1 + b"\x1c" + A2 + END, ["AA A"]),
    "begins again": (START + A1 + frame(B), ["AA B"]),
    "begins twice": (START + A1 + START + A1[:20] + frame(B), ["AA B"]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(board: Board, name: str) -> None:
    wire, expected = FRAMES[name]
    assert answers(board, wire) == expected


def test_byte_by_byte(board: Board) -> None:
    for byte in frame(A):
        board.send(bytes([byte]))
    assert summary(board.receive()) == "AA A"


def test_no_carriage_return_and_then_silence(board: Board) -> None:
    board.send(START + A + b"\x1c")
    assert summary(board.receive()) == "AA A"


def test_truncated_message_and_then_silence(board: Board) -> None:
    board.send(START + A1)
    board.report_until("lost: truncated")
    assert answers(board, frame(B)) == ["AA B"]


def test_answers_that_are_owed_are_sent_before_the_link_begins_anew(board: Board) -> None:
    board.send(frame(A) + START + A1)
    board.report_until("begins anew: byte_timeout")
    assert summary(board.receive()) == "AA A"
    assert answers(board, frame(B)) == ["AA B"]


BATCH = b"BHS|^~\\&|LAB\r" + A + B + b"BTS|2\r"

MESSAGES = {
    "segments end in LF": (A.replace(b"\r", b"\n"), "AA A", "AA A"),
    "segments end in CR LF": (A.replace(b"\r", b"\r\n"), "AA A", "AA A"),
    "no carriage return at the end": (A[:-1], "AA A", "AA A"),
    "a header alone": (A1[:-1], "AA A", "AA A"),
    "bytes that are not UTF-8": (A + b"NTE|1||\xff\xfe\x80\r", "AA A", "AA A"),
    "other delimiters": (A.translate(bytes.maketrans(b"|^~\\&", b"$%@!*")), "AA A", "AA A"),
    "MSH ends before MSH-10": (b"MSH|^~\\&|LAB\rOBX|1\r", "AA new", "AR"),
    "MSH-10 is empty": (message(""), "AA new", "AR"),
    "no MSH": (A2, "AA new", None),
    "only a carriage return": (b"\r", "AA new", None),
    "nothing": (b"", "AA new", None),
    "a batch": (BATCH, "AA A", "AR A"),
    "two messages in one frame": (A + B, "AA A", "AR A"),
    "two messages with LF": ((A + B).replace(b"\r", b"\n"), "AA A", "AR A"),
    "an acknowledgment": (message("A", body="MSA|AA|X\r"), "AA A", None),
    "an acknowledgment with LF": (b"\n".join([A1[:-1], b"MSA|AE|X", b""]), "AA A", None),
    "MSH-15 and MSH-16 are NE": (message("A", header="|||NE|NE"), "AA A", None),
    "MSH-15 is AL": (message("A", header="|||AL|NE"), "AA A", "CA A"),
    "MSH-15 is ER": (message("A", header="|||ER|NE"), "AA A", None),
    "MSH-16 is AL": (message("A", header="|||NE|AL"), "AA A", "AA A"),
    "MSH-15 is ER, MSH-10 is empty": (message("", header="|||ER|NE"), "AA new", "CR"),
    "more header than is kept": (message("A" * 600), "AA new", "AR"),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MESSAGES)
def test_messages(boards: dict[str, Board], policy: str, name: str) -> None:
    payload, always, conformant = MESSAGES[name]
    expected = always if policy == "always" else conformant
    found = answers(board_with(boards, policy), frame(payload))
    assert found == ([] if expected is None else [expected])


def test_refusal_says_what_is_wrong(boards: dict[str, Board]) -> None:
    board = board_with(boards, "conformant")
    board.send(frame(message("")) + frame(BATCH))
    assert Message(board.receive()).get("MSA-3") == b"no message control ID"
    assert Message(board.receive()).get("MSA-3") == b"a batch has no single acknowledgment"


def test_message_over_the_limit_is_rejected(boards: dict[str, Board]) -> None:
    board = board_with(boards, "small")
    room = 1000 - len(message("A", body=""))
    assert answers(board, frame(message("A", body="x" * room))) == ["AA A"]
    large = message("A", body="x" * (room + 1))
    assert answers(board, frame(large) + frame(B)) == ["AR A", "AA B"]
    # The sender dies inside of it and begins again.
    assert answers(board, START + large + frame(B)) == ["AA B"]


def test_control_ids_are_all_different(board: Board) -> None:
    ids: list[bytes] = []
    for _ in range(20):
        board.send(frame(A))
        ids.append(Message(board.receive()).header.message_control_id)
    assert len(set(ids)) == 20


@pytest.mark.parametrize("policy", POLICIES)
def test_static_memory(policy: str) -> None:
    """The state of the protocol and its buffers are one variable, of 8 KiB at most."""
    tool = ["arm-none-eabi-nm", "-S", str(image(policy))]
    symbols = subprocess.run(tool, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in symbols.splitlines()]
    sizes = {line[3]: int(line[1], 16) for line in lines if len(line) == 4 and line[2] in "bBdD"}
    limits = {line[-1]: int(line[0], 16) for line in lines}
    total = limits["bss_end"] - limits["data_start"]
    gateway = sizes.pop("gateway")
    assert gateway <= 8 * 1024
    print(f"{gateway} bytes for state and buffers, {total - gateway} beside them")
    assert total - gateway <= 256, sizes


@pytest.mark.parametrize("policy", [*POLICIES, "small"])
def test_stack(boards: dict[str, Board], policy: str) -> None:
    """Of everything that the tests before this one have made the board do."""
    used = board_with(boards, policy).stack_used()
    print(f"{policy}: {used} bytes of stack")
    assert 300 < used <= 1024
