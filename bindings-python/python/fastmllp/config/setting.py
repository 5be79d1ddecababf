"""One setting: how its value is read from text and from TOML, and what it must be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastmllp.config.bounds import Range

Value: TypeAlias = str | int | float | bool | tuple[str, ...]

PREFIX = "FASTMLLP_"
"""What all environment variables begin with."""
# The keys of these sections carry a prefix already, which is not repeated: FASTMLLP_LOG_LEVEL.
_PREFIXES = {"logging": "log_", "metrics": "metrics_"}
_TYPES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    tuple: "an array of strings",
}
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. The type of the default is the type of the setting."""

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

    @property
    def flag(self) -> str:
        """The flag on the command line, such as ``--max-size``."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, such as ``FASTMLLP_SERVER_MAX_SIZE``."""
        prefix = _PREFIXES.get(self.section, f"{self.section}_")
        return PREFIX + (prefix + self.key.removeprefix(prefix)).upper()

    @property
    def variable_prefix(self) -> str:
        """What all environment variables of the section begin with."""
        return PREFIX + _PREFIXES.get(self.section, f"{self.section}_").upper()

    @property
    def type_name(self) -> str:
        """What the value of the setting is, in words."""
        return _TYPES[type(self.default)]

    def check(self, value: Value) -> Value:
        """Check a value of the right type.

        Raises:
            ValueError: It is out of bounds. The text begins with the section and the key.
        """
        name = f"[{self.section}] {self.key}"
        if self.range is not None and isinstance(value, int | float):
            self.range.check(name, value)
        if self.choices and value not in self.choices:
            raise ValueError(f"{name} must be one of {', '.join(self.choices)}, not {value!r}")
        if self.check_text is not None:
            self.check_text(name, value)
        return value

    def from_text(self, text: str) -> Value:
        """Read the value of a flag or of an environment variable. Lists are comma separated.

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
            elif kind is int or kind is float:
                value = kind(text)
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
            return self.check(float(value))
        raise self._wrong_type(value)

    def _wrong_type(self, value: object) -> ValueError:
        return ValueError(f"[{self.section}] {self.key} must be {self.type_name}, not {value!r}")


def _read_boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE
