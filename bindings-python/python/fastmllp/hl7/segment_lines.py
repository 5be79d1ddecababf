"""Messages in text: one segment on each line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fastmllp.hl7.envelope import Envelopes
from fastmllp.hl7.opening import is_damaged, read_header

__all__ = ["LineError", "Lines", "split_lines"]

_LINE_END = re.compile(rb"\r\n|\r|\n")
# What files joined into one leave before a line.
_PREFIX = re.compile(rb"\A(?:\xef\xbb\xbf|[ \t\0\f\x1a])++")
_PREFIX_BYTES = b"\xef \t\0\f\x1a"
_INDENT = re.compile(rb"[ \t]*\Z")
# After a prefix only what can be a field separator makes a word the name of a segment.
_SEGMENT = re.compile(rb"[ \t]*[A-Z][A-Z0-9]{2}[!-/:-@\[-`{-~]")
# Ctrl-Z and a header on one line, because the line before had no end. The whole header is asked
# for: 0x1A also stands for a character that a conversion could not express.
_SEAM = re.compile(rb"(?<!\x1a)\x1a++(?=((?:\xef\xbb\xbf)?MSH.{3,16}))", re.DOTALL)
# Words that a reader of the file would take for the name of such a segment.
_NAME = re.compile(rb"(MSH|FHS|BHS|BTS|FTS)(?![A-Za-z0-9])")
# The first byte of a line that has to be looked at, a byte order mark of UTF-16 included.
_INITIALS = b"MFBmfb\xfe\xff"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineError(ValueError):
    """A line that can be read in two ways. The text names the line and the reason."""


@dataclass(slots=True)
class _Message:
    number: int
    """The number of the header's line in the file."""
    header: bytes
    indent: bytes
    """Blanks and tabs before the header."""
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    """The lines after the header, with their numbers in the file."""


@dataclass(slots=True)
class Lines:
    """What a text holds."""

    payloads: list[bytes] = field(default_factory=list)
    outside: int = 0
    """Lines that belong to no message, blank ones not counted."""
    notes: list[str] = field(default_factory=list)
    """What a reader may want to look at."""
    envelopes: Envelopes = field(default_factory=Envelopes)


def split_lines(data: bytes) -> Lines:
    """Take a text apart. A line that begins no message belongs to the message before it.

    Raises:
        LineError: A line was probably meant to be a header, or the lines of a message are not
            indented like their header.
    """
    found = Lines()
    messages: list[_Message] = []
    separator = b"|"
    for number, line in _numbered_lines(data):
        content = _PREFIX.sub(b"", line) if line[:1] in _PREFIX_BYTES else line
        if not content:
            continue
        if content[0] in _INITIALS:
            header = read_header(content)
            if header is not None:
                separator = header.separator
                if header.name == b"MSH":
                    found.envelopes.message()
                    messages.append(_Message(number, content, _indent(line, content)))
                else:
                    found.envelopes.header(header.name, f"line {number}")
                    found.outside += 1
                continue
            if found.envelopes.trailer(content, separator, f"line {number}"):
                found.outside += 1
                continue
            _check_text(content, number, len(messages), found.notes)
        if messages:
            messages[-1].lines.append((number, line))
        else:
            found.outside += 1
    found.envelopes.end()
    found.payloads = [
        _payload(message, number, found.notes) for number, message in enumerate(messages, 1)
    ]
    return found


def _numbered_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(_LINE_END.split(data), 1):
        if b"\x1a" not in line:
            yield number, line
            continue
        start = 0
        for seam in _SEAM.finditer(line):
            if read_header(seam[1].removeprefix(_BYTE_ORDER_MARK)) is not None:
                yield number, line[start : seam.start()]
                start = seam.end()
        yield number, line[start:]


def _indent(line: bytes, content: bytes) -> bytes:
    match = _INDENT.search(line[: len(line) - len(content)])
    return match[0] if match else b""


def _check_text(content: bytes, number: int, messages: int, notes: list[str]) -> None:
    """Look at a line of text that begins like a header."""
    if is_damaged(content):
        if b"\0" in content[:6]:
            raise LineError(
                f"line {number}: is in UTF-16, which is read only in a file with its mark"
            )
        name = content[:3].decode("ascii").upper()
        raise LineError(f"line {number}: begins with {name}, but is not a usable header")
    if match := _NAME.match(content):
        kept = f"it stays with message {messages}" if messages else "it belongs to no message"
        name = match[1].decode()
        notes.append(f"line {number} begins with {name}, but is not such a segment: {kept}")


def _payload(message: _Message, number: int, notes: list[str]) -> bytes:
    lines = _unindented(message, number, notes)
    segments = [message.header, *lines]
    # With Ctrl-Z programs of DOS end a text.
    segments[-1] = segments[-1].rstrip(b"\x1a")
    return b"".join(segment + b"\r" for segment in segments)


def _unindented(message: _Message, number: int, notes: list[str]) -> list[bytes]:
    """The lines after the header without the blanks that the whole message is indented by."""
    indent, lines = message.indent, message.lines
    if indent:
        other = [n for n, line in lines if not line.startswith(indent)]
        if not other:
            lines = [(n, line[len(indent) :]) for n, line in lines]
        elif any(line[:1] in b" \t" for _, line in lines):
            raise LineError(f"line {other[0]}: not indented like the header of its message")
        # Blanks that joining files has left before a header, or else a text that quotes one.
        elif number > 1:
            notes.append(f"line {message.number}: a header after blanks begins message {number}")
    inset = [n for n, line in lines if line[:1] in (b" ", b"\t") and _SEGMENT.match(line)]
    # Behind a segment it may be text that goes on; nothing goes on behind a header.
    if inset and inset[0] == lines[0][0]:
        raise LineError(f"line {inset[0]}: indented further than the header of its message")
    notes.extend(f"line {n} is indented: it stays so in message {number}" for n in inset)
    return [line for _, line in lines]
