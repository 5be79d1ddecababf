"""A folder that is looked at: which of its files are ready to be read."""

import fnmatch
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastmllp_engine.connectors.file_ledger import Stamp

if TYPE_CHECKING:
    from fastmllp_engine.connectors.file import File

SHOWN = 120
"""So many characters of a name stand in a note."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file that matches."""

    path: bytes
    stamp: Stamp


class Folder:
    """The files of a folder. Paths are bytes: names need not be text in any character set."""

    def __init__(self, spec: "File", clock: Callable[[], float] = time.monotonic) -> None:
        self.root = os.path.abspath(spec.directory.encode())
        self._own = (spec.processed_subdir.encode(), spec.error_subdir.encode())
        self._spec = spec
        self._pattern = spec.pattern.encode()
        self._clock = clock
        self._standing: dict[bytes, tuple[Stamp, float]] = {}
        """Since when a file is as it is, by our own clock: that of a share may be wrong."""
        self.passed_over: set[bytes] = set()
        """What matches and is no regular file, and folders inside that cannot be listed."""

    def ready(self) -> list[Found]:
        """The files that can be read, in order.

        Raises:
            OSError: the folder cannot be listed.
        """
        now = self._clock()
        before, self._standing = self._standing, {}
        self.passed_over = set()
        ready = []
        for found in self._files(self.root):
            stamp, since = before.get(found.path, (None, now))
            since = since if stamp == found.stamp else now
            self._standing[found.path] = (found.stamp, since)
            if self._is_ready(found.path, now - since):
                ready.append(found)
        by_time = self._spec.sort == "time"
        ready.sort(key=lambda it: (it.stamp.modified if by_time else 0, it.path))
        return ready

    @property
    def seen(self) -> list[bytes]:
        """Every file that the last look found."""
        return list(self._standing)

    def marker(self, path: bytes) -> bytes | None:
        """The file that says that another one is complete."""
        suffix = self._spec.ready_suffix
        return None if suffix is None else path + suffix.encode()

    def _is_ready(self, path: bytes, stood: float) -> bool:
        marker = self.marker(path)
        if marker is None:
            return stood >= self._spec.min_age_seconds
        # A marker that stays says nothing of the next content.
        is_due = self._spec.after_read != "leave" or stood >= self._spec.min_age_seconds
        return is_due and is_regular(marker)

    def _files(self, folder: bytes) -> Iterator[Found]:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    if self._spec.recursive and entry.name not in self._own:
                        yield from self._inside(entry.path)
                elif not self._matches(entry.name):
                    continue
                elif stat.S_ISREG(status.st_mode):
                    yield Found(entry.path, stamp_of(status))
                else:
                    self.passed_over.add(entry.path)

    def _inside(self, folder: bytes) -> Iterator[Found]:
        try:
            yield from self._files(folder)
        except OSError:
            self.passed_over.add(folder)

    def _matches(self, name: bytes) -> bool:
        suffix = self._spec.ready_suffix
        if suffix is not None and name.endswith(suffix.encode()):
            return False
        # As in a shell: what is hidden is being written, or nobody's business.
        if name.startswith(b".") and not self._pattern.startswith(b"."):
            return False
        return fnmatch.fnmatchcase(name, self._pattern)


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def beside(path: bytes, subfolder: str) -> bytes:
    """A folder in the one that a file is in."""
    return os.path.join(os.path.dirname(path), subfolder.encode())


def is_regular(path: bytes) -> bool:
    """Whether this is a file, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def shown(path: bytes) -> str:
    """The name of a file for people: on one line, whatever it holds, and not too long."""
    text = os.path.basename(path).decode("utf-8", "backslashreplace")
    text = "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in text)
    return f'"{text[:SHOWN]}..."' if len(text) > SHOWN else f'"{text}"'
