"""Declarations: frozen dataclasses whose parameters are checked where they are written.

A wrong parameter does not stop the module that has it. It is written down with its place, and the
load goes on, so that everything that is wrong is known at once.
"""

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform

from fastmllp_engine.graph.findings import Place, did_you_mean
from fastmllp_engine.graph.kinds import MISSING, Wrong, hints, read
from fastmllp_engine.graph.loading import Site, site


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,)
)
class Checked:
    """The base of everything that is declared. A class that derives from it is a dataclass."""

    refused: ClassVar[Mapping[str, str]] = {}
    """Parameters that other engines have and this version has not, and what to say of each."""

    word: ClassVar[str] = ""
    """What a name and its value are called, if not parameter or key."""

    place: Place = dataclasses.field(init=False, repr=False, compare=False)
    """Where it was declared."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls.__init__ = _checking(cls.__init__)  # type: ignore[method-assign]

    def place_of(self, parameter: str) -> Place:
        """Where a parameter was given, as exactly as that is known."""
        places: Mapping[str, Place] = vars(self).get("_places", {})
        return places.get(parameter, self.place)

    @property
    def subject(self) -> str:
        """What a complaint calls it."""
        return type(self).__name__

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with values that are right one by one: the parameter, and a text of it.

        Not called while a value is missing.
        """
        return iter(())

    def is_declared(self, site: Site) -> None:
        """Called once all parameters are known."""


T = TypeVar("T", bound=Checked)


def changed(declared: T, **values: object) -> T:
    """A copy with other values, at the same place. Nothing is checked or declared by it."""
    other = copy.copy(declared)
    for name, value in values.items():
        object.__setattr__(other, name, value)
    return other


_known: dict[type, dict[str, tuple[dataclasses.Field[Any], Any]]] = {}


def parameters(cls: type[Any]) -> Mapping[str, tuple[dataclasses.Field[Any], Any]]:
    """The parameters of a class in order, each with its annotation."""
    known = _known.get(cls)
    if known is None:
        annotations = hints(cls)
        fields = (field for field in dataclasses.fields(cls) if field.init)
        known = _known[cls] = {it.name: (it, annotations[it.name]) for it in fields}
    return known


def _checking(plain: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(plain)
    def __init__(self: Checked, *given: object, **named: object) -> None:
        here = site()
        positional = [name for name, (it, _) in parameters(type(self)).items() if not it.kw_only]
        if len(given) > len(positional):
            cls = type(self).__name__
            raise TypeError(f"{cls}: parameters after the first {len(positional)} need their names")
        _fill(self, {**dict(zip(positional, given, strict=False)), **named}, here)
        here.finish()
        self.is_declared(here)

    return __init__


def _fill(declared: Checked, named: Mapping[str, object], here: Site) -> None:
    before = len(here.errors)
    values = _values(type(declared), named, here)
    for name, value in values.items():
        object.__setattr__(declared, name, value)
    object.__setattr__(declared, "place", here.at)
    if here.entry:
        object.__setattr__(declared, "_places", here.entry.places)
    if len(here.errors) == before and not any(value is MISSING for value in values.values()):
        for parameter, text in declared.faults():
            here.error(declared.subject, text, parameter)


def _values(cls: type[Checked], named: Mapping[str, object], here: Site) -> dict[str, object]:
    """What is given for each parameter, or what stands for it. What is wrong is written down."""
    known = parameters(cls)
    subject = _subject(cls, named)
    for name in named.keys() - known.keys():
        here.error(subject, _unknown(cls, name, cls.word or here.word), name)
    values: dict[str, object] = {}
    for name, (field, annotation) in known.items():
        if name in named:
            values[name] = _value(name, named[name], annotation, here, subject)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            here.error(subject, f'the {here.word} "{name}" is missing')
            values[name] = MISSING
        else:
            factory = field.default_factory
            values[name] = field.default if factory is dataclasses.MISSING else factory()
    return values


def _value(name: str, value: object, annotation: Any, here: Site, subject: str) -> object:
    def make(inner: type[Checked], table: Mapping[str, object]) -> object:
        made: Checked = object.__new__(inner)
        _fill(made, table, here.inside(name))
        return made

    try:
        return read(value, annotation, make)
    except Wrong as wrong:
        here.error(subject, f"{name} {wrong}", name)
        return MISSING


def _subject(cls: type[Checked], named: Mapping[str, object]) -> str:
    name = named.get("name")
    return f"{cls.__name__.lower()} {name}" if isinstance(name, str) else cls.__name__


def _unknown(cls: type[Checked], name: str, word: str) -> str:
    if name in cls.refused:
        return f'the {word} "{name}" is not supported by this version: {cls.refused[name]}'
    return f'unknown {word} "{name}"{did_you_mean(name, parameters(cls))}'
