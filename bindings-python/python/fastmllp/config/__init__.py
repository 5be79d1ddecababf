"""Settings: one table of them, the sources they come from, and the bounds they are checked against.

>>> from fastmllp import Server, config
>>> settings = config.load(["server"], file="fastmllp.toml")  # doctest: +SKIP
>>> settings.section("server")["port"]  # doctest: +SKIP
2575

Another program makes a `SettingsTable` of its own, with its settings and the prefix of its
variables; `fastmllp.config.flags` and `fastmllp.config.show` work on any table.
"""

from fastmllp.config.bounds import (
    DEFAULT_FRAME_TIMEOUT,
    DEFAULT_MAX_CONNECTIONS,
    DEFAULT_MAX_SIZE,
    DEFAULT_PORT,
    DEFAULT_STOP_TIMEOUT,
    DEFAULT_TIMEOUT,
    encoding,
    port,
    seconds,
    size,
)
from fastmllp.config.setting import Setting, Value
from fastmllp.config.sources import ConfigError, Effective, Settings, SettingsTable
from fastmllp.config.table import SECTIONS, SETTINGS, TABLE, load

__all__ = [
    "DEFAULT_FRAME_TIMEOUT",
    "DEFAULT_MAX_CONNECTIONS",
    "DEFAULT_MAX_SIZE",
    "DEFAULT_PORT",
    "DEFAULT_STOP_TIMEOUT",
    "DEFAULT_TIMEOUT",
    "SECTIONS",
    "SETTINGS",
    "TABLE",
    "ConfigError",
    "Effective",
    "Setting",
    "Settings",
    "SettingsTable",
    "Value",
    "encoding",
    "load",
    "port",
    "seconds",
    "size",
]
