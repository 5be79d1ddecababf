"""The character set of a message that is given as text."""

import codecs
from typing import NamedTuple

from fastmllp._native import named_codecs

__all__ = ["Encoded", "contradicts", "encode_message"]


class Encoded(NamedTuple):
    """The bytes of a message."""

    payload: bytes
    encoding: str
    """The codec that made them."""
    first: int | None
    """Where the first character stands that the codec has no bytes for; None: there is none."""


def encode_message(text: str, encoding: str) -> Encoded:
    """Encode a whole message in the set that its own MSH-18 names, so that its label is true.

    Args:
        text: The message.
        encoding: The codec where MSH-18 names no set, or one that is not known.

    Returns:
        The bytes. What the set lacks is ``?``.
    """
    encodings = _named(text) or [encoding]
    for encoding in encodings:
        try:
            return Encoded(text.encode(encoding), encoding, None)
        except UnicodeEncodeError as error:
            first = error.start
    return Encoded(text.encode(encoding, errors="replace"), encoding, first)


def contradicts(text: str, encoding: str) -> bool:
    """Tell whether a message would be wrongly labelled when it is encoded by that codec.

    Never so for ASCII, which nearly all sets contain.
    """
    if text.isascii():
        return False
    named = {codecs.lookup(name).name for name in _named(text)}
    return bool(named) and codecs.lookup(encoding).name not in named


def _named(text: str) -> list[str]:
    # The header of a message in any set of table 0211 reads the same in UTF-8.
    return named_codecs(text.encode("utf-8", errors="replace"))
