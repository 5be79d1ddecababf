"""The protocols that a link can speak, by their names."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from fastmllp.aio.connections import Connections


class LinkProtocol(Protocol):
    """What a link needs of a protocol: connections that speak it."""

    def new_connection(self, connections: Connections) -> asyncio.Protocol:
        """A connection that was just accepted or dialed.

        It has the methods of `fastmllp.aio.connections.OpenConnection` beside those of
        `asyncio.Protocol`. When it is made it asks `Connections.takes`, and closes if it is not
        taken. It keeps its limits itself, logs through a `fastmllp.serving.report.ConnectionReport`
        with the gate of the connections or in the same words, and calls `Connections.forget` once
        it has ended and no message of it is worked on any more.

        On a link with TLS its transport encrypts, and what it receives is decrypted. With methods
        ``secured`` and ``insecure`` it is told of the handshake: see
        `fastmllp.aio.secure.HearsOfTls`.
        """


Factory: TypeAlias = Callable[..., LinkProtocol]

_factories: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Make a protocol known by a name.

    Args:
        name: For the argument ``protocol`` of `SocketLink`.
        factory: Called with the handler, and by keyword with ``timeout``, ``idle_timeout``,
            ``frame_timeout``, ``max_size``, ``encoding``, ``executor``, ``handler_timeout``, which
            are checked already, ``name`` if the link has a name, and the options that `SocketLink`
            does not know. Raises ValueError or TypeError for those that it does not take.
    """
    _factories[name] = factory


def new_protocol(
    name: str, handler: Callable[[Any], Any] | None, /, **options: Any
) -> LinkProtocol:
    """The protocol of that name for one link.

    Raises:
        ValueError: There is none of that name, or an option is out of bounds.
        TypeError: An option is not one of that protocol.
    """
    factory = _factories.get(name)
    if factory is None:
        known = ", ".join(sorted(_factories))
        raise ValueError(f"protocol must be one of {known}, not {name!r}")
    return factory(handler, **options)
