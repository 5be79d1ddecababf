"""Where two HL7 messages differ, field by field."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Difference:
    """One place where a message is not as expected. The values are in it."""

    text: str
    """Such as ``PID-3.1 is "1002", expected "1001"``."""
    line: int
    """Of the expected message: its segment, from 1."""


def differences(sent: str, expected: str) -> Iterator[Difference]:
    """Compare two messages whose segments end with CR.

    Separators are those of each message's own MSH, so one that is written with others is the same.
    """
    ours, theirs = _segments(sent), _segments(expected)
    names = difflib.SequenceMatcher(None, [it.id for it in ours], [it.id for it in theirs], False)
    for _, start, end, from_line, to_line in names.get_opcodes():
        pairs = zip_longest(ours[start:end], theirs[from_line:to_line])
        for at, (one, other) in enumerate(pairs):
            line = min(from_line + at + 1, max(len(theirs), 1))
            if one and other and one.id == other.id:
                for text in _in_segment(one, other, _occurrence(theirs, from_line + at)):
                    yield Difference(text, line)
            else:
                yield Difference(_lacks(one, other), line)


@dataclass(frozen=True)
class _Segment:
    id: str
    fields: list[str]
    """From the one with number 0, which is the name."""
    separators: str
    """Of components, repetitions, escapes and subcomponents."""


def _segments(message: str) -> list[_Segment]:
    lines = [line for line in message.split("\r") if line]
    is_hl7 = bool(lines) and lines[0].startswith("MSH") and len(lines[0]) > 8
    field = lines[0][3] if is_hl7 else "|"
    separators = lines[0][4:8] if is_hl7 else "^~\\&"
    made = []
    for line in lines:
        fields = line.split(field)
        if fields[0] == "MSH":
            # MSH-1 and MSH-2 are the separators, which need not be the same.
            fields[1:2] = ["", ""]
        made.append(_Segment(fields[0], fields, separators))
    return made


def _occurrence(segments: list[_Segment], at: int) -> str:
    """The segment as a path names it: ``OBX[2]`` for the second one."""
    number = sum(it.id == segments[at].id for it in segments[: at + 1])
    return segments[at].id + (f"[{number}]" if number > 1 else "")


def _in_segment(one: _Segment, other: _Segment, name: str) -> Iterator[str]:
    for number, (ours, theirs) in enumerate(zip_longest(one.fields, other.fields, fillvalue="")):
        mine, wanted = (
            [
                [part.split(it.separators[3]) for part in repetition.split(it.separators[0])]
                for repetition in text.split(it.separators[1])
            ]
            for it, text in ((one, ours), (other, theirs))
        )
        if mine != wanted:
            yield from _in_field(mine, wanted, f"{name}-{number}")


def _in_field(
    ours: list[list[list[str]]], theirs: list[list[list[str]]], path: str
) -> Iterator[str]:
    for number, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=[[""]]), 1):
        at = f"{path}[{number}]" if number > 1 else path
        has_components = max(len(one), len(other)) > 1
        for part, (mine, wanted) in enumerate(zip_longest(one, other, fillvalue=[""]), 1):
            component = f"{at}.{part}" if has_components or max(len(mine), len(wanted)) > 1 else at
            for sub, (is_, was) in enumerate(zip_longest(mine, wanted, fillvalue=""), 1):
                if is_ != was:
                    inner = f"{component}.{sub}" if max(len(mine), len(wanted)) > 1 else component
                    yield f"{inner} is {_shown(is_)}, expected {_shown(was)}"


def _shown(value: str) -> str:
    return f'"{value}"' if value else "empty"


def _lacks(one: _Segment | None, other: _Segment | None) -> str:
    if one and other:
        return f"a segment is {one.id}, expected {other.id}"
    return f"segment {one.id} is not expected" if one else f"segment {other.id} is missing"  # type: ignore[union-attr]
