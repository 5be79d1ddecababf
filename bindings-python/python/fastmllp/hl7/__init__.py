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
from fastmllp.hl7.text import readable

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
