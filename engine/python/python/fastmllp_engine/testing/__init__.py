"""What tests of a configuration need: its functions, and messages that no patient has sent.

For pytest there is a plugin, `fastmllp_engine.testing.plugin`, which pytest finds by itself.
"""

from fastmllp_engine.testing.feeds import Feeds, FunctionFailed
from fastmllp_engine.testing.hospital import TYPES, generate
from fastmllp_engine.testing.running import NotSettled, RunningFeeds

__all__ = ["TYPES", "Feeds", "FunctionFailed", "NotSettled", "RunningFeeds", "generate"]
