"""A configuration whose functions a test calls, in this process and without sending anything."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fastmllp_engine._native import Message, RawMessage, Send
from fastmllp_engine.graph import Inbound, Registry, Run, functions_of, load, run

if TYPE_CHECKING:
    from fastmllp_engine.testing.running import RunningFeeds

Payload: TypeAlias = bytes | str | Message | RawMessage
"""A message. Of a text, lines may end as an editor ends them."""


class FunctionFailed(AssertionError):
    """A router or a handler has raised, or returned what it may not. Says the type and the line."""


class Feeds:
    """A loaded configuration, for tests of its functions.

    Every message counts as received at the beginning of 2026 in UTC, so that runs are alike.

    Attributes:
        registry: The graph.
    """

    def __init__(self, folder: str | Path, environment: str | None = None) -> None:
        """Load a configuration.

        Raises:
            ConfigurationError: it is refused; the text has everything that is wrong.
        """
        self.registry: Registry = load(folder, environment)
        self._functions = functions_of(self.registry)

    def route(self, inbound: str, message: Payload) -> list[str]:
        """The handlers that the router of an inbound chooses, and that accept the message.

        Raises:
            FunctionFailed: the router has failed.
            KeyError: there is no such inbound.
        """
        one = self._inbound(inbound)
        said = self._functions.route(one.router, one.name, _bytes(message, one))
        if isinstance(said, str):
            raise FunctionFailed(said)
        return said

    def handle(self, handler: str, message: Payload, inbound: str | None = None) -> list[Send]:
        """What a handler sends, in order.

        Args:
            handler: Its name.
            message: What it gets.
            inbound: Which inbound the message came by; the only one, or the first.

        Raises:
            FunctionFailed: the handler has failed.
            KeyError: there is no such handler or inbound.
        """
        if handler not in self.registry.handlers:
            raise KeyError(f"there is no handler {handler}")
        one = self._inbound(inbound or next(iter(self.registry.inbounds)))
        said = self._functions.handle(handler, one.name, _bytes(message, one))
        if isinstance(said, str):
            raise FunctionFailed(said)
        return said

    def run(self, inbound: str, message: Payload) -> Run:
        """Everything that becomes of a message: what is routed, sent, and fails.

        Raises:
            KeyError: there is no such inbound.
        """
        one = self._inbound(inbound)
        return run(self.registry, one, _bytes(message, one))

    def running(self) -> "RunningFeeds":
        """The engine itself with this graph, and with scripted partners in place of the real ones.

        Use it in a with statement.
        """
        from fastmllp_engine.testing.running import RunningFeeds

        return RunningFeeds(self.registry)

    def _inbound(self, name: str) -> Inbound:
        if name not in self.registry.inbounds:
            raise KeyError(f"there is no inbound {name}")
        return self.registry.inbounds[name]


def _bytes(message: Payload, inbound: Inbound) -> bytes:
    if isinstance(message, Message):
        return message.encode()
    if isinstance(message, RawMessage):
        return message.encode()
    if isinstance(message, bytes):
        return message
    lines = message.replace("\r\n", "\r").replace("\n", "\r")
    return lines.encode(inbound.encoding or "utf-8")
