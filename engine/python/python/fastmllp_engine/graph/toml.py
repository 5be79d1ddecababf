"""TOML with the line of each key, which `tomllib` does not say."""

import re
import tomllib
from typing import Any

Key = str | int
Path = tuple[Key, ...]

_HEADER = re.compile(r"[ \t]*\[(\[?)([^\n]*?)\]?\][ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_KEY = re.compile(r"""[ \t]*((?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^=\n"'])+?)[ \t]*=""")
_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'|#[^\n]*', re.DOTALL
)


class TomlError(ValueError):
    """A file is not TOML."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


def parse(text: str) -> tuple[dict[str, Any], dict[Path, int]]:
    """The tables of a text, and the line of each key and table by its path.

    Elements of an array of tables have their number in the path, from 0. Keys inside an inline
    table have no line of their own.

    Raises:
        TomlError: this is not TOML.
    """
    text = text.replace("\r\n", "\n")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", where)
        raise TomlError(what, int(line[1]) if line else text.count("\n") + 1) from None
    return tables, _lines(text)


def _lines(text: str) -> dict[Path, int]:
    lines: dict[Path, int] = {}
    elements: dict[Path, int] = {}
    table: Path = ()
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        header, key = _HEADER.match(text, at), _KEY.match(text, at)
        if header:
            table = _path(_keys(header[2]), bool(header[1]), elements)
            lines.setdefault(table, line)
            at = header.end()
        elif key and not text[at : key.end()].lstrip().startswith("#"):
            lines.setdefault(table + _keys(key[1]), line)
            at = _end_of_value(text, key.end())
        else:
            at = (text.find("\n", at) + 1) or len(text)
    return lines


def _keys(text: str) -> Path:
    """The parts of a key such as ``retry."max attempts"``."""
    parts: list[str] = []
    table: Any = tomllib.loads(f"{text} = 0")
    while isinstance(table, dict):
        parts += table
        (table,) = table.values()
    return tuple(parts)


def _path(keys: Path, is_element: bool, elements: dict[Path, int]) -> Path:
    """The path of a header: below an array of tables it belongs to the last element."""
    path: Path = ()
    for at, key in enumerate(keys):
        path += (key,)
        is_last = at == len(keys) - 1
        if is_last and is_element:
            elements[path] = elements.get(path, -1) + 1
        if path in elements:
            path += (elements[path],)
    return path


def _end_of_value(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        skipped = _STRINGS.match(text, at)
        if skipped:
            at = skipped.end()
            continue
        depth += (text[at] in "[{") - (text[at] in "]}")
        at += 1
        if text[at - 1] == "\n" and depth == 0:
            break
    return at
