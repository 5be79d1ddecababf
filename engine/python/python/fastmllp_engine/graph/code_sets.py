"""`code_set`: tables of codes, which a configuration has in its folder ``codesets``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fastmllp_engine.graph.findings import ConfigurationError, did_you_mean
from fastmllp_engine.graph.loading import site

Value = str | Mapping[str, str]
"""What a code stands for: a text, or the texts of several columns by the names of the columns."""


class OnMiss(StrEnum):
    """What `CodeSet.translate` gives for a code that the set does not have."""

    ERROR = "error"
    """`KeyError`: the message ends in ERROR."""
    NONE = "none"
    """There is no policy: the same."""
    DEFAULT = "default"
    """The value that the policy names."""
    PASSTHROUGH = "passthrough"
    """The code itself."""


@dataclass(frozen=True)
class Policy:
    """What happens to codes that a set does not have."""

    kind: OnMiss = OnMiss.ERROR
    default_value: str | None = None


@dataclass(frozen=True, repr=False)
class CodeSet(Mapping[str, Any]):
    """A table of codes. It is read once, with the configuration, and never changes.

    ``wards["2A"]`` is a text, or a mapping of texts if the file has several columns. A code that
    is not there raises `KeyError`; `get` and `translate` do not.
    """

    name: str
    values_by_code: Mapping[str, Value] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)

    def __getitem__(self, code: str) -> Any:
        return self.values_by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_code)

    def __len__(self) -> int:
        return len(self.values_by_code)

    def __repr__(self) -> str:
        return f"<CodeSet {self.name}: {len(self):,}>"

    def translate(self, code: str | None) -> Any:
        """What a code stands for, or what the policy of the set says if it does not have the code.

        Args:
            code: The code. None, an element that is not there, is a code that no set has.

        Raises:
            KeyError: the set does not have the code, and its policy has nothing else.
        """
        value = None if code is None else self.values_by_code.get(code)
        if value is not None:
            return value
        match self.policy.kind:
            case OnMiss.ERROR | OnMiss.NONE:
                raise KeyError(code)
            case OnMiss.DEFAULT:
                return self.policy.default_value
            case OnMiss.PASSTHROUGH:
                return code


def code_set(name: str) -> CodeSet:
    """The table of codes that ``codesets/<name>.csv`` or ``codesets/<name>.toml`` has.

    Both at the top of a module and inside a function it is found without reading a file.

    Args:
        name: The name of the file, without what stands after the dot.
    """
    here = site(declares=False)
    sets = here.loading.code_sets if here.loading else {}
    if name in sets:
        return sets[name]
    here.error("", unknown(name, sets))
    if here.loading and here.loading.is_open:
        here.finish()
        return CodeSet(name)
    raise ConfigurationError(here.errors)


def unknown(name: str, sets: Mapping[str, CodeSet]) -> str:
    """What is said of a name that no code set has."""
    near = did_you_mean(name, sets)
    return f'there is no code set "{name}"{near or f" (codesets/{name}.csv)"}'
