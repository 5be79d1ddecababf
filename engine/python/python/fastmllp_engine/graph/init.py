"""`init`: the files of an example feed, to begin with."""

import os
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def init(folder: str | os.PathLike[str]) -> list[Path]:
    """Write an example: two connections, a router, a handler, and golden tests of them.

    Args:
        folder: Where to. It is made if it is not there.

    Returns:
        The files that were written.

    Raises:
        FileExistsError: some of them are there already. Nothing is written then.
    """
    root = Path(folder)
    # Git and others would take a .gitignore in the package for their own.
    template = files("fastmllp_engine.graph") / "template"
    wanted = {root / name.replace("gitignore", ".gitignore"): it for name, it in _all(template, "")}
    there = [path for path in wanted if path.exists()]
    if there:
        raise FileExistsError(f"not written, because there is already {', '.join(map(str, there))}")
    for path, content in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content.read_bytes())
    return sorted(wanted)


def _all(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for inner in folder.iterdir():
        if inner.is_file():
            found.append((prefix + inner.name, inner))
        elif inner.name != "__pycache__":
            found += _all(inner, f"{prefix}{inner.name}/")
    return found
