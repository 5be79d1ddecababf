"""Routers and handlers in threads of the engine: `workers.count = 0`, and tests.

A function that hangs or ends the process is everybody's trouble here: a hospital uses processes.
"""

from typing import TYPE_CHECKING

from fastmllp_engine.graph import ConfigurationError, Finding, Registry, functions_of

if TYPE_CHECKING:
    from fastmllp_engine._native import Builder


def in_threads(builder: "Builder", registry: Registry) -> None:
    """Give a builder the routers and handlers of a graph.

    Raises:
        ConfigurationError: inbounds differ in what they receive. A thread is not told by which
            inbound a message came.
    """
    inbounds = {name: it for name, it in registry.inbounds.items() if not it.takes_sends}
    kinds = {(str(it.content_type), it.encoding): it for it in inbounds.values()}
    if len(kinds) > 1:
        text = "functions in threads need one content type and one encoding of all inbounds"
        raise ConfigurationError(
            [Finding(it.place, f"{it.subject}: {text}") for it in kinds.values()]
        )
    builder.functions_in_threads(functions_of(registry), next(iter(inbounds), ""))
