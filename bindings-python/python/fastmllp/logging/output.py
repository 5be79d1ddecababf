"""Where lines of the log go: the descriptor of a standard stream, or a file with a name."""

import contextlib
import errno
import io
import os
from typing import Protocol, TextIO

from fastmllp._native import write_lines

__all__ = ["LogFile", "LogOutput", "LogStream", "has_descriptor"]

_STANDARD = (1, 2)
_MODE = 0o640


class LogOutput(Protocol):
    """Something with a descriptor that takes lines."""

    encoding: str

    def write(self, lines: bytes) -> int:
        """Write some of these bytes, at least one; returns how many.

        Raises:
            OSError: They cannot be written.
            ValueError: The output is closed.
        """

    def reopen(self) -> None:
        """Open the file of that name again.

        Raises:
            OSError: It cannot be opened. The output is what it was before.
        """

    def close(self) -> None:
        """Give the descriptor back, if it is the output's own."""


def has_descriptor(stream: TextIO) -> bool:
    """Whether the text of a stream goes to a descriptor as it is.

    Not so for a stream in memory, nor for one that compresses or translates what it is given.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return False
    buffer = stream.buffer
    return isinstance(getattr(buffer, "raw", buffer), io.FileIO)


class LogStream:
    """A text stream of the program, written through its descriptor.

    The stream's own buffer is left out: a thread that holds the lock of that buffer when the
    process forks would leave it locked in the child for ever.
    """

    def __init__(self, stream: TextIO) -> None:
        self.encoding = stream.encoding
        self._stream = stream

    def write(self, lines: bytes) -> int:
        # Asked for each time: once the stream is closed, its number may belong to a socket.
        descriptor = self._stream.fileno()
        if descriptor in _STANDARD:
            # It takes a descriptor for the time of the call. Where there is none left the records
            # must not be lost, because one of them says so.
            with contextlib.suppress(OSError):
                return write_lines(descriptor, lines)
        return os.write(descriptor, lines)

    def reopen(self) -> None:
        pass

    def close(self) -> None:
        pass


class LogFile:
    """A file that lines are appended to, also by other processes."""

    encoding = "utf-8"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open or create the file.

        Raises:
            OSError: It cannot be opened.
        """
        # The same file after a change of the working directory.
        self._path = os.path.abspath(path)
        self._descriptor = _open(self._path)

    def write(self, lines: bytes) -> int:
        return os.write(self._opened(), lines)

    def reopen(self) -> None:
        opened = _open(self._path)
        try:
            os.dup2(opened, self._opened(), inheritable=False)
        finally:
            os.close(opened)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _opened(self) -> int:
        if self._descriptor < 0:
            raise ValueError("the log file is closed")
        return self._descriptor


def _open(path: str) -> int:
    # Non-blocking, so that a pipe without a reader is an error and not a wait.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, flags, _MODE)
    except ValueError as error:
        # A name with a NUL in it.
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path) from error
