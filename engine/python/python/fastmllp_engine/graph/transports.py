"""The connectors by the names of their transports."""

import importlib
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points

from fastmllp_engine.graph.findings import did_you_mean
from fastmllp_engine.graph.spec import Spec

GROUP = "fastmllp_engine.connectors"
"""The entry point by which other distributions register connectors: a transport and its `Spec`."""

# By name: the connectors know the graph, and the graph must not know them.
_BUILT_IN = ("MLLP", "Tcp", "File", "Timer", "Loopback", "PassThrough")


class NoTransport(Exception):
    """A connection cannot be this. The text says why, and which distribution is at fault."""


class Transports:
    """What a connection can be, by what ``transport`` says in ``connections.toml``.

    What another distribution registers is imported when it is asked for, and no earlier.
    """

    def __init__(self) -> None:
        built_in = importlib.import_module(GROUP)
        specs = [getattr(built_in, name) for name in _BUILT_IN]
        self._built_in: dict[str, type[Spec]] = {spec.transport: spec for spec in specs}
        self._registered: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=GROUP):
            self._registered.setdefault(point.name, []).append(point)

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(sorted({*self._built_in, *self._registered}))

    def find(self, name: str) -> type[Spec]:
        """The connector of a transport.

        Raises:
            NoTransport: there is none, or it cannot be used.
        """
        points = self._registered.get(name, [])
        if name in self._built_in:
            return self._built_in[name]
        if not points:
            near = did_you_mean(name, self) or f": {', '.join(self)}"
            raise NoTransport(f'unknown transport "{name}"{near}')
        if len(points) > 1:
            raise NoTransport(f'transport "{name}" is registered by {_listed(points)}')
        return _loaded(points[0])

    def faults(self) -> Iterator[str]:
        """What is wrong with what other distributions register, a text for each transport."""
        for name, points in sorted(self._registered.items()):
            if name in self._built_in:
                yield f'transport "{name}" of {_listed(points)} is not used: there is one built in'
                continue
            try:
                self.find(name)
            except NoTransport as error:
                yield str(error)


def _loaded(point: EntryPoint) -> type[Spec]:
    about = f'transport "{point.name}" of {_distribution(point)}'
    try:
        spec = point.load()
    except (Exception, SystemExit) as error:
        raise NoTransport(f"{about} cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(spec, type) and issubclass(spec, Spec)):
        raise NoTransport(f"{about} is no connector: {point.value}")
    own = getattr(spec, "transport", None)
    if own != point.name:
        raise NoTransport(f'{about} calls itself "{own}": {point.value}')
    return spec


def _listed(points: Sequence[EntryPoint]) -> str:
    return " and ".join(sorted(_distribution(point) for point in points))


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
