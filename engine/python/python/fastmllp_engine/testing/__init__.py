"""What tests of a configuration need: its functions, and messages that no patient has sent.

For pytest there is a plugin, `fastmllp_engine.testing.plugin`, which pytest finds by itself.
"""

from typing import TYPE_CHECKING, Any

from fastmllp_engine.testing.feeds import Feeds, FunctionFailed
from fastmllp_engine.testing.hospital import TYPES, generate

if TYPE_CHECKING:
    from fastmllp_engine.testing.running import NotSettled, RunningFeeds

__all__ = ["TYPES", "Feeds", "FunctionFailed", "NotSettled", "RunningFeeds", "generate"]


def __getattr__(name: str) -> Any:
    """What runs an engine is imported when it is asked for: pytest imports this room always."""
    if name in ("NotSettled", "RunningFeeds"):
        from fastmllp_engine.testing import running

        return getattr(running, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
