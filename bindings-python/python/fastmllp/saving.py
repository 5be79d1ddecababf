"""Storing messages before they are acknowledged: one file for each.

The acknowledgment takes the message off the sender's hands, so everything that must not be lost has
to be on the disk before it leaves.

A file that is being written has a hidden name and is locked. The lock goes when its process ends,
however it ends, so the holder of the lock knows that no other process writes the file. A process
ID in the name would not tell: it differs from container to container, and is used again.
"""

import contextlib
import itertools
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from fastmllp._native import Ack, ErrorDetail, Message
from fastmllp.logging import Log
from fastmllp.serving.handler import connection_number, server_name

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed.
    fcntl = None  # type: ignore[assignment]

__all__ = ["SaveTo"]

_REASON = "message could not be stored"
# HL7 table 0357: application internal error. The fault is ours, not that of the content.
_APPLICATION_INTERNAL_ERROR = 207

_NAME = re.compile(r"\.[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-[0-9]+-[0-9]+-[0-9]+\.(?:part|named)")
_BINARY = getattr(os, "O_BINARY", 0)


class SaveTo:
    """A handler that stores each message as a file of its own, and then accepts it.

    A file holds the payload, byte for byte as received. It is written under a hidden name, flushed
    to the disk, given its name, and the folder is flushed too, all before the acknowledgment: a
    file with a name that ends in ``.hl7`` is complete, whenever the machine stops. Nothing is ever
    overwritten, and several processes may share a folder.

    The name is made of the time of storing in UTC, the number of the connection (0 where it is not
    known) and a running number, for example ``20260131T120000.123456Z-7-42.hl7``; nothing in it
    comes from the message. Files are readable for their owner only, since they hold health data.

    A message that cannot be stored is answered with AE and logged as ``save_failed``; the next one
    is tried again. Threads may share one. Under asyncio give the server an executor, because
    storing blocks.

    A process that is killed while it stores leaves a hidden file that ends in ``.part``. Its
    message was not acknowledged. The next `SaveTo` of the folder removes such files and logs how
    many as ``unfinished_removed``; files of living processes are locked, and stay. Where the file
    system has no locks (``flock``), nothing is removed.

    Example:
        >>> with Server(SaveTo("/var/spool/hl7"), port=2575) as server:
        ...     server.serve_forever()
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Try the folder, so that what is wrong with it shows now and not at the first message.

        Args:
            folder: Where to store. It is made if it is missing, but not the folder that it is in.

        Raises:
            OSError: Files cannot be made there, or cannot be given a second name (a hard link),
                which is how a file gets its name without replacing another one.
        """
        self._folder = Path(os.fspath(folder))
        self._numbers = itertools.count(1)
        with contextlib.suppress(FileExistsError):
            self._folder.mkdir(mode=0o700)
            _flush_folder(self._folder.parent)
        with hidden_file(self._folder, self._new_name(), b"") as probe:
            named = probe.with_suffix(".named")
            os.link(probe, named)
            os.unlink(named)
        removed = remove_unfinished(self._folder)
        if removed:
            Log().event(logging.WARNING, "unfinished_removed", count=removed)

    def __call__(self, message: Message) -> Ack | None:
        """Store a message and accept it, or answer AE."""
        connection, log = connection_number.get(), Log(server_name.get())
        payload = message.payload
        try:
            path = self.store(payload)
        except OSError as error:
            text = error.strerror or type(error).__name__
            log.event(logging.ERROR, "save_failed", connection, length=len(payload), error=text)
            detail = ErrorDetail(_APPLICATION_INTERNAL_ERROR, user_message=_REASON)
            return Ack("AE", text=_REASON, errors=[detail])
        log.event(logging.INFO, "saved", connection, length=len(payload), file=path.name)
        return None

    def store(self, payload: bytes) -> Path:
        """Store one payload, for handlers that do more than that.

        Returns:
            The file. It and its name are on the disk.

        Raises:
            OSError: It is not stored, and no file with a name that looks complete is left.
        """
        name = self._new_name()
        with hidden_file(self._folder, name, payload) as hidden:
            path = self._reveal(hidden, name)
        try:
            _flush_folder(self._folder)
        except OSError:
            # It might be there after a power failure, and might not. The sender is told that it
            # is not and sends again, so it had better not be there.
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        return path

    def _reveal(self, hidden: Path, name: str) -> Path:
        while True:
            path = self._folder / f"{name}.hl7"
            try:
                # Not a rename, which would replace a file of that name.
                os.link(hidden, path)
                return path
            except FileExistsError:
                name = self._new_name()

    def _new_name(self) -> str:
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
        connection = connection_number.get() or 0
        return f"{stamp}.{nanoseconds // 1000:06}Z-{connection}-{next(self._numbers)}"


def _flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk. Windows has no such thing and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
