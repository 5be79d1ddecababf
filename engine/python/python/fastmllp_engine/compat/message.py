"""Messages as feeds of MessageFoundry know them, on top of the engine's own."""

import re
from collections.abc import Sequence
from typing import Any, NoReturn
from xml.etree.ElementTree import Element

from fastmllp_engine import _native
from fastmllp_engine.compat.table import rows

_BREAKS = frozenset("\r\n")
_WHOLE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-(\d+)(?:\[(\d+)\])?")
"""A path to a whole field: segment, occurrence, number, repetition."""


class _Wrapper:
    """What a message has besides its fields."""

    __slots__ = ("_native",)

    def __init__(self, native: Any) -> None:
        self._native = native

    @property
    def native(self) -> Any:
        """A copy of the engine's own message."""
        return self._native.copy()

    def __getattr__(self, name: str) -> NoReturn:
        known = rows()[type(self).__name__].get(name)
        why = (known.refused or known.differs) if known else ""
        raise AttributeError(f"{name}: {why}" if why else name)


class Message(_Wrapper):
    """An HL7 message. What no call changes goes out byte for byte as it came."""

    __slots__ = ()

    @classmethod
    def parse(cls, raw: str | bytes) -> "Message":
        """A message of a text or of bytes."""
        return cls(_native.Message.parse(raw))

    def __getitem__(self, path: str) -> str | None:
        return self.field(path)

    def __setitem__(self, path: str, value: str) -> None:
        self.set(path, value)

    def field(self, path: str, occurrence: int = 1, repetition: int | None = None) -> str | None:
        """The text at a path; None if it is absent or empty.

        A whole field is as it stands, escape sequences included, as it is written.
        """
        whole = _WHOLE.fullmatch(_of_field(path))
        found = self._native.field(path, occurrence, repetition)
        if found is None or found == "":
            return None
        if whole is None or isinstance(found, _native.Raw):
            return str(found)
        return self._as_it_stands(whole, occurrence, repetition)

    def _as_it_stands(
        self, whole: re.Match[str], occurrence: int, repetition: int | None
    ) -> str | None:
        segment, number, field, repeated = whole.groups()
        line = self._native.field(segment, int(number or occurrence))
        separator = self._native["MSH-1"] or "|"
        at = int(field) - (segment == "MSH")
        text: str = str(line).split(separator)[at]
        one = int(repeated) if repeated else repetition
        if one is not None and not (segment == "MSH" and field == "2"):
            return text.split(self._repeats())[one - 1] or None
        return text or None

    def _repeats(self) -> str:
        """What stands between repetitions."""
        encoding = str(self._native["MSH-2"] or "")
        return encoding[1:2] or "~"

    def set(
        self, path: str, value: str, occurrence: int = 1, repetition: int | None = None
    ) -> None:
        """Write a whole field, separators of components included, or the text of a component."""
        _text(value)
        is_field = "." not in _of_field(path)
        segment = path.partition("-")[0].partition("[")[0]
        if self._native.count_segments(segment) < occurrence:
            raise KeyError("a segment that is not there cannot be set")
        if is_field and (self._native["MSH-1"] or "|") in value:
            raise ValueError("a field may not hold the field separator")
        given = _native.Raw(value) if is_field else value
        self._native.set(path, given, occurrence, repetition)

    def set_data(self, path: str, value: str) -> None:
        """Write a text in which nothing is structure."""
        self._native.set(path, _text(value))

    def repetitions(self, path: str) -> list[str]:
        """The texts of all repetitions of a field, or of a component in each of them."""
        found = self._native.repetitions(path)
        whole = _WHOLE.fullmatch(path)
        if whole is None:
            return [str(it) for it in found]
        return [self.field(path, 1, at) or "" for at in range(1, len(found) + 1)]

    def add_repetition(self, path: str, value: str) -> None:
        """Add a repetition after those of a field."""
        self._native.add_repetition(path, _native.Raw(_text(value)))

    def segments(self) -> list[str]:
        """The names of all segments, in order."""
        return [it.id for it in self._native.segments()]

    def count_segments(self, name: str) -> int:
        """How many segments of a name there are."""
        count: int = self._native.count_segments(name)
        return count

    def add_segment(self, line: str, index: int | None = None) -> None:
        """Add a segment at the end, or where the one of this number is; MSH is 0."""
        present: Sequence[Any] = self._native.segments()
        if index is None or index >= len(present):
            self._native.add_segment(_text(line))
        else:
            present[index].insert_before(_text(line))

    def delete_segments(self, name: str) -> int:
        """Delete all segments of a name, and return how many there were."""
        count: int = self._native.delete_segments(name)
        return count

    @property
    def message_code(self) -> str | None:
        """MSH-9.1"""
        return self.field("MSH-9.1")

    @property
    def trigger_event(self) -> str | None:
        """MSH-9.2"""
        return self.field("MSH-9.2")

    @property
    def message_type(self) -> str | None:
        """MSH-9"""
        return self.field("MSH-9")

    @property
    def control_id(self) -> str | None:
        """MSH-10"""
        return self.field("MSH-10")

    @property
    def content_type(self) -> str:
        """``hl7v2``"""
        return "hl7v2"

    def __str__(self) -> str:
        return self.encode()

    def encode(self) -> str:
        """All of it as text, with CR after each segment."""
        counts: dict[str, int] = {}
        lines = []
        for segment in self._native.segments():
            counts[segment.id] = number = counts.get(segment.id, 0) + 1
            lines.append(str(self._native.field(segment.id, number)))
        return "".join(f"{line}\r" for line in lines)

    def copy(self) -> "Message":
        """A message of its own with the same content."""
        return Message(self.native)


