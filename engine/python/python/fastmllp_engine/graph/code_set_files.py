"""The folder ``codesets``: CSV and TOML files of codes, and what is wrong with them."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from fastmllp_engine.graph.code_sets import CodeSet, OnMiss, Policy, Value
from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.folder import Folder
from fastmllp_engine.graph.loading import Loading
from fastmllp_engine.graph.tables import read_toml

FOLDER = "codesets"
POLICY = ".policy.toml"


def read_code_sets(folder: Folder, loading: Loading) -> dict[str, CodeSet]:
    """Every code set of a configuration, by its name. What is wrong is written down.

    One that could not be read is there all the same, so that it is not missed as well.
    """
    files = [path for path in folder.files if path.startswith(f"{FOLDER}/")]
    policies = {path for path in files if path.endswith(POLICY)}
    sets: dict[str, CodeSet] = {}
    for path in files:
        file = PurePosixPath(path)
        if path in policies:
            continue
        if file.suffix not in (".csv", ".toml") or str(file.parent) != FOLDER:
            loading.note(Place(path), "this is no code set: those are codesets/NAME.csv and .toml")
        elif file.stem in sets:
            loading.error(Place(path), f'there is another code set "{file.stem}"')
        else:
            beside = f"{FOLDER}/{file.stem}{POLICY}"
            reading = _File(folder, path, loading)
            sets[file.stem] = reading.read(beside if beside in policies else "")
    for path in policies:
        named = PurePosixPath(path.removesuffix(POLICY))
        if str(named.parent) != FOLDER or named.name not in sets:
            loading.error(Place(path), "there is no code set that this is the policy of")
    return sets


class _File:
    """One file of codes, as it is read."""

    def __init__(self, folder: Folder, path: str, loading: Loading) -> None:
        self._folder = folder
        self._path = path
        self._loading = loading
        self._columns = 1
        self._lines: dict[str, int] = {}

    def read(self, policy: str) -> CodeSet:
        """The code set. `policy` is the file of its policy; empty: there is none."""
        is_csv = self._path.endswith(".csv")
        values = dict(self._csv() if is_csv else self._toml())
        name = PurePosixPath(self._path).stem
        return CodeSet(name, values, self._policy(policy) if policy else Policy())

    def _error(self, line: int, text: str) -> None:
        self._loading.error(Place(self._path, line), text)

    def _csv(self) -> Iterator[tuple[str, Value]]:
        text, finding = self._folder.text(self._path)
        if finding:
            self._loading.findings.append(finding)
            return
        rows = _rows(text)
        try:
            _, header = next(rows, (1, []))
            if not self._takes(header):
                return
            for line, row in rows:
                value = self._row(line, row, header)
                if value is not None:
                    yield row[0], value
        except _NotCsv as error:
            self._error(error.line, f"this is not CSV: {error}")

    def _takes(self, header: list[str]) -> bool:
        """Whether the first row names a column of codes and others."""
        self._columns = len(header) - 1
        if len(header) < 2:
            semicolons = any(";" in it for it in header)
            text = "the first row names the column of the codes and at least one more"
            self._error(1, text + ("; columns are separated by commas" if semicolons else ""))
        elif "" in header or len(set(header)) < len(header):
            self._error(1, "each column has a name of its own")
        else:
            return True
        return False

    def _row(self, line: int, row: list[str], header: list[str]) -> Value | None:
        if len(row) != len(header):
            self._error(line, f"this row has {len(row)} columns, the first has {len(header)}")
        elif not row[0]:
            self._error(line, "this row has no code")
        elif row[0] in self._lines:
            self._error(line, f'the code "{row[0]}" is also in line {self._lines[row[0]]}')
        else:
            self._lines[row[0]] = line
            return (
                row[1]
                if len(row) == 2
                else MappingProxyType(dict(zip(header[1:], row[1:], strict=True)))
            )
        return None

    def _toml(self) -> Iterator[tuple[str, Value]]:
        table, lines = read_toml(self._folder, self._path, self._loading) or ({}, {})
        for code, value in table.items():
            if isinstance(value, str) and code:
                yield code, value
            else:
                what = "must be a text" if code else "this is no code"
                self._error(lines.get((code,), 0), f'"{code}": {what}')

    def _policy(self, path: str) -> Policy:
        table, lines = read_toml(self._folder, path, self._loading) or ({}, {})

        def error(key: str, text: str) -> None:
            self._loading.error(Place(path, lines.get((key,), 0)), text)

        known = ("kind", "default_value")
        for key in table:
            if key not in known:
                error(key, f'unknown key "{key}"{did_you_mean(key, known)}')
        kind = table.get("kind", OnMiss.ERROR)
        if kind not in list(OnMiss):
            names = ", ".join(f'"{one}"' for one in OnMiss)
            error("kind", f"kind must be one of {names}{did_you_mean(str(kind), OnMiss)}")
            return Policy()
        return Policy(OnMiss(kind), self._default(OnMiss(kind), table, error))

    def _default(self, kind: OnMiss, table: Mapping[str, Any], error: Any) -> str | None:
        value = table.get("default_value")
        has_text = kind in (OnMiss.DEFAULT, OnMiss.PASSTHROUGH)
        if has_text and self._columns > 1:
            error("kind", f'"{kind}" is for a code set of one column beside the codes')
        if (kind is OnMiss.DEFAULT) != (value is not None):
            only = "is missing" if value is None else f'is for kind = "{OnMiss.DEFAULT}" alone'
            error("default_value", f"default_value {only}")
        elif value is not None and not isinstance(value, str):
            error("default_value", "default_value must be a text")
        else:
            return value
        return None


class _NotCsv(Exception):
    """A file is not CSV."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows and the lines where they begin; a line without anything is none."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise _NotCsv(str(error), line) from None
        if row is None:
            return
        if row:
            yield line, row
