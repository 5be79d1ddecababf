"""The messages that a command is given: in files, in folders, on standard input."""

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastmllp.files import FileError, NoMessage, read_messages


class NotReadable(Exception):
    """A file cannot be read, or holds no message. The text is one line that names the file."""


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A message, and where it stands."""

    payload: bytes
    file: str
    number: int
    """Its number in the file, from 1 on."""

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return f"{self.file}: message {self.number}"


def read_all(names: Iterable[str], note: Callable[[str], None]) -> list[Found]:
    """Read every message of every file before anything is done with the first one.

    A wrong name at the end of the list must not leave the work half done.

    Args:
        names: Files, folders, and ``-`` for standard input. Of a folder, the files in it in the
            order of their names; hidden files and folders in it do not count, and a file without
            any message is left out.
        note: Called with a line about each thing that was left out.

    Raises:
        NotReadable: A file cannot be read or holds no message, or a message cannot be sent.
    """
    return [found for name in names for found in _read(name, note)]


def _read(name: str, note: Callable[[str], None]) -> Iterator[Found]:
    try:
        if name != "-" and os.path.isdir(name):
            yield from _read_folder(name, note)
        else:
            yield from _read_file(name, note)
    except OSError as error:
        raise NotReadable(f"cannot read {error.filename or name}: {_text(error)}") from error


def _read_folder(name: str, note: Callable[[str], None]) -> Iterator[Found]:
    paths = sorted(path for path in Path(name).iterdir() if path.name[0] != "." and path.is_file())
    empty = True
    for path in paths:
        try:
            for found in _read_file(str(path), note):
                empty = False
                yield found
        except NotReadable as error:
            # An export often has a note or a list beside its messages.
            if not isinstance(error.__cause__, NoMessage):
                raise
            note(f"left out {error}")
    if empty:
        raise OSError(errno.ENOENT, "no message in it", name)


def _read_file(name: str, note: Callable[[str], None]) -> Iterator[Found]:
    try:
        contents = read_messages(_bytes_of(name))
    except FileError as error:
        raise NotReadable(f"{name}: {error}") from error
    if contents.left_out:
        note(f"{name}: left out {contents.left_out} of no message")
    for number, payload in enumerate(contents.payloads, 1):
        yield Found(payload, name, number)


def _bytes_of(name: str) -> bytes:
    if name == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        return sys.stdin.buffer.read()
    with open(name, "rb") as file:
        return file.read()


def _text(error: OSError) -> str:
    return error.strerror or str(error)
