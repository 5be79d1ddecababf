"""Where settings come from: flags, environment variables, a TOML file, defaults, in this order."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fastmllp.config.setting import Setting, Value
from fastmllp.config.table import SECTIONS, SETTINGS


class ConfigError(ValueError):
    """A setting is unknown or has a bad value. The text is one line that names the source."""


@dataclass(frozen=True, slots=True)
class Effective:
    """The value that a setting has, and who gave it."""

    setting: Setting
    value: Value
    source: str
    """``default``, the environment variable, the path of the file, or the flag."""


class Settings:
    """The effective settings of some sections."""

    def __init__(self, effective: Iterable[Effective]) -> None:
        self.effective = tuple(effective)
        """All of them, in the order of the table."""

    def section(self, name: str) -> dict[str, Any]:
        """The values of a section by key."""
        return {e.setting.key: e.value for e in self.effective if e.setting.section == name}

    def changed(self, name: str) -> dict[str, Any]:
        """The values of a section by key, but only those that are not the default."""
        return {
            e.setting.key: e.value
            for e in self.effective
            if e.setting.section == name and e.value != e.setting.default
        }

    def source(self, section: str, key: str) -> str:
        """Who gave the value of a setting, see `Effective.source`.

        Raises:
            KeyError: There is no such setting.
        """
        for e in self.effective:
            if (e.setting.section, e.setting.key) == (section, key):
                return e.source
        raise KeyError(key)


def load(
    sections: Iterable[str] = SECTIONS,
    *,
    flags: Mapping[tuple[str, str], Value] | None = None,
    file: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Find the effective settings.

    Args:
        sections: The sections that are wanted. A file is checked as a whole; of the environment
            only the variables of these sections count.
        flags: Values from the command line by section and key, already checked.
        file: A settings file; none if not given.
        environment: In place of that of the process. A variable that is empty counts as not set.

    Raises:
        ConfigError: The file cannot be read, or something in it or in the environment is unknown or
            out of bounds.
    """
    wanted = set(sections)
    given: dict[tuple[str, str], tuple[Value, str]] = {}
    if file is not None:
        given |= _from_file(os.fspath(file))
    given |= _from_environment(os.environ if environment is None else environment, wanted)
    for (section, key), value in (flags or {}).items():
        given[section, key] = (value, "--" + key.replace("_", "-"))
    return Settings(
        Effective(setting, *given.get((setting.section, setting.key), (setting.default, "default")))
        for setting in SETTINGS
        if setting.section in wanted
    )


def _from_file(path: str) -> dict[tuple[str, str], tuple[Value, str]]:
    try:
        with open(path, "rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # No TOML, or no UTF-8.
        raise ConfigError(f"{path}: {error}") from error
    known = {(setting.section, setting.key): setting for setting in SETTINGS}
    given = {}
    for section, table in tables.items():
        if section not in SECTIONS:
            raise ConfigError(f"{path}: unknown section [{section}]{_meant(section, SECTIONS)}")
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {section} must be a section, not a value")
        for key, value in table.items():
            setting = known.get((section, key))
            if setting is None:
                keys = [key for of, key in known if of == section]
                raise ConfigError(f"{path}: unknown key [{section}] {key}{_meant(key, keys)}")
            try:
                given[section, key] = (setting.from_toml(value), path)
            except ValueError as error:
                raise ConfigError(f"{path}: {error}") from error
    return given


def _from_environment(
    environment: Mapping[str, str], sections: set[str]
) -> dict[tuple[str, str], tuple[Value, str]]:
    known = {setting.variable: setting for setting in SETTINGS if setting.section in sections}
    prefixes = tuple({setting.variable_prefix for setting in known.values()})
    given = {}
    for variable, text in environment.items():
        if not text or not variable.startswith(prefixes):
            continue
        setting = known.get(variable)
        if setting is None:
            raise ConfigError(f"{variable}: unknown variable{_meant(variable, known)}")
        try:
            given[setting.section, setting.key] = (setting.from_text(text), variable)
        except ValueError as error:
            raise ConfigError(f"{variable}: {error}") from error
    return given


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]}?" if close else ""
