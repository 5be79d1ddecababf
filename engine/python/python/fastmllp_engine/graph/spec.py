"""What a connector says of itself: its transport and its settings."""

from collections.abc import Iterator
from typing import ClassVar

from fastmllp_engine.graph.checked import Checked


class Spec(Checked):
    """Settings of a connection's transport. Each connector derives one from this.

    Its fields are the parameters of the factory and the keys of ``settings`` in
    ``connections.toml``. A field with ``repr=False`` is a secret: no picture
    and no difference shows it.
    """

    transport: ClassVar[str]
    """Its name in ``connections.toml``."""
    receives: ClassVar[bool] = False
    """Whether it can be an inbound."""
    sends: ClassVar[bool] = False
    """Whether it can be an outbound."""
    takes_sends: ClassVar[bool] = False
    """Whether handlers send to its inbound, and nothing comes from outside."""
    listens: ClassVar[bool] = False
    """Whether an inbound takes a port of this machine: then it has fields ``host`` and ``port``."""

    acknowledges: ClassVar[bool] = True
    """Whether a sender is told what became of its message."""
    most_connections: ClassVar[int] = 64
    """How many connections to its partner an outbound can have."""

    def wanted_of_inbound(self) -> Iterator[str]:
        """What an inbound would need and this has not, a text for each."""
        return iter(())

    def wanted_of_outbound(self) -> Iterator[str]:
        """What an outbound would need and this has not, a text for each."""
        return iter(())

    def wanted_of_content(self, content_type: str) -> Iterator[str]:
        """What an inbound with this content type would need, a text for each."""
        return iter(())

    def noted(self) -> Iterator[str]:
        """What `check` should say of the surroundings, such as a folder that is not there."""
        return iter(())

    def summary(self) -> str:
        """The words after its transport in pictures, such as an address. Never a secret."""
        return ""
