"""Snapshots: the files of a configuration under their hash, where nothing changes them."""

import os
import secrets
import shutil
from pathlib import Path

from fastmllp_engine.graph.findings import ConfigurationError, Finding, Place
from fastmllp_engine.graph.folder import Folder, path_of, read_folder

CONFIGURATIONS = "configurations"


def snapshot(folder: Folder, data: str | os.PathLike[str]) -> Path:
    """Copy what was read of a configuration to ``DATA/configurations/HASH``.

    It is there whole, synced and read-only, or not at all. One that is there already is used.

    Args:
        folder: What `read_folder` has read.
        data: The engine's data folder.

    Returns:
        The copy, which `load` takes like any folder.

    Raises:
        ConfigurationError: the folder cannot be read, or the copy that is there was changed.
        OSError: the copy cannot be written.
    """
    if folder.findings:
        raise ConfigurationError(folder.findings, folder.shown)
    above = Path(data) / CONFIGURATIONS
    target = above / folder.hash
    above.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        _write(folder, above, target)
    if read_folder(target).files != folder.files:
        text = "this copy is not what its name says: somebody has changed it; delete it"
        raise ConfigurationError([Finding(Place(""), text)], os.fspath(target))
    return target


def _write(folder: Folder, above: Path, target: Path) -> None:
    written = above / f".{folder.hash}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        written.mkdir()
        for name, content in folder.files.items():
            file = path_of(written, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
            file.chmod(0o444)
        for inner in (*(it for it in written.rglob("*") if it.is_dir()), written):
            _sync(inner)
        try:
            written.rename(target)
        except OSError:
            # Another process was first; its copy is the same.
            if not target.exists():
                raise
        _sync(above)
    finally:
        shutil.rmtree(written, ignore_errors=True)
    for inner in (target, *(it for it in target.rglob("*") if it.is_dir())):
        inner.chmod(0o555)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