class RawMessage(_Wrapper):
    """A message that is not HL7."""

    __slots__ = ("_content_type",)

    def __init__(self, raw: Any, content_type: str | None = None) -> None:
        super().__init__(_native.RawMessage(raw) if isinstance(raw, str | bytes) else raw)
        self._content_type = content_type

    @classmethod
    def from_bytes(cls, raw: bytes, content_type: str | None = None) -> "RawMessage":
        """A message of bytes."""
        return cls(raw, content_type)

    @property
    def content_type(self) -> str:
        """What it was made with.

        Raises:
            AttributeError: it was received. Its inbound has the type, and a router of its own.
        """
        if self._content_type is None:
            # Python asks `__getattr__` then, which has the text.
            raise AttributeError("content_type")
        return self._content_type

    def __str__(self) -> str:
        return self.encode()

    @property
    def raw(self) -> str:
        """Its text."""
        return self.text

    @property
    def text(self) -> str:
        """Its text."""
        text: str = self._native.text
        return text

    @property
    def raw_bytes(self) -> bytes:
        """Its bytes as they came."""
        raw: bytes = self._native.raw
        return raw

    @property
    def is_binary(self) -> bool:
        """Whether it is no text."""
        is_binary: bool = self._native.is_binary
        return is_binary

    def json(self) -> Any:
        """What it says as JSON."""
        return self._native.json()

    def xml(self) -> Element:
        """Its root element as XML."""
        root: Element = self._native.xml()
        return root

    def encode(self) -> str:
        """Its text."""
        return self.text

    def copy(self) -> "RawMessage":
        """A message of its own with the same content."""
        return RawMessage(self.native, self._content_type)


def wrapped(native: Any) -> Message | RawMessage:
    """A message of the engine as these feeds know it."""
    return Message(native) if isinstance(native, _native.Message) else RawMessage(native)


def _of_field(path: str) -> str:
    if "-" not in path:
        raise ValueError("a path names a field, such as PID-3 or PID-3.1")
    return path


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a value is a text, not {type(value).__name__}")
    if _BREAKS & set(value):
        raise ValueError("a value may not hold the end of a segment")
    return value
