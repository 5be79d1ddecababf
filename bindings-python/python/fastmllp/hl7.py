"""Fields of a message, read in place.

``Message(payload)`` never raises, whatever the payload holds. ``.header`` and ``.get("PID-3.1")``
read on demand and raise `MessageError` when there is no usable MSH segment or the path is not one
(HL7 v2 chapter 2, sections 2.4 and 2.5). Values are bytes, exactly as they stand on the wire: still
escaped, in the character set of the message. ``.text("PID-5.1")`` decodes them as MSH-18 and MSH-20
tell, and raises `CharacterSetError` for a set that is not known. ``MessageHeader.parse_prefix``
reads the header of a message that is still arriving.
"""

from fastmllp._native import (
    CharacterSetError,
    Message,
    MessageError,
    MessageHeader,
    Path,
    Segment,
    escape,
    unescape,
)
from fastmllp.printable import lines

__all__ = [
    "CharacterSetError",
    "Message",
    "MessageError",
    "MessageHeader",
    "Path",
    "Segment",
    "escape",
    "readable",
    "unescape",
]


def readable(payload: bytes, encoding: str = "utf-8") -> str:
    r"""Show a payload to a person: a line for each segment, nothing that could steer a terminal.

    Args:
        payload: A message in any character set.
        encoding: The character set in which it is shown; Latin-1 if it is not in that.

    Returns:
        Lines that each end with a line feed. Characters that are not printable, such as control
        characters and bidirectional marks, are written as ``\x1b`` or ``\u202e``.
    """
    try:
        text = payload.decode(encoding)
    except ValueError:  # UnicodeDecodeError, and what a codec of a stranger says.
        text = payload.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    return lines(text)
