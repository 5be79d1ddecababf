"""The tables of the page on bad input say what really happens: each row is sent to a server."""

import logging
import re

import pytest
from conftest import Records, Serve
from pages import DOCS
from peers import Peer, framed, message, msa

PAGE = (DOCS / "bad-input.md").read_text()
# The cut is behind the message control ID, where it does the most harm.
_CUT = message("A").index(b"\rPID") + 7
TOKENS = {
    "SB": b"\x0b",
    "EB": b"\x1c",
    "CR": b"\r",
    "LF": b"\n",
    "NUL": b"\0",
    "A": message("A"),
    "B": message("B"),
    "A1": message("A")[:_CUT],
    "A2": message("A")[_CUT:],
    "junk": b"login: guest",
    "large": message("A").ljust(1_048_577, b"x"),
    "CLIENTHELLO": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "REQUEST": b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n",
    "PROXY1": b"PROXY TCP4 192.0.2.7 192.0.2.2 40000 2575\r\n",
    "PROXY2": bytes.fromhex("0d0a0d0a000d0a515549540a 2111000c 0a0b0201 c0000202 9c40 0a0f"),
}
HEADER = b"MSH|^~\\&|LAB|L|HIS|H|20260101||ADT^A01|A|P|2.5\r"
TEXTS = {
    "segments end in LF": message("A").replace(b"\r", b"\n"),
    "segments end in CR LF": message("A").replace(b"\r", b"\r\n"),
    "a blank line between segments": message("A").replace(b"\rPID", b"\r\rPID"),
    "no carriage return after the last segment": message("A")[:-1],
    "bytes that are not UTF-8": message("A", name="M\xfcller").decode().encode("latin-1"),
    "other delimiters, in all five places": message("A")
    .replace(b"|", b"#")
    .replace(b"^~\\&", b":;!%")
    .replace(b"^", b":"),
    "MSH-2 is `^~\\\\&`, pasted from source code": message("A").replace(b"^~\\&", b"^~\\\\&"),
    "five encoding characters (2.7)": message("A").replace(b"^~\\&|", b"^~\\&#|"),
    "MSH ends before MSH-10": b"MSH|^~\\&|LAB|L|HIS\rPID|1\r",
    "MSH-10 is empty": HEADER.replace(b"|A|", b"||"),
    "MSH-10 with an escape sequence": HEADER.replace(b"|A|", b"|A\\T\\B|"),
    "MSH-9 is empty": HEADER.replace(b"ADT^A01", b""),
    "an unknown message type or version": HEADER.replace(b"ADT^A01", b"ZZZ^Z99").replace(
        b"2.5", b"9.9"
    ),
    "no segment MSH": b"PID|1||4711\r",
    "only MSH and the field separator": b"MSH|",
    "only a carriage return": b"\r",
    "no payload at all": b"",
    "a batch: BHS, messages, BTS": b"BHS|^~\\&\r" + message("A") + message("B") + b"BTS|2\r",
    "two messages in one frame": message("A") + message("B"),
    "an acknowledgment": HEADER.replace(b"ADT^A01", b"ACK") + b"MSA|AA|X\r",
    "MSH-15 and MSH-16 are NE: no answer wanted": HEADER[:-1] + b"|||NE|NE\r",
    "MSH-15 is AL: enhanced mode": HEADER[:-1] + b"|||AL|NE\r",
}


def rows(heading: str) -> list[tuple[str, str, str]]:
    """The rows of the first table below a heading: what comes, and what becomes of it twice."""
    table = re.search(rf"^## {heading}\n.*?^\|---.*?\n(.*?)\n\n", PAGE + "\n\n", re.M | re.S)
    assert table is not None
    cells = [line.strip("| ").split(" | ") for line in table.group(1).splitlines()]
    return [(wire, one, one if other == "the same" else other) for wire, one, other in cells]


def answers(cell: str) -> list[str]:
    """The answers that a cell names: a code, and MSA-2 or what stands for it."""
    return re.findall(r"\b[AC][AER] (?:new ID|empty|`[^`]+`|[AB])", cell)


def events(cell: str) -> set[str]:
    """The warnings that a cell names."""
    return set(re.findall(r"`([a-z]+_?[a-z_]*)`", cell))


def received(frames: bytes) -> list[str]:
    shown = []
    for frame in frames.split(b"\x1c\r")[:-1]:
        code, control_id = msa(frame[1:].replace(b"#", b"|"))
        named = {"": "empty", "A\\T\\B": "`A\\T\\B`"}.get(control_id, control_id)
        shown.append(f"{code} {'new ID' if len(control_id) == 32 else named}")
    return shown


FRAMES = [
    pytest.param(row[0], profile, cell, id=f"{row[0]}-{profile}")
    for row in rows("Frames")
    for profile, cell in zip(("permissive", "resync"), row[1:], strict=True)
]


@pytest.mark.parametrize(("wire", "profile", "cell"), FRAMES)
@pytest.mark.parametrize("follows", [False, True], ids=["alone", "more"])
def test_frames(
    serve_both: Serve, records: Records, wire: str, profile: str, cell: str, follows: bool
) -> None:
    server = serve_both(profile=profile)
    tokens = wire.strip("`").split()
    expected, closed = answers(cell), "closed" in cell
    if tokens[-1] == "END":
        tokens.pop()
        if follows:
            pytest.skip("nothing follows the end of a stream")
    with Peer.connect(server.address) as peer:
        peer.send(b"".join(TOKENS[token] for token in tokens))
        # Before anything else is sent: a sender that waits for these gets them.
        got = b"".join(framed(peer.receive_frame()) for _ in range(0 if closed else len(expected)))
        if follows and not closed:
            peer.send(framed(message("NEXT")))
            expected = [*expected, "AA NEXT"]
        peer.half_close()
        assert received(got + peer.receive_end()) == expected
    records.wait_for("disconnect")
    warned = {r.event for r in records.all() if r.levelno >= logging.WARNING}  # type: ignore[attr-defined]
    assert warned == events(cell)


def test_every_text_is_on_the_page() -> None:
    assert [row[0] for row in rows("Messages")] == list(TEXTS)


@pytest.mark.parametrize("row", rows("Messages"), ids=lambda row: row[0])
@pytest.mark.parametrize("policy", ["always", "conformant"])
def test_messages(
    serve_both: Serve, records: Records, row: tuple[str, str, str], policy: str
) -> None:
    seen: list[bytes] = []
    server = serve_both(lambda message: seen.append(message.payload), policy=policy)
    cell = row[1 if policy == "always" else 2]
    with Peer.connect(server.address) as peer:
        peer.send(framed(TEXTS[row[0]]))
        peer.half_close()
        assert received(peer.receive_end()) == answers(cell)
    assert seen == [TEXTS[row[0]]], "a handler gets what was sent"
    records.wait_for("disconnect")
    warned = {r.event for r in records.all() if r.levelno >= logging.WARNING}  # type: ignore[attr-defined]
    assert warned == events(cell)
