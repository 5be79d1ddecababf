"""`env` and `current_environment`: values that differ from one environment to the next."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from fastmllp_engine.graph.findings import ConfigurationError, did_you_mean
from fastmllp_engine.graph.kinds import MISSING, kind
from fastmllp_engine.graph.loading import site

T = TypeVar("T")

PREFIX = "FASTMLLP_VALUE_"
OF_COMPAT = "MEFOR_VALUE_"
"""Of feeds for MessageFoundry: the variables that they were deployed with."""

NOT_GIVEN: Any = object()


@dataclass(frozen=True)
class Environment:
    """The values of one environment, by their keys. A variable of the process comes first."""

    name: str = ""
    """Such as ``dev``; empty if the configuration has no environments."""
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    file: str = ""
    """Where the values were read, below the folder of the configuration."""
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    prefixes: tuple[str, ...] = (PREFIX,)
    """Of the variables that have values, the first of them first."""

    def get(self, key: str) -> tuple[object, str] | None:
        """The value of a key, and where it was found."""
        for prefix in self.prefixes:
            variable = variable_of(key, prefix)
            if variable in self.variables:
                return self.variables[variable], variable
        return (self.values[key], self.file) if key in self.values else None

    def keys(self) -> Iterator[str]:
        """The keys of the file."""
        return iter(self.values)


def variable_of(key: str, prefix: str = PREFIX) -> str:
    """The name of the environment variable that has the value of a key."""
    return prefix + re.sub(r"[^A-Z0-9]", "_", key.upper())


@overload
def env(key: str) -> str: ...
@overload
def env(key: str, *, default: str) -> str: ...
@overload
def env(key: str, *, cast: Callable[[str], T]) -> T: ...
@overload
def env(key: str, *, default: T, cast: Callable[[str], T]) -> T: ...
def env(key: str, *, default: Any = NOT_GIVEN, cast: Callable[[str], Any] = str) -> Any:
    """The value of a key in the environment that the configuration is loaded for.

    It comes from the variable ``FASTMLLP_VALUE_<KEY>``, then from ``environments/<env>.toml``, then
    from the default. Secrets belong into the variable.

    Args:
        key: The key.
        default: What the value is if there is none. It is taken as it is.
        cast: Makes a value of a text: ``int``, ``float``, ``bool`` or a function of your own.
    """
    return read(key, default, cast)


def read(key: str, default: Any, cast: Callable[[str], Any], at: str = "") -> Any:
    """The value of a key. What is wrong is written down, and the value is missing then."""
    here = site(declares=False)
    values = here.loading.values if here.loading else Environment()
    found = values.get(key)
    try:
        if found is None:
            if default is not NOT_GIVEN:
                return default
            near = did_you_mean(key, values.keys())
            where = f" in environment {values.name}" if values.name else ""
            raise ValueError(f'no value for "{key}"{where}{near or f" (or {variable_of(key)})"}')
        return _cast(key, *found, cast)
    except ValueError as error:
        here.error("", str(error), at)
    if here.loading and here.loading.is_open:
        here.finish()
        return MISSING
    raise ConfigurationError(here.errors)


_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def _cast(key: str, value: object, where: str, cast: Callable[[str], Any]) -> Any:
    name = getattr(cast, "__name__", "cast")
    if cast is str:
        if not isinstance(value, str):
            raise ValueError(
                f'"{key}" is {kind(value)} in {where}; say cast={type(value).__name__}'
            )
        return value
    if type(value) is cast:
        return value
    if cast is bool:
        if str(value).casefold() not in _FLAGS:
            raise ValueError(f'"{key}" must be true or false ({where})')
        return _FLAGS[str(value).casefold()]
    try:
        return cast(str(value))
    except Exception as error:
        # The value may be a secret, and so may be what the error says.
        raise ValueError(
            f'{name} cannot read the value of "{key}" ({where}): {type(error).__name__}'
        ) from None


def current_environment() -> str:
    """The name of the environment that the configuration is loaded for, such as ``dev``."""
    here = site(declares=False)
    return here.loading.values.name if here.loading else ""
