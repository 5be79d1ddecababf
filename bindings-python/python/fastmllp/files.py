"""Messages in files: text with one segment per line, or frames as captured from the wire.

Works on bytes, because a file may hold Latin-1 or Shift_JIS and goes on the wire as it is.
"""

import re
from typing import NamedTuple

from fastmllp.mllp import START_BLOCK, Decoder, FrameError, frame

__all__ = ["FileContents", "FileError", "NoMessage", "read_messages"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Form feeds come from printer files; 0x1A is Ctrl-Z, with which programs of DOS end a text.
_BLANK = b" \t\r\n\0\f\x1a"
_LINE_END = re.compile(rb"\r\n|\r|\n")
# What files joined into one leave in front of a line.
_PREFIX = re.compile(rb"\A(?:\xef\xbb\xbf|[ \t\0\f\x1a])++")
# Behind a prefix only what can be a field separator makes a word the name of a segment.
_SEPARATED = re.compile(rb"[A-Z]{3}[!-/:-@\[-`{-~]")
# Ctrl-Z and a header on one line, because the line before had no end. A whole MSH-1 and MSH-2 are
# asked for: 0x1A also stands for a character that a conversion could not express.
_SEAM = re.compile(
    rb"(?<!\x1a)\x1a++(?=(?:\xef\xbb\xbf)?MSH([!-/:-@\[-`{-~])[!-/:-@\[-`{-~]{1,5}\1)"
)
# Segments that enclose messages in a file (HL7 v2 chapter 2, batch protocol). They belong to no
# message, and one that carried the batch trailer at its end would be wrong.
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")


class FileError(ValueError):
    """A file holds no message, or one that cannot be sent. The text names the reason."""


class NoMessage(FileError):
    """A file holds no message; it may be about something else altogether."""


class FileContents(NamedTuple):
    """What a file holds."""

    payloads: list[bytes]
    """The messages, in the order of the file."""
    left_out: str
    """How much of it belongs to no message, blank lines not counted; empty if nothing."""


def read_messages(data: bytes) -> FileContents:
    """Take a file apart.

    A file whose first byte that is not blank is a start block is a capture: the payload of each
    frame is taken exactly as it is. Any other file is text: a message begins at each line that
    starts with ``MSH``; CR, LF and CRLF all end a line and become CR, and empty lines are dropped.
    A batch is no message: each message in it is one, and the lines of its envelope (FHS, BHS, BTS,
    FTS) belong to none. In files that were
    joined, a byte order mark, blanks, NUL, form feeds and Ctrl-Z in front of a header are dropped,
    and so is Ctrl-Z at the end of a message.

    Args:
        data: The whole file.

    Raises:
        NoMessage: There is no message in it.
        FileError: The last frame is cut, or a payload holds a framing byte.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    captured = data.lstrip(_BLANK)[:1] == bytes([START_BLOCK])
    contents = _split_frames(data) if captured else _split_lines(data)
    if not contents.payloads:
        raise NoMessage("holds no message")
    for number, payload in enumerate(contents.payloads, 1):
        try:
            frame(payload)
        except FrameError as error:
            raise FileError(f"message {number} cannot be sent: {error}") from error
    return contents


def _split_frames(data: bytes) -> FileContents:
    decoder = Decoder(max_payload_len=None)
    payloads: list[bytes] = []
    outside = 0
    for event in decoder.events(data):
        if event["ev"] == "frame":
            payloads.append(event["payload"])
        elif event["ev"] == "discard" and not event["blank"]:
            outside += event["len"]
    if decoder.pending:
        raise FileError(f"ends inside of a frame, {decoder.pending} bytes after its start block")
    return FileContents(payloads, f"{outside} bytes" if outside else "")


def _split_lines(data: bytes) -> FileContents:
    messages: list[list[bytes]] = []
    outside = 0
    for line in _LINE_END.split(_SEAM.sub(b"\r", data)):
        content = _PREFIX.sub(b"", line)
        if not content:
            continue
        if content != line and not _SEPARATED.match(content):
            content = line
        if content.startswith(b"MSH"):
            messages.append([content])
        elif messages and not content.startswith(_ENVELOPE):
            messages[-1].append(line)
        else:
            outside += 1
    for lines in messages:
        lines[-1] = lines[-1].rstrip(b"\x1a")
    payloads = [b"".join(line + b"\r" for line in lines) for lines in messages]
    return FileContents(payloads, f"{outside} lines" if outside else "")
