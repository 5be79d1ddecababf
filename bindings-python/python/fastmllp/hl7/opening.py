"""What begins a message in a file.

Three letters are not enough. A line of text may begin with ``MSH Toronto`` or ``FTS.``; to
take it for a header would tear the message apart. A header is the name, a field separator and a
plausible MSH-2 (HL7 v2 chapter 2, section 2.5.4), and FHS and BHS have the same two fields.
"""

import re
from typing import NamedTuple

__all__ = ["Header", "is_damaged", "read_header"]

_MOST_ENCODING_CHARACTERS = 8
# Characters that can be delimiters are printable ASCII, neither blanks nor letters nor digits.
_HEADER = re.compile(
    rb"(MSH|FHS|BHS)([!-/:-@\[-`{-~])((?:(?!\2)[!-/:-@\[-`{-~]){1,%d})(?:\2|(?=[\r\n])|\Z)"
    % _MOST_ENCODING_CHARACTERS
)
# The usual separator or most of the usual MSH-2, or the name in UTF-16: not what a person writes.
_ALMOST = re.compile(
    rb"(?:MSH|FHS|BHS)(?:\|[^\r\n]|[^\r\n]\^~|[ -/:-@\[-`{-~]{0,2}[|^~\\&]{3})"
    rb"|(?:\xff\xfe|\xfe\xff)?\0?(?:M\0S\0H|F\0H\0S|B\0H\0S)",
    re.IGNORECASE,
)
_FEWEST_UNUSUAL = 3


class Header(NamedTuple):
    """The beginning of a segment MSH, FHS or BHS."""

    name: bytes
    separator: bytes
    """The field separator, MSH-1."""


def read_header(line: bytes) -> Header | None:
    r"""The header that a line, or a payload, begins with; None if it begins with something else.

    MSH-2 is plausible if it has one to eight delimiters and begins with ``^``, as nearly every one
    does, or has at least three that differ: ``^~\&``, ``^~\\&`` and ``*+%$`` are, and ``.`` in
    ``MSH (.(`` is not.
    """
    match = _HEADER.match(line)
    if match is None:
        return None
    name, separator, characters = match.groups()
    if characters[:1] != b"^" and len(set(characters)) < _FEWEST_UNUSUAL:
        return None
    return Header(name, separator)


def is_damaged(line: bytes) -> bool:
    """Whether a line that is not a header was probably meant to be one.

    To take it for text would fuse two messages, and to take it for a header could tear one apart.
    """
    return _ALMOST.match(line) is not None and read_header(line) is None
