"""The messages that a command is given: in files, in folders, on standard input."""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastmllp._native import MllpError
from fastmllp.hl7.files import FileError, NoMessage, read_file
from fastmllp.logging.printable import one_line

Check = Callable[[bytes], object]
"""Raises `MllpError` for a payload that cannot be sent."""

_MOST_NOTES = 10
# How the name of a file of messages ends.
_SUFFIXES = frozenset({".hl7", ".hl7v2", ".mllp", ".er7"})
_HEADER_ANYWHERE = re.compile(rb"MSH\0*[!-/:-@\[-`{-~]\0*\^\0*~")


class NotReadable(Exception):
    """A file cannot be read, or holds no message. The text names the file.

    It quotes the name as it is; `complain` makes one line of it.
    """


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A message, and where it stands."""

    payload: bytes
    file: str
    number: int
    """Its number in the file, from 1 on."""

    @property
    def place(self) -> str:
        """Where it stands, in words that can be printed."""
        return one_line(f"{self.file}: message {self.number}")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads files of messages for a command."""

    note: Callable[[str], None]
    """Called with a line about each thing that was left out or is odd."""
    whole_batches: bool = False
    """Whether a batch whose counts differ, or that is cut, is an error; otherwise it is noted."""
    check: Check | None = None
    """Called with each payload, for what would refuse it later."""

    def read_all(self, names: Iterable[str]) -> list[Found]:
        """Read every message of every file before anything is done with the first one.

        A wrong name at the end of the list must not leave the work half done.

        Args:
            names: Files, folders, and ``-`` for standard input. Of a folder, the files in it in the
                order of their names; hidden files and folders in it do not count, and a file that
                does not look like one of messages, and holds none, is left out.

        Raises:
            NotReadable: A file cannot be read or holds no message, or a message cannot be sent.
        """
        return [found for name in names for found in self._read(name)]

    def _read(self, name: str) -> Iterator[Found]:
        try:
            if name != "-" and os.path.isdir(name):
                yield from self._read_folder(name)
            else:
                yield from self._read_file(name, _bytes_of(name))
        except OSError as error:
            raise NotReadable(f"cannot read {error.filename or name}: {_text(error)}") from error

    def _read_folder(self, name: str) -> Iterator[Found]:
        empty = True
        for path in sorted(path for path in Path(name).iterdir() if path.name[0] != "."):
            if path.is_dir():
                continue
            if not path.is_file() and path.exists():
                self.note(f"left out {path}: not a file")
                continue
            data = _bytes_of(str(path))  # A link to nothing is an error, not a file less.
            try:
                for found in self._read_file(str(path), data):
                    empty = False
                    yield found
            except NotReadable as error:
                # An export often has a note or a list beside its messages.
                if not isinstance(error.__cause__, NoMessage) or _is_of_messages(path, data):
                    raise
                self.note(f"left out {error}")
        if empty:
            raise OSError(errno.ENOENT, "no message in it", name)

    def _read_file(self, name: str, data: bytes) -> Iterator[Found]:
        try:
            reading = read_file(data)
        except FileError as error:
            raise NotReadable(f"{name}: {error}") from error
        if reading.batch_fault and self.whole_batches:
            raise NotReadable(f"{name}: {reading.batch_fault}; --ignore-counts sends it as it is")
        if reading.batch_fault:
            self.note(f"{name}: {reading.batch_fault}")
        for text in reading.notes[:_MOST_NOTES]:
            self.note(f"{name}: {text}")
        if len(reading.notes) > _MOST_NOTES:
            self.note(f"{name}: and {len(reading.notes) - _MOST_NOTES} more such lines")
        if reading.left_out:
            self.note(f"{name}: left out {reading.left_out} of no message")
        for number, payload in enumerate(reading.payloads, 1):
            found = Found(payload, name, number)
            self._check(found)
            yield found

    def _check(self, found: Found) -> None:
        if self.check is None:
            return
        try:
            self.check(found.payload)
        except MllpError as error:
            raise NotReadable(f"{found.place} cannot be sent: {error}") from error


def _is_of_messages(path: Path, data: bytes) -> bool:
    """Whether a file in which no message was found seems to be meant for some."""
    return path.suffix.lower() in _SUFFIXES or _HEADER_ANYWHERE.search(data) is not None


def _bytes_of(name: str) -> bytes:
    if name == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def _text(error: OSError) -> str:
    return error.strerror or str(error)
