"""The names of files that an outbound writes: `filename` of `File`, filled in."""

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import quote

from fastmllp_engine._native import Message, MessageError
from fastmllp_engine.connectors.contract import Delivery, RefusedForGood
from fastmllp_engine.connectors.file_moves import NAME_BYTES
from fastmllp_engine.graph.findings import did_you_mean

BUILT_IN = ("message",)
"""What may stand in braces besides fields."""
SHOWN = 100
"""A longer name is shown by its template."""

_FIELD = re.compile(r"[A-Z][A-Z0-9]{2}-[1-9]\d{0,2}(\.[1-9]\d{0,2}){0,2}")
_PARTS = re.compile(r"\{([^{}]*)\}")


def faults(template: str) -> Iterator[str]:
    """What is wrong with a template, a text for each."""
    if "/" in template or "\\" in template or "\0" in template:
        yield "filename is the name of a file, without a folder"
    names = _PARTS.findall(template)
    for name in names:
        if name not in BUILT_IN and not _FIELD.fullmatch(name):
            near = did_you_mean(name, BUILT_IN) or ": a field, or message"
            yield f"filename has {{{name}}}, which is nothing known{near}"
    left = _PARTS.sub("", template)
    if "{" in left or "}" in left:
        yield "filename has a brace that is not one of a pair"


def is_always_the_same(template: str) -> bool:
    """Whether every message has the same name."""
    return not _PARTS.search(template)


def name_of(
    template: str, delivery: Delivery, beginning: bytes, encoding: str
) -> tuple[bytes, str]:
    """The name of the file of a delivery: the same one for each attempt.

    What a message says cannot leave the folder: everything in a value but letters, digits and
    ``_ . - ~`` is written as ``%`` and two digits, so that different values give different names.

    Args:
        template: `filename` of `File`.
        delivery: The delivery. It is read whole only if its beginning lacks a field.
        beginning: The first bytes of its payload.
        encoding: The character set if it names none.

    Returns:
        The name, and how it is shown: a field outside MSH, which may be a patient's, only by name.

    Raises:
        RefusedForGood: the message has no value for it.
    """
    values: dict[str, str] = {}
    for name in _PARTS.findall(template):
        if name == "message":
            values[name] = str(delivery.message)
        else:
            values[name] = quote(_field(name, delivery, beginning, encoding), safe="")
    made = _PARTS.sub(lambda it: values[it[1]], template)
    seen = _PARTS.sub(lambda it: values[it[1]] if _is_open(it[1]) else it[0], template)
    if made.startswith("."):
        made = "%2E" + made[1:]
    return _shortened(made.encode()), seen if len(seen) <= SHOWN else template


def _is_open(name: str) -> bool:
    return name in BUILT_IN or name.startswith("MSH-")


def _field(name: str, delivery: Delivery, beginning: bytes, encoding: str) -> str:
    is_whole = len(beginning) == len(delivery)
    # The last segment of a beginning may be cut in two.
    value = _read(
        name, beginning if is_whole else beginning[: beginning.rfind(b"\r") + 1], encoding
    )
    if not value and not is_whole:
        value = _read(name, delivery.payload, encoding)
    if not value:
        raise RefusedForGood(f"the message has no {name} for the name of its file")
    return value


def _read(name: str, payload: bytes, encoding: str) -> str | None:
    if not payload:
        return None
    try:
        return Message(payload, encoding)[name]
    except (MessageError, UnicodeError, LookupError):
        raise RefusedForGood(f"{name} for the name of the file cannot be read") from None


def _shortened(name: bytes) -> bytes:
    """A name that file systems take; names that differ still do."""
    if len(name) <= NAME_BYTES:
        return name
    stem, dot, ending = name.rpartition(b".")
    ending = dot + ending if stem and len(ending) < 16 else b""
    digest = b"~" + hashlib.sha256(name).hexdigest()[:16].encode()
    return name[: NAME_BYTES - len(digest) - len(ending)] + digest + ending
