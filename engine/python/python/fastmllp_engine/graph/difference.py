"""What differs between two registries."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from fastmllp_engine.graph.checked import Checked, parameters
from fastmllp_engine.graph.registry import Registry

_KINDS = ("inbound", "outbound", "router", "handler")
_CODE_SET = "code set"


def difference(old: Registry, new: Registry) -> list[str]:
    """How the wiring and the settings have changed, a text for each change.

    Such as ``+ outbound OB_REG``, ``adt: + handler to_reg`` and ``OB_LAB: window 1 -> 4``. What
    functions do inside is not compared.
    """
    found: list[str] = []
    for kind in (*_KINDS, _CODE_SET):
        before, after = _all(old, kind), _all(new, kind)
        found += [f"- {kind} {name}" for name in before if name not in after]
        found += [f"+ {kind} {name}" for name in after if name not in before]
    for kind in _KINDS:
        before, after = _all(old, kind), _all(new, kind)
        for name in before.keys() & after.keys():
            found += _changes(name, kind, before[name], after[name])
    found[_moved(found) :] = sorted(found[_moved(found) :])
    found += _in_code_sets(old, new)
    found += _in_settings(old, new)
    return found


def _moved(found: list[str]) -> int:
    """How many of the texts are about what has come and gone."""
    return sum(text[0] in "+-" for text in found)


def _all(registry: Registry, kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(registry, f"{kind.replace(' ', '_')}s")
    return found


def _changes(name: str, kind: str, old: Any, new: Any) -> Iterator[str]:
    if kind == "router":
        yield from _names(name, "handler ", old.names, new.names)
        return
    if kind == "handler":
        yield from _names(name, "", old.sends, new.sends)
    for text in _in_parameters(old, new):
        yield f"{name}: {text}"


def _names(name: str, kind: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{name}: - {kind}{one}" for one in old if one not in new)
    yield from (f"{name}: + {kind}{one}" for one in new if one not in old)


def _in_parameters(old: Checked, new: Checked, prefix: str = "") -> Iterator[str]:
    if type(old) is not type(new):
        names = [getattr(it, "transport", type(it).__name__) for it in (old, new)]
        yield f"transport {names[0]} -> {names[1]}"
        return
    for name, (field, _) in parameters(type(old)).items():
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if isinstance(before, Checked) and isinstance(after, Checked):
            yield from _in_parameters(before, after, "" if name == "spec" else f"{prefix}{name}.")
        elif field.repr:
            yield f"{prefix}{name} {_shown(before)} -> {_shown(after)}"
        else:
            yield f"{prefix}{name} differs"


def _in_code_sets(old: Registry, new: Registry) -> Iterator[str]:
    """How many codes have come, gone or changed, and whether the policy has."""
    for name in sorted(old.code_sets.keys() & new.code_sets.keys()):
        before, after = old.code_sets[name], new.code_sets[name]
        counts = (
            (len(after.keys() - before.keys()), "new"),
            (len(before.keys() - after.keys()), "gone"),
            (sum(before[code] != after[code] for code in before.keys() & after.keys()), "differ"),
        )
        texts = [f"{count:,} {what}" for count, what in counts if count]
        if before.policy != after.policy:
            texts.append("another policy")
        if texts:
            yield f"{_CODE_SET} {name}: {', '.join(texts)}"


def _in_settings(old: Registry, new: Registry) -> Iterator[str]:
    for field in dataclasses.fields(old.settings):
        if field.init:
            before, after = getattr(old.settings, field.name), getattr(new.settings, field.name)
            for text in _in_parameters(before, after):
                yield f"[{field.name}]: {text}"


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items()) or "none"
    if callable(value) and not dataclasses.is_dataclass(value):
        return getattr(value, "__name__", "a function")
    return str(value)
