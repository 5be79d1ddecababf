"""Messages in files: text with one segment per line, or frames as captured from the wire.

Works on bytes, because a file may hold Latin-1 or Shift_JIS and goes on the wire as it is.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from fastmllp._native import START_BLOCK, Decoder, Discard, Frame, FrameError, frame
from fastmllp.hl7.envelope import Envelopes
from fastmllp.hl7.opening import read_header
from fastmllp.hl7.segment_lines import LineError, split_lines
from fastmllp.hl7.unicode_file import EncodingError, decode_utf16, encode_as_named, is_wide

__all__ = ["FileContents", "FileError", "NoMessage", "Reading", "read_file", "read_messages"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Form feeds come from printer files; 0x1A is Ctrl-Z, with which programs of DOS end a text.
_BLANK = b" \t\r\n\0\f\x1a"
_LINE_END = re.compile(rb"\r\n|\r|\n")
_ENVELOPE = re.compile(rb"(?:\A|[\r\n])(?:FHS|BHS|BTS|FTS)")
_UTF16_NOTE = (
    "is in UTF-16: each message is encoded in the character set that its MSH-18 names, or in UTF-8"
    " if that is empty"
)


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


@dataclass(slots=True)
class Reading:
    """What a file holds, and what to report about it."""

    payloads: list[bytes]
    """The messages, in the order of the file."""
    left_out: str = ""
    """How much of it belongs to no message, blank lines not counted; empty if nothing."""
    notes: list[str] = field(default_factory=list)
    """What someone should know who sends the messages, such as a line that looks like a header."""
    batch_fault: str = ""
    """What is wrong with the envelope of a batch: a count that differs, a missing trailer or
    header. Empty if nothing is, or if there is no batch. A part of the file may be missing."""


def read_messages(data: bytes) -> FileContents:
    """Take a file apart.

    A file whose first byte that is not blank is a start block is a capture: the payload of each
    frame is taken exactly as it is. Any other file is text. A message begins at each line with a
    header: ``MSH``, a field separator, and an MSH-2 of delimiters. Any other line belongs to the
    message before it. CR, LF and CRLF all end a line and become CR, and empty lines are dropped.

    A batch is not a message: each message in it is one, and the lines of its envelope (FHS, BHS,
    BTS, FTS) belong to none. In files that were joined, a byte order mark, blanks, NUL, form feeds
    and Ctrl-Z before a header are dropped, and so is Ctrl-Z at the end of a message. When all lines
    of a message are indented alike, the indentation is dropped.

    A file in UTF-16 with a byte order mark is read too. Each of its messages is encoded in the
    character set that its MSH-18 names, or in UTF-8 if that is empty.

    `read_file` also says whether the envelopes of batches are complete, and what else is odd.

    Args:
        data: The whole file.

    Raises:
        NoMessage: There is no message in it.
        FileError: The last frame is cut, a payload holds a framing byte, a line can be read in two
            ways, or the file is in UTF-32, in UTF-16 without a mark, or does not fit its MSH-18.
    """
    reading = read_file(data)
    return FileContents(reading.payloads, reading.left_out)


def read_file(data: bytes) -> Reading:
    """Take a file apart, as `read_messages` does, and say what is odd about it.

    Raises:
        NoMessage: There is no message in it.
        FileError: As for `read_messages`.
    """
    try:
        text = decode_utf16(data)
        reading = _split(data.removeprefix(_BYTE_ORDER_MARK) if text is None else text)
        if text is not None and reading.payloads:
            reading.notes.insert(0, _UTF16_NOTE)
            _encode_all(reading.payloads)
    except (LineError, EncodingError) as error:
        raise FileError(str(error)) from error
    if not reading.payloads:
        if text is None and is_wide(data):
            raise FileError("is in UTF-16 or UTF-32 without a byte order mark: save it as UTF-8")
        raise NoMessage("holds no message")
    for number, payload in enumerate(reading.payloads, 1):
        try:
            frame(payload)
        except FrameError as error:
            raise FileError(f"message {number} cannot be sent: {error}") from error
    return reading


def _split(data: bytes) -> Reading:
    if data.lstrip(_BLANK)[:1] == bytes([START_BLOCK]):
        return _split_frames(data)
    lines = split_lines(data)
    left_out = f"{lines.outside} lines" if lines.outside else ""
    return Reading(lines.payloads, left_out, lines.notes, lines.envelopes.fault)


def _split_frames(data: bytes) -> Reading:
    decoder = Decoder(max_payload_len=None)
    payloads: list[bytes] = []
    outside = 0
    for event in decoder.events(data):
        match event:
            case Frame(payload=payload):
                payloads.append(payload)
            case Discard(is_blank=False, length=length):
                outside += length
    if decoder.pending:
        raise FileError(f"ends inside a frame, {decoder.pending} bytes after its start block")
    left_out = f"{outside} bytes" if outside else ""
    return Reading(payloads, left_out, batch_fault=_fault_of_frames(payloads))


def _fault_of_frames(payloads: list[bytes]) -> str:
    """What is wrong with batches in a capture: each in a frame of its own, or over several."""
    if not any(_ENVELOPE.search(payload) for payload in payloads):
        return ""
    envelopes = Envelopes()
    separator = b"|"
    for number, payload in enumerate(payloads, 1):
        for line in _LINE_END.split(payload):
            place = f"frame {number}"
            header = read_header(line)
            if header is not None:
                separator = header.separator
                if header.name == b"MSH":
                    envelopes.message()
                else:
                    envelopes.header(header.name, place)
            else:
                envelopes.trailer(line, separator, place)
    envelopes.end()
    return envelopes.fault


def _encode_all(payloads: list[bytes]) -> None:
    for index, payload in enumerate(payloads):
        try:
            payloads[index] = encode_as_named(payload)
        except EncodingError as error:
            raise EncodingError(f"message {index + 1}: {error}") from error
