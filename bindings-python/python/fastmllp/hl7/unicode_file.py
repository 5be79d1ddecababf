"""Files in UTF-16, as PowerShell writes them.

MLLP cannot carry UTF-16, whose characters hold the bytes of framing. A message of such a file is
sent in the character set that its MSH-18 names, because a receiver reads it by that.
"""

import codecs
import contextlib
import re

from fastmllp._native import Message, MessageError, named_codecs

__all__ = ["EncodingError", "decode_utf16", "encode_as_named"]

_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WITHOUT_MARK = re.compile(rb"(?:M\0{1,3}S\0{1,3}H|F\0{1,3}H\0{1,3}S|B\0{1,3}H\0{1,3}S)\0*[!-~]")
_NARROW = re.compile(rb"MSH[!-/:-@\[-`{-~]\^~")


class EncodingError(ValueError):
    """A file in an encoding that cannot be read, or a message that does not fit its MSH-18."""


def decode_utf16(data: bytes) -> bytes | None:
    """The text of a file in UTF-16 as UTF-8, its mark taken off; None for any other file.

    Raises:
        EncodingError: The file is in UTF-32, or only partly in UTF-16.
    """
    if data.startswith(_UTF32):
        raise EncodingError("is in UTF-32, which is not read: save it as UTF-8")
    if not data.startswith(_UTF16):
        return None
    if _NARROW.search(data):
        raise EncodingError("is partly in UTF-16 and partly not")
    try:
        return data.decode("utf-16").encode()
    except UnicodeError as error:
        raise EncodingError("is not valid UTF-16 after its byte order mark") from error


def is_wide(data: bytes) -> bool:
    """Whether a file without a byte order mark holds messages in UTF-16 or UTF-32."""
    return _WITHOUT_MARK.search(data) is not None


def encode_as_named(payload: bytes) -> bytes:
    """A message in UTF-8, encoded as its MSH-18 says; UTF-8 stays where that is empty.

    Raises:
        EncodingError: MSH-18 names a set that is unknown, that MLLP cannot carry, or that lacks a
            character of the message. The text quotes nothing.
    """
    if not _names_a_set(payload):
        return payload
    # UTF-16 and UTF-32 make more of a header than MLLP can carry.
    names = [name for name in named_codecs(payload) if "MSH|".encode(name) == b"MSH|"]
    text = payload.decode()
    for name in names:
        with contextlib.suppress(UnicodeEncodeError):
            return text.encode(name)
    if names:
        raise EncodingError("a character is not in the set that its MSH-18 names")
    raise EncodingError("its MSH-18 names a character set into which UTF-16 is not converted")


def _names_a_set(payload: bytes) -> bool:
    try:
        return bool(Message(payload, lenient=True).get("MSH-18"))
    except MessageError:
        return False
