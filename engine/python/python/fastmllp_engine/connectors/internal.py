"""Connections that lead nowhere outside: what the engine itself has is received there."""

from typing import ClassVar

from fastmllp_engine.graph import Spec
from fastmllp_engine.graph.kinds import Text


class Loopback(Spec):
    """Receives what partners have replied, to be routed like any message."""

    encoding: Text = "utf-8"
    """The character set of messages that do not name one."""

    transport: ClassVar[str] = "loopback"
    receives: ClassVar[bool] = True


class PassThrough(Spec):
    """Receives what handlers send to its name, to be routed again by its own router."""

    encoding: Text = "utf-8"
    """The character set of messages that do not name one."""

    transport: ClassVar[str] = "passthrough"
    receives: ClassVar[bool] = True
