"""The outbound half of `File`: a file for each delivery, whole and durable or not there."""

import contextlib
import errno
import filecmp
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from fastmllp_engine.connectors.contract import (
    Connection,
    Credential,
    Delivery,
    DeliveryFailed,
    RefusedForGood,
    RefusedForNow,
    Sender,
    Transport,
)
from fastmllp_engine.connectors.file_moves import sync_folder
from fastmllp_engine.connectors.file_name import name_of

if TYPE_CHECKING:
    from fastmllp_engine.connectors.file import File

PIECE = 1 << 20
"""So many bytes of a message are in memory."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NEVER = (errno.EFBIG, errno.EISDIR, errno.EILSEQ, errno.ENAMETOOLONG, errno.EINVAL)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class FileSender(Sender):
    """Writes each delivery by a name of its own that nobody reads, and then gives it its name."""

    def __init__(self, spec: "File", connection: Connection) -> None:
        self._spec = spec
        self._folder = os.path.abspath(spec.directory.encode())
        own = hashlib.sha256(connection.name.encode()).hexdigest()[:12]
        self._mine = f".fastmllp-{own}-".encode()
        self._written = 0

    def connect(self) -> None:
        """Find the folder, and remove what an earlier life has left half written there."""
        try:
            with os.scandir(self._folder) as entries:
                left = [it.path for it in entries if it.name.startswith(self._mine)]
            for path in left:
                os.unlink(path)
        except FileNotFoundError as error:
            raise Transport("the folder is not there") from error
        except OSError as error:
            raise failure_of(error) from error

    def send(self, delivery: Delivery) -> str:
        """Write a file. Its name and its content are durable when this returns."""
        beginning = delivery.read(PIECE)
        name, seen = name_of(self._spec.filename, delivery, beginning, self._spec.encoding)
        path = os.path.join(self._folder, name)
        part = os.path.join(self._folder, self._mine + b"%d.part" % self._written)
        self._written += 1
        try:
            _write(beginning, delivery, part)
            was_there = self._name(part, path)
            sync_folder(self._folder)
        except OSError as error:
            raise failure_of(error) from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(part)
        return f"{seen} was there already" if was_there else f"written to {seen}"

    def _name(self, part: bytes, path: bytes) -> bool:
        """Give a written file its name. True: a file of that name has the same content."""
        if self._spec.overwrite:
            os.rename(part, path)
            return False
        try:
            _link(part, path)
            return False
        except FileExistsError:
            pass
        # After a crash an earlier attempt may have come as far as this.
        is_file = stat.S_ISREG(os.lstat(path).st_mode)
        if not is_file or not filecmp.cmp(part, path, shallow=False):
            raise RefusedForGood("there is another file of this name")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return True


def failure_of(error: OSError) -> DeliveryFailed:
    """What becomes of a delivery. The name of the file is not in it."""
    text = error.strerror or "the folder cannot be used"
    if error.errno in _FULL:
        return RefusedForNow(text)
    if error.errno in _FORBIDDEN:
        return Credential(text)
    return RefusedForGood(text) if error.errno in _NEVER else Transport(text)


def _write(beginning: bytes, delivery: Delivery, part: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(part, flags, 0o640), "wb") as file:
        piece = beginning
        while piece:
            file.write(piece)
            piece = delivery.read(PIECE)
        file.flush()
        os.fsync(file.fileno())


def _link(part: bytes, path: bytes) -> None:
    """Give a file a name that nothing has.

    Raises:
        FileExistsError: something has it.
    """
    try:
        os.link(part, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Without hard links, as on some shares, another program may still come between.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        os.rename(part, path)
