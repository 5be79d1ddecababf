"""Where settings come from: flags, environment variables, a TOML file, defaults, in this order."""

import codecs
import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from fastmllp.config.setting import PREFIX, Setting, Value
from fastmllp.logging.printable import one_line

_Given: TypeAlias = dict[tuple[str, str], tuple[Value, str]]
"""By section and key, a value and its source."""

_OTHER_UNICODE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)

_SERVICE = re.compile(r"_SERVICE_(HOST|PORT)(_|\Z)|_PORT_[0-9]+_(TCP|UDP|SCTP)(_|\Z)")
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


class ConfigError(ValueError):
    """A setting is unknown or has a bad value. The text is one line that names the source.

    What a file or a variable holds is quoted so that it can be printed: see
    `fastmllp.logging.printable`.
    """

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


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


class SettingsTable:
    """All settings of a program, as a value: another program makes a table of its own.

    Example:
        >>> table = SettingsTable(
        ...     [Setting("store", "folder", "", "where messages are kept")], prefix="MYPROGRAM_"
        ... )
        >>> table.load(environment={"MYPROGRAM_STORE_FOLDER": "/srv"}).section("store")
        {'folder': '/srv'}
    """

    def __init__(
        self,
        settings: Iterable[Setting],
        *,
        prefix: str = PREFIX,
        section_prefixes: Mapping[str, str] | None = None,
        section_heads: Mapping[str, str] | None = None,
        other_prefixes: Iterable[str] = (),
    ) -> None:
        """Put settings together.

        Args:
            settings: The rows, those of a section one after the other.
            prefix: What the program's environment variables begin with.
            section_prefixes: For sections whose keys carry a prefix that their variables do not
                repeat: with ``{"logging": "log_"}``, the variable of ``[logging] log_level`` ends
                in ``LOG_LEVEL``. The prefix of any other section is its name.
            section_heads: A sentence for each section, for its documentation.
            other_prefixes: What the variables of other programs begin with, where that begins with
                `prefix` too. Any other variable with `prefix` that is in no section is an error.

        Raises:
            ValueError: Two settings have the same environment variable.
        """
        prefixes = section_prefixes or {}
        self.settings = tuple(
            replace(setting, prefix=prefix, section_prefix=prefixes.get(setting.section, ""))
            for setting in settings
        )
        """The rows, which know their environment variables."""
        self.sections: tuple[str, ...] = tuple(dict.fromkeys(s.section for s in self.settings))
        """The names of the sections, in order."""
        self.section_heads = dict(section_heads or {})
        self._prefix = prefix
        self._other_prefixes = tuple(other_prefixes)
        if len({setting.variable for setting in self.settings}) != len(self.settings):
            raise ValueError("two settings have the same environment variable")

    def load(
        self,
        sections: Iterable[str] | None = None,
        *,
        flags: Mapping[tuple[str, str], Value] | None = None,
        file: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Settings:
        """Find the effective settings.

        Args:
            sections: The sections that are wanted; all of them if not given. A file is checked as a
                whole; of the environment only the variables of these sections count. A variable
                with the prefix of the program that belongs to no section at all is an error.
            flags: Values from the command line by section and key, already checked.
            file: A settings file; none if not given.
            environment: In place of that of the process. A variable that is empty counts as not
                set, except for a setting that is `never_empty <Setting>`.

        Raises:
            ConfigError: The file cannot be read, or something in it or in the environment is
                unknown or out of bounds.
        """
        wanted = set(self.sections if sections is None else sections)
        given: _Given = {}
        if file is not None:
            given |= self._from_file(os.fspath(file))
        given |= self._from_environment(os.environ if environment is None else environment, wanted)
        for (section, key), value in (flags or {}).items():
            given[section, key] = (value, "--" + key.replace("_", "-"))
        return Settings(
            Effective(
                setting, *given.get((setting.section, setting.key), (setting.default, "default"))
            )
            for setting in self.settings
            if setting.section in wanted
        )

    def _from_file(self, path: str) -> _Given:
        known = {(setting.section, setting.key): setting for setting in self.settings}
        given = {}
        for section, table in _read(path).items():
            if section not in self.sections:
                meant = _meant(section, self.sections)
                raise ConfigError(f"{path}: unknown section [{section}]{meant}")
            if not isinstance(table, dict):
                raise ConfigError(f"{path}: {section} must be a section, not a value")
            for key, value in table.items():
                setting = known.get((section, key))
                if setting is None:
                    keys = [key for of, key in known if of == section]
                    raise ConfigError(f"{path}: unknown key [{section}] {key}{_meant(key, keys)}")
                try:
                    checked = setting.check_given(setting.from_toml(value))
                except ValueError as error:
                    raise ConfigError(f"{path}: {error}") from error
                given[section, key] = (checked, path)
        return given

    def _from_environment(self, environment: Mapping[str, str], sections: set[str]) -> _Given:
        known = {setting.variable: setting for setting in self.settings}
        # Their misspelt variables are for the commands that use them.
        unwanted = tuple({s.variable_prefix for s in self.settings if s.section not in sections})
        own = tuple({s.variable_prefix for s in self.settings if s.section in sections})
        given = {}
        for variable, text in environment.items():
            if not self._is_own(variable) or (unwanted and variable.startswith(unwanted)):
                continue
            setting = known.get(variable)
            if setting is None and not variable.startswith(own) and _of_service(variable, text):
                continue
            if setting is None:
                # Even if it is empty: the name that was meant may be that of a protection.
                meant = _meant(variable.upper(), known)
                raise ConfigError(f"{variable}: unknown variable{meant}")
            if not text and not setting.never_empty:
                continue
            try:
                value = setting.check_given(setting.from_text(text))
            except ValueError as error:
                raise ConfigError(f"{variable}: {error}") from error
            given[setting.section, setting.key] = (value, variable)
        return given

    def _is_own(self, variable: str) -> bool:
        """Whether a variable is meant for this program, in whatever case it is written."""
        name = variable.upper()
        return name.startswith(self._prefix) and not name.startswith(self._other_prefixes)


def _of_service(variable: str, text: str) -> bool:
    """Whether Kubernetes has set a variable, for a service with a name such as ``fastmllp``."""
    return _SERVICE.search(variable) is not None or _SERVICE_ADDRESS.match(text) is not None


def _read(path: str) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        if data.startswith(_OTHER_UNICODE) or b"\0" in data[:2]:
            raise ConfigError(f"{path}: must be in UTF-8, not in UTF-16 or UTF-32")
        # Editors on Windows write a byte order mark, which TOML does not know.
        return tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    except ConfigError:
        raise
    except RecursionError as error:
        raise ConfigError(f"{path}: arrays or tables are nested too deeply") from error
    except ValueError as error:  # Not TOML, not UTF-8, or a NUL in the path.
        raise ConfigError(f"{path}: {error}") from error


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]}?" if close else ""
