"""Streams and their answers, bad input as far as a board can see it.

Each row is what is sent, and the answers by either policy, written ``code control-ID``. An ID that
the gateway has made is ``*``. The profile is ``resync``.
"""

from typing import NamedTuple

from network_board import END, START, frame


class Row(NamedTuple):
    sent: bytes
    always: list[str]
    conformant: list[str]


def message(control_id: str, fields: str = "P|2.5", rest: bytes = b"PID|1||7\r") -> bytes:
    head = f"MSH|^~\\&|LAB|GHH|HIS|GHH|20260101||ORU^R01|{control_id}|{fields}\r"
    return head.encode() + rest


def same(sent: bytes, *answers: str) -> Row:
    return Row(sent, list(answers), list(answers))


ONE, TWO = frame(message("M1")), frame(message("M2"))
NOTHING: list[str] = []

ROWS: dict[str, Row] = {
    "one message": same(ONE, "AA M1"),
    "two in one segment": same(ONE + TWO, "AA M1", "AA M2"),
    "garbage before it": same(b"garbage\r\n\x00" + ONE, "AA M1"),
    "garbage between frames": same(ONE + b"garbage" + TWO, "AA M1", "AA M2"),
    "line ends between frames": same(ONE + b"\r\n" + TWO, "AA M1", "AA M2"),
    "padded with NUL": same(ONE + bytes(300) + TWO + bytes(7), "AA M1", "AA M2"),
    "no carriage return": same(ONE[:-1] + TWO, "AA M1", "AA M2"),
    "line feed for it": same(ONE[:-1] + b"\n" + TWO, "AA M1", "AA M2"),
    "start block twice": same(START + ONE, "AA M1"),
    "cut, then a new one": same(ONE[:40] + TWO, "AA M2"),
    "cut in the header": same(ONE[:20] + TWO, "AA M2"),
    "end block inside": same(frame(message("M1", rest=b"NTE|1||a\x1cb\r")), "AA M1"),
    "segments end with LF": same(ONE[:-2].replace(b"\r", b"\n") + END, "AA M1"),
    "segments end with CRLF": same(ONE[:-2].replace(b"\r", b"\r\n") + END, "AA M1"),
    "no last carriage return": same(ONE[:-3] + END, "AA M1"),
    "other separators": same(ONE.translate(bytes.maketrans(b"|^~\\&", b"#*+%$")), "AA M1"),
    "bytes of Latin-1": same(frame(message("M1", rest=b"PID|1||M\xfcller\r")), "AA M1"),
    "long control ID": same(frame(message("M" * 199)), "AA " + "M" * 199),
    "version 2.7": same(frame(message("M1", "P|2.7")), "AA M1"),
    "no MSH": Row(frame(b"hello\r"), ["AA *"], NOTHING),
    "MSH alone": Row(frame(b"MSH"), ["AA *"], NOTHING),
    "MSH and a separator": Row(frame(b"MSH|"), ["AA *"], NOTHING),
    "empty frame": Row(frame(b""), ["AA *"], NOTHING),
    "only a carriage return": Row(frame(b"\r"), ["AA *"], NOTHING),
    "no control ID": Row(frame(message("")), ["AA *"], ["AR "]),
    "header of 700 bytes": Row(frame(message("M1").replace(b"GHH", b"G" * 330)), ["AA *"], ["AR "]),
    "batch": Row(frame(b"BHS|^~\\&\r" + message("M1") + b"BTS|1\r"), ["AA M1"], ["AR M1"]),
    "two headers": Row(frame(message("M1") + message("M2")), ["AA M1"], ["AR M1"]),
    "two headers with LF": Row(
        frame((message("M1") + message("M2")).replace(b"\r", b"\n")), ["AA M1"], ["AR M1"]
    ),
    "accept acknowledgment": Row(frame(message("M1", "P|2.5|||AL|NE")), ["AA M1"], ["CA M1"]),
    "no acknowledgment": Row(frame(message("M1", "P|2.5|||NE|NE")), ["AA M1"], NOTHING),
    "an acknowledgment": Row(frame(message("M1", rest=b"MSA|AA|X\r")), ["AA M1"], NOTHING),
    "refused in version 2.7": Row(
        frame(message("M1", "P|2.7") + message("M2")), ["AA M1"], ["AR M1"]
    ),
}

GOOD = frame(message("GOOD"))


def without_made_ids(answers: list[str]) -> list[str]:
    """IDs that the gateway has made are 16 hexadecimal digits."""
    made = set("0123456789ABCDEF")
    return [
        answer[:3] + "*" if len(answer) == 19 and set(answer[3:]) <= made else answer
        for answer in answers
    ]


# Five million bytes, more than the board has memory. The last of them is in the answer's way: an
# answer before it would be one to a message that is still coming.
FIVE_MEGABYTES = 5 * 1024 * 1024


def large(control_id: str, size: int = FIVE_MEGABYTES) -> bytes:
    line = b"OBX|1|ED|PDF||" + b"QUJD" * 24 + b"\r"
    head = message(control_id, rest=b"")
    body = head + line * (size // len(line) + 1)
    return frame(body[: size - 1] + b"\r")
