"""Options that are given by keyword: a frozen dataclass of them, checked when it is made.

A class of options is made of fields, each with its type, its default, its check and what it means.
The functions that take them say so with a `typing.TypedDict` of the same names and types, which
lets type checkers and editors know them, and with `Options.shown`, for `inspect` and the pages.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self, TypeAlias, TypeVar

__all__ = [
    "Options",
    "OverLimit",
    "Policy",
    "Profile",
    "ProxyProtocol",
    "Scan",
    "WaitFor",
    "names_of",
    "option",
]

Profile: TypeAlias = Literal["permissive", "resync", "strict"]
Scan: TypeAlias = Literal[
    "single_byte", "shift_jis", "gb18030", "gbk", "big5", "iso2022_jp", "auto"
]
Policy: TypeAlias = Literal["always", "conformant"]
OverLimit: TypeAlias = Literal["close", "refuse"]
ProxyProtocol: TypeAlias = Literal["off", "required"]
WaitFor: TypeAlias = Literal["application", "accept"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def option(default: Any, check: Callable[[str, Any], Any]) -> Any:
    """A field that is checked.

    Args:
        default: Its default.
        check: Called with the name and the value; returns the value to keep, or raises ValueError
            or TypeError.
    """
    return dataclasses.field(default=default, metadata={"check": check})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The base of every class of options."""

    def __post_init__(self) -> None:
        """Check each field.

        Raises:
            ValueError: One is out of bounds.
            TypeError: One is of a wrong type.
        """
        for field in dataclasses.fields(self):
            if check := field.metadata.get("check"):
                # The only change ever: the value as its check returns it.
                object.__setattr__(self, field.name, check(field.name, getattr(self, field.name)))

    @classmethod
    def of(cls, keywords: type, given: Mapping[str, Any], **more: Any) -> Self:
        """Make them of what a function was given by keyword.

        Args:
            keywords: The typed dictionary of those that the function takes.
            given: What it was given.
            more: Further options, of which the function takes care itself.

        Raises:
            ValueError: One is out of bounds.
            TypeError: One is of a wrong type, or not one that the function takes.
        """
        for name in given:
            if name not in names_of(keywords):
                raise TypeError(f"got an unexpected keyword argument {name!r}")
        return cls(**more, **given)

    @classmethod
    def shown(cls, keywords: type, **defaults: Any) -> Callable[[_Function], _Function]:
        """Show options in the signature of a function, in place of its last parameter.

        Args:
            keywords: The typed dictionary of those that the function takes.
            defaults: The defaults that are others for this function.
        """

        def show(function: _Function) -> _Function:
            signature = inspect.signature(function)
            *own, _ = signature.parameters.values()
            options = [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=defaults.get(field.name, field.default),
                    annotation=field.type,
                )
                for field in dataclasses.fields(cls)
                if field.name in names_of(keywords)
            ]
            function.__signature__ = signature.replace(  # type: ignore[attr-defined]
                parameters=[*own, *options]
            )
            return function

        return show


def names_of(keywords: type) -> frozenset[str]:
    """The names in a typed dictionary, all of which may be left out."""
    names: frozenset[str] = keywords.__optional_keys__  # type: ignore[attr-defined]
    return names
