"""The connectors by the names of their transports."""

import functools
import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points

from fastmllp_engine.graph.spec import Spec

GROUP = "fastmllp_engine.connectors"
"""The entry point by which other distributions register connectors: a name and its `Spec`."""

# By name: the connectors know the graph, and the graph must not know them.
_BUILT_IN = ("MLLP", "Tcp", "File", "Timer", "Loopback", "PassThrough")


@functools.cache
def transports() -> Mapping[str, type[Spec]]:
    """What a connection can be, by what ``transport`` says in ``connections.toml``.

    Raises:
        TypeError: another distribution registers something that is no `Spec`.
    """
    built_in = importlib.import_module(GROUP)
    found = {spec.transport: spec for spec in (getattr(built_in, name) for name in _BUILT_IN)}
    for point in entry_points(group=GROUP):
        spec = point.load()
        if not (isinstance(spec, type) and issubclass(spec, Spec)):
            raise TypeError(f"entry point {point.name} of {GROUP} is no connector: {point.value}")
        found.setdefault(point.name, spec)
    return found
