"""What a parameter may be: its annotation, read when a value is given."""

import ipaddress
import math
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from fastmllp_engine.graph.findings import did_you_mean


class Missing:
    """Stands for a value that is not there, and about which something was written down."""

    def __repr__(self) -> str:
        return "<missing>"


MISSING: Any = Missing()


class Wrong(Exception):
    """A value is not what it has to be. The text never holds the value of a text."""


@dataclass(frozen=True)
class Between:
    """Bounds of a number, both included."""

    least: float
    most: float = math.inf

    def check(self, value: float) -> None:
        if not self.least <= value <= self.most:
            wanted = (
                f"at least {self.least}"
                if self.most == math.inf
                else f"from {self.least} to {self.most}"
            )
            raise Wrong(f"must be {wanted}, is {value}")


@dataclass(frozen=True)
class MoreThanZero:
    """A time that has to pass."""

    def check(self, value: float) -> None:
        if not value > 0:
            raise Wrong(f"must be more than 0, is {value}")


@dataclass(frozen=True)
class Matches:
    """A text of some form."""

    pattern: str
    what: str

    def check(self, value: str) -> None:
        if not re.fullmatch(self.pattern, value):
            raise Wrong(f"must be {self.what}")


@dataclass(frozen=True)
class IsNetwork:
    """An address, or a network of addresses."""

    def check(self, value: str) -> None:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            raise Wrong(f'must be a network such as "10.1.0.0/16": {error}') from None


@dataclass(frozen=True)
class IsAddress:
    """An address that can be listened on."""

    def check(self, value: str) -> None:
        if value != "localhost":
            try:
                ipaddress.ip_address(value)
            except ValueError:
                raise Wrong('must be an IP address, such as "127.0.0.1" or "0.0.0.0"') from None


Name = Annotated[str, Matches(r"\w[\w.-]{0,99}", "letters, digits, _ . and -, at most 100")]
FieldPath = Annotated[
    str, Matches(r"[A-Z][A-Z0-9]{2}-[1-9]\d{0,2}(\.[1-9]\d{0,2}){0,2}", 'a field such as "PID-3.1"')
]
Text = Annotated[str, Matches(r"(?s).+", "a text that is not empty")]
Address = Annotated[str, IsAddress()]
Network = Annotated[str, IsNetwork()]
Port = Annotated[int, Between(0, 65_535)]
Byte = Annotated[int, Between(0, 255)]
Count = Annotated[int, Between(1)]
Seconds = Annotated[float, MoreThanZero()]
Days = Annotated[int, Between(0, 36_500)]

_PLAIN = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "bytes",
    type(None): "nothing",
}


def read(
    value: object, annotation: Any, make: Callable[[type, Mapping[str, object]], object]
) -> Any:
    """A value as its annotation has it: enumerations from their texts, lists as tuples.

    Args:
        value: The value.
        annotation: What it has to be.
        make: Builds an object of a class from a table of TOML.

    Raises:
        Wrong: it is something else.
    """
    if value is MISSING or annotation is Any or annotation is object:
        return value
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *checks = get_args(annotation)
        value = read(value, base, make)
        for check in checks:
            check.check(value)
        return value
    if origin in (Union, types.UnionType):
        return _one_of(value, get_args(annotation), make)
    if origin is Literal:
        return _choice(value, get_args(annotation))
    if origin in (tuple, Sequence, list):
        return _many(value, get_args(annotation)[0], make)
    if origin is Mapping:
        return _table(value)
    if origin is Callable:
        if not callable(value):
            raise Wrong(f"must be a function, is {kind(value)}")
        return value
    return _plain(value, annotation, make)


def kind(value: object) -> str:
    """What a value is, without the value."""
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    return _PLAIN.get(type(value), f"a {type(value).__name__}")


def _plain(value: object, wanted: Any, make: Callable[[type, Mapping[str, object]], object]) -> Any:
    if wanted is float and type(value) is int:
        return float(value)
    if issubclass(wanted, StrEnum) and not isinstance(value, wanted):
        return wanted(_choice(value, tuple(wanted)))
    if isinstance(value, Mapping) and hasattr(wanted, "__dataclass_fields__"):
        return make(wanted, value)
    is_flag = isinstance(value, bool) and wanted is not bool
    if is_flag or not isinstance(value, wanted):
        raise Wrong(f"must be {_PLAIN.get(wanted, f'{wanted.__name__}(...)')}, is {kind(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Wrong(f"must be a number, is {value}")
    return value


def _one_of(value: object, members: tuple[Any, ...], make: Any) -> Any:
    """What the first member makes of the value that takes it; otherwise the nearest complaint."""
    complaints: list[tuple[bool, Wrong]] = []
    for member in members:
        try:
            return read(value, member, make)
        except Wrong as wrong:
            complaints.append((_is_near(value, member), wrong))
    near = [wrong for is_near, wrong in complaints if is_near]
    if near:
        raise near[0]
    wanted = " or ".join(
        str(wrong).removeprefix("must be ").partition(", is")[0] for _, wrong in complaints
    )
    raise Wrong(f"must be {wanted}, is {kind(value)}")


def _is_near(value: object, annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_near(value, get_args(annotation)[0])
    if origin is Literal:
        return isinstance(value, str) and len(get_args(annotation)) > 1
    if origin in (tuple, Sequence, list):
        return isinstance(value, (list, tuple))
    if not isinstance(annotation, type):
        return False
    if issubclass(annotation, StrEnum):
        return isinstance(value, str)
    is_number = annotation is float and type(value) is int
    return (
        type(value) is annotation
        or is_number
        or hasattr(annotation, "__dataclass_fields__")
        and isinstance(value, Mapping)
    )


def _choice(value: object, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if (
            type(choice) is type(value)
            and choice == value
            or isinstance(choice, StrEnum)
            and choice == value
        ):
            return choice
    names = [f'"{one}"' if isinstance(one, str) else str(one).lower() for one in choices]
    near = did_you_mean(value, (str(one) for one in choices)) if isinstance(value, str) else ""
    wanted = f"one of {', '.join(names)}" if len(names) > 1 else names[0]
    raise Wrong(
        f"must be {wanted}{near or f', is {kind(value)}' if not isinstance(value, str) else near}"
    )


def _many(value: object, member: Any, make: Any) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple, set, frozenset)):
        raise Wrong(f"must be a list, is {kind(value)}")
    return tuple(read(one, member, make) for one in value)


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise Wrong(f"must be a table with names, is {kind(value)}")
    return types.MappingProxyType(dict(value))


def hints(cls: type) -> dict[str, Any]:
    """The annotations of a class, with everything that is written in them."""
    return typing.get_type_hints(cls, include_extras=True)
