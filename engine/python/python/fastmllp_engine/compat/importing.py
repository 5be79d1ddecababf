"""``import messagefoundry``: a folder of theirs written as one of ours."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastmllp_engine.compat.table import PACKAGE, row
from fastmllp_engine.graph import Finding, Place
from fastmllp_engine.graph.folder import Folder, path_of, read_folder
from fastmllp_engine.graph.loader import examine
from fastmllp_engine.graph.toml import TomlError, parse

SETTINGS = f"{PACKAGE}.toml"
_FOREVER = ("bodies_days", "dead_days")


class NoFolder(Exception):
    """What was given is no folder of theirs, or would be overwritten."""


@dataclass(frozen=True)
class Imported:
    """What was written, and what became of each thing that was met."""

    written: tuple[str, ...]
    findings: tuple[Finding, ...]
    """In the files that were written, and in their settings."""

    @property
    def refused(self) -> int:
        """How many things have to be changed by hand."""
        return sum(it.level == "error" for it in self.findings)


def import_folder(
    source: str | os.PathLike[str], target: str | os.PathLike[str], environment: str | None = None
) -> Imported:
    """Write a folder of MessageFoundry as a configuration of this engine.

    Modules are copied as they are, and load because of ``[compat]``; so do connections, code sets
    and environments. Settings of the service become those of ``engine.toml`` where there are such.

    Args:
        source: Their project, or the folder of its configuration.
        target: The folder to write. It must not be there, or be empty.
        environment: For what the result is loaded, to say what is refused.

    Raises:
        NoFolder: there is nothing to import, or something in the way.
        OSError: the folder cannot be written.
    """
    root, target = Path(source), Path(target)
    if target.exists() and any(target.iterdir()):
        raise NoFolder(f"{target} is not empty")
    files = dict(_files(root))
    if not any(name.endswith(".py") or name == "connections.toml" for name in files):
        raise NoFolder(f"{root} has no modules and no connections.toml")
    settings, findings = _settings(root)
    files["engine.toml"] = settings.encode()
    for name, content in sorted(files.items()):
        path = path_of(target, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    _, found = examine(read_folder(target), environment)
    return Imported(tuple(sorted(files)), (*findings, *found))


def _configuration(root: Path) -> Path:
    inside = root / "config"
    return inside if inside.is_dir() else root


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    """What is copied: of the configuration, and the environments beside it."""
    configuration = _configuration(root)
    read = _read(configuration)
    for name, content in read.files.items():
        is_set = name.startswith("codesets/") and name.endswith((".csv", ".toml"))
        is_value = name.startswith("environments/") and name.endswith(".toml")
        if name.endswith(".py") or name == "connections.toml" or is_set or is_value:
            yield name, content
    for beside in (root / "environments", configuration.parent / "environments"):
        if configuration != root or not (root / "environments").is_dir():
            if beside.is_dir():
                files = _read(beside).files
                yield from ((f"environments/{name}", it) for name, it in files.items())
                return


def _read(folder: Path) -> Folder:
    read = read_folder(folder)
    if read.findings:
        raise NoFolder("; ".join(it.line(read.shown) for it in read.findings))
    return read


def _settings(root: Path) -> tuple[str, list[Finding]]:
    """The text of ``engine.toml``, and what became of each setting."""
    tables: dict[str, dict[str, Any]] = {"compat": {PACKAGE: True}}
    findings: list[Finding] = []
    for folder in (root, _configuration(root), root.parent):
        file = folder / SETTINGS
        if not file.is_file():
            continue
        try:
            given, lines = parse(file.read_bytes().decode("utf-8-sig"))
        except (TomlError, UnicodeDecodeError) as error:
            raise NoFolder(f"{file} is not TOML: {type(error).__name__}") from None
        for section, values in given.items():
            if isinstance(values, Mapping):
                for key, value in values.items():
                    place = Place(SETTINGS, lines.get((section, key), lines.get((section,), 0)))
                    findings.append(_setting(section, key, value, place, tables))
        break
    texts = (f"[{section}]\n{_toml(values)}" for section, values in tables.items())
    return "\n".join(texts), findings


def _setting(
    section: str, key: str, value: Any, place: Place, tables: dict[str, dict[str, Any]]
) -> Finding:
    what = row(f"settings.{section}", key)
    if what.refused:
        return Finding(place, f"[{section}] {key}: {what.refused}")
    if what.becomes is None:
        return Finding(place, f"[{section}] {key} differs: {what.differs}", "note")
    table, _, ours = what.becomes.rpartition(".")
    if ours in _FOREVER and value == 0:
        value = "forever"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    tables.setdefault(table, {})[ours] = value
    return Finding(place, f"[{section}] {key} becomes [{table}] {ours}", "note")


def _toml(values: Mapping[str, Any]) -> str:
    # A text, a number or a truth value is written in TOML as in JSON.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
