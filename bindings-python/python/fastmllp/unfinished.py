"""Files that are still being written, and those that a dead process has left.

A file that is being written has a hidden name and is locked. The lock goes when its process ends,
however it ends, so the holder of the lock knows that no other process writes the file. A process
ID in the name would not tell: it differs from container to container, and is used again.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed.
    fcntl = None  # type: ignore[assignment]

__all__ = ["hidden_file", "remove_unfinished"]

_NAME = re.compile(r"\.[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9]+-[0-9]+-[0-9]+\.(?:part|named)")


@contextlib.contextmanager
def hidden_file(folder: Path, name: str, payload: bytes) -> Iterator[Path]:
    """A file with a payload, on the disk, under a hidden name that is gone at the end of the block.

    Raises:
        OSError: It cannot be written.
    """
    path = folder / f".{name}-{os.getpid()}.part"
    while (file := _create(path)) is None:
        pass
    try:
        with open(file, "wb", buffering=0) as out:
            rest = memoryview(payload)
            while len(rest):
                rest = rest[out.write(rest) :]
            os.fsync(out.fileno())
            yield path
    finally:
        # Whether this works changes nothing: a hidden name is a file that does not count.
        with contextlib.suppress(OSError):
            os.unlink(path)


def remove_unfinished(folder: Path) -> int:
    """Remove what dead processes have left.

    Returns:
        How many files that was.
    """
    return sum(_remove_if_dead(path) for path in folder.iterdir() if _NAME.fullmatch(path.name))


def _create(path: Path) -> int | None:
    """A locked file; None if another process took it for a dead one before it was locked."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    if fcntl is not None:
        with contextlib.suppress(OSError):  # A file system without locks.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink == 0:
                os.close(descriptor)
                return None
    return descriptor


def _remove_if_dead(path: Path) -> bool:
    try:
        if fcntl is None:
            os.unlink(path)
            return True
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        finally:
            os.close(descriptor)
    except OSError:  # Somebody writes it, or has removed it meanwhile.
        return False
    return True


_BINARY = getattr(os, "O_BINARY", 0)
