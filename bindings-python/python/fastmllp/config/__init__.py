"""Settings: one table of them, the sources they come from, and the bounds they are checked against.

>>> from fastmllp import Server, config
>>> settings = config.load(["server"], file="fastmllp.toml")  # doctest: +SKIP
>>> settings.section("server")["port"]  # doctest: +SKIP
2575
"""

from fastmllp.config.bounds import (
    DEFAULT_FRAME_TIMEOUT,
    DEFAULT_MAX_CONNECTIONS,
    DEFAULT_MAX_SIZE,
    DEFAULT_PORT,
    DEFAULT_TIMEOUT,
    encoding,
    port,
    seconds,
    size,
)
from fastmllp.config.setting import Setting, Value
from fastmllp.config.sources import ConfigError, Effective, Settings, load
from fastmllp.config.table import SECTIONS, SETTINGS

__all__ = [
    "DEFAULT_FRAME_TIMEOUT",
    "DEFAULT_MAX_CONNECTIONS",
    "DEFAULT_MAX_SIZE",
    "DEFAULT_PORT",
    "DEFAULT_TIMEOUT",
    "SECTIONS",
    "SETTINGS",
    "ConfigError",
    "Effective",
    "Setting",
    "Settings",
    "Value",
    "encoding",
    "load",
    "port",
    "seconds",
    "size",
]
