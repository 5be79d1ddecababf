"""Files out of the way: moved or deleted once they are read, so that no other file suffers."""

import errno
import os
import stat

NAME_BYTES = 255
"""The longest name of a file on usual file systems."""
_TAKEN = b".fastmllp-taken"
_COPIED = b".fastmllp-copied"


class Changed(Exception):
    """A file was replaced while it was moved. It is back in its folder, maybe by another name."""


def move(path: bytes, folder: bytes) -> bytes:
    """Move a file into a folder, under its own name or, if that is taken, one with a number.

    Returns:
        Where it is now.

    Raises:
        Changed: it is not the file any more that it was a moment before.
        OSError: it is where it was.
    """
    _make(folder)
    before = os.lstat(path)
    target = free_name(folder, os.path.basename(path))
    try:
        os.rename(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return _copy(path, target)
    _check(before, path, target)
    sync_folder(folder)
    sync_folder(os.path.dirname(path))
    return target


def delete(path: bytes) -> None:
    """Delete a file.

    Raises:
        Changed: as for `move`.
        OSError: it is where it was.
    """
    folder = os.path.dirname(path)
    before = os.lstat(path)
    taken = free_name(folder, _TAKEN)
    os.rename(path, taken)
    _check(before, path, taken)
    os.unlink(taken)
    sync_folder(folder)


def free_name(folder: bytes, name: bytes) -> bytes:
    """A path in a folder that nothing has: the name itself, or the name and a number."""
    number = 0
    while True:
        ending = b".%d" % number if number else b""
        path = os.path.join(folder, name[: NAME_BYTES - len(ending)] + ending)
        if not os.path.lexists(path):
            return path
        number += 1


def sync_folder(folder: bytes) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems of networks cannot, and need not.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _make(folder: bytes) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        # Through a link, somebody who may write here could write where only the engine may.
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    else:
        sync_folder(os.path.dirname(folder))


def _check(before: os.stat_result, path: bytes, target: bytes) -> None:
    """Put back what was not the file that was meant."""
    after = os.lstat(target)
    if _identity(before) == _identity(after):
        return
    os.rename(target, free_name(os.path.dirname(path), os.path.basename(path)))
    raise Changed


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _copy(path: bytes, target: bytes) -> bytes:
    """Across the border of a file system: a whole copy first, then the file goes."""
    copied = free_name(os.path.dirname(target), _COPIED)
    try:
        with open(path, "rb") as source, open(copied, "xb") as made:
            before = os.fstat(source.fileno())
            while piece := source.read(1 << 20):
                made.write(piece)
            made.flush()
            os.fsync(made.fileno())
        if _identity(before) != _identity(os.lstat(path)):
            raise Changed
        os.rename(copied, target)
    except BaseException:
        if os.path.lexists(copied):
            os.unlink(copied)
        raise
    sync_folder(os.path.dirname(target))
    delete(path)
    return target
