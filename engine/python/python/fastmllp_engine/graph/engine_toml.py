"""`engine.toml` and the variables that override it."""

import contextlib
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from fastmllp_engine.graph.checked import parameters
from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.folder import Folder
from fastmllp_engine.graph.kinds import Wrong, read
from fastmllp_engine.graph.loading import Entry, Loading, reading
from fastmllp_engine.graph.settings import Settings
from fastmllp_engine.graph.tables import read_toml

FILE = "engine.toml"
PREFIX = "FASTMLLP_ENGINE_"


def read_settings(folder: Folder, loading: Loading, variables: Mapping[str, str]) -> Settings:
    """The settings: a variable of the process first, then the file, then the defaults."""
    tables, lines = read_toml(folder, FILE, loading) or ({}, {})
    places = {".".join(map(str, path)): Place(FILE, line) for path, line in lines.items()}
    for name in sorted(variables):
        if name.startswith(PREFIX):
            _override(name, variables[name], tables, places, loading)
    with reading(Entry(loading, "", Place(FILE), places)):
        return Settings(**tables)


def _override(
    name: str, text: str, tables: dict[str, Any], places: dict[str, Place], loading: Loading
) -> None:
    section, _, key = name.removeprefix(PREFIX).lower().partition("_")
    fields = parameters(Settings)
    if section not in fields or not key:
        # Other variables of the same beginning belong to the command line.
        return
    place = Place(f"${name}")
    default: Any = fields[section][0].default_factory
    known: Iterable[str] = parameters(default) if isinstance(default, type) else ()
    if key not in known:
        loading.error(place, f'unknown key "{key}" of [{section}]{did_you_mean(key, known)}')
        return
    table = tables.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = _value(text, parameters(default)[key][1])
        places[f"{section}.{key}"] = place


def _value(text: str, annotation: Any) -> object:
    """The value of a variable, written as in TOML; a text needs no quotes, not even in digits."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    if not isinstance(value, str):
        with contextlib.suppress(Wrong):
            return read(text, annotation, lambda inner, table: table)
    return value
