"""Connectors: what a connection can be. Each has a factory, which says what can be set."""

from fastmllp_engine.connectors.file import File
from fastmllp_engine.connectors.internal import Loopback, PassThrough
from fastmllp_engine.connectors.mllp import MLLP
from fastmllp_engine.connectors.tcp import Tcp
from fastmllp_engine.connectors.timer import Timer

__all__ = ["MLLP", "File", "Loopback", "PassThrough", "Tcp", "Timer"]
