"""Writing to the standard streams, whatever became of them."""

import contextlib
import os
import sys
from typing import IO, AnyStr

from fastmllp.logging.printable import one_line


def write(stream: IO[AnyStr] | None, text: AnyStr) -> OSError | None:
    """Write to a standard stream, if the process has it.

    Returns:
        What went wrong. The work goes on, and its exit status still counts. The stream now leads
        nowhere, so that this is told once and the interpreter does not stumble over it at exit.
    """
    if stream is None:
        return None
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # A stream without a descriptor.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return error
    return None


def show(command: str, text: str | bytes) -> bool:
    """Write to standard output.

    Returns:
        Whether the text is out. A reader that has left wants to know no more, which counts as out;
        any other failure is told on standard error.
    """
    if isinstance(text, str):
        failure = write(sys.stdout, text)
    else:
        failure = write(sys.stdout and sys.stdout.buffer, text)
    if failure is None or isinstance(failure, BrokenPipeError):
        return True
    complain(command, f"cannot write to standard output: {failure.strerror or failure}")
    return False


def complain(command: str, text: str) -> None:
    """Write one line to standard error, whatever the text quotes."""
    write(sys.stderr, f"fastmllp {command}: {one_line(text)}\n")
