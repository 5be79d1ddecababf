"""Files in UTF-16, as PowerShell writes them.

MLLP cannot carry UTF-16, whose characters hold the bytes of framing. A message of such a file is
sent in the character set that its MSH-18 names, because a receiver reads it by that.
"""

import codecs
import contextlib
import re

from fastmllp.hl7 import Message, MessageError

__all__ = ["EncodingError", "decode_utf16", "encode_as_named"]

_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WITHOUT_MARK = re.compile(rb"(?:M\0{1,3}S\0{1,3}H|F\0{1,3}H\0{1,3}S|B\0{1,3}H\0{1,3}S)\0*[!-~]")
_NARROW = re.compile(rb"MSH[!-/:-@\[-`{-~]\^~")
# Names of `Message.character_set` that Python does not know, or knows for something else.
_CODECS = {
    "ISO IR6": "ascii",
    "ISO IR13": "shift_jis",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "JAS2020": "iso2022_jp",
    "JIS X 0202": "iso2022_jp",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
}
# A further repetition of MSH-18 announces a set that escape sequences of ISO 2022 switch to.
_ANNOUNCED = {b"ISO IR87": "iso2022_jp", b"ISO IR159": "iso2022_jp_1"}


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
    message = Message(payload, lenient=True)
    try:
        if not message.get("MSH-18"):
            return payload
        names = _codecs_of(message)
    except MessageError:
        return payload
    text = payload.decode()
    for name in names:
        with contextlib.suppress(UnicodeEncodeError):
            return text.encode(name)
    if names:
        raise EncodingError("a character is not in the set that its MSH-18 names")
    raise EncodingError("its MSH-18 names a character set into which UTF-16 is not converted")


def _codecs_of(message: Message) -> list[str]:
    """Codecs by which a receiver reads the message, the plainest first."""
    name = message.character_set or ""
    codec = _CODECS.get(name, name.replace("8859/", "iso8859-"))
    try:
        # The characters of every header: UTF-16 and UTF-32 make more of them, which MLLP refuses.
        if "MSH|".encode(codec) != b"MSH|":
            return []
    except LookupError:
        return []
    announced = [_ANNOUNCED.get(message.get(f"MSH-18[{n}]") or b"") for n in (2, 3)]
    return [codec, *(name for name in announced if name is not None)]
