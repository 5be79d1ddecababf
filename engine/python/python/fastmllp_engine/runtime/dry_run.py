"""The fields in which two messages differ."""

from collections.abc import Iterator


def differences(before: bytes, after: bytes) -> list[str]:
    """The fields in which two messages differ, such as ``PV1-3``; a segment that one of them lacks
    is ``+ZPI`` or ``-ZPI``. Never a value."""
    if before == after:
        return []
    old, new = dict(_segments(before)), dict(_segments(after))
    found: list[str] = []
    for name, place in dict.fromkeys((*old, *new)):
        shown = name if place == 1 else f"{name}[{place}]"
        mine, theirs = old.get((name, place)), new.get((name, place))
        if mine is None or theirs is None:
            found.append(("+" if mine is None else "-") + shown)
            continue
        first = 1 if name == "MSH" else 0
        for number in range(1, max(len(mine), len(theirs))):
            pair = [fields[number] if number < len(fields) else b"" for fields in (mine, theirs)]
            if pair[0] != pair[1]:
                found.append(f"{shown}-{number + first}")
    return found or ["the bytes between segments"]


def _segments(payload: bytes) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    separator = payload[3:4] or b"|"
    counts: dict[str, int] = {}
    for line in payload.split(b"\r"):
        if line:
            fields = line.split(separator)
            name = fields[0].decode("latin-1")
            counts[name] = counts.get(name, 0) + 1
            yield (name, counts[name]), fields
