"""One setting: how its value is read from text and from TOML, and what it must be."""

import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastmllp.config.bounds import Range, read_integer, read_number

Value: TypeAlias = str | int | float | bool | tuple[str, ...]

PREFIX = "FASTMLLP_"
"""What the environment variables of this program begin with."""
_TYPES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    tuple: "an array of strings",
}
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of a table. The type of the default is the type of the setting."""

    section: str
    key: str
    default: Value
    meaning: str
    range: Range | None = None
    choices: tuple[str, ...] = ()
    check_text: Callable[[str, Any], object] | None = None
    """What else a value must be; raises ValueError, with a text that begins with the name."""
    placeholder: str = ""
    """What stands for the value in the help text of the flag."""
    never_empty: bool = False
    """Whether a source that gives an empty value is in error, rather than giving none.

    For everything that protects someone: a list of networks that became empty by mistake would
    admit every peer, and the default of a host or of a limit may be wider than what was meant."""
    prefix: str = PREFIX
    """What all environment variables of the program begin with; see `SettingsTable`."""
    section_prefix: str = ""
    """What the keys of the section begin with already; see `SettingsTable`."""

    @property
    def flag(self) -> str:
        """The flag on the command line, such as ``--max-size``."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, such as ``FASTMLLP_SERVER_MAX_SIZE``."""
        prefix = self.section_prefix or f"{self.section}_"
        return self.prefix + (prefix + self.key.removeprefix(prefix)).upper()

    @property
    def variable_prefix(self) -> str:
        """What all environment variables of the section begin with."""
        return self.prefix + (self.section_prefix or f"{self.section}_").upper()

    @property
    def type_name(self) -> str:
        """What the value of the setting is, in words."""
        return _TYPES[type(self.default)]

    def check(self, value: Value) -> Value:
        """Check a value of the right type.

        Raises:
            ValueError: It is out of bounds. The text begins with the section and the key.
        """
        name = self._name
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                _check_characters(name, text)
        if self.range is not None and isinstance(value, int | float):
            self.range.check(name, value)
        if self.choices and value not in self.choices:
            raise ValueError(f"{name} must be one of {', '.join(self.choices)}, not {value!r}")
        if self.check_text is not None:
            self.check_text(name, value)
        return value

    def check_given(self, value: Value) -> Value:
        """Check that a value that some source gives is not an empty one, where that is an error.

        Raises:
            ValueError: It is. The text begins with the section and the key.
        """
        empty = not value.strip() if isinstance(value, str) else value == ()
        if self.never_empty and empty:
            raise ValueError(f"{self._name} is set, but empty: give it a value, or do not set it")
        return value

    def from_text(self, text: str) -> Value:
        """Read the value of a flag or of an environment variable.

        Lists are comma separated; what is empty between commas does not count. A number is written
        with the digits 0 to 9, without underscores.

        Raises:
            ValueError: It is of another type or out of bounds.
        """
        kind = type(self.default)
        value: Value
        try:
            if kind is bool:
                value = _read_boolean(text)
            elif kind is tuple:
                value = tuple(word.strip() for word in text.split(",") if word.strip())
            elif kind is int:
                value = read_integer(text)
            elif kind is float:
                value = read_number(text)
            else:
                value = text
        except ValueError:
            raise self._wrong_type(text) from None
        return self.check(value)

    def from_toml(self, value: object) -> Value:
        """Take the value that a settings file holds.

        Raises:
            ValueError: It is of another type or out of bounds.
        """
        kind = type(self.default)
        if kind is tuple and isinstance(value, list):
            if all(isinstance(item, str) for item in value):
                return self.check(tuple(value))
        elif type(value) is kind:
            return self.check(value)
        elif kind is float and type(value) is int:
            self.check(value)  # First, since a float cannot hold every integer.
            return float(value)
        raise self._wrong_type(value)

    @property
    def _name(self) -> str:
        return f"[{self.section}] {self.key}"

    def _wrong_type(self, value: object) -> ValueError:
        # In short: a value of a file may be nested deeper than `repr` can follow.
        shown = _SHORT.repr(value)
        return ValueError(f"{self._name} must be {self.type_name}, not {shown}")


def _check_characters(name: str, text: str) -> None:
    """Refuse what neither a settings file nor the system can hold."""
    if "\0" in text:
        raise ValueError(f"{name} must not hold a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} must be UTF-8 text") from None


def _read_boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE
