"""The envelopes of batches: FHS, BHS, BTS and FTS (HL7 v2 chapter 2, batch protocol).

A trailer tells how much its header announced: BTS-1 counts the messages of a batch, FTS-1 the
batches of a file. That is how a receiver notices that a part is missing.
"""

import re

__all__ = ["Envelopes"]

_HEADER_OF = {b"BTS": "BHS", b"FTS": "FHS"}
_TRAILER_OF = {"BHS": "BTS", "FHS": "FTS"}
# An NM: leading zeros and a plus sign mean nothing, nor does a fraction of zero. More digits than
# these count nothing that is in a file.
_COUNT = re.compile(rb"\+?0*([0-9]{1,18})(?:\.0*)?")


class Envelopes:
    """Follows the segments of a file and notes the first thing that does not fit."""

    def __init__(self) -> None:
        self.fault = ""
        """What is wrong, with its place; empty if nothing is."""
        # FHS, BHS: where it began, while it is open.
        self._open: dict[str, str] = {}
        self._messages = 0
        self._batches = 0
        # Messages between FHS and FTS that no BHS encloses are a batch too: BHS is optional.
        self._loose = False

    def message(self) -> None:
        """A message begins."""
        self._messages += 1
        if "BHS" not in self._open:
            self._loose = True

    def header(self, name: bytes, place: str) -> None:
        """A segment FHS or BHS."""
        text = name.decode()
        # A file cannot begin inside a batch.
        for opened in ("BHS", "FHS") if text == "FHS" else ("BHS",):
            if opened in self._open:
                self._cut(opened)
        self._open[text] = place
        if text == "FHS":
            self._batches, self._loose = 0, False
        else:
            self._messages = 0
            self._batches += 1

    def trailer(self, line: bytes, separator: bytes, place: str) -> bool:
        """Look whether a line is a segment BTS or FTS.

        A name without any field ends what is open. Where nothing is, it is a word of a text.

        Args:
            line: One segment, or any other text.
            separator: The field separator of the header before it.
            place: Where the line stands, in words.

        Returns:
            Whether it is.
        """
        name, rest = line[:3], line[3:]
        if name not in _HEADER_OF or not (rest.startswith(separator) if rest else self._open):
            return False
        self._close(name, rest[1:].split(separator, 1)[0], place)
        return True

    def end(self) -> None:
        """The file ends."""
        for opened in ("BHS", "FHS"):
            if opened in self._open:
                self._cut(opened)

    def _close(self, name: bytes, count: bytes, place: str) -> None:
        trailer, header = name.decode(), _HEADER_OF[name]
        if trailer == "FTS" and "BHS" in self._open:
            self._cut("BHS")
        if self._open.pop(header, None) is None:
            self._note(f"{place}: {trailer} without {header} before it")
            return
        if trailer == "BTS":
            self._compare(place, "BTS-1", count, self._messages, "messages")
        else:
            found = self._batches + self._loose
            self._compare(place, "FTS-1", count, found, "batches")

    def _cut(self, header: str) -> None:
        place = self._open.pop(header)
        self._note(f"{place}: {header} without {_TRAILER_OF[header]} after it")

    def _compare(self, place: str, field: str, value: bytes, found: int, what: str) -> None:
        value = value.strip()
        if value in (b"", b'""'):  # The sender does not count.
            return
        match = _COUNT.fullmatch(value)
        if match is None:
            self._note(f"{place}: {field} is not a number")
        elif int(match[1]) != found:
            self._note(f"{place}: {field} counts {int(match[1])} {what}, there are {found}")

    def _note(self, fault: str) -> None:
        self.fault = self.fault or fault
