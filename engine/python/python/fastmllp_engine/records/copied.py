"""A record from what the native engine returns: the same names, plain values."""

import dataclasses
import functools
import types
import typing
from typing import Any, TypeVar, cast, get_args, get_origin

T = TypeVar("T")


def copied(cls: type[T], native: object) -> T:
    """A record of this class, each field from the attribute of its name."""
    values = {
        name: _value(hint, getattr(native, name)) for name, hint in _fields(cast(Any, cls)).items()
    }
    return cls(**values)


@functools.cache
def _fields(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) is types.UnionType:
        (hint,) = (one for one in get_args(hint) if one is not types.NoneType)
    if get_origin(hint) is list:
        return [_value(get_args(hint)[0], one) for one in value]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return copied(hint, value)
    return value
