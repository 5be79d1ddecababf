"""The files of a configuration: read once, hashed, and used from memory."""

import functools
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastmllp_engine.graph.findings import Finding, Place

MAX_FILE = 16 * 1024 * 1024
MAX_ALL = 256 * 1024 * 1024

NOT_LOADED = frozenset({"data", "tests"})
"""Folders of the configuration's root that a running engine does not need."""

STORE = "store.db"
"""The file that an engine's data folder has, wherever it lies."""


@dataclass(frozen=True)
class Folder:
    """What was read from a folder.

    Every file counts but those that begin with a dot, those in ``__pycache__``, ``tests`` and
    ``data``, and those of the data folder, wherever it lies. A link to a file is read like the
    file. What cannot be read, or is too large for a configuration, is a finding.
    """

    path: Path
    shown: str
    """The path as it was given, for people."""
    files: Mapping[str, bytes]
    """The contents by the path below the folder, with ``/``, in the order of the paths."""
    findings: tuple[Finding, ...] = ()

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of all paths and contents: the same on every machine."""
        digest = hashlib.sha256(b"fastmllp-engine configuration 1\n")
        for path, content in self.files.items():
            name = path.encode()
            digest.update(b"%d %d\n" % (len(name), len(content)) + name + content)
        return digest.hexdigest()

    def text(self, path: str) -> tuple[str, Finding | None]:
        """A file as text, in UTF-8."""
        try:
            return self.files[path].decode("utf-8-sig"), None
        except UnicodeDecodeError as error:
            line = self.files[path].count(b"\n", 0, error.start) + 1
            return "", Finding(Place(path, line), "this line is not UTF-8")


def read_folder(
    folder: str | os.PathLike[str], data: str | os.PathLike[str] | None = None
) -> Folder:
    """Read a configuration.

    Args:
        folder: The configuration.
        data: The engine's data folder, which is left out if it lies inside.
    """
    path = Path(folder).absolute()
    shown = os.fspath(folder)
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "there is no such folder"
        return Folder(path, shown, {}, (Finding(Place(""), what),))
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    left = MAX_ALL
    for name, file in sorted(_walk(path, Path(data).resolve() if data else None, findings)):
        try:
            content = _content(file, min(MAX_FILE, left))
        except (OSError, ValueError) as error:
            text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            findings.append(Finding(Place(name), text))
            continue
        files[name] = content
        left -= len(content)
    return Folder(path, shown, files, tuple(findings))


def _content(file: Path, most: int) -> bytes:
    # A pipe is not opened: its other end may be closed.
    if not stat.S_ISREG(file.stat().st_mode):
        raise ValueError("this is not a file")
    with file.open("rb") as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise ValueError(
            f"this file is too large: one may have {MAX_FILE >> 20} MiB, all {MAX_ALL >> 20} MiB"
        )
    return content


def _walk(root: Path, data: Path | None, findings: list[Finding]) -> Iterator[tuple[str, Path]]:
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(folder):
            path = Path(entry.path)
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if folder == root and entry.name in NOT_LOADED or _holds_data(path, data):
                continue
            name = name_of(path.relative_to(root))
            if not name.isprintable() or "\N{REPLACEMENT CHARACTER}" in name:
                findings.append(Finding(Place(ascii(name)), "the name of this file is not UTF-8"))
            elif entry.is_symlink() and path.is_dir():
                text = "this is a link to a folder, and only links to files are followed"
                findings.append(Finding(Place(name), text))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield name, path


def _holds_data(path: Path, data: Path | None) -> bool:
    """Whether a folder is an engine's: what is in there is not configuration."""
    return path.resolve() == data or (path / STORE).exists()


def name_of(path: str | os.PathLike[str]) -> str:
    """The name that a path stands for, in UTF-8 whatever the locale; other bytes are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def path_of(root: Path, name: str) -> Path:
    """Where a file of this name is, whatever the locale."""
    return root / os.fsdecode(name.encode())
